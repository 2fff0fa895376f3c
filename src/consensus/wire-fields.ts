// The fields of which the messages and records of protocols are made, as bytes: numbers of eight bytes, values of 32,
// members and flags of one, signatures of 65. Each has one form only. Writing what has none is a bug, and a RangeError;
// reading what has none is the fault of the bytes, and `MalformedBytes`.

import {
  ByteReader,
  type ByteWriter,
  fromReversedHex,
  MalformedBytes,
  readOrNull,
  toReversedHex,
} from '../encoding/bytes.ts'
import { NO_VALUE, NUMBER_MAX, type Value } from './log.ts'
import type { MemberIndex } from './process.ts'
import type { Signature } from './signed.ts'

/** Members of a committee at most. */
export const MEMBERS_MAX = 100

/** Bytes of a signature: r, s and the parity of y (secp256k1). */
export const SIGNATURE_BYTES = 65

/** The 32 bytes that stand for no value, as an id is written. */
const NO_VALUE_ID = `0x${'00'.repeat(32)}`
const VALUE_PATTERN = /^0x[0-9a-f]{64}$/
const NO_VALUE_BYTES = new Uint8Array(32)

/** Whether a number has a form in bytes. */
export function isNumber(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0 && value <= NUMBER_MAX
}

/** Whether a value has a form in bytes: an id, or none. 32 zeros stand for none, so they are no id. */
export function isValue(value: Value): boolean {
  return value === NO_VALUE || (VALUE_PATTERN.test(value) && value !== NO_VALUE_ID)
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
  return value === NO_VALUE_ID ? NO_VALUE : value
}

/** Whether a member's place has a form in bytes. */
export function isMember(member: MemberIndex): boolean {
  return Number.isInteger(member) && member >= 0 && member < MEMBERS_MAX
}

/** The place of a member. */
export function writeMember(writer: ByteWriter, member: MemberIndex): void {
  if (!isMember(member)) throw new RangeError(`${member} is no member`)
  writer.u8(member)
}

/** What `writeMember` wrote. */
export function readMember(reader: ByteReader): MemberIndex {
  const member = reader.u8()
  if (member >= MEMBERS_MAX) throw new MalformedBytes('no member')
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

/** Yes or no, as one byte. */
export function writeFlag(writer: ByteWriter, flag: boolean): void {
  writer.u8(flag ? 1 : 0)
}

/** What `writeFlag` wrote. */
export function readFlag(reader: ByteReader): boolean {
  const byte = reader.u8()
  if (byte > 1) throw new MalformedBytes('neither yes nor no')
  return byte === 1
}

/** The kind of a message or record, by the byte that each kind has. */
export function readType<T extends string>(reader: ByteReader, bytes: Readonly<Record<T, number>>): T {
  const byte = reader.u8()
  for (const type of Object.keys(bytes) as T[]) if (bytes[type] === byte) return type
  throw new MalformedBytes('unknown type')
}

/** What these bytes say as a whole; null when they are too many, malformed, or have some left over. */
export function decodeWhole<T>(
  bytes: Uint8Array,
  bytesMax: number,
  read: (reader: ByteReader) => T,
): T | null {
  if (bytes.length > bytesMax) return null
  return readOrNull(() => {
    const reader = new ByteReader(bytes)
    const result = read(reader)
    reader.end()
    return result
  })
}
