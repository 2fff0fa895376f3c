// Recovers senders in worker threads ahead of their use: a node fills the cache with the senders of a message or a block,
// and the synchronous replica then finds them all there. It saves time and changes no result. What a thread fails to do
// is done here, between turns of the event loop.
//
// Transactions are cut into batches, and a batch takes one of a few places per thread: one for the batch in work, the
// others so that the thread finds work while this event loop is busy. A caller without a place waits, and holds only its own
// transactions; so the memory of the pool is bounded.

import { availableParallelism } from 'node:os'
import type { Transaction, TransactionId } from '../chain/transaction.ts'
import { packTransactions, unpackSender } from './packed.ts'
import { Places, type Urgency } from './places.ts'
import { RecoveryThread } from './recovery-thread.ts'
import type { SenderCache } from './sender-cache.ts'

/** How a pool works. */
export interface RecoveryPoolOptions {
  /** How many threads: one less than the machine's cores, and at least one, unless given; 0 uses none. */
  readonly threads?: number
  /** Other code for the threads, for tests. */
  readonly workerUrl?: URL
  /** A thread crashed; its batches are done in the event loop. Ignored by default. */
  readonly onError?: (error: Error) => void
}

/** Transactions in a batch: as fast as larger ones, packed in 2 ms, recovered in 15 ms natively. */
export const BATCH_TRANSACTIONS_MAX = 256
/** Batches that a thread may have unanswered at once. */
export const BATCHES_PER_THREAD_MAX = 4
/** With fewer unknown transactions than this a round trip to a thread costs more than it saves. */
export const BATCH_TRANSACTIONS_MIN = 8

// Recovered here between two turns of the event loop: 1 ms natively, 2 ms in WebAssembly.
const TRANSACTIONS_PER_TURN = 16
const WORKER_URL = new URL(`./worker${import.meta.url.slice(-'.ts'.length)}`, import.meta.url)

/** Worker threads that fill a cache of senders. */
export class RecoveryPool {
  readonly #cache: SenderCache
  readonly #threads: readonly RecoveryThread[]
  readonly #places: Places
  /** One batch at a time, for all would work between the same two turns of the event loop. */
  readonly #here = new Places(1)
  /** The batch that each transaction under way is in: at most as many as the places hold. */
  readonly #underWay = new Map<TransactionId, Promise<void>>()
  #isClosed = false

  /** A pool that has started nothing yet. Throws a RangeError when threads is not an integer of 0 or more. */
  constructor(cache: SenderCache, options: RecoveryPoolOptions = {}) {
    const { threads = Math.max(1, availableParallelism() - 1), workerUrl = WORKER_URL } = options
    if (!Number.isInteger(threads) || threads < 0)
      throw new RangeError(`threads is ${threads}, not 0 or more`)
    const { onError = () => {} } = options
    const setup = { backend: cache.backend.name, workerUrl, onError }
    this.#cache = cache
    this.#threads = Array.from({ length: threads }, () => new RecoveryThread(setup))
    this.#places = new Places(Math.max(1, threads) * BATCHES_PER_THREAD_MAX)
  }

  /**
   * Resolves when the cache knows the senders of these transactions, as far as it has room for them; each is
   * recovered once, however many callers wait for it. When the pool is closed it resolves at once. What is less urgent
   * waits for a place behind what is more; and what a peer sends is left to the threads, however little it is.
   */
  async recover(transactions: readonly Transaction[], urgency: Urgency = 'block'): Promise<void> {
    if (this.#isClosed) return
    const unknown = transactions.filter(tx => !this.#cache.has(tx.id))
    const isFew = unknown.length < BATCH_TRANSACTIONS_MIN
    if (isFew && urgency !== 'peer') return this.#recoverFew(unknown)
    const batches: Promise<void>[] = []
    for (const batch of this.#cut(unknown)) {
      if (this.#isClosed) break
      await this.#places.take(urgency)
      const recovered = this.#recoverBatch(batch)
      // Avoids an unhandled rejection before the caller awaits it, below.
      recovered.catch(() => {})
      batches.push(recovered)
      await eventLoopTurn()
    }
    await Promise.all(batches)
  }

  /** Ends all threads and drops unfinished work; resolves when the threads have ended. */
  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.all(this.#threads.map(thread => thread.close()))
  }

  /** Batches of one size, so that all threads get a share of a few hundred transactions. */
  *#cut(transactions: readonly Transaction[]): Generator<readonly Transaction[]> {
    const share = Math.ceil(transactions.length / Math.max(1, this.#threads.length))
    const size = Math.min(BATCH_TRANSACTIONS_MAX, Math.max(BATCH_TRANSACTIONS_MIN, share))
    for (let start = 0; start < transactions.length; start += size)
      yield transactions.slice(start, start + size)
  }

  async #recoverFew(transactions: readonly Transaction[]): Promise<void> {
    const others: Promise<void>[] = []
    for (const tx of transactions) {
      const underWay = this.#underWay.get(tx.id)
      if (underWay === undefined) this.#cache.recoverSender(tx)
      else others.push(underWay)
    }
    await Promise.all(others)
  }

  /** Needs a place, and returns it when its own part is done. */
  async #recoverBatch(batch: readonly Transaction[]): Promise<void> {
    const own = new Map<TransactionId, Transaction>()
    const others = new Set<Promise<void>>()
    for (const tx of batch) {
      const underWay = this.#underWay.get(tx.id)
      if (underWay !== undefined) others.add(underWay)
      else if (!this.#cache.has(tx.id)) own.set(tx.id, tx)
    }
    const recovered = this.#recoverOwn([...own.values()]).finally(() => {
      for (const id of own.keys()) this.#underWay.delete(id)
      this.#places.give()
    })
    for (const id of own.keys()) this.#underWay.set(id, recovered)
    await Promise.all([recovered, ...others])
  }

  async #recoverOwn(transactions: readonly Transaction[]): Promise<void> {
    if (transactions.length === 0) return
    const thread = this.#idlestThread()
    const senders = thread === null ? null : await thread.recover(packTransactions(transactions))
    if (senders === null) return this.#recoverHere(transactions)
    transactions.forEach((tx, index) => {
      this.#cache.remember(tx.id, unpackSender(senders, index))
    })
  }

  async #recoverHere(transactions: readonly Transaction[]): Promise<void> {
    await this.#here.take()
    try {
      for (const [index, tx] of transactions.entries()) {
        if (this.#isClosed) return
        this.#cache.recoverSender(tx)
        if (index % TRANSACTIONS_PER_TURN === TRANSACTIONS_PER_TURN - 1) await eventLoopTurn()
      }
    } finally {
      this.#here.give()
    }
  }

  #idlestThread(): RecoveryThread | null {
    const usable = this.#threads.filter(thread => thread.isUsable)
    return usable.reduce<RecoveryThread | null>(
      (best, thread) => (best === null || thread.load < best.load ? thread : best),
      null,
    )
  }
}

function eventLoopTurn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}
