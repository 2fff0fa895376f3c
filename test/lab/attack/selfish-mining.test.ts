import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mineSelfishly, selfishRevenue, selfishThreshold } from '../../../src/lab/attack/selfish-mining.ts'

test('the revenue of selfish mining is that of the formula', () => {
  const settings = [0, 0.5].flatMap(gamma => [0.2, 0.35, 0.45].map(alpha => ({ alpha, gamma })))
  const { rows, probability } = mineSelfishly({ settings, blocks: 6_000, seed: 1 })
  assert.ok(probability > 0.001, `${probability}`)
  for (const row of rows) {
    assert.ok(Math.abs(row.revenue - row.theory) < 4 * row.standardError, JSON.stringify(row))
    assert.ok(row.blocks >= 6_000 && row.counted < row.blocks)
  }
})

test('it pays above a third where the others win ties, and above a quarter where they split', () => {
  for (const [gamma, threshold] of [
    [0, 1 / 3],
    [0.5, 1 / 4],
    [1, 0],
  ] as const) {
    assert.ok(Math.abs(selfishThreshold(gamma) - threshold) < 1e-12)
    assert.ok(selfishRevenue(threshold + 0.01, gamma) > threshold + 0.01)
    if (threshold > 0) assert.ok(selfishRevenue(threshold - 0.01, gamma) < threshold - 0.01)
  }
})

test('the formula gives the values that the paper plots', () => {
  assert.ok(Math.abs(selfishRevenue(1 / 3, 0) - 1 / 3) < 1e-12)
  assert.ok(Math.abs(selfishRevenue(0.25, 0.5) - 0.25) < 1e-12)
  assert.equal(selfishRevenue(0, 0.5), 0)
  assert.ok(Math.abs(selfishRevenue(0.5, 0) - 1) < 1e-12)
})
