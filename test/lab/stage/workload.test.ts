import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recoverSender } from '../../../src/chain/signature.ts'
import { decodeTransaction, type Transaction } from '../../../src/chain/transaction.ts'
import { fromHex } from '../../../src/encoding/bytes.ts'
import { createAccounts, Workload } from '../../../src/lab/stage/workload.ts'

const decode = (raw: `0x${string}`): Transaction => {
  const tx = decodeTransaction(fromHex(raw))
  assert.ok(typeof tx !== 'string')
  return tx
}

test('one seed makes the same accounts and transfers, another seed others', () => {
  const plan = (seed: number) => new Workload(createAccounts(seed, 'sender', 2), seed).plan(3)
  assert.deepEqual(plan(1), plan(1))
  assert.notDeepEqual(plan(1), plan(2))
  assert.notDeepEqual(createAccounts(1, 'sender', 2), createAccounts(1, 'validator', 2))
})

test('senders take turns and leave no nonce out', () => {
  const senders = createAccounts(1, 'sender', 2)
  const workload = new Workload(senders, 1)
  const planned = [...workload.plan(3), ...workload.plan(2)]
  const seen = planned.map(({ raw, sender }) => {
    const tx = decode(raw)
    assert.equal(recoverSender(tx), senders[sender]!.address)
    return [sender, tx.nonce]
  })
  assert.deepEqual(seen, [
    [0, 0n],
    [1, 0n],
    [0, 1n],
    [1, 1n],
    [0, 2n],
  ])
})

test('a double spender signs two different transfers for one nonce', () => {
  const [planned] = new Workload(createAccounts(1, 'sender', 1), 1).plan(1, { isDouble: true })
  const { rival, ...first } = planned!
  assert.notEqual(rival!.id, first.id)
  assert.equal(decode(rival!.raw).nonce, decode(first.raw).nonce)
  assert.equal(recoverSender(decode(rival!.raw)), recoverSender(decode(first.raw)))
})

test('by Zipf’s law the second sender pays half as often as the first, and no sender leaves a nonce out', () => {
  const senders = createAccounts(1, 'sender', 10)
  const planned = new Workload(senders, 1).plan(1_000, { order: 'zipf' })
  const counts = senders.map((_, index) => planned.filter(({ sender }) => sender === index).length)
  // 1/k over the sum of all ten is 0.341, 0.171, 0.114, …
  assert.ok(counts[0]! > 290 && counts[0]! < 390)
  assert.ok(counts[1]! > 130 && counts[1]! < 210)
  assert.ok(counts[9]! > 10 && counts[9]! < 60)
  for (const index of senders.keys()) {
    const nonces = planned.filter(({ sender }) => sender === index).map(({ raw }) => decode(raw).nonce)
    assert.deepEqual(
      nonces,
      nonces.map((_, nonce) => BigInt(nonce)),
    )
  }
})
