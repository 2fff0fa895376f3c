// Remembers who sent a transaction, by its id, which commits to the signature: so that a transaction that
// comes from a peer, waits in the mempool and returns in a block is checked once. "Nobody" is remembered too,
// or a bad transaction would cost as much each time it is sent again.

import type { Address } from '../chain/address.ts'
import type { RecoverSender } from '../chain/signature.ts'
import { signingHash, type TransactionId } from '../chain/transaction.ts'
import type { RecoveryBackend } from './backend.ts'

/** How many senders are remembered unless told otherwise: about 20 MB. */
export const SENDERS_MAX = 100_000

/** The senders of the transactions seen last, at most `capacity` of them. */
export class SenderCache {
  readonly backend: RecoveryBackend
  readonly capacity: number
  readonly #senders = new Map<TransactionId, Address | null>()
  #recoveries = 0

  /** An empty cache. Throws a RangeError when the capacity is not an integer of 1 or more. */
  constructor(backend: RecoveryBackend, capacity = SENDERS_MAX) {
    if (!Number.isInteger(capacity) || capacity < 1)
      throw new RangeError(`capacity is ${capacity}, not 1 or more`)
    this.backend = backend
    this.capacity = capacity
  }

  /** How many senders are remembered now. */
  get size(): number {
    return this.#senders.size
  }

  /** How many senders were recovered so far, here or by who told us: each is a signature that was checked. */
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

  /** Remembers a sender, null for nobody; the oldest makes room. */
  remember(id: TransactionId, sender: Address | null): void {
    this.#recoveries += 1
    this.#senders.set(id, sender)
    if (this.#senders.size <= this.capacity) return
    for (const oldest of this.#senders.keys()) {
      this.#senders.delete(oldest)
      return
    }
  }
}
