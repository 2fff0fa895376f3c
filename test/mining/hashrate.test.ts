import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Hashrate } from '../../src/mining/hashrate.ts'

test('there is no rate before the first sample, nor at its instant', () => {
  const hashrate = new Hashrate()
  assert.equal(hashrate.perSecond(5, 100), 0)
  hashrate.record(5, 100)
  assert.equal(hashrate.perSecond(5, 100), 0)
})

test('the rate counts from the first sample while it is young', () => {
  const hashrate = new Hashrate()
  hashrate.record(0, 1000)
  assert.equal(hashrate.perSecond(500, 1500), 1000)
})

test('what happened before the last ten seconds no longer counts', () => {
  const hashrate = new Hashrate()
  for (let second = 0; second <= 60; second++) hashrate.record(Math.min(second, 30) * 1000, second * 1000)
  assert.equal(hashrate.perSecond(30_000, 60_500), 0)
  for (let second = 61; second <= 65; second++) hashrate.record(30_000 + (second - 60) * 400, second * 1000)
  assert.equal(hashrate.perSecond(32_000, 65_000), 200)
})
