// The transactions that wait: *pending* ones can be mined as things stand, *queued* ones wait behind a gap in
// their sender's nonces.

import type { Address } from '../chain/address.ts'
import type { Json } from '../encoding/fields.ts'
import type { Mempool } from '../replica/mempool.ts'
import type { PooledTransaction } from '../replica/sender-queue.ts'
import type { RpcBackend } from './backend.ts'
import { type Outcome, Slices } from './outcome.ts'
import { ADDRESS, type Params, required } from './parameters.ts'
import { quantity } from './quantity.ts'
import { pooledTransaction } from './transactions.ts'

/** Transactions that one slice shows: about 2 ms. */
const TRANSACTIONS_PER_SLICE = 256

/** `txpool_status`: how many wait. */
export function poolStatus({ replica }: RpcBackend): Json {
  const { pending, queued } = countPool(replica.pool)
  return { pending: quantity(pending), queued: quantity(queued) }
}

/** `txpool_content`: all of them, by sender and nonce. */
export function poolContent({ replica }: RpcBackend): Outcome {
  const { pool } = replica
  // Taken at once: the pool changes between slices.
  const queues = [...pool.senders()].map(sender => ({ sender, ...pool.queueOf(sender) }))
  return new Slices(showQueues(queues))
}

type Queue = ReturnType<Mempool['queueOf']> & { readonly sender: Address }

function* showQueues(queues: readonly Queue[]): Generator<void, Json> {
  const pending: [Address, Json][] = []
  const queued: [Address, Json][] = []
  let shown = 0
  for (const queue of queues) {
    if (queue.pending.length > 0) pending.push([queue.sender, byNonce(queue.pending)])
    if (queue.future.length > 0) queued.push([queue.sender, byNonce(queue.future)])
    shown += queue.pending.length + queue.future.length
    if (shown < TRANSACTIONS_PER_SLICE) continue
    shown = 0
    yield
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
