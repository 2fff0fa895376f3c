// The waiting transactions of one sender, ordered by nonce. The first ones, which follow the account's nonce without a gap,
// are *pending*; those behind a gap are *future*. A sender must be able to pay for its whole queue, and the queue has bounds.

import type { Address } from '../chain/address.ts'
import { maximumCost } from '../chain/fees.ts'
import type { Transaction } from '../chain/transaction.ts'
import type { StateRejection } from '../execution/block-execution.ts'
import type { PoolLimits } from './limits.ts'
import { outbids } from './replacement.ts'
import type { PoolRejection } from './verdict.ts'

/** A transaction in the pool. */
export interface PooledTransaction {
  readonly tx: Transaction
  readonly sender: Address
  /** A number that grows with each transaction of this pool: ties in price go to the earlier. */
  readonly arrival: number
}

/** A transaction that has to leave the pool, and why. */
export interface Eviction {
  readonly entry: PooledTransaction
  readonly reason: PoolRejection | StateRejection
}

/** Where a transaction comes from: it is new, or it comes back from a block that was left in a reorganisation. */
export type Origin = 'new' | 'back'

/** The queue of one sender. */
export class SenderQueue {
  readonly #entries: PooledTransaction[] = []
  #nonce: bigint
  #pendingCount = 0
  #bytes = 0
  #cost = 0n

  /** `nonce` is that of the account in the head's state. */
  constructor(nonce: bigint) {
    this.#nonce = nonce
  }

  /** All of them, by nonce. */
  get entries(): readonly PooledTransaction[] {
    return this.#entries
  }

  get pending(): readonly PooledTransaction[] {
    return this.#entries.slice(0, this.#pendingCount)
  }

  get future(): readonly PooledTransaction[] {
    return this.#entries.slice(this.#pendingCount)
  }

  get pendingCount(): number {
    return this.#pendingCount
  }

  /** Wei: what the whole queue may cost. */
  get cost(): bigint {
    return this.#cost
  }

  withNonce(nonce: bigint): PooledTransaction | null {
    return this.#entries.find(entry => entry.tx.nonce === nonce) ?? null
  }

  /** Whether a transaction with this nonce would stand behind a gap. */
  isFuture(nonce: bigint): boolean {
    return nonce > this.#nonce + BigInt(this.#pendingCount)
  }

  /**
   * The transactions of the queue that must leave for `tx` to be added, besides the one that it replaces; or why it can't be.
   * Only one that comes back makes others leave: those with higher nonces, which could not be mined before it.
   */
  admit(
    tx: Transaction,
    replaced: PooledTransaction | null,
    { balance, origin, limits }: { balance: bigint; origin: Origin; limits: PoolLimits },
  ): Eviction[] | PoolRejection | StateRejection {
    if (replaced !== null && !outbids(tx, replaced.tx)) return 'tx-replacement-underpriced'
    const { senderTransactionsMax, senderBytesMax } = limits
    let count = this.#entries.length + (replaced === null ? 1 : 0)
    let bytes = this.#bytes + tx.raw.length - (replaced?.tx.raw.length ?? 0)
    let cost = this.#cost + maximumCost(tx) - (replaced === null ? 0n : maximumCost(replaced.tx))
    const leaving: Eviction[] = []
    for (let index = this.#entries.length - 1; ; index--) {
      const isFull = count > senderTransactionsMax || bytes > senderBytesMax
      const reason = isFull ? 'tx-sender-queue-full' : cost > balance ? 'tx-insufficient-funds' : null
      if (reason === null) return leaving
      const last = this.#entries[index]
      if (origin === 'new' || replaced !== null || last === undefined || last.tx.nonce < tx.nonce)
        return reason
      leaving.push({ entry: last, reason })
      count -= 1
      bytes -= last.tx.raw.length
      cost -= maximumCost(last.tx)
    }
  }

  insert(entry: PooledTransaction): void {
    const after = this.#entries.findIndex(other => other.tx.nonce > entry.tx.nonce)
    this.#entries.splice(after === -1 ? this.#entries.length : after, 0, entry)
    this.#bytes += entry.tx.raw.length
    this.#cost += maximumCost(entry.tx)
    this.#countPending()
  }

  remove(entry: PooledTransaction): void {
    this.#entries.splice(this.#entries.indexOf(entry), 1)
    this.#bytes -= entry.tx.raw.length
    this.#cost -= maximumCost(entry.tx)
    this.#countPending()
  }

  /** The account's nonce in the head's state has changed. */
  moveTo(nonce: bigint): void {
    this.#nonce = nonce
    this.#countPending()
  }

  #countPending(): void {
    const gap = this.#entries.findIndex((entry, index) => entry.tx.nonce !== this.#nonce + BigInt(index))
    this.#pendingCount = gap === -1 ? this.#entries.length : gap
  }
}
