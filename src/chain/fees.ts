// What a transaction pays: the base fee of EIP-1559, which is burned, and the tip, which the beneficiary gets.
// All prices are wei per gas.

import type { TransactionFields } from './transaction.ts'

const ELASTICITY = 2n
const BASE_FEE_CHANGE_DENOMINATOR = 8n

/** Wei per gas that a block burns, given its parent (EIP-1559, `calc_base_fee`). */
export function nextBaseFee(parent: { baseFee: bigint; gasUsed: bigint; gasLimit: bigint }): bigint {
  const gasTarget = parent.gasLimit / ELASTICITY
  const distance = parent.gasUsed - gasTarget
  if (distance === 0n) return parent.baseFee
  const change =
    (parent.baseFee * (distance < 0n ? -distance : distance)) / gasTarget / BASE_FEE_CHANGE_DENOMINATOR
  if (distance < 0n) return parent.baseFee - change
  return parent.baseFee + (change === 0n ? 1n : change)
}

/** Wei per gas that the beneficiary gets under this base fee; negative when the fee does not cover it. */
export function effectiveTip(
  tx: Pick<TransactionFields, 'maxFeePerGas' | 'maxPriorityFeePerGas'>,
  baseFee: bigint,
): bigint {
  const left = tx.maxFeePerGas - baseFee
  if (tx.maxPriorityFeePerGas > left) return left
  return tx.maxPriorityFeePerGas
}

/** Wei that a sender must hold for the transaction to be sure it can pay. */
export function maximumCost(tx: Pick<TransactionFields, 'gasLimit' | 'maxFeePerGas' | 'value'>): bigint {
  return tx.gasLimit * tx.maxFeePerGas + tx.value
}
