import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Address } from '../../src/chain/address.ts'
import type { Transaction } from '../../src/chain/transaction.ts'
import { State } from '../../src/execution/state.ts'
import { type PoolLimits, REPLICA_LIMITS } from '../../src/replica/limits.ts'
import { type AddResult, Mempool } from '../../src/replica/mempool.ts'
import { addressNumber, COIN, GWEI } from '../chain/examples.ts'
import { NaiveMempool } from './naive-mempool.ts'
import { fees, smallGenesis, type TransferChanges, transfer } from './small-chain.ts'

const { blocks: rules } = smallGenesis()
/** Wei that a plain transfer of 1,000 wei at 2 gwei may cost. */
const PLAIN_COST = 21_000n * 2n * GWEI + 1000n

/** The state in which account 1 has the first of these, account 2 the second, and so on. */
function stateOf(...accounts: readonly (bigint | { nonce: bigint; balance: bigint })[]): State {
  return State.EMPTY.with(
    accounts.map((account, index): [Address, { nonce: bigint; balance: bigint }] => [
      addressNumber(index + 1),
      typeof account === 'bigint' ? { nonce: 0n, balance: account } : account,
    ]),
  )
}

function poolOf(state: State, limits: Partial<PoolLimits> = {}): Mempool {
  return new Mempool(rules, { state, baseFee: GWEI }, { ...REPLICA_LIMITS.pool, ...limits })
}

/** Adds in order; the senders are in the transactions' signatures. */
function add(pool: Mempool, ...transactions: readonly Transaction[]): AddResult[] {
  return transactions.map(tx => pool.add(tx, addressNumber(Number(tx.r))))
}

function addBack(pool: Mempool, tx: Transaction): AddResult {
  return pool.add(tx, addressNumber(Number(tx.r)), 'back')
}

/** What came of an addition, in a form that can be compared: a reason, or how many were replaced and evicted. */
function outcome(result: AddResult | undefined): string {
  if (typeof result !== 'object') return String(result)
  return `added, ${result.replaced === null ? 0 : 1} replaced, ${result.evicted.length} evicted`
}

const ADDED = 'added, 0 replaced, 0 evicted'

function noncesOf(pool: Mempool, from: number): { pending: number[]; future: number[] } {
  const { pending, future } = pool.queueOf(addressNumber(from))
  const nonces = (entries: typeof pending): number[] => entries.map(({ tx }) => Number(tx.nonce))
  return { pending: nonces(pending), future: nonces(future) }
}

/** A refusal must leave no trace. */
function assertRefused(pool: Mempool, tx: Transaction, reason: string): void {
  const before = { ids: [...pool.entries()].map(entry => entry.tx.id), changes: pool.changes }
  assert.equal(add(pool, tx)[0], reason)
  assert.deepEqual({ ids: [...pool.entries()].map(entry => entry.tx.id), changes: pool.changes }, before)
}

// ---- what is taken at all

const REFUSED: readonly { name: string; tx: Transaction; reason: string }[] = [
  {
    name: 'for another chain',
    tx: transfer(1, 0, { chainId: 1n }),
    reason: 'tx-wrong-chain',
  },
  { name: 'that creates a contract', tx: transfer(1, 0, { to: null }), reason: 'tx-creates-contract' },
  {
    name: 'with less gas than it uses',
    tx: transfer(1, 0, { gasLimit: 20_999n }),
    reason: 'tx-gas-below-intrinsic',
  },
  {
    name: 'with more gas than a block',
    tx: transfer(1, 0, { gasLimit: 30_000_001n }),
    reason: 'tx-gas-above-block',
  },
  { name: 'below the base fee', tx: transfer(1, 0, fees(0, 0)), reason: 'tx-fee-below-base' },
  { name: 'of a spent nonce', tx: transfer(2, 4), reason: 'tx-nonce-too-low' },
  { name: 'too far ahead', tx: transfer(2, 5 + 128), reason: 'tx-nonce-too-high' },
  {
    name: 'that its sender cannot pay',
    tx: transfer(3, 0, { value: 1001n }),
    reason: 'tx-insufficient-funds',
  },
  { name: 'of nobody', tx: transfer(9, 0), reason: 'tx-insufficient-funds' },
]

for (const { name, tx, reason } of REFUSED) {
  test(`a transaction ${name} is refused`, () => {
    assertRefused(poolOf(stateOf(COIN, { nonce: 5n, balance: COIN }, PLAIN_COST)), tx, reason)
  })
}

test('the bounds of those rules are taken: the exact balance, the current nonce, the last nonce in reach', () => {
  const pool = poolOf(stateOf(COIN, { nonce: 5n, balance: COIN }, PLAIN_COST))
  const results = add(pool, transfer(3, 0), transfer(2, 5), transfer(2, 5 + 127), transfer(1, 0, fees(1, 0)))
  assert.deepEqual(results.map(outcome), [ADDED, ADDED, ADDED, ADDED])
})

test('a transaction is taken once', () => {
  const pool = poolOf(stateOf(COIN))
  add(pool, transfer(1, 0))
  assertRefused(pool, transfer(1, 0), 'tx-already-known')
})

// ---- replacement

const REPLACEMENTS: readonly { fee: bigint; tip: bigint; isTaken: boolean }[] = [
  { fee: 11_000n, tip: 1_100n, isTaken: true },
  { fee: 20_000n, tip: 20_000n, isTaken: true },
  { fee: 10_999n, tip: 1_100n, isTaken: false },
  { fee: 11_000n, tip: 1_099n, isTaken: false },
  { fee: 20_000n, tip: 1_000n, isTaken: false },
  { fee: 10_000n, tip: 1_000n, isTaken: false },
]

for (const { fee, tip, isTaken } of REPLACEMENTS) {
  const verb = isTaken ? 'replaces' : 'does not replace'
  test(`a fee of ${fee} with a tip of ${tip} ${verb} a fee of 10000 with a tip of 1000`, () => {
    const pool = new Mempool(rules, { state: stateOf(COIN), baseFee: 1n })
    const old = transfer(1, 0, { maxFeePerGas: 10_000n, maxPriorityFeePerGas: 1_000n })
    const next = transfer(1, 0, { maxFeePerGas: fee, maxPriorityFeePerGas: tip, value: 7n })
    add(pool, old)
    if (!isTaken) return assertRefused(pool, next, 'tx-replacement-underpriced')
    const [result] = add(pool, next)
    assert.ok(typeof result === 'object')
    assert.equal(result.replaced?.tx.id, old.id)
    assert.deepEqual(
      [...pool.entries()].map(entry => entry.tx.id),
      [next.id],
    )
  })
}

test('replacing one in the middle keeps those behind it pending', () => {
  const pool = poolOf(stateOf(COIN))
  add(pool, transfer(1, 0), transfer(1, 1), transfer(1, 2))
  assert.equal(outcome(add(pool, transfer(1, 1, fees(3, 2)))[0]), 'added, 1 replaced, 0 evicted')
  assert.deepEqual(noncesOf(pool, 1), { pending: [0, 1, 2], future: [] })
})

test('a replacement in the middle cannot make what stands behind it unpayable', () => {
  const pool = poolOf(stateOf(3n * PLAIN_COST))
  add(pool, transfer(1, 0), transfer(1, 1), transfer(1, 2))
  assertRefused(pool, transfer(1, 1, fees(3, 2)), 'tx-insufficient-funds')
})

test('a replacement is measured without what it replaces', () => {
  const pool = poolOf(stateOf(3n * PLAIN_COST + 21_000n * GWEI))
  add(pool, transfer(1, 0), transfer(1, 1), transfer(1, 2))
  assert.equal(outcome(add(pool, transfer(1, 1, fees(3, 2)))[0]), 'added, 1 replaced, 0 evicted')
})

// ---- what one sender may have

test('a sender must be able to pay for all its transactions together', () => {
  const pool = poolOf(stateOf(2n * PLAIN_COST + 1n))
  add(pool, transfer(1, 0), transfer(1, 1))
  assertRefused(pool, transfer(1, 2), 'tx-insufficient-funds')
  assertRefused(pool, transfer(1, 5), 'tx-insufficient-funds')
})

test('a sender has at most so many transactions, and may still replace one', () => {
  const pool = poolOf(stateOf(COIN), { senderTransactionsMax: 3 })
  add(pool, transfer(1, 0), transfer(1, 1), transfer(1, 2))
  assertRefused(pool, transfer(1, 3), 'tx-nonce-too-high')
  assert.equal(outcome(add(pool, transfer(1, 2, fees(3, 2)))[0]), 'added, 1 replaced, 0 evicted')
})

test('after a reorganisation took blocks away, the queue of a sender is still capped', () => {
  const pool = poolOf(stateOf({ nonce: 3n, balance: COIN }), { senderTransactionsMax: 3 })
  add(pool, transfer(1, 3), transfer(1, 4), transfer(1, 5))
  pool.moveTo({ state: stateOf({ nonce: 2n, balance: COIN }), baseFee: GWEI }, [addressNumber(1)])
  assertRefused(pool, transfer(1, 2), 'tx-sender-queue-full')
})

test('a sender has at most so many bytes, replacements included', () => {
  const small = transfer(1, 0)
  const pool = poolOf(stateOf(COIN), { senderBytesMax: small.raw.length * 2 })
  add(pool, small, transfer(1, 1))
  assertRefused(pool, transfer(1, 2), 'tx-sender-queue-full')
  assertRefused(pool, transfer(1, 1, { ...fees(3, 2), ...filled(100) }), 'tx-sender-queue-full')
})

// ---- gaps

test('a transaction behind a gap waits until the gap is filled', () => {
  const pool = poolOf(stateOf({ nonce: 5n, balance: COIN }))
  add(pool, transfer(1, 7), transfer(1, 5))
  assert.deepEqual(noncesOf(pool, 1), { pending: [5], future: [7] })
  assert.equal(pool.nextNonce(addressNumber(1)), 6n)
  assert.deepEqual(
    [...pool.byPrice(GWEI)].map(({ tx }) => tx.nonce),
    [5n],
  )
  add(pool, transfer(1, 6))
  assert.deepEqual(noncesOf(pool, 1), { pending: [5, 6, 7], future: [] })
  assert.equal(pool.nextNonce(addressNumber(1)), 8n)
})

test('the next nonce of a sender that is not in the pool is that of its account', () => {
  const pool = poolOf(stateOf({ nonce: 5n, balance: COIN }))
  assert.equal(pool.nextNonce(addressNumber(1)), 5n)
  assert.equal(pool.nextNonce(addressNumber(8)), 0n)
})

// ---- a full pool

const TWO = { transactionsMax: 2 }
const RICH = stateOf(COIN, COIN, COIN, COIN)

test('a future transaction never evicts a pending one, whatever it pays', () => {
  const pool = poolOf(RICH, TWO)
  add(pool, transfer(1, 0), transfer(2, 0))
  assertRefused(pool, transfer(3, 1, fees(1000, 1000)), 'tx-pool-full')
})

test('a future transaction evicts not even a future one', () => {
  const pool = poolOf(RICH, TWO)
  add(pool, transfer(1, 0), transfer(2, 1))
  assertRefused(pool, transfer(3, 1, fees(1000, 1000)), 'tx-pool-full')
})

test('a pending transaction evicts a future one, whatever that one pays', () => {
  const pool = poolOf(RICH, TWO)
  add(pool, transfer(1, 0), transfer(2, 1, fees(1000, 1000)))
  assert.equal(outcome(add(pool, transfer(3, 0))[0]), 'added, 0 replaced, 1 evicted')
  assert.deepEqual(
    [1, 2, 3].map(sender => noncesOf(pool, sender).pending.length),
    [1, 0, 1],
  )
})

test('a transaction that fills a gap counts as pending', () => {
  const pool = poolOf(RICH, TWO)
  add(pool, transfer(1, 0), transfer(2, 1))
  assert.equal(outcome(add(pool, transfer(2, 0, fees(3, 2)))[0]), 'added, 0 replaced, 1 evicted')
  assert.deepEqual(noncesOf(pool, 2), { pending: [0, 1], future: [] })
})

test('an attacker without money evicts nothing and gets nothing in', () => {
  const pool = poolOf(RICH, TWO)
  add(pool, transfer(1, 0), transfer(2, 0))
  for (let nonce = 0; nonce < 4; nonce++)
    assertRefused(pool, transfer(9, nonce, fees(1000, 1000)), 'tx-insufficient-funds')
})

test('a funded attacker that pays less than a tenth more evicts nothing', () => {
  const pool = poolOf(RICH, TWO)
  add(pool, transfer(1, 0, fees(10, 5)), transfer(2, 0, fees(10, 5)))
  for (const price of [fees(2, 1), fees(10, 5), fees(10, 10), fees(100, 5)])
    assertRefused(pool, transfer(3, 0, price), 'tx-pool-full')
  assert.equal(outcome(add(pool, transfer(3, 0, fees(11, 6)))[0]), 'added, 0 replaced, 1 evicted')
})

test('a sender makes no room for itself by evicting its own', () => {
  const pool = poolOf(RICH, TWO)
  add(pool, transfer(1, 0), transfer(1, 1))
  assertRefused(pool, transfer(1, 2, fees(1000, 1000)), 'tx-pool-full')
})

test('a transaction for which its sender has others wait takes the place of the last of them, where no other sender makes room', () => {
  const pool = poolOf(RICH, TWO)
  add(pool, transfer(1, 1, fees(1000, 1000)), transfer(1, 2, fees(1000, 1000)))
  assert.equal(outcome(add(pool, transfer(1, 0))[0]), 'added, 0 replaced, 1 evicted')
  assert.deepEqual(noncesOf(pool, 1), { pending: [0, 1], future: [] })
})

test('only the end of a queue is evicted, so that eviction makes no gaps', () => {
  const pool = poolOf(RICH, { transactionsMax: 3 })
  add(pool, transfer(1, 0), transfer(1, 1, fees(9, 9)), transfer(2, 0, fees(5, 5)))
  const [result] = add(pool, transfer(3, 0, fees(6, 6)))
  assert.ok(typeof result === 'object')
  assert.deepEqual(
    result.evicted.map(({ entry }) => [entry.sender, entry.tx.nonce]),
    [[addressNumber(2), 0n]],
  )
  assertRefused(pool, transfer(4, 0, fees(6, 6)), 'tx-pool-full')
})

test('an attempt that needs one eviction too many evicts nothing', () => {
  const small = transfer(1, 0)
  const pool = poolOf(RICH, { bytesMax: small.raw.length * 2 })
  add(pool, small, transfer(2, 0, fees(100, 100)))
  assertRefused(pool, transfer(3, 0, { ...fees(5, 5), ...filled(small.raw.length) }), 'tx-pool-full')
})

test('for a large transaction a whole queue goes, from its end, however it came together', () => {
  const queue = [transfer(1, 1), transfer(1, 0)]
  const other = transfer(2, 0, fees(9, 9))
  const bytesMax = [...queue, other].reduce((sum, tx) => sum + tx.raw.length, 0)
  const pool = poolOf(RICH, { bytesMax })
  add(pool, ...queue, other)
  const [result] = add(pool, transfer(3, 0, { ...fees(5, 5), ...filled(30) }))
  assert.ok(typeof result === 'object')
  assert.deepEqual(
    result.evicted.map(({ entry }) => entry.tx.id),
    queue.map(tx => tx.id),
  )
})

test('the bytes of all transactions together are capped', () => {
  const small = transfer(1, 0)
  const pool = poolOf(RICH, { bytesMax: small.raw.length * 2 })
  add(pool, small, transfer(2, 0))
  assertRefused(pool, transfer(3, 0), 'tx-pool-full')
  assert.equal(pool.bytes, small.raw.length * 2)
})

test('a larger replacement does not take the pool past its bytes', () => {
  const full = [transfer(1, 0), transfer(2, 0, fees(10, 10)), transfer(3, 0, fees(10, 10))]
  const bytesMax = full.reduce((sum, tx) => sum + tx.raw.length, 0)
  const pool = poolOf(RICH, { bytesMax })
  add(pool, ...full)
  assertRefused(pool, transfer(1, 0, { ...fees(3, 3), ...filled(20) }), 'tx-pool-full')
  const [result] = add(pool, transfer(1, 0, { ...fees(20, 20), ...filled(20) }))
  assert.equal(outcome(result), 'added, 1 replaced, 1 evicted')
  assert.ok(pool.bytes <= bytesMax)
})

test('to refuse what pays too little takes a full pool well under a millisecond', () => {
  const senders = 4_000
  const state = stateOf(...Array.from({ length: senders + 1 }, () => COIN))
  const pool = poolOf(state, { transactionsMax: senders })
  for (let sender = 1; sender <= senders; sender++) add(pool, transfer(sender, 0))
  const late = transfer(senders + 1, 0)
  const start = performance.now()
  for (let attempt = 0; attempt < 200; attempt++) assert.equal(add(pool, late)[0], 'tx-pool-full')
  const perAttemptMs = (performance.now() - start) / 200
  assert.ok(perAttemptMs < 2, `${perAttemptMs} ms`)
})

// ---- another head

test('a new head takes out what it mined, and a sender that spent its balance loses its last transactions', () => {
  const pool = poolOf(stateOf(5n * PLAIN_COST))
  const waiting = [0, 1, 2, 3].map(nonce => transfer(1, nonce))
  add(pool, ...waiting)
  const state = stateOf({ nonce: 1n, balance: 2n * PLAIN_COST })
  const gone = pool.moveTo({ state, baseFee: GWEI }, [addressNumber(1)])
  assert.deepEqual(
    gone.map(({ entry, reason }) => [Number(entry.tx.nonce), reason]),
    [
      [0, 'tx-nonce-too-low'],
      [3, 'tx-insufficient-funds'],
    ],
  )
  assert.deepEqual(noncesOf(pool, 1), { pending: [1, 2], future: [] })
})

test('transactions that return after a reorganisation stand before those that waited', () => {
  const pool = poolOf(stateOf({ nonce: 2n, balance: COIN }))
  add(pool, transfer(1, 2), transfer(1, 3))
  pool.moveTo({ state: stateOf(COIN), baseFee: GWEI }, [addressNumber(1)])
  assert.deepEqual(noncesOf(pool, 1), { pending: [], future: [2, 3] })
  for (const nonce of [0, 1]) assert.equal(outcome(addBack(pool, transfer(1, nonce))), ADDED)
  assert.deepEqual(noncesOf(pool, 1), { pending: [0, 1, 2, 3], future: [] })
  assert.deepEqual(
    [...pool.byPrice(GWEI)].map(({ tx }) => Number(tx.nonce)),
    [0, 1, 2, 3],
  )
})

test('a transaction that returns need not pay the base fee of today', () => {
  const pool = poolOf(stateOf(COIN))
  const cheap = transfer(1, 0, fees(0, 0))
  assert.equal(add(pool, cheap)[0], 'tx-fee-below-base')
  assert.equal(outcome(addBack(pool, cheap)), ADDED)
  assert.deepEqual([...pool.byPrice(GWEI)], [])
})

test('a transaction that returns takes its place in a full queue from the last one', () => {
  const pool = poolOf(stateOf({ nonce: 1n, balance: COIN }), { senderTransactionsMax: 3 })
  add(pool, transfer(1, 1), transfer(1, 2), transfer(1, 3))
  pool.moveTo({ state: stateOf(COIN), baseFee: GWEI }, [addressNumber(1)])
  const result = addBack(pool, transfer(1, 0))
  assert.ok(typeof result === 'object')
  assert.deepEqual(
    result.evicted.map(({ entry, reason }) => [Number(entry.tx.nonce), reason]),
    [[3, 'tx-sender-queue-full']],
  )
  assert.deepEqual(noncesOf(pool, 1), { pending: [0, 1, 2], future: [] })
})

test('a transaction that returns has the first claim on the balance', () => {
  const pool = poolOf(stateOf({ nonce: 1n, balance: 2n * PLAIN_COST }))
  add(pool, transfer(1, 1), transfer(1, 2))
  pool.moveTo({ state: stateOf(2n * PLAIN_COST + 5n), baseFee: GWEI }, [addressNumber(1)])
  const result = addBack(pool, transfer(1, 0))
  assert.ok(typeof result === 'object')
  assert.deepEqual(
    result.evicted.map(({ entry, reason }) => [Number(entry.tx.nonce), reason]),
    [[2, 'tx-insufficient-funds']],
  )
})

test('a transaction that returns evicts none of a lower nonce', () => {
  const pool = poolOf(stateOf(PLAIN_COST + 5n))
  add(pool, transfer(1, 0))
  assert.equal(addBack(pool, transfer(1, 1)), 'tx-insufficient-funds')
  assert.deepEqual(noncesOf(pool, 1), { pending: [0], future: [] })
})

test('a transaction that returns to a full pool still has to pay more than what it evicts', () => {
  const pool = poolOf(RICH, TWO)
  add(pool, transfer(1, 0), transfer(2, 0))
  assert.equal(addBack(pool, transfer(3, 0)), 'tx-pool-full')
})

// ---- the order in which a block takes them

test('the best tip comes first, the earlier of equals, and each sender in the order of its nonces', () => {
  const pool = poolOf(RICH)
  const order = [
    transfer(2, 0, fees(9, 7)),
    transfer(1, 0, fees(9, 3)),
    transfer(1, 1, fees(9, 8)),
    transfer(3, 0, fees(9, 3)),
    transfer(4, 0, fees(3, 3)),
  ]
  add(pool, order[1]!, order[2]!, order[3]!, order[4]!, order[0]!)
  assert.deepEqual(
    [...pool.byPrice(GWEI)].map(({ tx }) => tx.id),
    order.map(tx => tx.id),
  )
})

test('a transaction that pays just the base fee is taken, and one that pays less is not, nor what follows it', () => {
  const pool = poolOf(RICH)
  const order = [transfer(1, 0, fees(2, 2)), transfer(1, 1, fees(1, 1)), transfer(1, 2, fees(9, 9))]
  add(pool, ...order)
  assert.deepEqual(
    [...pool.byPrice(2n * GWEI)].map(({ tx }) => tx.id),
    [order[0]!.id],
  )
})

test('a number tells when the content has changed, and only then', () => {
  const pool = poolOf(RICH)
  const seen = [pool.changes]
  add(pool, transfer(1, 0))
  seen.push(pool.changes)
  add(pool, transfer(1, 0, fees(3, 3)))
  seen.push(pool.changes)
  pool.moveTo({ state: stateOf({ nonce: 1n, balance: COIN }), baseFee: GWEI }, [addressNumber(1)])
  seen.push(pool.changes)
  assert.deepEqual([...new Set(seen)], seen)
  pool.moveTo({ state: stateOf({ nonce: 1n, balance: COIN }), baseFee: GWEI }, [addressNumber(1)])
  assert.equal(pool.changes, seen.at(-1))
})

test('a transaction that can not be used is left out with all that follow it', () => {
  const pool = poolOf(RICH)
  add(pool, transfer(1, 0, fees(9, 7)), transfer(1, 1, fees(9, 8)), transfer(2, 0))
  const candidates = pool.byPrice(GWEI)
  const first = candidates.next()
  assert.ok(first.done !== true)
  assert.equal(first.value.sender, addressNumber(1))
  const second = candidates.next('skip')
  assert.ok(second.done !== true)
  assert.equal(second.value.sender, addressNumber(2))
  assert.equal(candidates.next().done, true)
})

// ---- against the twin

const SENDERS = 4
const accountArbitrary = fc.record({
  nonce: fc.constantFrom(0n, 0n, 1n, 2n),
  balance: fc.constantFrom(0n, 3n * PLAIN_COST, 20n * PLAIN_COST, COIN, COIN),
})
const stateArbitrary = fc
  .array(accountArbitrary, { minLength: SENDERS, maxLength: SENDERS })
  .map(accounts => stateOf(...accounts))
const transactionArbitrary = fc
  .record({
    from: fc.integer({ min: 1, max: SENDERS }),
    nonce: fc.integer({ min: 0, max: 4 }),
    price: fc.constantFrom([2, 1], [2, 2], [3, 2], [4, 4], [6, 6], [9, 1], [0, 0]),
    size: fc.constantFrom(0, 0, 0, 40, 150),
  })
  .map(({ from, nonce, price, size }) =>
    transfer(from, nonce, { ...fees(price[0]!, price[1]!), ...filled(size) }),
  )
type Operation =
  | { readonly type: 'add'; readonly tx: Transaction; readonly origin: 'new' | 'back' }
  | { readonly type: 'move'; readonly state: State; readonly baseFee: bigint }
const operationArbitrary: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      type: fc.constant('add' as const),
      tx: transactionArbitrary,
      origin: fc.constantFrom('new' as const, 'new' as const, 'back' as const),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('move' as const),
      state: stateArbitrary,
      baseFee: fc.constantFrom(GWEI, 2n * GWEI, 3n * GWEI),
    }),
  },
)
const limitsArbitrary: fc.Arbitrary<PoolLimits> = fc.record({
  transactionsMax: fc.integer({ min: 2, max: 6 }),
  bytesMax: fc.integer({ min: 120, max: 400 }),
  senderTransactionsMax: fc.integer({ min: 1, max: 5 }),
  senderBytesMax: fc.integer({ min: 100, max: 300 }),
})

test('whatever comes and whatever block follows, the pool is what its naive twin is', () => {
  const run = fc.tuple(
    limitsArbitrary,
    stateArbitrary,
    fc.array(operationArbitrary, { minLength: 10, maxLength: 40 }),
  )
  let evictions = 0
  fc.assert(
    fc.property(run, ([limits, state, operations]) => {
      const pool = poolOf(state, limits)
      const twin = new NaiveMempool({ state, baseFee: GWEI }, limits)
      for (const operation of operations) {
        evictions += apply(operation, pool, twin)
        assertSame(pool, twin, limits)
      }
    }),
    { numRuns: 250 },
  )
  assert.ok(evictions > 50, `only ${evictions} evictions were seen`)
})

/** Does the same to both, compares what they say, and counts evictions. */
function apply(operation: Operation, pool: Mempool, twin: NaiveMempool): number {
  if (operation.type === 'move') {
    const context = { state: operation.state, baseFee: operation.baseFee }
    const gone = pool
      .moveTo(
        context,
        Array.from({ length: SENDERS }, (_, index) => addressNumber(index + 1)),
      )
      .map(({ entry, reason }) => `${entry.tx.id} ${reason}`)
    assert.deepEqual(
      gone.sort(),
      twin
        .moveTo(context)
        .map(({ id, reason }) => `${id} ${reason}`)
        .sort(),
    )
    return 0
  }
  const { tx, origin } = operation
  const sender = addressNumber(Number(tx.r))
  const result = pool.add(tx, sender, origin)
  const expected = twin.add(tx, sender, origin)
  if (typeof result === 'string' || typeof expected === 'string') {
    assert.equal(result, expected)
    return 0
  }
  const evicted = result.evicted.map(({ entry }) => entry.tx.id)
  assert.deepEqual(
    { replaced: result.replaced?.tx.id ?? null, evicted: [...evicted].sort() },
    { ...expected, evicted: [...expected.evicted].sort() },
  )
  return evicted.length
}

function assertSame(pool: Mempool, twin: NaiveMempool, limits: PoolLimits): void {
  assert.deepEqual(
    [...pool.entries()].map(({ tx }) => tx.id),
    twin.entries.map(({ tx }) => tx.id),
  )
  assert.equal(pool.size, twin.entries.length)
  assert.equal(
    pool.bytes,
    twin.entries.reduce((sum, { tx }) => sum + tx.raw.length, 0),
  )
  assert.ok(pool.size <= limits.transactionsMax && pool.bytes <= limits.bytesMax)
  for (let number = 1; number <= SENDERS; number++) {
    const { pending, future } = pool.queueOf(addressNumber(number))
    const own = twin.of(addressNumber(number))
    assert.deepEqual(
      [...pending, ...future].map(({ tx }) => tx.id),
      own.map(({ tx }) => tx.id),
    )
    assert.equal(pending.length, own.filter(entry => twin.isPending(entry)).length)
  }
  assert.deepEqual(
    [...pool.byPrice(GWEI)].map(({ tx }) => tx.id),
    twin.byPrice(GWEI),
  )
}

/** So many bytes of data, all zeros, with the gas for them. */
function filled(bytes: number): TransferChanges {
  return { data: new Uint8Array(bytes), gasLimit: 21_000n + 4n * BigInt(bytes) }
}

// ---- whether anything waits

test('something waits when the next block could hold it', () => {
  const pool = poolOf(stateOf(COIN, COIN))
  assert.equal(pool.hasPending(GWEI), false)
  add(pool, transfer(1, 1))
  assert.equal(pool.hasPending(GWEI), false, 'behind a gap')
  add(pool, transfer(1, 0, fees(2, 1)))
  assert.equal(pool.hasPending(2n * GWEI), true)
  assert.equal(pool.hasPending(2n * GWEI + 1n), false, 'the next base fee is too high for it')
  add(pool, transfer(2, 0, fees(5, 1)))
  assert.equal(pool.hasPending(5n * GWEI), true, 'one of another sender pays it')
  pool.moveTo({ state: stateOf({ nonce: 2n, balance: COIN }, { nonce: 1n, balance: COIN }), baseFee: GWEI }, [
    addressNumber(1),
    addressNumber(2),
  ])
  assert.equal(pool.hasPending(GWEI), false, 'all are in blocks')
})
