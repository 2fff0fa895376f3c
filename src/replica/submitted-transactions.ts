// Transactions that clients submitted to this node and that no final block holds yet. The node answers for them: it stores
// them, so that they survive a restart, and announces them to peers again and again.

import type { Transaction, TransactionId } from '../chain/transaction.ts'
import { BoundedMap } from '../collections/bounded-map.ts'
import type { ReplicaOutbox } from './effects.ts'
import { KEYS } from './records.ts'

/** Submitted transactions that left the pool and are remembered, so that they are tracked again if they return. */
const ABANDONED_MAX = 10_000

/** The submitted transactions of one node. */
export class SubmittedTransactions {
  readonly #outbox: ReplicaOutbox
  readonly #tracked = new Set<TransactionId>()
  readonly #abandoned = new BoundedMap<TransactionId, true>(ABANDONED_MAX)

  constructor(outbox: ReplicaOutbox) {
    this.#outbox = outbox
  }

  /** The ids of all that are tracked, in the order in which they came. */
  ids(): readonly TransactionId[] {
    return [...this.#tracked]
  }

  /** Tracks a transaction that is on disk already. */
  restore(id: TransactionId): void {
    this.#tracked.add(id)
  }

  /** From now on this node answers for the transaction. */
  track(tx: Transaction): void {
    this.#abandoned.delete(tx.id)
    this.#tracked.add(tx.id)
    this.#outbox.write(KEYS.pooled(tx.id), tx.raw)
  }

  untrack(id: TransactionId): void {
    if (this.#tracked.delete(id)) this.#outbox.write(KEYS.pooled(id), null)
  }

  /** The transaction left the pool without a block. */
  abandon(id: TransactionId): void {
    if (this.#tracked.has(id)) this.#abandoned.set(id, true)
    this.untrack(id)
  }

  /** The transaction came into the pool. One that was abandoned is tracked as before. */
  onPooled(tx: Transaction): void {
    if (this.#abandoned.has(tx.id)) this.track(tx)
  }
}
