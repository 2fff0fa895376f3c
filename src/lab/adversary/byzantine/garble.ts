// Garbling: bytes that are no message. Before each of its messages it sends the same one spoilt: cut short, with a byte
// after its end, of an unknown kind, with a number or a count out of bounds, or larger than any may be. A decoder must
// refuse all of them and take no harm.

import { PBFT } from '../../../consensus/pbft/kit.ts'
import type { PbftMessage } from '../../../consensus/pbft/messages.ts'
import { PBFT_BYTES_MAX } from '../../../consensus/pbft/view-change-wire.ts'
import { ByteWriter, concatBytes } from '../../../encoding/bytes.ts'
import { encodeEnvelope } from '../../../finality/envelope.ts'
import type { Lie } from './lie.ts'

/** Where the parts of an envelope are: its kind, its clock, what kind of message it has, and the message's first field. */
const KIND_AT = 0
const CLOCK_AT = 1
const TYPE_AT = 9
const FIELD_AT = 10
const NUMBER_BYTES = 8

/** Ways to spoil the bytes of an envelope. */
const SPOILS: readonly ((body: Uint8Array) => Uint8Array)[] = [
  () => new Uint8Array(0),
  body => body.subarray(0, -1),
  body => concatBytes(body, new Uint8Array(1)),
  body => overwritten(body, KIND_AT, 1),
  body => overwritten(body, CLOCK_AT, NUMBER_BYTES),
  body => overwritten(body, TYPE_AT, 1),
  body => overwritten(body, FIELD_AT, NUMBER_BYTES),
  body => concatBytes(body.subarray(0, TYPE_AT), endlessViewChange()),
]

/** Says everything, and each time first something that can't be read: once what is too large, then the others by turns. */
export function garble(): Lie {
  let count = 0
  return {
    say(said) {
      const bytes = spoil(said.message, count)
      count += 1
      return [{ type: 'broadcast-bytes', bytes }, said]
    },
  }
}

function spoil(message: PbftMessage, count: number): Uint8Array {
  const body = encodeEnvelope({ clockMs: 0, content: { type: 'protocol', message } }, PBFT.codec)
  return count === 0 ? oversized(body) : SPOILS[count % SPOILS.length]!(body)
}

/** The body with so much after its end that its message is one byte larger than any may be. */
function oversized(body: Uint8Array): Uint8Array {
  return concatBytes(body, new Uint8Array(TYPE_AT + PBFT_BYTES_MAX + 1 - body.length))
}

/** The body with some bytes at the top of their range, which is above every bound. */
function overwritten(body: Uint8Array, at: number, count: number): Uint8Array {
  return body.slice().fill(0xff, at, at + count)
}

/** A view change that announces four thousand million certificates, and has none. */
function endlessViewChange(): Uint8Array {
  return new ByteWriter().u8(5).u64(1n).u8(0).u8(0).compactSize(0xffff_ffff).finish()
}
