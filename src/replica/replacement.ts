// When one transaction may take the place of another, of the same sender and nonce or in a full pool: it must raise both fees
// by 10 percent (geth's rule), so that pushing transactions out has a price.

import type { Transaction } from '../chain/transaction.ts'

const REPLACEMENT_BUMP_PERCENT = 10n

/** Whether `tx` pays enough more than `other` to take its place. */
export function outbids(tx: Transaction, other: Transaction): boolean {
  return (
    tx.maxFeePerGas * 100n >= other.maxFeePerGas * (100n + REPLACEMENT_BUMP_PERCENT) &&
    tx.maxPriorityFeePerGas * 100n >= other.maxPriorityFeePerGas * (100n + REPLACEMENT_BUMP_PERCENT)
  )
}
