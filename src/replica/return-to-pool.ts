// Which transactions return to the pool after a reorganisation: those of the blocks that were left, unless the new branch
// holds them, or another of the same sender and nonce in their place.

import type { Address } from '../chain/address.ts'
import type { Transaction, TransactionId } from '../chain/transaction.ts'
import type { BlockTree, TreeBlock } from './block-tree.ts'

/** A transaction, and its sender as recovered when the block was executed. */
export interface ReturningTransaction {
  readonly tx: Transaction
  readonly sender: Address
}

/** The transactions of the blocks that were left which the main chain does not hold now, in the order of the blocks. */
export function* returningTransactions(
  left: readonly TreeBlock[],
  tree: BlockTree,
): Generator<ReturningTransaction> {
  for (const { block, execution } of left)
    for (const [index, tx] of block.transactions.entries())
      if (tree.including(tx.id) === undefined) yield { tx, sender: execution.senders[index]! }
}

/** The transaction with this sender and nonce in one of these blocks; null when none has one. */
export function includedInstead(
  blocks: readonly TreeBlock[],
  sender: Address,
  nonce: bigint,
): TransactionId | null {
  for (const { block, execution } of blocks) {
    const other = block.transactions.find(
      (tx, index) => tx.nonce === nonce && execution.senders[index] === sender,
    )
    if (other !== undefined) return other.id
  }
  return null
}
