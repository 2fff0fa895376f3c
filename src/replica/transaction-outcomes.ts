// Why a transaction left the pool without being included in a block. The node to which it was submitted can then answer
// that it was replaced, and by which, or why it was dropped.

import type { TransactionId } from '../chain/transaction.ts'
import { BoundedMap } from '../collections/bounded-map.ts'
import type { Rejection } from './verdict.ts'

/** Why a transaction that was once accepted will not be mined, as far as this node knows. */
export type TransactionOutcome =
  | { readonly status: 'replaced'; readonly by: TransactionId }
  | { readonly status: 'dropped'; readonly reason: Rejection }

/** Outcomes that are remembered; the oldest is evicted first. */
const OUTCOMES_MAX = 10_000

/** The outcomes that this node remembers. */
export class TransactionOutcomes {
  readonly #outcomes = new BoundedMap<TransactionId, TransactionOutcome>(OUTCOMES_MAX)

  get(id: TransactionId): TransactionOutcome | undefined {
    return this.#outcomes.get(id)
  }

  record(id: TransactionId, outcome: TransactionOutcome): void {
    this.#outcomes.set(id, outcome)
  }

  /** The transaction is back in the pool, or in a block. */
  forget(id: TransactionId): void {
    this.#outcomes.delete(id)
  }
}
