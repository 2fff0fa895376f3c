import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NAMES_MAX, TokenBuckets } from '../../src/defence/token-buckets.ts'

const takeMany = (buckets: TokenBuckets, name: string, nowMs: number): number =>
  Array.from({ length: 100 }, () => buckets.take(name, nowMs)).filter(isTaken => isTaken).length

test('a bucket gives what it holds at once, and then as many as come back', () => {
  const buckets = new TokenBuckets({ perSecond: 2, burst: 5 })
  assert.deepEqual([takeMany(buckets, 'a', 0), takeMany(buckets, 'a', 0)], [5, 0])
  assert.equal(takeMany(buckets, 'a', 1_500), 3)
  assert.equal(takeMany(buckets, 'a', 1e9), 5)
})

test('asking in vain does not keep a bucket empty', () => {
  const buckets = new TokenBuckets({ perSecond: 1, burst: 1 })
  assert.equal(buckets.take('a', 0), true)
  for (let nowMs = 1; nowMs < 1_000; nowMs++) assert.equal(buckets.take('a', nowMs), false)
  assert.equal(buckets.take('a', 1_000), true)
})

test('each name has a bucket of its own, and of many names the one that took longest ago is forgotten', () => {
  const buckets = new TokenBuckets({ perSecond: 0, burst: 1 })
  for (let index = 0; index <= NAMES_MAX; index++) assert.ok(buckets.take(`${index}`, 0))
  assert.equal(buckets.take('1', 0), false)
  assert.equal(buckets.take('0', 0), true)
})

test('several tokens are taken at once or not at all', () => {
  const buckets = new TokenBuckets({ perSecond: 1_000, burst: 100 })
  assert.equal(buckets.take('a', 0, 101), false)
  assert.equal(buckets.take('a', 0, 100), true)
  assert.equal(buckets.take('b', 0, 100), true)
  assert.equal(buckets.take('a', 10, 11), false)
  assert.equal(buckets.take('a', 10, 10), true)
  assert.equal(buckets.take('a', 1_000_000, 100), true)
  assert.equal(buckets.take('a', 1_000_000), false)
})
