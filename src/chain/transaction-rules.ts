// What a transaction must be to have a place in any block of one network, whatever the state: the right chain, enough gas
// for what it holds, and small enough for a block.

import { type BlockLimits, transactionBytesMax } from './block-size.ts'
import { intrinsicGas } from './gas.ts'
import type { Transaction } from './transaction.ts'

/** What makes the transactions of one network valid. */
export interface TransactionRules extends BlockLimits {
  readonly chainId: bigint
}

/** Why a transaction is refused by this chain whatever its state. */
export type ChainRejection =
  | 'tx-wrong-chain'
  | 'tx-gas-below-intrinsic'
  | 'tx-gas-above-block'
  | 'tx-bytes-above-block'
  | 'tx-creates-contract'
  | 'tx-signature-invalid'

/** Why no block of this chain can hold the transaction, or null. Its signature is not checked here. */
export function checkTransaction(rules: TransactionRules, tx: Transaction): ChainRejection | null {
  if (tx.chainId !== rules.chainId) return 'tx-wrong-chain'
  if (tx.to === null) return 'tx-creates-contract'
  if (tx.gasLimit < intrinsicGas(tx)) return 'tx-gas-below-intrinsic'
  if (tx.gasLimit > rules.gasLimit) return 'tx-gas-above-block'
  if (tx.raw.length > transactionBytesMax(rules)) return 'tx-bytes-above-block'
  return null
}
