import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { effectiveTip, maximumCost, nextBaseFee } from '../../src/chain/fees.ts'
import { GWEI } from './examples.ts'

// go-ethereum, consensus/misc/eip1559/eip1559_test.go, TestCalcBaseFee; and the edges of the rule.
const BASE_FEES: readonly [baseFee: bigint, gasLimit: bigint, gasUsed: bigint, next: bigint, says: string][] =
  [
    [GWEI, 20_000_000n, 10_000_000n, GWEI, 'stays when the parent is half full'],
    [GWEI, 20_000_000n, 9_000_000n, 987_500_000n, 'falls when it is less'],
    [GWEI, 20_000_000n, 11_000_000n, 1_012_500_000n, 'rises when it is more'],
    [GWEI, 30_000_000n, 0n, 875_000_000n, 'falls by an eighth after an empty block'],
    [GWEI, 30_000_000n, 30_000_000n, 1_125_000_000n, 'rises by an eighth after a full block'],
    [7n, 30_000_000n, 0n, 7n, 'stops falling where an eighth is less than a wei'],
    [8n, 30_000_000n, 0n, 7n, 'falls while an eighth is a wei'],
    [7n, 30_000_000n, 15_000_001n, 8n, 'rises by a wei at least'],
    [0n, 30_000_000n, 0n, 0n, 'stays zero while blocks are empty'],
    [0n, 30_000_000n, 15_000_000n, 0n, 'stays zero at the target'],
    [0n, 30_000_000n, 30_000_000n, 1n, 'leaves zero'],
    [GWEI, 21_001n, 10_500n, GWEI, 'has a target that is rounded down'],
  ]
for (const [baseFee, gasLimit, gasUsed, next, says] of BASE_FEES) {
  test(`the base fee ${says}: ${baseFee} at ${gasUsed} of ${gasLimit}`, () => {
    assert.equal(nextBaseFee({ baseFee, gasLimit, gasUsed }), next)
  })
}

/** EIP-1559's own Python, `validate_block`, line by line. */
function baseFeeOfTheEip(parent: { baseFee: bigint; gasUsed: bigint; gasLimit: bigint }): bigint {
  const parentGasTarget = parent.gasLimit / 2n
  if (parent.gasUsed === parentGasTarget) return parent.baseFee
  if (parent.gasUsed > parentGasTarget) {
    const gasUsedDelta = parent.gasUsed - parentGasTarget
    const delta = (parent.baseFee * gasUsedDelta) / parentGasTarget / 8n
    return parent.baseFee + (delta > 1n ? delta : 1n)
  }
  const gasUsedDelta = parentGasTarget - parent.gasUsed
  return parent.baseFee - (parent.baseFee * gasUsedDelta) / parentGasTarget / 8n
}

test("the base fee is the EIP's", () => {
  const gasLimit = fc.bigInt({ min: 21_000n, max: 1_000_000_000n })
  const baseFee = fc.oneof(fc.bigInt({ min: 0n, max: 100n }), fc.bigInt({ min: 0n, max: 2n ** 255n }))
  const share = fc.bigInt({ min: 0n, max: 1_000n })
  fc.assert(
    fc.property(gasLimit, baseFee, share, (limit, fee, perMille) => {
      const parent = { gasLimit: limit, baseFee: fee, gasUsed: (limit * perMille) / 1_000n }
      const next = nextBaseFee(parent)
      assert.equal(next, baseFeeOfTheEip(parent))
      assert.ok(next >= 0n)
    }),
  )
})

const TIPS: readonly [maxFee: bigint, maxTip: bigint, baseFee: bigint, tip: bigint][] = [
  [10n, 2n, 5n, 2n],
  [10n, 2n, 8n, 2n],
  [10n, 2n, 9n, 1n],
  [10n, 2n, 10n, 0n],
  [10n, 2n, 11n, -1n],
  [10n, 10n, 3n, 7n],
  [10n, 0n, 3n, 0n],
]
for (const [maxFeePerGas, maxPriorityFeePerGas, baseFee, tip] of TIPS) {
  test(`at most ${maxFeePerGas}, tip at most ${maxPriorityFeePerGas}, base fee ${baseFee}: the tip is ${tip}`, () => {
    assert.equal(effectiveTip({ maxFeePerGas, maxPriorityFeePerGas }, baseFee), tip)
  })
}

test('what a sender must hold is all gas at the highest fee, and the value', () => {
  assert.equal(maximumCost({ gasLimit: 21_000n, maxFeePerGas: 3n, value: 4n }), 63_004n)
  const top = 2n ** 256n - 1n
  assert.equal(maximumCost({ gasLimit: 1n, maxFeePerGas: top, value: top }), 2n * top, 'it does not wrap')
})
