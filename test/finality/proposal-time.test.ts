import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isProposalEarly } from '../../src/finality/proposal-time.ts'
import { fakeBlock, NOW_MS } from './committees.ts'

const NOW = NOW_MS / 1000
const LIMIT = 15

/** Whether a proposal is early, by its time and that of the last decided block, both against the clock. */
const isEarly = (ahead: number, decidedAhead: number): boolean => {
  const decided = fakeBlock('decided', null, { time: NOW + decidedAhead })
  const block = fakeBlock('proposed', decided, { time: NOW + ahead })
  return isProposalEarly(block, decided, { nowMs: NOW_MS, futureLimitSeconds: LIMIT })
}

test('a proposal may be as far ahead of the clock as the network allows, and no second more', () => {
  assert.deepEqual([isEarly(LIMIT, -1), isEarly(LIMIT + 1, -1)], [false, true])
})

test('decided blocks that the clock bears do not carry proposals further into the future', () => {
  assert.deepEqual([isEarly(LIMIT, LIMIT), isEarly(LIMIT + 1, LIMIT)], [false, true])
})

test('a clock that the last decided block contradicts is not asked: the limit counts from that block', () => {
  const hour = 3_600
  assert.deepEqual([isEarly(hour + LIMIT, hour), isEarly(hour + LIMIT + 1, hour)], [false, true])
})
