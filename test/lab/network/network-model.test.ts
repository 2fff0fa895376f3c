import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HYBRID } from '../../../src/finality/modes/hybrid.ts'
import { LONGEST_CHAIN } from '../../../src/finality/modes/longest-chain.ts'
import { PBFT } from '../../../src/finality/modes/pbft.ts'
import type { Tag } from '../../../src/lab/network/costs.ts'
import {
  LATENCY_TABLES,
  latencyTable,
  longestWayMs,
  oneWayMs,
} from '../../../src/lab/network/latency-table.ts'
import { LinkModel } from '../../../src/lab/network/link-model.ts'
import { drawModel, type NetworkModel, notPromised } from '../../../src/lab/network/network-model.ts'
import type { Packet } from '../../../src/lab/network/packet.ts'
import { QuorumWatch } from '../../../src/lab/network/quorum-watch.ts'
import type { SimulationOptions } from '../../../src/lab/swarm/simulation-options.ts'
import { Random } from '../../../src/lab/virtual/random.ts'
import { assertPass, runCommittee } from '../swarm/committees.ts'

function courseOf(changes: Partial<ConstructorParameters<typeof LinkModel>[0]>): LinkModel {
  return new LinkModel({
    model: null,
    latency: null,
    bandwidth: null,
    placeOf: id => Number(id.slice(1)) - 1,
    quorums: null,
    random: new Random('course'),
    ...changes,
  })
}

const packet = (changes: Partial<Packet> = {}): Packet => ({
  from: 'n1',
  to: 'n2',
  bytes: 100,
  tag: null,
  nowMs: 0,
  delayMs: 5,
  isLost: false,
  ...changes,
})

const delays = (linkModel: LinkModel, packets: readonly Packet[]): (number | null)[] =>
  packets.map(one => linkModel.delayOf(one))

const many = (changes: Partial<Packet>): Packet[] => Array.from({ length: 500 }, () => packet(changes))

// ---- the models

test('in the synchronous model every message arrives within Δ, whatever chance and the width of the link say', () => {
  const linkModel = courseOf({ model: { model: 'synchronous', deltaMs: 50 }, bandwidth: 1_000 })
  for (const delayMs of [1, 49, 10_000])
    for (const isLost of [false, true])
      for (const delay of delays(linkModel, many({ delayMs, isLost })))
        assert.ok(delay !== null && delay <= 50)
})

test('in the partially synchronous model a message may be lost before GST, and none is after it', () => {
  const model: NetworkModel = { model: 'partial', deltaMs: 50, gstMs: 10_000 }
  const before = delays(courseOf({ model }), many({ nowMs: 9_900 }))
  assert.ok(before.includes(null))
  // Whatever was on its way at GST has arrived a Δ later.
  for (const delay of before) assert.ok(delay === null || delay <= 150)
  assert.ok(before.some(delay => delay !== null && delay > 50))
  for (const delay of delays(courseOf({ model }), many({ nowMs: 10_000, isLost: true, delayMs: 9_000 })))
    assert.ok(delay !== null && delay <= 50)
})

test('in the asynchronous model every message arrives, some very late', () => {
  const found = delays(
    courseOf({ model: { model: 'asynchronous', deltaMs: 50, scheduler: 'random' } }),
    many({ isLost: true }),
  )
  assert.ok(!found.includes(null))
  assert.ok(found.some(delay => delay! > 5_000) && found.some(delay => delay! < 50))
})

const voteOf = (type: 'prepare' | 'commit', view: number): Tag => ({
  content: null,
  facts: {
    role: 'vote',
    phase: type,
    sequence: 3,
    view,
    value: null,
    from: null,
    isDeciding: true,
  },
  kind: type,
  sequence: 3,
  hops: 1,
  isAnswer: false,
})

test('the starving adversary holds back the vote that completes a quorum at its receiver, and no earlier one', () => {
  const quorums = new QuorumWatch(5, 1_000)
  const hold = (from: string, tag: Tag, to = 'n1'): number => quorums.holdMs(packet({ from, to, tag }))
  // Of five, one is the receiver's own: the fourth from others would be the last.
  assert.deepEqual(
    ['n2', 'n3', 'n4', 'n5', 'n6'].map(from => hold(from, voteOf('prepare', 0))),
    [0, 0, 0, 3_000, 3_000],
  )
  // Sent again by a member whose message arrived, it completes nothing.
  assert.equal(hold('n2', voteOf('prepare', 0)), 0)
  // Another kind, another view, another receiver: each is counted alone, and patience that grows does not help.
  assert.equal(hold('n5', voteOf('commit', 0)), 0)
  assert.equal(hold('n5', voteOf('prepare', 0), 'n2'), 0)
  assert.deepEqual(
    ['n2', 'n3', 'n4', 'n5'].map(from => hold(from, voteOf('prepare', 2))),
    [0, 0, 0, 12_000],
  )
})

test('what is left open of a model is drawn from the seed', () => {
  const drawn = Array.from({ length: 50 }, (_, seed) =>
    drawModel({ model: 'partial' }, new Random(`${seed}`), { plannedMs: 10_000, leastMs: 0 }),
  )
  assert.ok(drawn.some(one => one.model === 'partial' && one.gstMs > 10_000))
  assert.ok(drawn.some(one => one.model === 'partial' && one.gstMs < 5_000))
  assert.deepEqual(
    drawModel({ model: 'partial', deltaMs: 7, gstMs: 9 }, new Random('1'), { plannedMs: 1, leastMs: 0 }),
    { model: 'partial', deltaMs: 7, gstMs: 9 },
  )
})

test('work promises something in the synchronous model only, validators progress in all but the asynchronous', () => {
  const models: NetworkModel[] = [
    { model: 'synchronous', deltaMs: 1 },
    { model: 'partial', deltaMs: 1, gstMs: 1 },
    { model: 'asynchronous', deltaMs: 1, scheduler: 'random' },
  ]
  assert.deepEqual(
    models.map(model => notPromised(LONGEST_CHAIN, model)),
    [null, 'anything', 'anything'],
  )
  for (const mode of [PBFT, HYBRID])
    assert.deepEqual(
      models.map(model => notPromised(mode, model)),
      [null, null, 'liveness'],
    )
})

// ---- distances and narrow links

test('each table of distances is the same there and back, and a message takes its way at least', () => {
  for (const name of LATENCY_TABLES) {
    const latency = latencyTable(name)
    const { places } = latency
    for (let a = 0; a < places.length; a++)
      for (let b = 0; b < places.length; b++) assert.equal(oneWayMs(latency, a, b), oneWayMs(latency, b, a))
    for (const delay of delays(courseOf({ latency }), many({ delayMs: 0 })))
      assert.ok(delay! >= oneWayMs(latency, 0, 1) && delay! <= 2 * longestWayMs(latency) + 1)
  }
  assert.ok(longestWayMs(latencyTable('continents')) > 100 * longestWayMs(latencyTable('region')))
})

test('a narrow link sends one message after the other, each direction for itself', () => {
  const linkModel = courseOf({ bandwidth: 1_000 })
  assert.deepEqual(delays(linkModel, [packet(), packet(), packet({ from: 'n2', to: 'n1' })]), [105, 205, 105])
  assert.equal(linkModel.delayOf(packet({ nowMs: 10_000 })), 105)
})

// ---- whole runs

const quiet: Partial<SimulationOptions> = { validators: 4, faults: new Set(), adversary: null, blocks: 3 }

for (const mode of ['pbft', 'hybrid'] as const) {
  test(`${mode} without progress in the asynchronous model is outside its model, and nothing wrong becomes final`, () => {
    const network = { model: 'asynchronous', scheduler: 'starving' } as const
    const result = runCommittee(mode, 1, { ...quiet, network })
    assert.equal(result.verdict, 'OUTSIDE-MODEL', result.reason ?? '')
    assert.match(result.reason ?? '', /promises no progress/)
    assert.equal(result.finalHeight, 0)
    assert.match(result.network, /^asynchronous/)
  })

  test(`${mode} agrees after GST, and with every fault before it`, () => {
    for (const seed of [1, 2, 3])
      assertPass(runCommittee(mode, seed, { network: { model: 'partial', gstMs: 12_000 } }))
  })

  test(`${mode} agrees across five continents`, () => {
    assertPass(runCommittee(mode, 1, { ...quiet, validators: 5, latency: 'continents' }))
  })
}

test('one liar too many is a failure in the models in which progress is promised', () => {
  const adversary = { role: 'silent', count: 2 } as const
  const result = runCommittee('pbft', 1, { ...quiet, adversary, network: { model: 'synchronous' } })
  assert.equal(result.verdict, 'LIVENESS')
})

test('progress on links that are given more than they carry is outside the model; the backlog says so', () => {
  const linkModel = courseOf({ bandwidth: 1_000 })
  assert.equal(linkModel.backlogMs(0), 0)
  delays(linkModel, [packet(), packet(), packet({ from: 'n2', to: 'n1' })])
  assert.deepEqual(
    [linkModel.backlogMs(0), linkModel.backlogMs(150), linkModel.backlogMs(1_000)],
    [200, 50, 0],
  )
  const faults = new Set(['partition', 'crash'] as const)
  const hasty = { ...quiet, faults, nodes: 4, transfers: 4, timerScale: 0.1 }
  const result = runCommittee('pbft', 1, { ...hasty, bandwidth: 1_000 })
  assert.equal(result.verdict, 'OUTSIDE-MODEL')
  assert.match(result.reason!, /^links carry less than is said on them/)
  assertPass(runCommittee('pbft', 1, { ...hasty, bandwidth: 30_000 }))
})
