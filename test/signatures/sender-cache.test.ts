import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recoverSender } from '../../src/chain/signature.ts'
import type { RecoveryBackend } from '../../src/signatures/backend.ts'
import { nobleBackend } from '../../src/signatures/noble-backend.ts'
import { SENDERS_MAX, SenderCache } from '../../src/signatures/sender-cache.ts'
import { nobodysTransaction, signedTransactions } from './transactions.ts'

const counting = (): { backend: RecoveryBackend; count: () => number } => {
  let count = 0
  const recover: RecoveryBackend['recover'] = (digest, signature) => {
    count++
    return nobleBackend.recover(digest, signature)
  }
  return { backend: { ...nobleBackend, recover }, count: () => count }
}

test('a sender is recovered once and then remembered', () => {
  const { backend, count } = counting()
  // Without its object: it is handed to the replica as a function.
  const { recoverSender: remembered, ...cache } = new SenderCache(backend)
  assert.equal(cache.capacity, SENDERS_MAX)
  const [tx] = signedTransactions(1)
  assert.equal(remembered(tx!), recoverSender(tx!))
  assert.equal(remembered(tx!), recoverSender(tx!))
  assert.equal(count(), 1)
})

test('that a transaction has no signer is remembered too', () => {
  const { backend, count } = counting()
  const cache = new SenderCache(backend)
  const tx = nobodysTransaction(0)
  assert.equal(cache.recoverSender(tx), null)
  assert.equal(cache.recoverSender(tx), null)
  assert.equal(count(), 1)
  assert.ok(cache.has(tx.id))
})

test('a full cache forgets the oldest, and no more', () => {
  const { backend, count } = counting()
  const cache = new SenderCache(backend, 3)
  const [a, b, c, d] = signedTransactions(4)
  for (const tx of [a!, b!, c!]) cache.recoverSender(tx)
  cache.remember(b!.id, recoverSender(b!))
  assert.equal(cache.size, 3)
  cache.recoverSender(d!)
  assert.equal(cache.size, 3)
  assert.deepEqual(
    [a!, b!, c!, d!].map(tx => cache.has(tx.id)),
    [false, true, true, true],
  )
  assert.equal(cache.recoverSender(a!), recoverSender(a!))
  assert.equal(count(), 5)
})

test('a cache without room is refused', () => {
  for (const capacity of [0, -1, 1.5, Number.NaN]) {
    assert.throws(() => new SenderCache(nobleBackend, capacity), RangeError)
  }
})
