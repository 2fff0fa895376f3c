// The compact form of a target (Bitcoin's nBits) and the work that a target stands for.
//
// Compact: one byte of size in base 256, three bytes of mantissa whose highest bit is a sign. Bitcoin reads
// negative, overflowing and redundant forms in surprising ways; here they are refused, so that one target
// has one encoding.

/** The largest number that fits in a hash. */
export const HASH_MAX = 2n ** 256n - 1n

/** A target as its compact form; the bits beyond the mantissa are cut off. */
export function encodeCompact(target: bigint): number {
  let size = Math.ceil(target.toString(16).length / 2)
  let mantissa = Number(size <= 3 ? target << BigInt(8 * (3 - size)) : target >> BigInt(8 * (size - 3)))
  // The highest bit is the sign: a mantissa that would set it is moved one byte down.
  if (mantissa >= 0x800000) {
    mantissa >>>= 8
    size += 1
  }
  return size * 0x1000000 + mantissa
}

/** The target of a compact form, or null when the form is zero, negative, overflowing or not canonical. */
export function decodeCompact(bits: number): bigint | null {
  const size = bits >>> 24
  const mantissa = bits & 0x7fffff
  if ((bits & 0x800000) !== 0 || mantissa === 0 || size > 34) return null
  const target =
    size <= 3 ? BigInt(mantissa >>> (8 * (3 - size))) : BigInt(mantissa) << BigInt(8 * (size - 3))
  return target > 0n && target <= HASH_MAX && encodeCompact(target) === bits ? target : null
}

/** Hashes that a block below this target takes on average: 2^256 / (target + 1). */
export function workOfTarget(target: bigint): bigint {
  return (HASH_MAX + 1n) / (target + 1n)
}
