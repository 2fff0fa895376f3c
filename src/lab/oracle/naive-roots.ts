// The trees of hashes that a block claims, the slow and obvious way: the state's by recursion over sorted paths, Bitcoin's
// level by level, and RFC 6962's from its definition.

import { sha256, sha256d } from '../../chain/hash.ts'
import { concatBytes, fromHex } from '../../encoding/bytes.ts'

/** A leaf of the state's tree: the bits of its path, and its hash. */
export interface NaiveLeaf {
  readonly bits: string
  readonly hash: Uint8Array
}

/** The root of the state below `depth`, of 32 bytes. */
export function naiveStateRoot(leaves: readonly NaiveLeaf[], depth = 0): Uint8Array {
  if (leaves.length === 0) return new Uint8Array(32)
  if (leaves.length === 1) return leaves[0]!.hash
  const left = leaves.filter(leaf => leaf.bits[depth] === '0')
  const right = leaves.filter(leaf => leaf.bits[depth] === '1')
  return sha256(
    concatBytes(Uint8Array.of(1), naiveStateRoot(left, depth + 1), naiveStateRoot(right, depth + 1)),
  )
}

/** Bitcoin's tree: pairs of hashes, the last one with itself. */
export function naiveMerkleRoot(level: readonly Uint8Array[]): Uint8Array {
  if (level.length === 1) return level[0]!
  const parents = level
    .filter((_, index) => index % 2 === 0)
    .map((left, index) => sha256d(concatBytes(left, level[2 * index + 1] ?? left)))
  return naiveMerkleRoot(parents)
}

/** RFC 6962's tree over the hashes of leaves: full trees as large as can be from the left. */
export function naiveListRoot(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 0) return sha256(new Uint8Array())
  if (leaves.length === 1) return leaves[0]!
  const half = 2 ** ((leaves.length - 1).toString(2).length - 1)
  return sha256(
    concatBytes(Uint8Array.of(1), naiveListRoot(leaves.slice(0, half)), naiveListRoot(leaves.slice(half))),
  )
}

/** A number in so many bytes, the lowest first. */
export function littleEndian(value: bigint, size: number): Uint8Array {
  return fromHex(`0x${value.toString(16).padStart(size * 2, '0')}`).reverse()
}
