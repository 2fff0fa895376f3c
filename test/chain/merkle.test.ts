import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { sha256d } from '../../src/chain/hash.ts'
import { merkleBranch, merkleRoot, rootOfBranch } from '../../src/chain/merkle.ts'
import {
  concatBytes,
  equalBytes,
  fromReversedHex,
  type Hex,
  toHex,
  toReversedHex,
} from '../../src/encoding/bytes.ts'
import { bitcoinBlocksMissing, readBitcoinBlocks } from './bitcoin-blocks.ts'

// Bitcoin's block 100000: the ids of its four transactions, and the root in its header.
const IDS_100000: readonly Hex[] = [
  '0x8c14f0db3df150123e6f3dbbf30f8b955a8249b62ac1d1ff16284aefa3d06d87',
  '0xfff2525b8931402dd09222c50775608f75787bd2b87e56995a7bdd30f79702c4',
  '0x6359f0868171b1d194cbee1af2f16ea598ae8fad666d9b012c8ed2b79a236ec4',
  '0xe9a66845e05d5abc0ad04ec80f774a7e585c6e8db975962d069a522137b80c1d',
]
const ROOT_100000 = '0xf3e94742aca4b5ef85488dc37c06c3282295ffec960994b2c0d5ac2a25a95766'

test("the tree over the transactions of Bitcoin's block 100000 has the root in its header", () => {
  const leaves = IDS_100000.map(fromReversedHex)
  const { root, isMutated } = merkleRoot(leaves)
  assert.equal(toReversedHex(root), ROOT_100000)
  assert.equal(isMutated, false)
  for (const [index, leaf] of leaves.entries()) {
    const branch = merkleBranch(leaves, index)
    assert.equal(branch.length, 2)
    assert.equal(toReversedHex(rootOfBranch(leaf, index, branch)), ROOT_100000)
  }
})

test('the first 255 Bitcoin blocks after genesis have the roots in their headers', {
  skip: bitcoinBlocksMissing,
}, () => {
  const counts = new Set<number>()
  for (const { header, transactions } of readBitcoinBlocks()) {
    const { root, isMutated } = merkleRoot(transactions.map(sha256d))
    assert.equal(toReversedHex(root), header.merkleRoot)
    assert.equal(isMutated, false)
    counts.add(transactions.length)
  }
  assert.ok(counts.size > 1, 'some block has more than its coinbase')
})

/** A leaf by its number. */
function leaf(number: number): Uint8Array {
  return sha256d(Uint8Array.of(number & 0xff, number >> 8))
}

function leavesNumbered(...numbers: readonly number[]): Uint8Array[] {
  return numbers.map(leaf)
}

/** The definition: a list is as long as the next power of two, its end repeated subtree by subtree. */
function plainRoot(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 1) return leaves[0]!
  let half = 1
  while (half * 2 < leaves.length) half *= 2
  const left = plainRoot(leaves.slice(0, half))
  return sha256d(concatBytes(left, plainRootOfSize(leaves.slice(half), half)))
}

/** The root of a subtree over `size` leaves of which only the first may be there. */
function plainRootOfSize(leaves: readonly Uint8Array[], size: number): Uint8Array {
  if (size === 1) return leaves[0]!
  const half = size / 2
  const left = plainRootOfSize(leaves.slice(0, half), half)
  const right = leaves.length <= half ? left : plainRootOfSize(leaves.slice(half), half)
  return sha256d(concatBytes(left, right))
}

test('the root is that of the recursive definition, and every branch leads to it and to no other leaf', () => {
  for (let size = 1; size <= 20; size++) {
    const leaves = Array.from({ length: size }, (_, index) => leaf(index))
    const { root, isMutated } = merkleRoot(leaves)
    assert.equal(toHex(root), toHex(plainRoot(leaves)), `${size} leaves`)
    assert.equal(isMutated, false)
    for (let index = 0; index < size; index++) {
      const branch = merkleBranch(leaves, index)
      assert.equal(branch.length, Math.ceil(Math.log2(size)))
      assert.deepEqual(rootOfBranch(leaves[index]!, index, branch), root)
      assert.notDeepEqual(rootOfBranch(leaf(99), index, branch), root)
    }
  }
})

test('a branch with any bit or its index changed leads elsewhere', () => {
  const leaves = leavesNumbered(0, 1, 2, 3, 4, 5, 6, 7)
  const { root } = merkleRoot(leaves)
  fc.assert(
    fc.property(
      fc.nat(7),
      fc.nat(2),
      fc.nat(255),
      fc.integer({ min: 1, max: 7 }),
      (index, height, bit, shift) => {
        const branch = merkleBranch(leaves, index).map(node => Uint8Array.from(node))
        assert.notDeepEqual(rootOfBranch(leaves[index]!, (index + shift) % 8, branch), root)
        branch[height]![bit >> 3]! ^= 1 << (bit & 7)
        assert.notDeepEqual(rootOfBranch(leaves[index]!, index, branch), root)
      },
    ),
  )
})

test('no leaves have no tree', () => assert.throws(() => merkleRoot([])))

test('the leaves given are left as they were', () => {
  const leaves = leavesNumbered(1, 2, 3)
  merkleRoot(leaves)
  merkleBranch(leaves, 2)
  assert.deepEqual(leaves, leavesNumbered(1, 2, 3))
})

// CVE-2012-2459: the honest list, and others with its root.
const TWINS: readonly [honest: readonly number[], mutated: readonly number[]][] = [
  [
    [1, 2, 3],
    [1, 2, 3, 3],
  ],
  [
    [1, 2, 3, 4, 5],
    [1, 2, 3, 4, 5, 5],
  ],
  [
    [1, 2, 3, 4, 5],
    [1, 2, 3, 4, 5, 5, 5],
  ],
  [
    [1, 2, 3, 4, 5],
    [1, 2, 3, 4, 5, 5, 5, 5],
  ],
  [
    [1, 2, 3, 4, 5, 6],
    [1, 2, 3, 4, 5, 6, 5, 6],
  ],
  [
    [1, 2, 3, 4, 5, 6, 7],
    [1, 2, 3, 4, 5, 6, 7, 7],
  ],
  [
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 9, 10],
  ],
]
for (const [honest, mutated] of TWINS) {
  test(`[${mutated.join(' ')}] has the root of [${honest.join(' ')}] and is found out`, () => {
    const first = merkleRoot(leavesNumbered(...honest))
    const second = merkleRoot(leavesNumbered(...mutated))
    assert.deepEqual(second.root, first.root)
    assert.equal(first.isMutated, false)
    assert.equal(second.isMutated, true)
  })
}

test('a repeated leaf that is no pair changes the root and is no mutation', () => {
  assert.equal(merkleRoot(leavesNumbered(1, 2, 2, 3)).isMutated, false)
  assert.equal(merkleRoot(leavesNumbered(1, 2, 1)).isMutated, false)
})

test('of all lists of up to seven leaves that share a root, at most one is not called mutated', () => {
  const rootsSeen = new Map<Hex, string>()
  for (let size = 1; size <= 7; size++) {
    for (let choice = 0; choice < 3 ** size; choice++) {
      const numbers = Array.from({ length: size }, (_, index) => Math.floor(choice / 3 ** index) % 3)
      const { root, isMutated } = merkleRoot(leavesNumbered(...numbers))
      if (isMutated) continue
      assert.equal(rootsSeen.get(toHex(root)), undefined, `${rootsSeen.get(toHex(root))} and ${numbers}`)
      rootsSeen.set(toHex(root), String(numbers))
    }
  }
  assert.ok(rootsSeen.size > 500, `${rootsSeen.size}`)
})

test('leaves that differ are never called mutated', () => {
  const leaves = fc.uniqueArray(fc.nat(1000), { minLength: 1, maxLength: 40 })
  fc.assert(
    fc.property(leaves, numbers => assert.equal(merkleRoot(leavesNumbered(...numbers)).isMutated, false)),
    { numRuns: 30 },
  )
})

test('the order of leaves is in the root', () => {
  const [a, b] = [merkleRoot(leavesNumbered(1, 2, 3, 4)), merkleRoot(leavesNumbered(2, 1, 3, 4))]
  assert.ok(!equalBytes(a.root, b.root))
})

test('a branch leads from half of a 64-byte item to the root, so no item of a block may have 64 bytes', () => {
  const hidden = leaf(42)
  const item = concatBytes(leaf(7), hidden)
  const leaves = [leaf(0), sha256d(item)]
  const branch = [leaf(7), ...merkleBranch(leaves, 1)]
  assert.deepEqual(rootOfBranch(hidden, 3, branch), merkleRoot(leaves).root)
})
