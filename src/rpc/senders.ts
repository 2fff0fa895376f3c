// The senders of the transactions of a block, for methods that show them. They are stored with the block; in a database
// of an older version, which lacks them, they are recovered in threads first, since one recovery costs as much as a
// hundred balances.

import type { Address } from '../chain/address.ts'
import type { Block } from '../chain/block.ts'
import type { Transaction } from '../chain/transaction.ts'
import type { Json } from '../encoding/fields.ts'
import type { RpcBackend } from './backend.ts'

/** The sender of the transaction at this index in its block. */
export type SenderAt = (index: number) => Address | null

/** What `say` makes of a block, given the senders of these of its transactions. */
export function withSenders(
  backend: Pick<RpcBackend, 'replica' | 'recoverSenders'>,
  block: Block,
  transactions: readonly Transaction[],
  say: (senderAt: SenderAt) => Json,
): Json | Promise<Json> {
  const { replica } = backend
  const senders = transactions.length === 0 ? [] : replica.view.sendersOf(block)
  if (senders !== null) return say(index => senders[index] ?? null)
  const recovered = backend.recoverSenders(transactions)
  return recovered.then(() => say(index => replica.senderOf(block.transactions[index]!)))
}
