import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fates } from '../../src/replica/fates.ts'

test('a fate is remembered until the transaction is back', () => {
  const fates = new Fates()
  assert.equal(fates.get('0xaa'), undefined)
  fates.set('0xaa', { status: 'replaced', by: '0xbb' })
  assert.deepEqual(fates.get('0xaa'), { status: 'replaced', by: '0xbb' })
  fates.set('0xaa', { status: 'dropped', reason: 'tx-pool-full' })
  assert.deepEqual(fates.get('0xaa'), { status: 'dropped', reason: 'tx-pool-full' })
  fates.forget('0xaa')
  assert.equal(fates.get('0xaa'), undefined)
})

test('ten thousand fates are remembered, and then the oldest is forgotten', () => {
  const fates = new Fates()
  for (let index = 0; index <= 10_000; index++)
    fates.set(`0x${index}`, { status: 'dropped', reason: 'tx-pool-full' })
  assert.equal(fates.get('0x0'), undefined)
  assert.notEqual(fates.get('0x1'), undefined)
})
