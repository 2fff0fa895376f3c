// A look at LevelDB's write-ahead log before LevelDB opens it.
//
// LevelDB leaves out records of the log whose checksum is wrong, without a word, and then deletes the log: a damaged
// one would cost everything that was not yet in a table. So the log is read here first, and a node with a damaged
// one does not start. Format: doc/log_format.md of LevelDB: blocks of 32 KiB that hold records of
// checksum 4 (CRC-32C, masked) | length 2 | type 1 | data.

import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

const BLOCK_BYTES = 32 * 1024
const HEADER_BYTES = 7
const MASK_DELTA = 0xa282ead8
/** The types of a record that begins something: a whole one, or the first of several parts. */
const BEGINNINGS: ReadonlySet<number> = new Set([1, 2])
/** The Castagnoli polynomial, reversed. */
const POLYNOMIAL = 0x82f63b78

/** The name of the first log in this directory that is damaged, with the place; null when none is. */
export async function findDamagedLog(directory: string): Promise<string | null> {
  const files = await readdir(directory)
  for (const file of files.filter(name => name.endsWith('.log')).sort()) {
    const offset = firstDamage(await readFile(join(directory, file)))
    if (offset !== null) return `${file} at byte ${offset}`
  }
  return null
}

/**
 * Where the first damaged record begins, or null. Damage with nothing whole behind it is none: it is what a power cut
 * leaves of a write that was under way.
 */
export function firstDamage(log: Uint8Array): number | null {
  const view = new DataView(log.buffer, log.byteOffset, log.byteLength)
  let damage: number | null = null
  for (let block = 0; block < log.length; block += BLOCK_BYTES) {
    const end = Math.min(block + BLOCK_BYTES, log.length)
    for (let offset = block; offset + HEADER_BYTES <= end; ) {
      const length = view.getUint16(offset + 4, true)
      const type = log[offset + 6]!
      const next = offset + HEADER_BYTES + length
      // Zeros are memory that was reserved and not written: the rest of the block holds nothing.
      if (length === 0 && type === 0 && view.getUint32(offset, true) === 0) break
      const isWhole =
        next <= end && maskedCrc(log.subarray(offset + 6, next)) === view.getUint32(offset, true)
      if (!isWhole) damage ??= offset
      else if (damage !== null && BEGINNINGS.has(type)) return damage
      offset = next
    }
  }
  return null
}

function maskedCrc(bytes: Uint8Array): number {
  const crc = crc32c(bytes)
  return (((crc >>> 15) | (crc << 17)) + MASK_DELTA) >>> 0
}

const TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1
  return value
})

/** CRC-32C (RFC 3720, appendix B.4). */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) crc = (crc >>> 8) ^ TABLE[(crc ^ byte) & 0xff]!
  return (crc ^ 0xffffffff) >>> 0
}
