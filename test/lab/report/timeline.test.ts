// Timelines of real runs in virtual time. Asserted is what holds of every run, not what chance decided in this one.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { quorumOf } from '../../../src/consensus/quorum.ts'
import type { TimelineBlock } from '../../../src/lab/report/recorder.ts'
import { recordTimeline, type Timeline } from '../../../src/lab/report/timeline.ts'
import { VARIANTS } from '../../../src/lab/stage/variant.ts'

/** Milliseconds in which what was on its way when the network was cut may still come to its end. */
const IN_FLIGHT_MS = 100

function record(name: string, seed: number): Promise<Timeline> {
  const variant = VARIANTS.find(variant => variant.name === name)!
  return recordTimeline({ variant, seed })
}

const names = VARIANTS.map(({ name }) => name)
const timelines = new Map<string, Timeline>()
for (const name of names) timelines.set(name, await record(name, 1))

const ascends = (times: readonly number[]): boolean =>
  times.every((ms, index) => index === 0 || ms >= times[index - 1]!)
const rivals = ({ blocks }: Timeline): TimelineBlock[] =>
  blocks.filter(({ id, parent }) => blocks.some(other => other.id !== id && other.parent === parent))
const isWithinCut = ({ faults: [cut] }: Timeline, ms: number | null): boolean =>
  ms !== null && ms > cut!.fromMs + IN_FLIGHT_MS && ms < cut!.toMs

for (const [name, timeline] of timelines) {
  const { blocks, votes, heads, faults, lastedMs, nodes } = timeline

  test(`${name}: all is told in the order in which it was, between the beginning and the end`, () => {
    const lists = [
      blocks.map(({ firstSeenMs }) => firstSeenMs),
      votes.map(({ ms }) => ms),
      heads.map(({ ms }) => ms),
    ]
    for (const times of lists) {
      assert.ok(ascends(times))
      assert.ok(times.every(ms => ms >= 0 && ms <= lastedMs))
    }
    assert.deepEqual(faults, [{ fromMs: 4_000, toMs: 13_000, says: 'cut n1 n2 | n3 n4' }])
    assert.deepEqual(JSON.parse(JSON.stringify(timeline)), timeline)
  })

  test(`${name}: every block stands on one that was seen before, and all but the first were made by a node`, () => {
    const byId = new Map(blocks.map(block => [block.id, block]))
    assert.equal(byId.size, blocks.length)
    const [genesis, ...others] = blocks
    assert.deepEqual([genesis!.parent, genesis!.by, genesis!.height], [null, null, 0])
    assert.ok(others.length > 10)
    for (const block of others) {
      const below = byId.get(block.parent!)!
      assert.ok(below.firstSeenMs <= block.firstSeenMs && below.height === block.height - 1)
      assert.ok(block.by! >= 0 && block.by! < nodes)
      // What is final rests on what is.
      if (block.finalMs !== null)
        assert.ok(below.finalMs! <= block.finalMs && block.firstSeenMs <= block.finalMs)
    }
    assert.ok(heads.every(({ block, height }) => byId.get(block)?.height === height))
  })

  test(`${name}: each vote is told once`, () => {
    const said = votes.map(
      ({ node, type, phase, sequence, view }) => `${node} ${type} ${phase} ${sequence}/${view}`,
    )
    assert.equal(new Set(said).size, said.length)
    assert.equal(votes.length > 0, name !== 'longest-chain')
  })

  test(`${name}: something is final before the cut and after it`, () => {
    const [cut] = faults
    assert.ok(blocks.some(({ finalMs }) => finalMs !== null && finalMs > 0 && finalMs < cut!.fromMs))
    assert.ok(blocks.some(({ finalMs }) => finalMs !== null && finalMs > cut!.toMs))
  })
}

for (const name of ['longest-chain', 'hybrid'])
  test(`${name} forks: both halves go on, one in lane 0, the other beside it and stale in the end`, () => {
    const timeline = timelines.get(name)!
    assert.ok(rivals(timeline).length > 0)
    assert.ok(timeline.lanes > 1)
    const during = timeline.blocks.filter(({ firstSeenMs }) => isWithinCut(timeline, firstSeenMs))
    const [first, second] = [during.filter(({ by }) => by! < 2), during.filter(({ by }) => by! >= 2)]
    assert.ok(first.length > 0 && second.length > 0)
    const isLost = (half: readonly TimelineBlock[]): boolean =>
      half.every(({ isStale, lane }) => isStale && lane > 0)
    assert.ok(isLost(first) !== isLost(second))
    assert.ok(timeline.heads.some(({ depth, ms }) => depth > 0 && ms > timeline.faults[0]!.toMs))
  })

for (const name of ['pbft', 'pbft-leader'])
  test(`${name} never forks: one lane, no stale block, no node that leaves a block`, () => {
    const timeline = timelines.get(name)!
    assert.deepEqual(rivals(timeline), [])
    assert.equal(timeline.lanes, 1)
    assert.ok(timeline.blocks.every(({ isStale, lane }) => !isStale && lane === 0))
    assert.ok(timeline.heads.every(({ depth }) => depth === 0))
  })

for (const name of names.filter(name => name !== 'longest-chain'))
  test(`${name} makes nothing final while no side has n − f validators, and then changes its view`, () => {
    const timeline = timelines.get(name)!
    assert.deepEqual(
      timeline.blocks.filter(({ finalMs }) => isWithinCut(timeline, finalMs)),
      [],
    )
    const changes = timeline.votes.filter(({ type }) => type === 'view-change')
    assert.ok(changes.filter(({ ms }) => isWithinCut(timeline, ms)).length >= timeline.nodes)
    const begun = timeline.votes.filter(({ type }) => type === 'new-view')
    assert.ok(begun.length > 0 && begun.every(({ ms }) => ms > timeline.faults[0]!.toMs))
  })

test('a block of the longest chain is final in the moment in which some node first has it so many blocks deep', () => {
  const { blocks, heads } = timelines.get('longest-chain')!
  const { final } = VARIANTS.find(({ name }) => name === 'longest-chain')!
  assert.ok(final.type === 'depth')
  const byId = new Map(blocks.map(block => [block.id, block]))
  const deepMs = new Map<string, number>()
  for (const { block, ms } of heads) {
    let at = byId.get(block)
    for (let depth = 1; at !== undefined; depth++) {
      if (depth >= final.blocks && !deepMs.has(at.id)) deepMs.set(at.id, ms)
      at = at.parent === null ? undefined : byId.get(at.parent)
    }
  }
  for (const { id, by, finalMs } of blocks) if (by !== null) assert.equal(finalMs, deepMs.get(id) ?? null)
})

test('each final block of pbft was proposed by its maker, and n − f committed to it before', () => {
  const { blocks, votes, nodes } = timelines.get('pbft')!
  for (const { id, by, firstSeenMs, finalMs } of blocks) {
    if (by === null || finalMs === null) continue
    const before = votes.filter(({ block, ms }) => block === id && ms <= finalMs)
    assert.ok(
      before.some(({ type, node, ms }) => type === 'pre-prepare' && node === by && ms === firstSeenMs),
    )
    const views = Map.groupBy(
      before.filter(({ type }) => type === 'commit'),
      ({ view }) => view,
    )
    assert.ok([...views.values()].some(commits => commits.length >= quorumOf(nodes)))
  }
})

test('where the leader collects, a proof of the commits goes out to all for each final block', () => {
  const { blocks, votes } = timelines.get('pbft-leader')!
  const finals = blocks.filter(({ by, finalMs }) => by !== null && finalMs !== null)
  const proofs = votes.filter(({ type, phase }) => type === 'proof' && phase === 'commit')
  assert.ok(finals.length > 0)
  // The last one may still be on its way.
  for (const { id } of finals.slice(0, -1)) assert.ok(proofs.some(({ block }) => block === id))
})

test('the same seed gives the same timeline to the byte, another seed another', async () => {
  const again = JSON.stringify(await record('hybrid', 1))
  assert.equal(again, JSON.stringify(timelines.get('hybrid')))
  assert.notEqual(again, JSON.stringify(await record('hybrid', 2)))
})
