// New money: what the beneficiary of a block gets, halving at intervals as Bitcoin's subsidy does.
// All amounts are wei.

/** How much is issued. */
export interface RewardRules {
  /** Wei for each block of the first interval. */
  readonly amount: bigint
  /** Blocks until the reward halves. */
  readonly halvingBlocks: number
}

/** Wei that the block at this height issues; the genesis block, height 0, issues none. */
export function rewardAt(rules: RewardRules, height: number): bigint {
  if (height === 0) return 0n
  return rules.amount >> BigInt(Math.floor((height - 1) / rules.halvingBlocks))
}

/** Wei that all blocks up to this height have issued. */
export function issuedUpTo(rules: RewardRules, height: number): bigint {
  let issued = 0n
  for (let from = 1; from <= height; from += rules.halvingBlocks) {
    const reward = rewardAt(rules, from)
    if (reward === 0n) break
    issued += reward * BigInt(Math.min(rules.halvingBlocks, height - from + 1))
  }
  return issued
}
