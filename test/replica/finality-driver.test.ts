import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ChainAccess, Finality, FinalityEffect, FinalityInput } from '../../src/finality/contract.ts'
import { Disk } from '../../src/lab/cluster/disk.ts'
import { ReplicaOutbox } from '../../src/replica/effects.ts'
import { FinalityDriver } from '../../src/replica/finality-driver.ts'
import { Mempool } from '../../src/replica/mempool.ts'
import { addressNumber } from '../chain/examples.ts'
import { ChainBuilder, transfer } from './small-chain.ts'

type Script = (input: FinalityInput, chain: ChainAccess) => FinalityEffect[]

const builder = new ChainBuilder()
const beneficiary = addressNumber(1)

/** A driver of a layer that does what the script says, and the types of the inputs that it was given. */
function drive(script: Script) {
  const inputs: string[] = []
  /** For each block that the layer wanted, the peer that attached a block. */
  const wantedWith: (string | null)[] = []
  const outbox = new ReplicaOutbox()
  const store = new Disk()
  const { root, genesis } = builder
  const pool = new Mempool(genesis.blocks, { state: genesis.state, baseFee: 1n })
  const finality = {
    step: (input: FinalityInput, chain: ChainAccess) => {
      inputs.push(input.type)
      return script(input, chain)
    },
  } as unknown as Finality
  const driver: FinalityDriver = new FinalityDriver({
    finality,
    tree: { head: root, base: root, get: () => undefined, atHeight: () => undefined } as never,
    view: {} as never,
    pool,
    store,
    outbox,
    nowMs: () => 0,
    finalise: () => driver.step({ type: 'head' }),
    want: (_id, _holders, { attached }) => {
      wantedWith.push(attached?.from ?? null)
      driver.step({ type: 'block', id: root.chained.id })
    },
    hold: () => {},
    build: () => root.chained.id,
  })
  return { driver, outbox, inputs, wantedWith, pool, store }
}

const isOf = (type: FinalityInput['type'], ...effects: FinalityEffect[]): Script => {
  return input => (input.type === type ? effects : [])
}

test('what follows from a step waits until all of the step is done', () => {
  const set = { type: 'set-timer', name: 'progress', delayMs: 1 } as const
  const clear = { type: 'clear-timer', name: 'progress' } as const
  const final = { type: 'final', id: builder.root.chained.id, certificate: null } as const
  const script: Script = input => {
    if (input.type === 'pool') return [final, clear]
    return input.type === 'head' ? [set] : []
  }
  const { driver, outbox, inputs } = drive(script)
  driver.step({ type: 'pool' })
  assert.deepEqual(inputs, ['pool', 'head'])
  assert.deepEqual(
    outbox.take().map(({ type }) => type),
    ['clear-timer', 'set-timer'],
    'the timer that the later step sets is not cleared by the rest of the earlier one',
  )
})

test('what follows from a message has the block that was attached to it, and later inputs do not', () => {
  const { id } = builder.root.chained
  const want = { type: 'want', id, holders: { promised: [], others: [] }, isDecided: false } as const
  const final = { type: 'final', id, certificate: null } as const
  const script: Script = input => {
    if (input.type === 'pool') return [final]
    return input.type === 'head' ? [want] : []
  }
  const { driver, inputs, wantedWith } = drive(script)
  driver.step({ type: 'pool' }, { block: builder.root.block, from: 'p' })
  assert.deepEqual(inputs, ['pool', 'head', 'block'])
  driver.step({ type: 'head' })
  assert.deepEqual(wantedWith, ['p', null])
})

test('built blocks are told to the layer, after what else it wanted', () => {
  const build = { type: 'build', beneficiary } as const
  const { driver, outbox, inputs } = drive(isOf('pool', build, { type: 'alarm', text: 'loud' }))
  driver.step({ type: 'pool' })
  assert.deepEqual(inputs, ['pool', 'built'])
  assert.deepEqual(outbox.take(), [{ type: 'alarm', text: 'loud' }])
})

test('records of the layer are kept under a name of their own, and given back at the start', () => {
  const { driver, outbox, store } = drive(
    isOf('pool', { type: 'persist', key: 'vote/1', value: Uint8Array.of(7) }),
  )
  driver.step({ type: 'pool' })
  const [persist] = outbox.take()
  assert.ok(persist?.type === 'persist')
  assert.deepEqual(persist.writes, [{ key: 'finality/vote/1', value: Uint8Array.of(7) }])
  store.write(persist.writes)
  store.sync()
  let given: FinalityInput | null = null
  const again = drive(input => {
    given = input
    return []
  })
  again.store.write(persist.writes)
  again.store.sync()
  again.driver.start(false)
  assert.deepEqual(given, {
    type: 'start',
    records: new Map([['vote/1', Uint8Array.of(7)]]),
    isFresh: false,
  })
})

test('a layer is told of the pool when it has asked, and only when something waits that did not, or the reverse', () => {
  const { driver, inputs, pool } = drive((input, chain) => {
    if (input.type !== 'block') chain.hasPending()
    return []
  })
  pool.add(transfer(1, 0), addressNumber(1))
  driver.updatePending()
  assert.deepEqual(inputs, [], 'it has not asked')
  driver.step({ type: 'head' })
  pool.add(transfer(2, 0), addressNumber(2))
  driver.updatePending()
  assert.deepEqual(inputs, ['head'], 'something waited before')
  const { state } = builder.genesis
  const emptied = state.with([1, 2].map(number => [addressNumber(number), { nonce: 1n, balance: 0n }]))
  pool.moveTo({ state: emptied, baseFee: 1n }, new Set([addressNumber(1), addressNumber(2)]))
  driver.updatePending()
  driver.updatePending()
  assert.deepEqual(inputs, ['head', 'pool'])
})
