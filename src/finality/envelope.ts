// Messages between members of a committee, as bytes: a kind, the sender's clock, and either a hello or a message of the
// protocol.
//
//   kind 1 | milliseconds since 1970 8 | hello: member 1, signature 65     protocol: the message     (little-endian)
//
// A hello binds a validator to a peer: its signature is over the peer id, which the connection proves, so that no peer can
// use the hello of another. Where the protocol's messages are signed nothing else depends on the peer that carries them;
// where they are not, authentication.ts holds them to what hellos have bound.

import { sha256 } from '../chain/hash.ts'
import type { MemberIndex } from '../consensus/process.ts'
import { SIGNATURE_BYTES } from '../consensus/wire-fields.ts'
import {
  ByteReader,
  ByteWriter,
  fromHex,
  fromReversedHex,
  MalformedBytes,
  readOrNull,
} from '../encoding/bytes.ts'
import type { SigningDomain } from './signing.ts'

/** How the messages of a protocol are written. */
export interface MessageCodec<Message> {
  encodeMessage(message: Message): Uint8Array
  decodeMessage(bytes: Uint8Array): Message | null
}

/** What is said. */
export type Content<Message> =
  | { readonly type: 'hello'; readonly member: MemberIndex; readonly signature: Uint8Array }
  | { readonly type: 'protocol'; readonly message: Message }

/** What is said, and when by the sender's clock. */
export interface Envelope<Message> {
  /** Milliseconds since 1970. */
  readonly clockMs: number
  readonly content: Content<Message>
}

const KINDS = ['hello', 'protocol'] as const
const HELLO_TAG = new TextEncoder().encode('quorate/hello/1')
const HELLO_BYTES = 1 + 8 + 1 + SIGNATURE_BYTES
const CLOCK_MAX = 2n ** 48n

/** The bytes of an envelope. */
export function encodeEnvelope<Message>(
  { clockMs, content }: Envelope<Message>,
  codec: MessageCodec<Message>,
): Uint8Array {
  const writer = new ByteWriter()
    .u8(KINDS.indexOf(content.type))
    .u64(BigInt(Math.max(0, Math.floor(clockMs))))
  switch (content.type) {
    case 'hello':
      return writer.u8(content.member).bytes(content.signature).finish()
    case 'protocol':
      return writer.bytes(codec.encodeMessage(content.message)).finish()
  }
}

/** Whether these bytes are a hello, as far as their kind and size tell: without reading on. */
export function isHello(bytes: Uint8Array): boolean {
  return bytes[0] === KINDS.indexOf('hello') && bytes.length === HELLO_BYTES
}

/** The envelope in these bytes, or null when they are none. */
export function decodeEnvelope<Message>(
  bytes: Uint8Array,
  codec: MessageCodec<Message>,
): Envelope<Message> | null {
  return readOrNull(() => {
    const reader = new ByteReader(bytes)
    const kind = KINDS[reader.u8()]
    const clock = reader.u64()
    if (clock > CLOCK_MAX) throw new MalformedBytes('clock out of bounds')
    return { clockMs: Number(clock), content: readContent(kind, reader, codec) }
  })
}

/** What is said in a few words, its kind first. */
export function describeContent<Message>(
  content: Content<Message>,
  describe: (message: Message) => string,
): string {
  return content.type === 'hello' ? `hello ${content.member}` : describe(content.message)
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

function readContent<Message>(
  kind: (typeof KINDS)[number] | undefined,
  reader: ByteReader,
  codec: MessageCodec<Message>,
): Content<Message> {
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
      const message = codec.decodeMessage(reader.rest())
      if (message === null) throw new MalformedBytes('no message of the protocol')
      return { type: 'protocol', message }
    }
  }
}
