import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Hex } from '../../../src/encoding/bytes.ts'
import { Timeline } from '../../../src/lab/stage/timeline.ts'
import type { FinalRule } from '../../../src/lab/stage/variant.ts'

const CERTIFICATE: FinalRule = { type: 'certificate' }
const id = (name: string): Hex => `0x${Buffer.from(name).toString('hex')}`

/** A timeline that knows blocks in a line, each with a transfer of its own name; `g` is the first block. */
function timelineOf(rule: FinalRule, ...lines: string[]): Timeline {
  const timeline = new Timeline(2, rule)
  for (const line of lines) {
    for (const [height, name] of line.split(' ').entries()) {
      const parent = line.split(' ')[height - 1] ?? 'none'
      timeline.add({ id: id(name), parent: id(parent), height, transfers: [id(`t${name}`)] })
    }
  }
  return timeline
}

test('a transfer is final where a node calls its block final, and at that moment', () => {
  const timeline = timelineOf(CERTIFICATE, 'g a b')
  timeline.see(0, { id: id('g'), finalHeight: null }, 1)
  timeline.see(0, { id: id('b'), finalHeight: 0 }, 2)
  assert.deepEqual(timeline.sighting(0, id('ta')), { includedMs: 2, finalMs: null })
  timeline.see(0, { id: id('b'), finalHeight: 1 }, 3)
  assert.deepEqual(timeline.sighting(0, id('ta')), { includedMs: 2, finalMs: 3 })
  assert.deepEqual(timeline.sighting(0, id('tb')), { includedMs: 2, finalMs: null })
  assert.equal(timeline.sighting(1, id('ta')), null)
})

test('by depth a block is final when it and those on top are so many', () => {
  const timeline = timelineOf({ type: 'depth', blocks: 2 }, 'g a b c')
  timeline.see(0, { id: id('a'), finalHeight: null }, 1)
  assert.equal(timeline.sighting(0, id('ta'))?.finalMs, null)
  timeline.see(0, { id: id('c'), finalHeight: null }, 2)
  assert.equal(timeline.sighting(0, id('ta'))?.finalMs, 2)
  assert.equal(timeline.sighting(0, id('tb'))?.finalMs, 2)
  assert.equal(timeline.sighting(0, id('tc'))?.finalMs, null)
})

test('what was final and is on the chain no more can be told in the end', () => {
  const timeline = timelineOf({ type: 'depth', blocks: 2 }, 'g a b', 'g x y z')
  timeline.see(0, { id: id('b'), finalHeight: null }, 1)
  timeline.see(1, { id: id('y'), finalHeight: null }, 1)
  assert.equal(timeline.isOneChain([0, 1]), false)
  timeline.see(0, { id: id('z'), finalHeight: null }, 2)
  timeline.see(1, { id: id('z'), finalHeight: null }, 3)
  assert.equal(timeline.isOneChain([0, 1]), true)
  const kept = timeline.transfersOn(0)
  assert.deepEqual(
    [...timeline.everFinal()].filter(id => !kept.has(id)),
    [id('ta')],
  )
  assert.deepEqual([...timeline.takenBack()], [id('ta')])
  assert.equal(timeline.staleBlocks([0, 1]), 2)
  assert.equal(timeline.takeDeepestReorganisation(), 2)
  assert.equal(timeline.takeDeepestReorganisation(), 0)
})

test('the first node that shows a transfer tells how soon it came', () => {
  const timeline = timelineOf(CERTIFICATE, 'g a')
  timeline.see(0, { id: id('a'), finalHeight: null }, 5)
  timeline.see(1, { id: id('a'), finalHeight: 1 }, 7)
  assert.deepEqual(timeline.earliest([0, 1], id('ta')), { includedMs: 5, finalMs: 7 })
  assert.deepEqual(timeline.earliest([0], id('ta')), { includedMs: 5, finalMs: null })
  assert.equal(timeline.earliest([0, 1], id('tb')), null)
})

test('a node that was started again and shows less of the same chain has left nothing behind', () => {
  const timeline = timelineOf(CERTIFICATE, 'g a b c')
  timeline.see(0, { id: id('c'), finalHeight: 2 }, 1)
  timeline.see(0, { id: id('a'), finalHeight: 1 }, 2)
  assert.equal(timeline.takeDeepestReorganisation(), 0)
  assert.equal(timeline.takenBack().size, 0)
  assert.equal(timeline.height(0), 1)
  timeline.see(0, { id: id('c'), finalHeight: 3 }, 3)
  assert.deepEqual(timeline.sighting(0, id('tb')), { includedMs: 1, finalMs: 1 })
  assert.deepEqual(timeline.sighting(0, id('tc')), { includedMs: 1, finalMs: 3 })
})

test('progress is when a node shows a new block, and when one is final now', () => {
  const timeline = timelineOf(CERTIFICATE, 'g a b')
  timeline.see(0, { id: id('g'), finalHeight: null }, 1)
  timeline.see(0, { id: id('b'), finalHeight: 0 }, 2)
  timeline.see(0, { id: id('b'), finalHeight: 2 }, 3)
  timeline.see(0, { id: id('b'), finalHeight: 2 }, 4)
  assert.deepEqual(timeline.progress([0]), { newBlockMs: [1, 2], newFinalMs: [3] })
  assert.deepEqual(timeline.progress([1]), { newBlockMs: [], newFinalMs: [] })
})

test('nodes of which one is only behind are on one chain', () => {
  const timeline = timelineOf(CERTIFICATE, 'g a b')
  timeline.see(0, { id: id('a'), finalHeight: null }, 1)
  timeline.see(1, { id: id('b'), finalHeight: null }, 1)
  assert.equal(timeline.isOneChain([0, 1]), true)
  assert.equal(timeline.staleBlocks([0]), 1)
})

test('a head whose blocks are not known is a mistake', () => {
  const timeline = timelineOf(CERTIFICATE, 'g a')
  assert.throws(() => timeline.see(0, { id: id('b'), finalHeight: null }, 1), /not known/)
  timeline.add({ id: id('c'), parent: id('b'), height: 3, transfers: [] })
  assert.throws(() => timeline.see(0, { id: id('c'), finalHeight: null }, 1), /not known/)
})
