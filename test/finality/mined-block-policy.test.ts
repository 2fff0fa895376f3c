import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CheckpointRule } from '../../src/finality/mined-block-policy.ts'
import { MinedBlockPolicy } from '../../src/finality/mined-block-policy.ts'
import { branch, CommitteeNetwork, type FakeBlock, FakeChain, fakeBlock, NOW_MS, said } from './committees.ts'

const policy = (rule: Partial<CheckpointRule> = {}): MinedBlockPolicy =>
  new MinedBlockPolicy({ depth: 2, interval: 3, ...rule })

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
    const proposal = policy().nextProposal(last, chain)
    chain.extend('a', 1)
    return proposal
  })
  const ids = blocks.map(({ id }) => id)
  assert.deepEqual(wishes, [null, null, null, null, null, ids[3], ids[4]])
})

test('not one after the other but the newest is wanted (B-H5)', () => {
  const { chain, blocks, last } = decided(2)
  assert.equal(policy().nextProposal(last, chain), blocks[8]!.id)
  assert.equal(policy({ depth: 0 }).nextProposal(last, chain), blocks[10]!.id)
})

test('while the head is on a branch without the last decision nothing is wanted', () => {
  const { chain } = decided(0)
  const other = chain.make(chain.root, 'b')
  assert.equal(policy().nextProposal({ block: other, atMs: 0 }, chain), null)
})

test('a proposal never waits for the clock', () => assert.equal(policy().nextLookMs(), null))

// ---- what is valid

const FRESH = { isReproposed: false }
const REPROPOSED = { isReproposed: true }

//     genesis ── a1 ── a2 ── a3 ── … ── a10     head
//                       └── b3 ── … ── b10      as much work
test('a block is valid on any branch above the last decision, not only on our best one (B-H3)', () => {
  const { chain, blocks, last } = decided(2)
  const beside = branch(chain, last.block, 'b', 8)
  for (const block of [blocks[5]!, blocks[8]!, beside[2]!, beside[5]!])
    assert.equal(policy().validate(block, last, chain, FRESH), 'valid', `height ${block.height}`)
  const onBranch = { block: beside[0]!, atMs: 0 }
  assert.equal(policy().validate(beside[4]!, onBranch, chain, FRESH), 'valid')
})

test('a block below the last decision, beside it, or that decision itself is not valid, proposed again or not', () => {
  const { chain, blocks, last } = decided(2)
  const beside = branch(chain, blocks[1]!, 'beside', 9)
  for (const origin of [FRESH, REPROPOSED]) {
    for (const block of [blocks[0]!, blocks[1]!, blocks[2]!, ...beside])
      assert.equal(policy().validate(block, last, chain, origin), 'invalid', `height ${block.height}`)
    const onBranch = { block: beside[0]!, atMs: 0 }
    for (const block of [blocks[2]!, blocks[3]!, blocks[5]!, blocks[10]!])
      assert.equal(policy().validate(block, onBranch, chain, origin), 'invalid', `height ${block.height}`)
  }
})

test('a block whose way down is not known is not valid', () => {
  const { chain, last } = decided(2)
  const gap = new FakeChain()
  const lost = gap.make(gap.make(gap.make(gap.make(gap.root, 'w'), 'x'), 'y'), 'z')
  chain.add(lost)
  assert.equal(policy().validate(lost, last, chain, REPROPOSED), 'invalid')
})

test('a fresh candidate lies as far above the last decision as the rule says, and never may when it does not', () => {
  const { chain, blocks, last } = decided(2)
  const verdicts = [3, 4, 5, 6].map(height => policy().validate(blocks[height]!, last, chain, FRESH))
  assert.deepEqual(verdicts, ['invalid', 'invalid', 'valid', 'valid'])
})

test('a fresh candidate is unknown until it is buried as deep as the rule says', () => {
  const { chain, blocks, last } = decided(2)
  const verdicts = [8, 9, 10].map(height => policy().validate(blocks[height]!, last, chain, FRESH))
  assert.deepEqual(verdicts, ['valid', 'unknown', 'unknown'])
  chain.extend('a', 1)
  assert.equal(policy().validate(blocks[9]!, last, chain, FRESH), 'valid')
  assert.equal(policy({ depth: 0 }).validate(chain.head, last, chain, FRESH), 'valid')
})

//     genesis ── a1 ── a2 ── a3 ── … ── a10               head
//                       └── b3 ── b4 ── b5 ── b6 ── b7    three blocks behind, then two
test('a fresh candidate is unknown while its branch is more blocks behind our head than its depth makes up for', () => {
  const { chain, last } = decided(2)
  const beside = branch(chain, last.block, 'b', 5)
  assert.equal(policy().validate(beside[2]!, last, chain, FRESH), 'unknown')
  chain.make(beside[4]!, 'b8')
  assert.equal(policy().validate(beside[2]!, last, chain, FRESH), 'valid')
})

test('what a branch is behind is counted in work at the target of our head, not in blocks', () => {
  const chain = new FakeChain()
  const main = branch(chain, chain.root, 'a', 10, 4n)
  chain.head = main.at(-1)!
  const last = { block: chain.root, atMs: NOW_MS }
  const long = branch(chain, chain.root, 'long', 31)
  assert.equal(policy().validate(long[5]!, last, chain, FRESH), 'unknown', 'thirty-one of forty')
  chain.make(long.at(-1)!, 'long31')
  assert.equal(policy().validate(long[5]!, last, chain, FRESH), 'valid', 'thirty-two of forty')
  const heavy = branch(chain, chain.root, 'heavy', 4, 50n)
  assert.equal(policy().validate(heavy[2]!, last, chain, FRESH), 'unknown', 'it has only one block above it')
  // The head is easy now: two such blocks make up for nothing.
  chain.head = chain.make(main.at(-1)!, 'easy')
  assert.equal(policy().validate(long[5]!, last, chain, FRESH), 'unknown')
})

test('what a new view proposes again is valid on any block above the last decision', () => {
  const { chain, blocks, last } = decided(2)
  const lone = chain.make(last.block, 'lone')
  for (const block of [lone, blocks[3]!, blocks[10]!])
    assert.equal(policy().validate(block, last, chain, REPROPOSED), 'valid', `height ${block.height}`)
})

test('to judge a block takes work for what is beside our chain alone, however long that is', () => {
  const chain = new FakeChain()
  chain.extend('a', 500)
  const last = { block: chain.get(chain.ancestor(1)!)!, atMs: 0 }
  const side = branch(chain, chain.get(chain.ancestor(480)!)!, 'side', 20)
  // A branch that ended long ago, at each of these heights.
  for (let height = 2; height < 400; height += 1) branch(chain, chain.get(chain.ancestor(height)!)!, 'old', 2)
  chain.lookups = 0
  assert.equal(policy().validate(chain.get(chain.ancestor(498)!)!, last, chain, FRESH), 'valid')
  assert.equal(policy().validate(chain.head, last, chain, FRESH), 'unknown')
  assert.equal(policy().validate(side[17]!, last, chain, FRESH), 'valid')
  assert.equal(policy().validate(side[18]!, last, chain, FRESH), 'unknown')
  assert.ok(chain.lookups <= 3 * side.length, `${chain.lookups} blocks were looked up`)
})

//     genesis ── a1 ── … ── a100            head
//      ├── b1 ── … ── b100 ── x0, x1, x2    every one of them with work enough
//      └── c1 ── … ── c98                   the candidate is here
test('blocks that many branches share are looked up once', () => {
  const chain = new FakeChain()
  chain.extend('a', 100)
  const last = { block: chain.root, atMs: 0 }
  const shared = branch(chain, chain.root, 'b', 98)
  for (let index = 0; index < 50; index++) chain.make(shared.at(-1)!, `x${index}`)
  const light = branch(chain, chain.root, 'c', 20)
  chain.lookups = 0
  assert.equal(policy().validate(light[4]!, last, chain, FRESH), 'unknown')
  assert.ok(chain.lookups <= 200, `${chain.lookups} blocks were looked up`)
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
      policy: () => new MinedBlockPolicy({ depth: 0, interval: 1 }),
      prepare: chain => {
        const [even, odd] = [chain.make(chain.root, 'even'), chain.make(chain.root, 'odd')]
        chain.head = count++ % 2 === 0 ? even : odd
      },
    })
    network.runUntil(() => network.honest.every(({ chain }) => chain.final.height === 1))
    assert.equal(new Set(network.honest.map(({ chain }) => chain.final.id)).size, 1)
  })
}

for (const pattern of ['all-to-all', 'leader-collected'] as const) {
  //     genesis ── even0 ── even1 ── even2     head of two
  //      └──────── odd0 ─── odd1 ─── odd2      head of two
  test(`${pattern}: voters on equal branches agree on a block that is buried in one of them (B-H3)`, () => {
    let count = 0
    const network = new CommitteeNetwork(4, {
      pattern,
      policy: () => new MinedBlockPolicy({ depth: 2, interval: 1 }),
      prepare: chain => {
        const [even, odd] = [branch(chain, chain.root, 'even', 3), branch(chain, chain.root, 'odd', 3)]
        chain.head = (count++ % 2 === 0 ? even : odd)[2]!
      },
    })
    network.runUntil(() => network.honest.every(({ chain }) => chain.final.height === 1))
    assert.equal(new Set(network.honest.map(({ chain }) => chain.final.id)).size, 1)
  })

  //     genesis ── a1 ── … ── a40     head of all
  //      └── u0                       only the liar has it, whose turn is the first
  test(`${pattern}: one liar of four does not finalise a lone block that it made beside the chain`, () => {
    let lone: FakeBlock | null = null
    let count = 0
    const network = new CommitteeNetwork(4, {
      pattern,
      policy: () => new MinedBlockPolicy({ depth: 2, interval: 3 }),
      liars: new Map([[1, 'undercut']]),
      prepare: chain => {
        chain.extend('a', 40)
        if (count++ === 1) [lone = null] = branch(chain, chain.root, 'u', 1)
      },
    })
    network.runUntil(() => network.honest.every(({ chain }) => chain.final.height > 0))
    const [proposal] = said(network.node(1).log, 'pre-prepare')
    assert.equal(proposal?.message.value, lone!.id, 'it was proposed')
    for (const { chain } of network.honest)
      assert.deepEqual([chain.final.height, chain.head.height, chain.final === lone], [38, 40, false])
  })

  test(`${pattern}: a liar without a block of its own proposes one of the chain that is too low, in vain`, () => {
    const network = new CommitteeNetwork(4, {
      pattern,
      policy: () => new MinedBlockPolicy({ depth: 2, interval: 3 }),
      liars: new Map([[1, 'undercut']]),
      prepare: chain => void chain.extend('a', 40),
    })
    network.runUntil(() => network.honest.every(({ chain }) => chain.final.height > 0))
    const [proposal] = said(network.node(1).log, 'pre-prepare')
    assert.equal(proposal?.message.value, fakeBlock('a1', network.node(1).chain.root).id)
    assert.ok(network.honest.every(({ chain }) => chain.final.height === 38))
  })
}

test('while two of four are down nothing is final, and then the newest candidate is, at once (B-H5, B-H6)', () => {
  const rule = { depth: 2, interval: 1 }
  const network = new CommitteeNetwork(4, { policy: () => new MinedBlockPolicy(rule), absent: [2, 3] })
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
