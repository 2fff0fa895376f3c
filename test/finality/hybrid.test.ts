import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CheckpointRule } from '../../src/finality/hybrid.ts'
import { MinedCheckpoint } from '../../src/finality/hybrid.ts'
import { CommitteeNetwork, FakeChain, NOW_MS } from './committees.ts'

const policy = (rule: Partial<CheckpointRule> = {}): MinedCheckpoint =>
  new MinedCheckpoint({ depth: 2, interval: 3, ...rule })

/** A chain of ten, and the decision on a block of it. */
function decided(height: number) {
  const chain = new FakeChain()
  const blocks = [chain.root, ...chain.extend('a', 10)]
  return { chain, blocks, last: { block: blocks[height]!, atMs: NOW_MS } }
}

// ---- what is proposed

test('the block so deep below the head is wanted, and once it is so far above the last final one', () => {
  const { blocks, last } = decided(0)
  const chain = new FakeChain()
  const wishes = Array.from({ length: 7 }, () => {
    const wish = policy().wish(last, chain)
    chain.extend('a', 1)
    return wish
  })
  const ids = blocks.map(({ id }) => id)
  assert.deepEqual(wishes, [null, null, null, null, null, ids[3], ids[4]])
})

test('not one after the other but the newest is wanted (B-H5)', () => {
  const { chain, blocks, last } = decided(2)
  assert.equal(policy().wish(last, chain), blocks[8]!.id)
  assert.equal(policy({ depth: 0 }).wish(last, chain), blocks[10]!.id)
})

test('while the head is on a branch without the last decision nothing is wanted', () => {
  const { chain } = decided(0)
  const other = chain.make(chain.root, 'b')
  assert.equal(policy().wish({ block: other, atMs: 0 }, chain), null)
})

test('a wish never waits for the clock', () => assert.equal(policy().nextLookMs(), null))

// ---- what is valid

//     genesis ── a1 ── a2 ── a3 ── … ── a10     head
//                       └── b3 ── b4
test('a block is valid on any branch above the last decision, not only on our best one (B-H3)', () => {
  const { chain, blocks, last } = decided(2)
  const b3 = chain.make(last.block, 'b3')
  const b4 = chain.make(b3, 'b4')
  for (const block of [blocks[3]!, blocks[10]!, b3, b4]) assert.ok(policy().isValid(block, last, chain))
  const onBranch = { block: b3, atMs: 0 }
  assert.ok(policy().isValid(b4, onBranch, chain))
})

test('a block below the last decision, beside it, or that decision itself is not valid', () => {
  const { chain, blocks, last } = decided(2)
  const beside = chain.make(blocks[1]!, 'beside')
  const above = chain.make(chain.make(beside, 'x'), 'y')
  for (const block of [blocks[0]!, blocks[1]!, blocks[2]!, beside, above])
    assert.ok(!policy().isValid(block, last, chain), `height ${block.height}`)
  const onBranch = { block: beside, atMs: 0 }
  for (const block of [blocks[2]!, blocks[3]!, blocks[10]!])
    assert.ok(!policy().isValid(block, onBranch, chain), `height ${block.height}`)
})

test('a block whose way down is not known is not valid', () => {
  const { chain, last } = decided(2)
  const gap = new FakeChain()
  const lost = gap.make(gap.make(gap.make(gap.make(gap.root, 'w'), 'x'), 'y'), 'z')
  chain.add(lost)
  assert.ok(!policy().isValid(lost, last, chain))
})

test('to judge a block takes work for what is beside our chain alone, however long that is', () => {
  const chain = new FakeChain()
  chain.extend('a', 500)
  const last = { block: chain.get(chain.ancestor(1)!)!, atMs: 0 }
  const side = chain.make(chain.get(chain.ancestor(480)!)!, 'side')
  chain.lookups = 0
  assert.ok(policy().isValid(chain.head, last, chain))
  assert.ok(policy().isValid(side, last, chain))
  assert.ok(chain.lookups <= 3, `${chain.lookups} blocks were looked up`)
})

// ---- what clients are told

test('a block is safe when it lies as deep as candidates do, or is final', () => {
  const head = { height: 10 } as never
  assert.deepEqual([policy().safeHeight(head, 3), policy().safeHeight(head, 9)], [8, 9])
  assert.equal(policy().safeHeight({ height: 2 } as never, 0), null)
})

// ---- the committee of it

for (const pattern of ['all-to-all', 'leader-collected'] as const) {
  test(`${pattern}: voters on equal branches agree on one of them (B-H3)`, () => {
    let count = 0
    const network = new CommitteeNetwork(4, {
      pattern,
      policy: () => new MinedCheckpoint({ depth: 0, interval: 1 }),
      prepare: chain => {
        const [even, odd] = [chain.make(chain.root, 'even'), chain.make(chain.root, 'odd')]
        chain.head = count++ % 2 === 0 ? even : odd
      },
    })
    network.runUntil(() => network.honest.every(({ chain }) => chain.final.height === 1))
    assert.equal(new Set(network.honest.map(({ chain }) => chain.final.id)).size, 1)
  })
}

test('while two of four are down nothing is final, and then the newest candidate is, at once (B-H5, B-H6)', () => {
  const rule = { depth: 2, interval: 1 }
  const network = new CommitteeNetwork(4, { policy: () => new MinedCheckpoint(rule), absent: [2, 3] })
  for (let round = 0; round < 10; round++) {
    for (const [id, { chain }] of network.nodes) {
      chain.extend('a', 4)
      network.input(id, { type: 'head' })
    }
    network.run(2_000)
  }
  assert.ok(network.honest.every(({ chain }) => chain.head.height === 40 && chain.final.height === 0))
  assert.ok(network.honest.every(({ committee }) => committee.report(0).isWaiting))
  network.join(2)
  network.runUntil(() => network.honest.every(({ chain }) => chain.final.height === 38), 200_000)
  assert.deepEqual(
    network.honest.map(({ committee }) => committee.report(0).sequence),
    [1, 1, 1],
    'in one decision',
  )
})
