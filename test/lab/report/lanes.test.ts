// Lanes of small trees, drawn as stories: `b<a@2` is block b on a, seen at 2; what is not named in `stale` survives.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { assignLanes, type LaneBlock } from '../../../src/lab/report/lanes.ts'

function tree(story: string, stale = ''): LaneBlock[] {
  return story.split(' ').map(word => {
    const [id, parent, ms] = /^(\w+)(?:<(\w+))?@(\d+)$/.exec(word)!.slice(1)
    return { id: id!, parent: parent ?? null, firstSeenMs: Number(ms), isStale: stale.includes(id!) }
  })
}

function lanesOf(blocks: readonly LaneBlock[]): Record<string, number> {
  return Object.fromEntries(assignLanes(blocks))
}

const TABLE = [
  {
    says: 'a chain has one lane',
    blocks: tree('g@0 a<g@1 b<a@2'),
    lanes: { g: 0, a: 0, b: 0 },
  },
  {
    says: 'a fork stands beside the branch that survives, though it came first',
    blocks: tree('g@0 x<g@1 a<g@2 y<x@3 b<a@4 c<b@5', 'xy'),
    lanes: { g: 0, a: 0, b: 0, c: 0, x: 1, y: 1 },
  },
  {
    says: 'a lane is free again after the last block of its branch',
    blocks: tree('g@0 a<g@1 x<g@2 b<a@3 y<b@5 c<b@6', 'xy'),
    lanes: { g: 0, a: 0, b: 0, c: 0, x: 1, y: 1 },
  },
  {
    says: 'but not in the very moment of that block',
    blocks: tree('g@0 a<g@1 x<g@3 y<a@3 b<a@4', 'xy'),
    lanes: { g: 0, a: 0, b: 0, x: 1, y: 2 },
  },
  {
    says: 'two forks at once take two lanes, and the third has the lowest that is free',
    blocks: tree('g@0 a<g@1 x<g@2 y<a@3 x2<x@4 y2<y@9 b<a@5 z<b@6 c<b@7', 'xyx2y2z'),
    lanes: { g: 0, a: 0, b: 0, c: 0, x: 1, x2: 1, y: 2, y2: 2, z: 1 },
  },
  {
    says: 'a fork goes on with what lasts longest, and what forks from it has a lane of its own',
    blocks: tree('g@0 a<g@1 x<g@2 p<x@3 q<x@4 r<q@6 b<a@7', 'xpqr'),
    lanes: { g: 0, a: 0, b: 0, x: 1, q: 1, r: 1, p: 2 },
  },
  {
    says: 'of two branches that survive, the one that was seen last has lane 0',
    blocks: tree('g@0 a<g@1 x<g@2 y<x@3'),
    lanes: { g: 0, a: 1, x: 0, y: 0 },
  },
  { says: 'no blocks need no lanes', blocks: [], lanes: {} },
]

for (const { says, blocks, lanes } of TABLE)
  test(says, () => {
    assert.deepEqual(lanesOf(blocks), lanes)
    assert.deepEqual(lanesOf(blocks.toReversed()), lanes)
  })

/** Any tree: each block stands on one that was seen before it, and the last of all survives with all before it. */
const trees = fc
  .array(fc.record({ below: fc.nat(), laterMs: fc.nat({ max: 3 }) }), { minLength: 1, maxLength: 30 })
  .map(draws => {
    let ms = 0
    const parents: (number | null)[] = []
    const times = draws.map(({ below, laterMs }, index) => {
      parents.push(index === 0 ? null : below % index)
      ms += laterMs
      return ms
    })
    const kept = new Set<number>()
    for (let at: number | null = draws.length - 1; at !== null; at = parents[at]!) kept.add(at)
    return draws.map((_, index): LaneBlock => {
      const parent = parents[index]!
      const isStale = !kept.has(index)
      return {
        id: `b${index}`,
        parent: parent === null ? null : `b${parent}`,
        firstSeenMs: times[index]!,
        isStale,
      }
    })
  })

test('in any tree all that survive are in lane 0, no two branches share a lane at one time, and no lane is wasted', () => {
  fc.assert(
    fc.property(trees, blocks => {
      const lanes = assignLanes(blocks)
      for (const { id, isStale } of blocks) assert.equal(lanes.get(id) === 0, !isStale, id)
      // A branch begins where a block is not in the lane of the one below it.
      const branchOf = new Map<string, { lane: number; fromMs: number; toMs: number }>()
      for (const { id, parent, firstSeenMs } of blocks) {
        const lane = lanes.get(id)!
        const below = parent === null ? undefined : branchOf.get(parent)
        const branch = below?.lane === lane ? below : { lane, fromMs: firstSeenMs, toMs: firstSeenMs }
        branch.toMs = firstSeenMs
        branchOf.set(id, branch)
      }
      const forks = [...new Set(branchOf.values())].filter(({ lane }) => lane > 0)
      const overlaps = (a: (typeof forks)[number], ms: number): boolean => a.fromMs <= ms && ms <= a.toMs
      for (const one of forks)
        for (const other of forks)
          if (one !== other && one.lane === other.lane) assert.ok(!overlaps(one, other.fromMs))
      const busiest = Math.max(
        0,
        ...forks.map(({ fromMs }) => forks.filter(fork => overlaps(fork, fromMs)).length),
      )
      assert.equal(Math.max(...lanes.values()), busiest)
    }),
  )
})
