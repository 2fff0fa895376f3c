// The transactions that wait: *pending* ones can be mined as things stand, *queued* ones wait behind a gap in
// their sender's nonces.

import type { Address } from '../chain/address.ts'
import type { Json } from '../chain/fields.ts'
import type { Mempool, PooledTransaction } from '../replica/mempool.ts'
import type { RpcBackend } from './backend.ts'
import { ADDRESS, type Params, required } from './parameters.ts'
import { quantity } from './quantity.ts'
import { pooledTransaction } from './transactions.ts'

/** `txpool_status`: how many wait. */
export function poolStatus({ replica }: RpcBackend): Json {
  const { pending, queued } = countPool(replica.pool)
  return { pending: quantity(pending), queued: quantity(queued) }
}

/** `txpool_content`: all of them, by sender and nonce. */
export function poolContent({ replica }: RpcBackend): Json {
  const pending: [Address, Json][] = []
  const queued: [Address, Json][] = []
  for (const sender of replica.pool.senders()) {
    const queue = replica.pool.queueOf(sender)
    if (queue.pending.length > 0) pending.push([sender, byNonce(queue.pending)])
    if (queue.future.length > 0) queued.push([sender, byNonce(queue.future)])
  }
  return { pending: Object.fromEntries(pending), queued: Object.fromEntries(queued) }
}

/** `txpool_contentFrom`: those of one sender, by nonce. */
export function poolContentFrom({ replica }: RpcBackend, params: Params): Json {
  const { pending, future } = replica.pool.queueOf(required(params, 0, ADDRESS))
  return { pending: byNonce(pending), queued: byNonce(future) }
}

/** How many transactions of the pool are pending, and how many wait behind a gap. */
export function countPool(pool: Mempool): { readonly pending: number; readonly queued: number } {
  let pending = 0
  for (const sender of pool.senders()) pending += pool.queueOf(sender).pending.length
  return { pending, queued: pool.size - pending }
}

function byNonce(entries: readonly PooledTransaction[]): Json {
  return Object.fromEntries(entries.map(entry => [entry.tx.nonce.toString(), pooledTransaction(entry)]))
}
