/**
 * What a nonce search is, and its slow, obvious form: hash the header with one nonce after another. It is the twin
 * against which the fast kernel is tested, the exact check of every nonce that the kernel proposes, and the fallback
 * on a machine without WebAssembly SIMD.
 *
 * The header is Bitcoin's: 80 bytes, the nonce little-endian at bytes 76 to 79. Its id is SHA-256d (SHA-256 twice,
 * FIPS 180-4), and meets the target when the digest, read as a little-endian 256-bit integer, is at most the target.
 */

import { sha256d } from '../chain/hash.ts'
import { HEADER_BYTES } from '../chain/header.ts'
import { bigintFromBytesLe } from '../encoding/bytes.ts'

/** How many nonces there are: 2^32. */
export const NONCE_COUNT = 2 ** 32

/** Where to search, and for what. */
export interface NonceSearch {
  /** 80 bytes; the nonce in it is ignored and left alone. */
  readonly header: Uint8Array
  /** At least 0, below 2^256. */
  readonly target: bigint
  /** The first nonce to try. */
  readonly firstNonce: number
  /** How many nonces to try; firstNonce + count is at most 2^32. */
  readonly count: number
}

const NONCE_OFFSET = 76

/** The lowest nonce in the range that meets the target, or null. Throws a RangeError for a malformed search. */
export function searchSlowly(search: NonceSearch): number | null {
  assertNonceSearch(search)
  const header = Uint8Array.from(search.header)
  for (let nonce = search.firstNonce; nonce < search.firstNonce + search.count; nonce++) {
    if (nonceMeetsTarget(header, nonce, search.target)) return nonce
  }
  return null
}

/** Whether this nonce, which is written into the header, makes SHA-256d of the header meet the target. */
export function nonceMeetsTarget(header: Uint8Array, nonce: number, target: bigint): boolean {
  new DataView(header.buffer, header.byteOffset).setUint32(NONCE_OFFSET, nonce, true)
  return bigintFromBytesLe(sha256d(header)) <= target
}

/** Throws a RangeError that says which part of the search is malformed, if one is. */
export function assertNonceSearch({ header, target, firstNonce, count }: NonceSearch): void {
  if (header.length !== HEADER_BYTES)
    throw new RangeError(`header has ${header.length} bytes, not ${HEADER_BYTES}`)
  if (target < 0n || target >= 1n << 256n) throw new RangeError(`target ${target} is not in 0 .. 2^256 - 1`)
  const isRange = Number.isInteger(firstNonce) && Number.isInteger(count) && firstNonce >= 0 && count >= 0
  if (!isRange || firstNonce + count > NONCE_COUNT) {
    throw new RangeError(`${count} nonces from ${firstNonce} are not within 0 .. 2^32 - 1`)
  }
}
