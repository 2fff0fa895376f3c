// What leaves a full pool to make room. Only the last transaction of a queue may go, so that no gap is made; of all of these
// a future one goes first, then the cheapest, then the newest. A future transaction displaces nothing, and a pending one must
// outbid what it displaces: what costs its sender nothing can't displace what others would pay for (DETER, CCS 2021).
//
// The ends of all queues are in a heap. An end that changed stays in it until it comes up and is found to be outdated.

import type { Address } from '../chain/address.ts'
import type { Transaction } from '../chain/transaction.ts'
import { Heap } from '../collections/heap.ts'
import type { PoolLimits } from './limits.ts'
import { outbids } from './replacement.ts'
import type { PooledTransaction, SenderQueue } from './sender-queue.ts'

/** Outdated ends that the heap may hold before it is rebuilt. */
const STALE_ENDS_MAX = 1_000

/** The end of a queue. */
interface QueueEnd {
  readonly entry: PooledTransaction
  readonly isFuture: boolean
}

/** What the pool would hold with a transaction that is to be added, less what leaves for it anyway. */
export interface PoolSize {
  readonly count: number
  readonly bytes: number
}

/** Chooses what a full pool evicts. */
export class PoolEviction {
  readonly #queues: ReadonlyMap<Address, SenderQueue>
  readonly #limits: PoolLimits
  #ends = new Heap<QueueEnd>(goesFirst)

  /** `queues` are those of the pool, by sender; `onChange` must be called for each that changes. */
  constructor(queues: ReadonlyMap<Address, SenderQueue>, limits: PoolLimits) {
    this.#queues = queues
    this.#limits = limits
  }

  /** A queue has changed. */
  onChange(queue: SenderQueue): void {
    this.#pushEnd(queue)
    if (this.#ends.size <= 4 * this.#queues.size + STALE_ENDS_MAX) return
    this.#ends = new Heap<QueueEnd>(goesFirst)
    for (const other of this.#queues.values()) this.#pushEnd(other)
  }

  /** The transactions that must leave for `tx`, so that the pool has less than this size; null if it can't have room. */
  findRoom(
    tx: Transaction,
    sender: Address,
    queue: SenderQueue,
    size: PoolSize,
  ): readonly PooledTransaction[] | null {
    if (!this.#isAbove(size)) return []
    if (queue.isFuture(tx.nonce)) return null
    let { count, bytes } = size
    const victims = new Map<Address, PooledTransaction[]>()
    const popped: QueueEnd[] = []
    let isRoom = true
    while (isRoom && this.#isAbove({ count, bytes })) {
      const end = this.#ends.pop()
      if (end === undefined) isRoom = false
      else if (this.#isEnd(end, victims.get(end.entry.sender)?.length ?? 0)) {
        popped.push(end)
        if (end.entry.sender === sender) continue
        isRoom = end.isFuture || outbids(tx, end.entry.tx)
        if (!isRoom) continue
        const taken = [...(victims.get(end.entry.sender) ?? []), end.entry]
        victims.set(end.entry.sender, taken)
        count -= 1
        bytes -= end.entry.tx.raw.length
        this.#pushEnd(this.#queues.get(end.entry.sender)!, taken.length)
      }
    }
    for (const end of popped) this.#ends.push(end)
    return isRoom ? [...victims.values()].flat() : null
  }

  /** Room made by the sender's own transactions with higher nonces, the last first: they could not be mined before `tx`. */
  findRoomBehind(tx: Transaction, queue: SenderQueue, size: PoolSize): readonly PooledTransaction[] | null {
    let { count, bytes } = size
    const victims: PooledTransaction[] = []
    for (const entry of queue.entries.toReversed()) {
      if (!this.#isAbove({ count, bytes }) || entry.tx.nonce < tx.nonce) break
      victims.push(entry)
      count -= 1
      bytes -= entry.tx.raw.length
    }
    return this.#isAbove({ count, bytes }) ? null : victims
  }

  #isAbove({ count, bytes }: PoolSize): boolean {
    return count > this.#limits.transactionsMax || bytes > this.#limits.bytesMax
  }

  /** Whether this is the end of its queue, as it was noted, once so many behind it are taken away. */
  #isEnd({ entry, isFuture }: QueueEnd, taken: number): boolean {
    const queue = this.#queues.get(entry.sender)
    if (queue === undefined) return false
    const index = queue.entries.length - 1 - taken
    return queue.entries[index] === entry && isFuture === index >= queue.pendingCount
  }

  /** Pushes the end of a queue, once so many are taken away. */
  #pushEnd(queue: SenderQueue, taken = 0): void {
    const index = queue.entries.length - 1 - taken
    const entry = queue.entries[index]
    if (entry !== undefined) this.#ends.push({ entry, isFuture: index >= queue.pendingCount })
  }
}

/** Which of two ends leaves a full pool first. */
function goesFirst(a: QueueEnd, b: QueueEnd): boolean {
  if (a.isFuture !== b.isFuture) return a.isFuture
  if (a.entry.tx.maxFeePerGas !== b.entry.tx.maxFeePerGas)
    return a.entry.tx.maxFeePerGas < b.entry.tx.maxFeePerGas
  return a.entry.arrival > b.entry.arrival
}
