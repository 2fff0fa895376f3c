// The senders of transactions by transaction id, which commits to the signature: a transaction that comes from a peer,
// waits in the mempool and returns in a block has its signature checked once. A failed recovery is cached too (null), or an
// invalid transaction would cost a check each time it is sent.

import type { Address } from '../chain/address.ts'
import type { RecoverSender } from '../chain/signature.ts'
import { signingHash, type TransactionId } from '../chain/transaction.ts'
import { BoundedMap } from '../collections/bounded-map.ts'
import type { RecoveryBackend } from './backend.ts'

/** Default capacity in senders: about 20 MB. */
export const SENDERS_MAX = 100_000

/** The senders of the transactions seen last, at most `capacity` of them. */
export class SenderCache {
  readonly backend: RecoveryBackend
  readonly capacity: number
  readonly #senders: BoundedMap<TransactionId, Address | null>
  #recoveries = 0

  /** An empty cache. Throws a RangeError when the capacity is not an integer of 1 or more. */
  constructor(backend: RecoveryBackend, capacity = SENDERS_MAX) {
    if (!Number.isInteger(capacity) || capacity < 1)
      throw new RangeError(`capacity is ${capacity}, not 1 or more`)
    this.backend = backend
    this.capacity = capacity
    this.#senders = new BoundedMap(capacity)
  }

  /** How many senders are remembered now. */
  get size(): number {
    return this.#senders.size
  }

  /** Senders recovered so far, here or in another thread: each is a signature that was checked. */
  get recoveries(): number {
    return this.#recoveries
  }

  /** The sender of a decoded transaction: remembered, or recovered now and then remembered. */
  readonly recoverSender: RecoverSender = tx => {
    const known = this.#senders.get(tx.id)
    if (known !== undefined) return known
    const sender = this.backend.recover(signingHash(tx), tx)
    this.remember(tx.id, sender)
    return sender
  }

  /** Whether the sender of this transaction is remembered. */
  has(id: TransactionId): boolean {
    return this.#senders.has(id)
  }

  /** Remembers a sender, null where recovery failed; evicts the oldest when full. */
  remember(id: TransactionId, sender: Address | null): void {
    this.#recoveries += 1
    this.#senders.set(id, sender)
  }
}
