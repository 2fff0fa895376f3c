// The fields of votes in bytes, the same in what is signed, sent and stored: numbers of eight bytes, values of 32,
// members of one, signatures of 65. Each has one form only. Writing what has none is a mistake of the program, and a
// RangeError; reading it is a mistake of somebody else's, and `MalformedBytes`.

import { SIGNATURE_BYTES } from '../chain/compact-signature.ts'
import { NO_BLOCK } from '../chain/header.ts'
import { NO_VALUE, NUMBER_MAX, type Value } from '../consensus/log.ts'
import type { Suspect, Vote } from '../consensus/pbft/votes.ts'
import type { MemberIndex } from '../consensus/process.ts'
import type { Signature } from '../consensus/signed.ts'
import {
  type ByteReader,
  type ByteWriter,
  fromReversedHex,
  MalformedBytes,
  toReversedHex,
} from '../encoding/bytes.ts'
import { VALIDATORS_MAX } from './validators.ts'

/** The byte of every phase in which something is signed. */
export const PHASE_BYTES = {
  prepare: 1,
  commit: 2,
  checkpoint: 3,
  'view-change': 4,
  'new-view': 5,
  answer: 6,
  complaint: 7,
} as const

/** The phases in which members vote. */
export const VOTE_PHASES: readonly Vote['phase'][] = ['prepare', 'commit', 'checkpoint']

const VALUE_PATTERN = /^0x[0-9a-f]{64}$/
const NO_VALUE_BYTES = new Uint8Array(32)

/** Whether a number has a form in bytes. */
export function isNumber(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0 && value <= NUMBER_MAX
}

/** Whether a value has a form in bytes: an id, or none. 32 zeros stand for none, so they are no id. */
export function isValue(value: Value): boolean {
  return value === NO_VALUE || (VALUE_PATTERN.test(value) && value !== NO_BLOCK)
}

/** A number from 0 to 2^48. */
export function writeNumber(writer: ByteWriter, value: number): void {
  if (!isNumber(value)) throw new RangeError(`${value} is not a whole number from 0 to 2^48`)
  writer.u64(BigInt(value))
}

/** What `writeNumber` wrote. */
export function readNumber(reader: ByteReader): number {
  const value = reader.u64()
  if (value > BigInt(NUMBER_MAX)) throw new MalformedBytes('number out of bounds')
  return Number(value)
}

/** A value in the order in which a header has the id of a block; 32 zeros for none. */
export function writeValue(writer: ByteWriter, value: Value): void {
  if (!isValue(value)) throw new RangeError(`${JSON.stringify(value)} is not a value`)
  writer.bytes(value === NO_VALUE ? NO_VALUE_BYTES : fromReversedHex(value as `0x${string}`))
}

/** What `writeValue` wrote. */
export function readValue(reader: ByteReader): Value {
  const value = toReversedHex(reader.bytes(32))
  return value === NO_BLOCK ? NO_VALUE : value
}

/** A phase in which members vote. */
export function readVotePhase(reader: ByteReader): Vote['phase'] {
  return votePhaseOf(reader.u8())
}

/** The phase in which members vote that has this byte. Throws `MalformedBytes`. */
export function votePhaseOf(byte: number): Vote['phase'] {
  const phase = VOTE_PHASES.find(name => PHASE_BYTES[name] === byte)
  if (phase === undefined) throw new MalformedBytes('no phase of a vote')
  return phase
}

/** Whether a member's place has a form in bytes. */
export function isMember(member: MemberIndex): boolean {
  return Number.isInteger(member) && member >= 0 && member < VALIDATORS_MAX
}

/** The place of a member. */
export function writeMember(writer: ByteWriter, member: MemberIndex): void {
  if (!isMember(member)) throw new RangeError(`${member} is no member`)
  writer.u8(member)
}

/** What `writeMember` wrote. */
export function readMember(reader: ByteReader): MemberIndex {
  const member = reader.u8()
  if (member >= VALIDATORS_MAX) throw new MalformedBytes('no member')
  return member
}

/** The 65 bytes of a signature, whatever they say. */
export function writeSignature(writer: ByteWriter, signature: Signature): void {
  if (signature.length !== SIGNATURE_BYTES)
    throw new RangeError(`a signature has ${SIGNATURE_BYTES} bytes, not ${signature.length}`)
  writer.bytes(signature)
}

/** What `writeSignature` wrote, in memory of its own: a vote that is kept must not keep its whole message. */
export function readSignature(reader: ByteReader): Signature {
  return reader.bytes(SIGNATURE_BYTES).slice()
}

/** The members that a view change names, each with the sequence number up to which it is passed over. */
export function writeSuspects(writer: ByteWriter, suspects: readonly Suspect[]): void {
  writeList(writer, VALIDATORS_MAX, suspects, ({ member, until }) => {
    writeMember(writer, member)
    writeNumber(writer, until)
  })
}

/** What `writeSuspects` wrote. */
export function readSuspects(reader: ByteReader): Suspect[] {
  return readList(reader, VALIDATORS_MAX, () => {
    const member = readMember(reader)
    return { member, until: readNumber(reader) }
  })
}

/** A list of at most `max` things, with their number before them. */
export function writeList<T>(
  writer: ByteWriter,
  max: number,
  items: readonly T[],
  write: (item: T) => void,
): void {
  if (items.length > max) throw new RangeError(`${items.length} in a list of at most ${max}`)
  writer.compactSize(items.length)
  for (const item of items) write(item)
}

/** What `writeList` wrote. */
export function readList<T>(reader: ByteReader, max: number, read: () => T): T[] {
  const count = reader.compactSize(max)
  const items: T[] = []
  for (let index = 0; index < count; index++) items.push(read())
  return items
}
