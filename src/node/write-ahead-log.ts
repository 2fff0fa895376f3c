// LevelDB's logs, which it writes its records and its manifests to, as they are read before LevelDB opens them.
//
// LevelDB silently skips records of the log whose checksum is wrong, and then deletes the log: a damaged one would cost
// everything that was not yet in a table. So the log is read here first, and a node with a damaged
// one does not start. Format: doc/log_format.md of LevelDB: blocks of 32 KiB that hold records of
// checksum 4 (CRC-32C, masked) | length 2 | type 1 | data.

const BLOCK_BYTES = 32 * 1024
const HEADER_BYTES = 7
const MASK_DELTA = 0xa282ead8
/** What a record is: all of what was written, or one of its parts. */
const TYPE = { full: 1, first: 2, middle: 3, last: 4 } as const
const BEGINNINGS: ReadonlySet<number> = new Set([TYPE.full, TYPE.first])
/** The Castagnoli polynomial, reversed. */
const POLYNOMIAL = 0x82f63b78

/**
 * Where the first damaged record begins, or null. Damage with nothing whole behind it is none: it is what a power cut
 * leaves of a write that was under way.
 */
export function firstDamage(log: Uint8Array): number | null {
  let damage: number | null = null
  for (const { offset, type, data } of parts(log)) {
    if (data === null) damage ??= offset
    else if (damage !== null && BEGINNINGS.has(type)) return damage
  }
  return null
}

/** What was written to a log, one after the other, up to the first that is not whole. */
export function* readWhole(log: Uint8Array): Generator<Uint8Array> {
  let begun: Uint8Array[] = []
  for (const { type, data } of parts(log)) {
    if (data === null) return
    if (BEGINNINGS.has(type)) begun = []
    begun.push(data)
    if (type === TYPE.full || type === TYPE.last) yield Buffer.concat(begun)
  }
}

/** The records of all blocks in their order; `data` is null for a record whose checksum is wrong. */
function* parts(log: Uint8Array): Generator<{ offset: number; type: number; data: Uint8Array | null }> {
  const view = new DataView(log.buffer, log.byteOffset, log.byteLength)
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
      yield { offset, type, data: isWhole ? log.subarray(offset + HEADER_BYTES, next) : null }
      offset = next
    }
  }
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
