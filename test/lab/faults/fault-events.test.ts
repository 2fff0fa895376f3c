import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type FaultEvent, isAmong, renamed } from '../../../src/lab/faults/fault-events.ts'

const time = { atMs: 1, forMs: 2 }
const EVENTS: readonly FaultEvent[] = [
  { type: 'cut', ...time, side: ['n1', 'n2'] },
  { type: 'bridge', ...time, side: ['n1', 'n2'], node: 'n3' },
  { type: 'ring', ...time, ring: ['n1', 'n2', 'n3'] },
  { type: 'clog', ...time, from: 'n1', to: 'n2' },
  { type: 'pause', ...time, node: 'n1' },
]

/** The types of those that can happen among these. */
const among = (...nodes: string[]) =>
  EVENTS.filter(event => isAmong(event, new Set(nodes))).map(({ type }) => type)

test('a fault can happen where its node is, both ends of its link, one of its side, or all of its ring', () => {
  assert.deepEqual(among('n1', 'n2', 'n3'), ['cut', 'bridge', 'ring', 'clog', 'pause'])
  assert.deepEqual(among('n1', 'n2'), ['cut', 'clog', 'pause'])
  assert.deepEqual(among('n2', 'n3'), ['cut', 'bridge'])
  assert.deepEqual(among('n1'), ['cut', 'pause'])
  assert.deepEqual(among('n3'), [])
})

test('a fault under other names has them wherever a node is named, and is else the same', () => {
  const name = (node: string) => `x${node}`
  assert.deepEqual(
    EVENTS.map(event => renamed(event, name)),
    [
      { type: 'cut', ...time, side: ['xn1', 'xn2'] },
      { type: 'bridge', ...time, side: ['xn1', 'xn2'], node: 'xn3' },
      { type: 'ring', ...time, ring: ['xn1', 'xn2', 'xn3'] },
      { type: 'clog', ...time, from: 'xn1', to: 'xn2' },
      { type: 'pause', ...time, node: 'xn1' },
    ],
  )
})
