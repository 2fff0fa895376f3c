import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attackGenesis, firstOf, GENESIS_TIME, mineOn, rootOf } from '../../../src/lab/attack/header-miner.ts'
import { variantNamed } from '../../../src/lab/stage/variant.ts'

test('a long chain of mined headers keeps its target: every block is worth two hashes', () => {
  const { work } = attackGenesis(variantNamed('longest-chain'), [])
  let tip = firstOf({ ...attackGenesis(variantNamed('longest-chain'), []) })
  for (let height = 1; height <= 300; height++) tip = mineOn(work, tip, GENESIS_TIME + 3 * height, rootOf(1))
  assert.deepEqual([tip.height, tip.work], [300, 600n])
})

test('a way of making blocks final that does not exist is an error', () => {
  assert.throws(() => variantNamed('coin-toss'), RangeError)
})
