import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { State } from '../../src/execution/state.ts'
import type { EarlierStates } from '../../src/replica/earlier-states.ts'
import { KEYS } from '../../src/replica/records.ts'
import { EARLIER_STATES } from '../../src/replica/undo.ts'
import { addressNumber } from '../chain/examples.ts'
import { ChainBuilder, START_MS, smallGenesis, transfer } from './small-chain.ts'
import { TestNode } from './test-node.ts'

const DEPTH = 3
const BLOCKS = EARLIER_STATES + 20
const genesis = smallGenesis({ finality: { depth: DEPTH } })
const builder = new ChainBuilder(genesis)
// Each block changes other accounts: one comes into being, and most have not changed for a while.
const main = builder.extend(builder.root, BLOCKS, step => ({
  transactions: [transfer(1 + (step % 5), Math.floor((step - 1) / 5), { to: addressNumber(1_000 + step) })],
  beneficiary: addressNumber(50 + (step % 7)),
}))
const chain = [builder.root, ...main]
const base = BLOCKS - DEPTH
const everybody = [1, 2, 3, 4, 5, 9, 50, 53, 56, 1_001, 1_060, 1_000 + BLOCKS].map(addressNumber)

function grown(): TestNode {
  const node = new TestNode(genesis, { nowMs: START_MS + 1e9 }).start()
  node.feed(main)
  assert.equal(node.replica.tree.base.chained.height, base)
  return node
}

function rebuilt(states: EarlierStates, height: number): State | null {
  const steps = states.rebuild(height)
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
  }
}

function assertStates(states: EarlierStates, from: number): void {
  assert.equal(states.keptFrom, from)
  for (let height = from; height <= base; height++) {
    const { state } = chain[height]!.execution
    for (const address of everybody)
      assert.deepEqual(states.at(height)!.get(address), state.get(address), `${height} ${address}`)
  }
  for (const height of [-1, from - 1, base + 1]) {
    assert.equal(states.at(height), null)
    assert.equal(rebuilt(states, height), null)
  }
  for (const height of [from, from + 1, base - 1, base])
    assert.equal(rebuilt(states, height)?.root(), chain[height]!.execution.state.root())
}

test('the states after the last 128 final blocks and the one before them are known, after a restart too', () => {
  const node = grown()
  assertStates(node.replica.view.states, base - EARLIER_STATES)
  assertStates(node.restarted().replica.view.states, base - EARLIER_STATES)
})

test('no more records are kept than that', () => {
  const kept = [...grown().disk.entries('undo/')].map(([key]) => key)
  assert.deepEqual(
    kept,
    Array.from({ length: EARLIER_STATES }, (_, index) => KEYS.undo(base - EARLIER_STATES + 1 + index)),
  )
})

test('a query that began early still gets what is kept now', () => {
  const node = new TestNode(genesis, { nowMs: START_MS + 1e9 }).start()
  node.feed(main.slice(0, 10))
  const { states } = node.replica.view
  assert.equal(states.keptFrom, 0)
  assert.deepEqual(states.at(0)!.get(addressNumber(1)), genesis.state.get(addressNumber(1)))
  node.feed(main.slice(10))
  assertStates(states, base - EARLIER_STATES)
})

test('a chain of an older version has no states but from where it went on', () => {
  const node = grown()
  const cut = base - 5
  for (let height = 0; height <= cut; height++) node.disk.write([{ key: KEYS.undo(height), value: null }])
  assertStates(node.restarted().replica.view.states, cut)
})

test('a record that is gone or damaged is told, not guessed at', () => {
  const key = KEYS.undo(base - 2)
  const states = (value: Uint8Array | null, isKnown: boolean): EarlierStates => {
    const node = grown().restarted()
    if (isKnown) assert.equal(node.replica.view.states.keptFrom, base - EARLIER_STATES)
    node.disk.write([{ key, value }])
    return node.replica.view.states
  }
  const message = `record ${key} is damaged`
  for (const value of [new Uint8Array(59), new Uint8Array(120)]) {
    const damaged = states(value, false)
    // The second question is not answered otherwise than the first.
    for (let asked = 0; asked < 2; asked++)
      assert.throws(() => damaged.at(base - 4), { name: 'CorruptStore', message })
  }
  assert.equal(states(null, false).keptFrom, base - 2)
})

test('a rebuild goes by small steps, and ends without a state when the chain has left it behind', () => {
  const node = new TestNode(genesis, { nowMs: START_MS + 1e9 }).start()
  node.feed(main.slice(0, EARLIER_STATES + DEPTH))
  const { states } = node.replica.view
  const steps = states.rebuild(0)
  for (let step = 0; step < 10; step++) assert.equal(steps.next().done, false)
  node.feed(main.slice(EARLIER_STATES + DEPTH))
  let last = steps.next()
  while (!last.done) last = steps.next()
  assert.equal(last.value, null)
})

test('a state asked for goes on being the same while blocks become final', () => {
  const node = new TestNode(genesis, { nowMs: START_MS + 1e9 }).start()
  node.feed(main.slice(0, 20))
  const pinned = node.replica.view.states.at(10)!
  for (const entry of main.slice(20, 60)) {
    node.feed([entry])
    for (const address of everybody)
      assert.deepEqual(pinned.get(address), chain[10]!.execution.state.get(address))
  }
})
