import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Hex } from '../../../src/encoding/bytes.ts'
import { Chronicle } from '../../../src/lab/stage/chronicle.ts'
import type { FinalRule } from '../../../src/lab/stage/contender.ts'

const CERTIFICATE: FinalRule = { type: 'certificate' }
const id = (name: string): Hex => `0x${Buffer.from(name).toString('hex')}`

/** A chronicle that knows blocks in a line, each with a transfer of its own name; `g` is the first block. */
function chronicleOf(rule: FinalRule, ...lines: string[]): Chronicle {
  const chronicle = new Chronicle(2, rule)
  for (const line of lines) {
    for (const [height, name] of line.split(' ').entries()) {
      const parent = line.split(' ')[height - 1] ?? 'none'
      chronicle.add({ id: id(name), parent: id(parent), height, transfers: [id(`t${name}`)] })
    }
  }
  return chronicle
}

test('a transfer is final where a node calls its block final, and at that moment', () => {
  const chronicle = chronicleOf(CERTIFICATE, 'g a b')
  chronicle.see(0, { id: id('g'), finalHeight: null }, 1)
  chronicle.see(0, { id: id('b'), finalHeight: 0 }, 2)
  assert.deepEqual(chronicle.sighting(0, id('ta')), { includedMs: 2, finalMs: null })
  chronicle.see(0, { id: id('b'), finalHeight: 1 }, 3)
  assert.deepEqual(chronicle.sighting(0, id('ta')), { includedMs: 2, finalMs: 3 })
  assert.deepEqual(chronicle.sighting(0, id('tb')), { includedMs: 2, finalMs: null })
  assert.equal(chronicle.sighting(1, id('ta')), null)
})

test('by depth a block is final when it and those on top are so many', () => {
  const chronicle = chronicleOf({ type: 'depth', blocks: 2 }, 'g a b c')
  chronicle.see(0, { id: id('a'), finalHeight: null }, 1)
  assert.equal(chronicle.sighting(0, id('ta'))?.finalMs, null)
  chronicle.see(0, { id: id('c'), finalHeight: null }, 2)
  assert.equal(chronicle.sighting(0, id('ta'))?.finalMs, 2)
  assert.equal(chronicle.sighting(0, id('tb'))?.finalMs, 2)
  assert.equal(chronicle.sighting(0, id('tc'))?.finalMs, null)
})

test('what was final and is on the chain no more can be told in the end', () => {
  const chronicle = chronicleOf({ type: 'depth', blocks: 2 }, 'g a b', 'g x y z')
  chronicle.see(0, { id: id('b'), finalHeight: null }, 1)
  chronicle.see(1, { id: id('y'), finalHeight: null }, 1)
  assert.equal(chronicle.isOneChain([0, 1]), false)
  chronicle.see(0, { id: id('z'), finalHeight: null }, 2)
  chronicle.see(1, { id: id('z'), finalHeight: null }, 3)
  assert.equal(chronicle.isOneChain([0, 1]), true)
  const kept = chronicle.transfersOn(0)
  assert.deepEqual(
    [...chronicle.everFinal()].filter(id => !kept.has(id)),
    [id('ta')],
  )
  assert.deepEqual([...chronicle.takenBack()], [id('ta')])
  assert.equal(chronicle.staleBlocks([0, 1]), 2)
  assert.equal(chronicle.takeDeepestReorganisation(), 2)
  assert.equal(chronicle.takeDeepestReorganisation(), 0)
})

test('the first node that shows a transfer tells how soon it came', () => {
  const chronicle = chronicleOf(CERTIFICATE, 'g a')
  chronicle.see(0, { id: id('a'), finalHeight: null }, 5)
  chronicle.see(1, { id: id('a'), finalHeight: 1 }, 7)
  assert.deepEqual(chronicle.earliest([0, 1], id('ta')), { includedMs: 5, finalMs: 7 })
  assert.deepEqual(chronicle.earliest([0], id('ta')), { includedMs: 5, finalMs: null })
  assert.equal(chronicle.earliest([0, 1], id('tb')), null)
})

test('a node that was started again and shows less of the same chain has left nothing behind', () => {
  const chronicle = chronicleOf(CERTIFICATE, 'g a b c')
  chronicle.see(0, { id: id('c'), finalHeight: 2 }, 1)
  chronicle.see(0, { id: id('a'), finalHeight: 1 }, 2)
  assert.equal(chronicle.takeDeepestReorganisation(), 0)
  assert.equal(chronicle.takenBack().size, 0)
  assert.equal(chronicle.height(0), 1)
  chronicle.see(0, { id: id('c'), finalHeight: 3 }, 3)
  assert.deepEqual(chronicle.sighting(0, id('tb')), { includedMs: 1, finalMs: 1 })
  assert.deepEqual(chronicle.sighting(0, id('tc')), { includedMs: 1, finalMs: 3 })
})

test('progress is when a node shows a new block, and when one is final now', () => {
  const chronicle = chronicleOf(CERTIFICATE, 'g a b')
  chronicle.see(0, { id: id('g'), finalHeight: null }, 1)
  chronicle.see(0, { id: id('b'), finalHeight: 0 }, 2)
  chronicle.see(0, { id: id('b'), finalHeight: 2 }, 3)
  chronicle.see(0, { id: id('b'), finalHeight: 2 }, 4)
  assert.deepEqual(chronicle.progress([0]), { newBlockMs: [1, 2], newFinalMs: [3] })
  assert.deepEqual(chronicle.progress([1]), { newBlockMs: [], newFinalMs: [] })
})

test('nodes of which one is only behind are on one chain', () => {
  const chronicle = chronicleOf(CERTIFICATE, 'g a b')
  chronicle.see(0, { id: id('a'), finalHeight: null }, 1)
  chronicle.see(1, { id: id('b'), finalHeight: null }, 1)
  assert.equal(chronicle.isOneChain([0, 1]), true)
  assert.equal(chronicle.staleBlocks([0]), 1)
})

test('a head whose blocks are not known is a mistake', () => {
  const chronicle = chronicleOf(CERTIFICATE, 'g a')
  assert.throws(() => chronicle.see(0, { id: id('b'), finalHeight: null }, 1), /not known/)
  chronicle.add({ id: id('c'), parent: id('b'), height: 3, transfers: [] })
  assert.throws(() => chronicle.see(0, { id: id('c'), finalHeight: null }, 1), /not known/)
})
