// A look at LevelDB's write-ahead log before LevelDB opens it.
//
// LevelDB leaves out records of the log whose checksum is wrong, without a word, and then deletes the log: a damaged
// one would cost everything that was not yet in a table. So the log is read here first, and a node with a damaged
// one does not start. Format: doc/log_format.md of LevelDB: blocks of 32 KiB that hold records of
// checksum 4 (CRC-32C, masked) | length 2 | type 1 | data. A record cut short at the end of the file is no damage: it
// is a write that a crash interrupted, and nothing was acknowledged that depends on it.

import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

const BLOCK_BYTES = 32 * 1024
const HEADER_BYTES = 7
const MASK_DELTA = 0xa282ead8
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

/** Where the first record with a wrong checksum or length begins, or null. */
export function firstDamage(log: Uint8Array): number | null {
  const view = new DataView(log.buffer, log.byteOffset, log.byteLength)
  for (let block = 0; block < log.length; block += BLOCK_BYTES) {
    const end = Math.min(block + BLOCK_BYTES, log.length)
    let offset = block
    while (offset + HEADER_BYTES <= end) {
      const length = view.getUint16(offset + 4, true)
      const next = offset + HEADER_BYTES + length
      // Zeros are memory that was reserved and not written: the rest of the block holds nothing.
      if (length === 0 && view.getUint32(offset, true) === 0 && log[offset + 6] === 0) break
      if (next > end) {
        if (end === log.length) return null
        return offset
      }
      if (maskedCrc(log.subarray(offset + 6, next)) !== view.getUint32(offset, true)) return offset
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
