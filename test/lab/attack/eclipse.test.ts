import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eclipse } from '../../../src/lab/attack/eclipse.ts'
import { variantNamed } from '../../../src/lab/stage/variant.ts'
import { chooseBackend } from '../../../src/signatures/choose-backend.ts'

const backend = await chooseBackend()
const run = (mode: string, runs: number) =>
  eclipse({ variant: variantNamed(mode), share: 0.2, confirmations: 3, runs, seed: 1, backend })

test('a victim under longest-chain sees confirmations that are worth nothing', () => {
  const row = run('longest-chain', 8)
  assert.deepEqual([row.confirmed, row.calledFinal, row.recovered], [8, 0, 8])
  assert.ok(row.reversed >= 6, `${row.reversed} of 8`)
  assert.ok(row.victimBlocks < row.honestBlocks)
})

test('the share of the hashes decides how long the attacker takes', () => {
  const { confirmedSeconds, expectedSeconds, expectedError } = run('longest-chain', 40)
  assert.equal(expectedSeconds, 15)
  assert.ok(Math.abs(confirmedSeconds! - expectedSeconds) < 3 * expectedError!, `${confirmedSeconds} s`)
})

test('a victim under hybrid sees blocks, and nothing that is final', () => {
  const row = run('hybrid', 2)
  assert.deepEqual([row.confirmed, row.victimFinal, row.calledFinal, row.recovered], [2, 0, 0, 2])
  assert.ok(row.honestFinal > 0)
})

test('a victim under pbft sees nothing at all', () => {
  const row = run('pbft', 2)
  assert.deepEqual([row.confirmed, row.victimBlocks, row.victimFinal, row.recovered], [0, 0, 0, 2])
  assert.ok(row.honestFinal > 0)
})
