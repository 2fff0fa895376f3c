import assert from 'node:assert/strict'
import { test } from 'node:test'
import { longestPause, percentiles } from '../../../src/lab/compare/percentiles.ts'

test('a percentile is the smallest value that so many percent do not exceed', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index)
  assert.deepEqual(percentiles(hundred), { p50: 50, p95: 95, p99: 99 })
  assert.deepEqual(percentiles([7]), { p50: 7, p95: 7, p99: 7 })
  assert.deepEqual(percentiles([10, 9]), { p50: 9, p95: 10, p99: 10 })
  assert.equal(percentiles([]), null)
})

test('a pause lasts from one moment to the next, the beginning and the end counted', () => {
  assert.equal(longestPause(0, 10, [1, 8, 9]), 7)
  assert.equal(longestPause(0, 10, [9, 4]), 5)
  assert.equal(longestPause(0, 10, [1, 2]), 8)
  assert.equal(longestPause(0, 10, []), 10)
  assert.equal(longestPause(5, 10, [1, 7, 30]), 3)
})
