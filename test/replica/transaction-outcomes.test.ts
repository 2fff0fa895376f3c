import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TransactionOutcomes } from '../../src/replica/transaction-outcomes.ts'

test('a outcome is remembered until the transaction is back', () => {
  const outcomes = new TransactionOutcomes()
  assert.equal(outcomes.get('0xaa'), undefined)
  outcomes.record('0xaa', { status: 'replaced', by: '0xbb' })
  assert.deepEqual(outcomes.get('0xaa'), { status: 'replaced', by: '0xbb' })
  outcomes.record('0xaa', { status: 'dropped', reason: 'tx-pool-full' })
  assert.deepEqual(outcomes.get('0xaa'), { status: 'dropped', reason: 'tx-pool-full' })
  outcomes.forget('0xaa')
  assert.equal(outcomes.get('0xaa'), undefined)
})

test('ten thousand outcomes are remembered, and then the oldest is forgotten', () => {
  const outcomes = new TransactionOutcomes()
  for (let index = 0; index <= 10_000; index++)
    outcomes.record(`0x${index}`, { status: 'dropped', reason: 'tx-pool-full' })
  assert.equal(outcomes.get('0x0'), undefined)
  assert.notEqual(outcomes.get('0x1'), undefined)
})
