// C10 and S9 of the mempool: what waits is payable, in the order of nonces and without gaps, and within the limits of a
// sender and of the pool.

import type { Address } from '../../chain/address.ts'
import { maximumCost } from '../../chain/fees.ts'
import type { Account } from '../../execution/state.ts'
import type { PoolLimits } from '../../replica/limits.ts'
import type { SimNode } from '../cluster/sim-node.ts'
import { Violation } from './violation.ts'

/** Checks the whole pool of a node. */
export function checkPool(node: SimNode, limits: PoolLimits): void {
  const { pool, tree } = node.replica!
  const { state } = tree.head.execution
  if (pool.size > limits.transactionsMax || pool.bytes > limits.bytesMax)
    throw new Violation('S9', `${node.id}: pool too large`)
  let count = 0
  for (const sender of pool.senders())
    count += checkSender(node, limits, { sender, account: state.get(sender) })
  if (count !== pool.size)
    throw new Violation('C10', `${node.id}: the pool counts ${pool.size} and holds ${count}`)
}

/** Checks what one sender has in the pool, and returns how many transactions these are. */
function checkSender(
  node: SimNode,
  { senderTransactionsMax, senderBytesMax }: PoolLimits,
  { sender, account }: { readonly sender: Address; readonly account: Account },
): number {
  const { pending, future } = node.replica!.pool.queueOf(sender)
  const all = [...pending, ...future]
  let bytes = 0
  let cost = 0n
  let last = -1n
  for (const { tx } of all) {
    if (tx.nonce < account.nonce) throw new Violation('C10', `${node.id} keeps ${tx.id} with a spent nonce`)
    if (tx.nonce <= last) throw new Violation('C10', `${node.id} keeps two transactions for one nonce`)
    last = tx.nonce
    bytes += tx.raw.length
    cost += maximumCost(tx)
  }
  if (all.length > senderTransactionsMax || bytes > senderBytesMax)
    throw new Violation('S9', `${node.id} keeps more of ${sender} than one may have`)
  if (cost > account.balance)
    throw new Violation('C10', `${node.id} keeps more of ${sender} than can be paid`)
  for (const [index, { tx }] of pending.entries()) {
    if (tx.nonce !== account.nonce + BigInt(index))
      throw new Violation('C10', `${node.id}: gap in what is pending`)
  }
  const next = future[0]?.tx
  if (next?.nonce === account.nonce + BigInt(pending.length))
    throw new Violation('C10', `${node.id} lets ${next.id} wait for nothing`)
  return all.length
}
