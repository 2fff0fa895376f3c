// What became of transactions that left the pool without a block: nobody's transfer is lost in silence.
// The node to which a transfer was handed can say that it was replaced, by which, or why it was dropped.

import type { TransactionId } from '../chain/transaction.ts'
import { BoundedMap } from '../collections/bounded-map.ts'
import type { Rejection } from './verdict.ts'

/** Why a transaction that was once accepted will not be mined, as far as this node knows. */
export type Fate =
  | { readonly status: 'replaced'; readonly by: TransactionId }
  | { readonly status: 'dropped'; readonly reason: Rejection }

/** Fates that are remembered, newest first to be kept. */
const FATES_MAX = 10_000

/** The fates that this node remembers. */
export class Fates {
  readonly #fates = new BoundedMap<TransactionId, Fate>(FATES_MAX)

  get(id: TransactionId): Fate | undefined {
    return this.#fates.get(id)
  }

  set(id: TransactionId, fate: Fate): void {
    this.#fates.set(id, fate)
  }

  /** The transaction is back in the pool or in a block. */
  forget(id: TransactionId): void {
    this.#fates.delete(id)
  }
}
