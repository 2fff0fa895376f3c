import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ScenarioClock } from '../../../src/lab/scenario/clock.ts'

test('the clock of a scenario stands still while something is done', async () => {
  let nowMs = 100
  const clock = new ScenarioClock({ nowMs: () => nowMs })
  nowMs = 1_100
  assert.equal(clock.nowMs(), 1_000)
  await clock.standStill(async () => {
    nowMs = 3_100
  })
  assert.equal(clock.nowMs(), 1_000)
  nowMs = 3_600
  await clock.standStill(async () => {
    nowMs = 4_600
  })
  nowMs = 5_000
  assert.equal(clock.nowMs(), 1_900)
  // What was seen before, during and between.
  assert.deepEqual(
    [600, 2_000, 3_200, 4_000].map(ms => clock.at(ms)),
    [500, 1_000, 1_100, 1_500],
  )
})
