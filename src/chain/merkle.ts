// Bitcoin's Merkle tree over the items of a block: SHA-256d of pairs, the last node of an odd level paired
// with itself.
//
// That pairing is a trap (CVE-2012-2459): [1, 2, 3] and [1, 2, 3, 3] have the same root, so a peer could send
// a true header with a false body. Such a body is *mutated*; the block behind the id may still be valid.

import { concatBytes, equalBytes } from '../encoding/bytes.ts'
import { sha256d } from './hash.ts'
import { finish, type Steps } from './steps.ts'

/** Nodes that are hashed in one step: 1 ms. */
const PARENTS_PER_STEP = 256

/** The root of a tree, and whether another list of leaves may have it too. */
interface MerkleRoot {
  readonly root: Uint8Array
  readonly isMutated: boolean
}

/** The root over 32-byte leaves, and whether the list has a repeated tail that another list's root equals. */
export function merkleRoot(leaves: readonly Uint8Array[]): MerkleRoot {
  return finish(merkleRootInSteps(leaves))
}

/** The same in steps: one for each level, and in a large level more. */
export function* merkleRootInSteps(leaves: readonly Uint8Array[]): Steps<MerkleRoot> {
  if (leaves.length === 0) throw new Error('a Merkle tree needs a leaf')
  let level = leaves
  let isMutated = false
  while (level.length > 1) {
    isMutated ||= hasEqualPair(level)
    const parents: Uint8Array[] = []
    for (let left = 0; left < level.length; left += PARENTS_PER_STEP * 2) {
      parents.push(...parentLevel(level.slice(left, left + PARENTS_PER_STEP * 2)))
      yield
    }
    level = parents
  }
  return { root: level[0]!, isMutated }
}

/** The sibling of each node on the way from one leaf up to the root. */
export function merkleBranch(leaves: readonly Uint8Array[], index: number): Uint8Array[] {
  const branch: Uint8Array[] = []
  for (let level = leaves, position = index; level.length > 1; level = parentLevel(level), position >>= 1) {
    branch.push(level[Math.min(position ^ 1, level.length - 1)]!)
  }
  return branch
}

/** The root that a leaf and its branch lead to: the leaf is in the tree when this is the tree's root. */
export function rootOfBranch(leaf: Uint8Array, index: number, branch: readonly Uint8Array[]): Uint8Array {
  let node = leaf
  for (const [height, sibling] of branch.entries()) {
    node = (index >> height) % 2 === 0 ? hashPair(node, sibling) : hashPair(sibling, node)
  }
  return node
}

function hasEqualPair(level: readonly Uint8Array[]): boolean {
  for (let left = 0; left + 1 < level.length; left += 2) {
    if (equalBytes(level[left]!, level[left + 1]!)) return true
  }
  return false
}

function parentLevel(level: readonly Uint8Array[]): Uint8Array[] {
  const parents: Uint8Array[] = []
  for (let left = 0; left < level.length; left += 2) {
    parents.push(hashPair(level[left]!, level[left + 1] ?? level[left]!))
  }
  return parents
}

function hashPair(left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256d(concatBytes(left, right))
}
