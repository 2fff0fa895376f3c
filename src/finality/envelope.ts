// What members of a committee say, as bytes: a kind, the sender's clock, and either who he is or a message of the
// protocol.
//
//   kind 1 | milliseconds since 1970 8 | hello: member 1, signature 65     protocol: the message     (little-endian)
//
// A hello binds a validator to a peer: its signature is over the peer id, which the connection proves, so nobody can
// pass another's off as his own. Nothing else depends on who carries a message: all of it is signed.

import { sha256 } from '../chain/hash.ts'
import type { PbftMessage } from '../consensus/pbft/messages.ts'
import type { MemberIndex } from '../consensus/process.ts'
import {
  ByteReader,
  ByteWriter,
  fromHex,
  fromReversedHex,
  MalformedBytes,
  readOrNull,
} from '../encoding/bytes.ts'
import type { SigningDomain } from './signing.ts'
import { decodePbftMessage, encodePbftMessage } from './wire.ts'

/** What is said. */
export type Content =
  | { readonly type: 'hello'; readonly member: MemberIndex; readonly signature: Uint8Array }
  | { readonly type: 'protocol'; readonly message: PbftMessage }

/** What is said, and when by the sender's clock. */
export interface Envelope {
  /** Milliseconds since 1970. */
  readonly clockMs: number
  readonly content: Content
}

const KINDS = ['hello', 'protocol'] as const
const HELLO_TAG = new TextEncoder().encode('quorate/hello/1')
const SIGNATURE_BYTES = 65
const HELLO_BYTES = 1 + 8 + 1 + SIGNATURE_BYTES
const CLOCK_MAX = 2n ** 48n

/** The bytes of an envelope. */
export function encodeEnvelope({ clockMs, content }: Envelope): Uint8Array {
  const writer = new ByteWriter()
    .u8(KINDS.indexOf(content.type))
    .u64(BigInt(Math.max(0, Math.floor(clockMs))))
  switch (content.type) {
    case 'hello':
      return writer.u8(content.member).bytes(content.signature).finish()
    case 'protocol':
      return writer.bytes(encodePbftMessage(content.message)).finish()
  }
}

/** Whether these bytes are a hello, as far as their kind and size tell: without reading on. */
export function isHello(bytes: Uint8Array): boolean {
  return bytes[0] === KINDS.indexOf('hello') && bytes.length === HELLO_BYTES
}

/** The envelope in these bytes, or null when they are none. */
export function decodeEnvelope(bytes: Uint8Array): Envelope | null {
  return readOrNull(() => {
    const reader = new ByteReader(bytes)
    const kind = KINDS[reader.u8()]
    const clock = reader.u64()
    if (clock > CLOCK_MAX) throw new MalformedBytes('clock out of bounds')
    return { clockMs: Number(clock), content: readContent(kind, reader) }
  })
}

/** What is said in a few words, its kind first. */
export function describeContent(content: Content): string {
  if (content.type === 'hello') return `hello ${content.member}`
  const { message } = content
  switch (message.type) {
    case 'pre-prepare':
      return `pre-prepare ${message.sequence}/${message.view} ${message.value}`
    case 'prepare':
    case 'commit':
      return `${message.type} ${message.sequence}/${message.view} ${message.value} by ${message.from}`
    case 'checkpoint':
      return `checkpoint ${message.sequence} ${message.value} by ${message.from}`
    case 'view-change':
      return `view-change ${message.view} by ${message.from} with ${message.prepared.length}`
    case 'new-view':
      return `new-view ${message.view} with ${message.proposals.length}`
    case 'status':
      return `status ${message.decided}/${message.view} by ${message.from}`
    case 'proof': {
      const { phase, sequence, view, value } = message.certificate
      return `proof ${phase} ${sequence}/${view} ${value}`
    }
    case 'complaint':
      return `complaint ${message.view} by ${message.from}`
    case 'query':
      return `query by ${message.from}`
    case 'answer':
      return `answer to ${message.to} by ${message.from} with ${message.votes.length}`
  }
}

/** The 32 bytes that a hello signs. */
export function helloDigest(domain: SigningDomain, peer: string): Uint8Array {
  const writer = new ByteWriter()
    .sizedBytes(HELLO_TAG)
    .u64(domain.chainId)
    .bytes(fromReversedHex(domain.genesisId))
    .bytes(fromHex(domain.validatorSetId))
    .bytes(new TextEncoder().encode(peer))
  return sha256(writer.finish())
}

function readContent(kind: (typeof KINDS)[number] | undefined, reader: ByteReader): Content {
  switch (kind) {
    case undefined:
      throw new MalformedBytes('unknown kind')
    case 'hello': {
      const member = reader.u8()
      const signature = reader.bytes(SIGNATURE_BYTES).slice()
      reader.end()
      return { type: 'hello', member, signature }
    }
    case 'protocol': {
      const message = decodePbftMessage(reader.rest())
      if (message === null) throw new MalformedBytes('no message of the protocol')
      return { type: 'protocol', message }
    }
  }
}
