import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { issuedUpTo, type RewardRules, rewardAt } from '../../src/execution/reward.ts'

/** Bitcoin's subsidy in satoshi. Its first interval has one block less of ours, its genesis having paid 50 too. */
const BITCOIN: RewardRules = { amount: 50n * 10n ** 8n, halvingBlocks: 210_000 }

const REWARDS: readonly [height: number, satoshi: bigint][] = [
  [0, 0n],
  [1, 5_000_000_000n],
  [210_000, 5_000_000_000n],
  [210_001, 2_500_000_000n],
  [420_000, 2_500_000_000n],
  [420_001, 1_250_000_000n],
  [840_001, 312_500_000n],
  [210_000 * 32 + 1, 1n],
  [210_000 * 33, 1n],
  [210_000 * 33 + 1, 0n],
  [2 ** 48, 0n],
]
for (const [height, satoshi] of REWARDS) {
  test(`block ${height} of a chain with Bitcoin's schedule issues ${satoshi}`, () => {
    assert.equal(rewardAt(BITCOIN, height), satoshi)
  })
}

test("all of Bitcoin's money is 2,099,999,997,690,000 satoshi", () => {
  assert.equal(issuedUpTo(BITCOIN, 210_000 * 40), 2_099_999_997_690_000n)
  assert.equal(issuedUpTo(BITCOIN, Number.MAX_SAFE_INTEGER), 2_099_999_997_690_000n)
})

const someRules: fc.Arbitrary<RewardRules> = fc.record({
  amount: fc.bigInt({ min: 0n, max: 10_000n }),
  halvingBlocks: fc.integer({ min: 1, max: 30 }),
})

test('what was issued is the sum of the rewards, one by one', () => {
  fc.assert(
    fc.property(someRules, fc.nat(400), (rules, height) => {
      let sum = 0n
      for (let block = 0; block <= height; block++) sum += rewardAt(rules, block)
      assert.equal(issuedUpTo(rules, height), sum)
    }),
  )
})

test('a reward halves, rounded down, after every interval', () => {
  fc.assert(
    fc.property(someRules, fc.integer({ min: 1, max: 400 }), (rules, height) => {
      const halved = rewardAt(rules, height + rules.halvingBlocks)
      assert.equal(halved, rewardAt(rules, height) / 2n)
    }),
  )
})

test('nothing is issued before block 1, and nothing ever when the amount is 0', () => {
  assert.equal(issuedUpTo(BITCOIN, 0), 0n)
  assert.equal(issuedUpTo({ amount: 0n, halvingBlocks: 1 }, 2 ** 40), 0n)
})

test('256 halvings end every amount that fits in 256 bits', () => {
  const rules: RewardRules = { amount: 2n ** 256n - 1n, halvingBlocks: 2 ** 32 - 1 }
  assert.equal(rewardAt(rules, 256 * rules.halvingBlocks), 1n)
  assert.equal(rewardAt(rules, 256 * rules.halvingBlocks + 1), 0n)
  assert.equal(issuedUpTo(rules, 257 * rules.halvingBlocks), issuedUpTo(rules, Number.MAX_SAFE_INTEGER))
})
