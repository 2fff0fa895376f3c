import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NextBlockPolicy, type Pace } from '../../src/finality/next-block-policy.ts'
import { CommitteeNetwork, FakeChain, fakeBlock, NOW_MS, said } from './committees.ts'

const PACE: Pace = { intervalMs: 250, heartbeatSeconds: 30, futureLimitSeconds: 5 }
/** A chain whose last block is from now, and the last decision is that block. */
function decidedNow() {
  const chain = new FakeChain()
  const [block] = chain.extend('a', 1)
  return { chain, last: { block: block!, atMs: NOW_MS } }
}

// ---- when there is a block

test('no block is made while nothing waits', () => {
  const { chain, last } = decidedNow()
  const policy = new NextBlockPolicy({ ...PACE, heartbeatSeconds: null })
  chain.nowMs += 86_400_000
  assert.equal(policy.nextProposal(last, chain), null)
  assert.equal(policy.nextLookMs(last, chain), null)
})

test('when something waits a block is made, no sooner than the interval after the last one', () => {
  const { chain, last } = decidedNow()
  const policy = new NextBlockPolicy(PACE)
  chain.waiting = 1
  assert.equal(policy.nextLookMs(last, chain), NOW_MS + 250)
  for (const [ms, proposal] of [
    [0, null],
    [249, null],
    [250, 'build'],
    [9_000, 'build'],
  ] as const) {
    chain.nowMs = NOW_MS + ms
    assert.equal(policy.nextProposal(last, chain), proposal, `after ${ms} ms`)
  }
})

test('an empty block is made as a heartbeat, so many seconds after the time of the last one', () => {
  const { chain, last } = decidedNow()
  const policy = new NextBlockPolicy(PACE)
  assert.equal(policy.nextLookMs(last, chain), NOW_MS + 30_000)
  for (const [ms, proposal] of [
    [250, null],
    [29_999, null],
    [30_000, 'build'],
  ] as const) {
    chain.nowMs = NOW_MS + ms
    assert.equal(policy.nextProposal(last, chain), proposal, `after ${ms} ms`)
  }
})

// ---- which block is valid

test('a block must be the child of the last decision', () => {
  const { chain, last } = decidedNow()
  const policy = new NextBlockPolicy(PACE)
  const child = chain.make(last.block, 'child', { transactions: 1 })
  const uncle = chain.make(chain.root, 'uncle', { transactions: 1 })
  const grandchild = chain.make(child, 'grandchild', { transactions: 1 })
  assert.deepEqual(
    [child, uncle, grandchild, last.block].map(block => policy.validate(block, last, chain)),
    ['valid', 'invalid', 'invalid', 'invalid'],
  )
})

test('a primary that dates its block ahead does not put the heartbeat off', () => {
  const chain = new FakeChain()
  const policy = new NextBlockPolicy(PACE)
  for (const [aheadSeconds, dueMs] of [
    [-2, 28_000],
    [0, 30_000],
    [2, 30_100],
    [5, 30_100],
    // No honest quorum decides that: its clock, or ours, is wrong by more than is allowed for.
    [60, 85_000],
  ] as const) {
    const block = chain.make(chain.root, `${aheadSeconds} ahead`, { time: NOW_MS / 1000 + aheadSeconds })
    const last = { block, atMs: NOW_MS + 100 }
    assert.equal(policy.nextLookMs(last, chain), NOW_MS + dueMs, `${aheadSeconds} s ahead`)
    chain.nowMs = NOW_MS + dueMs
    assert.equal(policy.nextProposal(last, chain), 'build')
    const time = Math.floor(chain.nowMs / 1000)
    assert.equal(policy.validate(chain.make(block, `after ${aheadSeconds}`, { time }), last, chain), 'valid')
    chain.nowMs = NOW_MS
  }
})

test('whenever a validator learned of the last decision, it finds the same of an empty block', () => {
  const { chain, last } = decidedNow()
  const block = chain.make(last.block, 'empty', { time: NOW_MS / 1000 + 26 })
  for (const lateMs of [0, 100, 60_000])
    assert.equal(
      new NextBlockPolicy(PACE).validate(block, { ...last, atMs: NOW_MS + lateMs }, chain),
      'valid',
    )
})

test('an empty block is not valid before the heartbeat, by its own time and what it may be ahead', () => {
  const { chain, last } = decidedNow()
  const valid = (heartbeatSeconds: number | null, seconds: number): boolean => {
    const block = chain.make(last.block, `after ${seconds}`, { time: NOW_MS / 1000 + seconds })
    return new NextBlockPolicy({ ...PACE, heartbeatSeconds }).validate(block, last, chain) === 'valid'
  }
  assert.deepEqual(
    [valid(30, 24), valid(30, 25), valid(30, 31), valid(null, 1e6)],
    [false, true, true, false],
  )
})

test('only what is final is safe', () => {
  const policy = new NextBlockPolicy(PACE)
  const head = fakeBlock('head', null)
  assert.equal(policy.safeHeight(head, 7), 7)
  assert.equal(policy.safeHeight(head, 0), null)
})

// ---- the committee of it

for (const pattern of ['all-to-all', 'leader-collected'] as const) {
  test(`${pattern}: blocks come while something waits, and each is final at once, and the leader rotates by height`, () => {
    const policy = () => new NextBlockPolicy({ ...PACE, heartbeatSeconds: null })
    const network = new CommitteeNetwork(4, { pattern, policy, followers: 1 })
    network.run(3_000)
    assert.deepEqual(
      [...network.nodes.values()].map(({ chain }) => chain.final.height),
      [0, 0, 0, 0, 0],
      'nothing waits',
    )
    const leaders: string[] = []
    for (let height = 1; height <= 5; height++) {
      const before = network.sent.length
      network.submit()
      network.runUntil(() => [...network.nodes.values()].every(({ chain }) => chain.final.height === height))
      const proposal = network.sent.slice(before).find(({ message }) => message.startsWith('pre-prepare'))
      leaders.push(proposal!.from)
    }
    assert.deepEqual(leaders, ['p1', 'p2', 'p3', 'p0', 'p1'])
    network.run(3_000)
    assert.ok(network.honest.every(({ chain }) => chain.final.height === 5 && chain.head === chain.final))
  })
}

test('a heartbeat makes an empty block by itself, and then waits for the next', () => {
  const policy = () => new NextBlockPolicy({ ...PACE, heartbeatSeconds: 10 })
  const network = new CommitteeNetwork(4, { policy })
  // The genesis block is an hour old.
  network.run(1_000)
  assert.deepEqual(new Set(network.honest.map(({ chain }) => chain.final.height)), new Set([1]))
  network.run(8_000)
  assert.deepEqual(new Set(network.honest.map(({ chain }) => chain.final.height)), new Set([1]))
  network.run(2_500)
  assert.deepEqual(new Set(network.honest.map(({ chain }) => chain.final.height)), new Set([2]))
})

test('one that is not there is passed over when it is its turn', () => {
  const policy = () => new NextBlockPolicy({ ...PACE, heartbeatSeconds: null })
  const network = new CommitteeNetwork(4, { policy, absent: [1] })
  network.submit()
  network.runUntil(() => network.honest.every(({ chain }) => chain.final.height === 1))
  assert.ok(network.honest.some(({ log }) => said(log, 'view-change').length > 0))
})
