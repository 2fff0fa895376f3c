import assert from 'node:assert/strict'
import { test } from 'node:test'
import { warpTime } from '../../../src/lab/attack/time-warp.ts'

const { rows } = warpTime(70)

test('no choice of times gains a miner more than the limit on the future under ASERT', () => {
  const asert = rows.filter(({ rule }) => rule === 'asert')
  assert.equal(asert.length, 6)
  for (const { mined, bound, due, strategy } of asert) {
    assert.ok(mined <= bound!, `${strategy}: ${mined}`)
    assert.ok(mined / due <= 1.002, `${strategy}: ${mined} of ${due}`)
  }
})

test('honest times keep the schedule under both rules', () => {
  for (const { mined, due } of rows.filter(({ strategy }) => strategy.startsWith('honest')))
    assert.ok(Math.abs(mined / due - 1) < 0.001)
})

test("the twin that retargets every 2,016 blocks is taken apart, as BIP 54 says Bitcoin's rule would be", () => {
  const made = rows.filter(({ rule }) => rule === 'retarget-2016').map(({ mined, due }) => mined / due)
  assert.ok(Math.max(...made) >= 10)
})
