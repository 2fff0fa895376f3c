// The seal of a record: a checksum that a store appends to each, so that a flipped bit on disk is detected on reading.
//
// It is the CRC-32 of key and record, which detects any single flip and any burst of up to 32 bits; the key is included
// because a record may also be found under a wrong key. It protects against accidents, not against attackers, who can
// compute it as well. LevelDB has checksums of its own and looks at them when it reads its log, but not when it
// reads a table, unless asked to; `level` has no way to ask.
//
//   record | CRC-32 of key and record, 4, little-endian

import { CorruptStore } from './records.ts'

const SEAL_BYTES = 4

/** The CRC-32 of some bytes, or of all up to them when the value of those before is given. */
export type Crc32 = (bytes: Uint8Array, before?: number) => number

/** The record with its seal. `crc` may be a faster one that gives the same. */
export function sealRecord(key: string, record: Uint8Array, crc: Crc32 = crc32): Uint8Array {
  const sealed = new Uint8Array(record.length + SEAL_BYTES)
  sealed.set(record)
  sealIn(sealed).setUint32(0, checksum(key, record, crc), true)
  return sealed
}

/** The record under a seal, in the same memory. Throws `CorruptStore` naming the key when it is not what was sealed. */
export function openRecord(key: string, sealed: Uint8Array, crc: Crc32 = crc32): Uint8Array {
  const record = sealed.subarray(0, Math.max(0, sealed.length - SEAL_BYTES))
  const isWhole =
    sealed.length >= SEAL_BYTES && sealIn(sealed).getUint32(0, true) === checksum(key, record, crc)
  if (!isWhole) throw new CorruptStore(`record ${key} is damaged`)
  return record
}

function sealIn(sealed: Uint8Array): DataView {
  return new DataView(sealed.buffer, sealed.byteOffset + sealed.length - SEAL_BYTES, SEAL_BYTES)
}

function checksum(key: string, record: Uint8Array, crc: Crc32): number {
  return crc(record, crc(new TextEncoder().encode(key)))
}

/** The polynomial of ISO-HDLC, reversed. */
const POLYNOMIAL = 0xedb88320

const TABLE = Int32Array.from({ length: 256 }, (_, index) => {
  let value = index
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1
  return value
})

/** CRC-32/ISO-HDLC, as in zlib and Ethernet. */
export function crc32(bytes: Uint8Array, before = 0): number {
  let crc = ~before
  // By index: an iterator takes five times as long.
  for (let index = 0; index < bytes.length; index++) crc = (crc >>> 8) ^ TABLE[(crc ^ bytes[index]!) & 0xff]!
  return ~crc >>> 0
}
