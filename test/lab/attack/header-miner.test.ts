import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attackGenesis, firstOf, GENESIS_TIME, mineOn, rootOf } from '../../../src/lab/attack/header-miner.ts'
import { contenderNamed } from '../../../src/lab/stage/contender.ts'

test('a long chain of mined headers keeps its target: every block is worth two hashes', () => {
  const { work } = attackGenesis(contenderNamed('longest-chain'), [])
  let tip = firstOf({ ...attackGenesis(contenderNamed('longest-chain'), []) })
  for (let height = 1; height <= 300; height++) tip = mineOn(work, tip, GENESIS_TIME + 3 * height, rootOf(1))
  assert.deepEqual([tip.height, tip.work], [300, 600n])
})

test('a way of making blocks final that does not exist is an error', () => {
  assert.throws(() => contenderNamed('coin-toss'), RangeError)
})
