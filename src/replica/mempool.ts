// Transactions that wait for a block: one queue per sender, ordered by nonce.
//
// The first of a queue that follow the account's nonce without a gap are *pending*; those behind a gap are
// *future*. Everything is capped, and what a stranger sends for nothing can never push out what others can pay
// for (DETER, CCS 2021): future transactions evict nobody, and a sender must be able to pay for his whole queue.

import type { Address } from '../chain/address.ts'
import { effectiveTip, maximumCost } from '../chain/fees.ts'
import type { Transaction, TransactionId } from '../chain/transaction.ts'
import { type ChainRejection, checkTransaction } from '../chain/transaction-rules.ts'
import { Heap } from '../collections/heap.ts'
import type { BlockRules, StateRejection } from '../execution/block-execution.ts'
import type { Account, State } from '../execution/state.ts'
import { type PoolLimits, REPLICA_LIMITS } from './limits.ts'
import type { PoolRejection } from './verdict.ts'

/** A transaction in the pool. */
export interface PooledTransaction {
  readonly tx: Transaction
  readonly sender: Address
  /** Which transaction of this pool it was: ties in price go to the earlier. */
  readonly arrival: number
}

/** What the pool is measured against: the head's state and the base fee of the next block. */
export interface PoolContext {
  readonly state: State
  readonly baseFee: bigint
}

/** A transaction that had to leave, and why. */
export interface Eviction {
  readonly entry: PooledTransaction
  readonly reason: PoolRejection | StateRejection
}

/** The outcome of an attempt to add. */
export type AddResult =
  | { readonly replaced: PooledTransaction | null; readonly evicted: readonly Eviction[] }
  | PoolRejection
  | ChainRejection
  | StateRejection

/** A replacement must raise both fees by this many percent (geth's rule). */
const REPLACEMENT_BUMP_PERCENT = 10n
/** Noted ends of queues that may be ends no longer, before all are noted anew. */
const STALE_ENDS_MAX = 1_000

interface SenderQueue {
  /** By nonce, ascending. */
  readonly entries: PooledTransaction[]
  /** The nonce of the account in the head's state. */
  nonce: bigint
  /** How many entries, from the first, follow that nonce without a gap. */
  pending: number
  bytes: number
  /** Wei: what the whole queue may cost. */
  cost: bigint
}

/** The end of a queue, which is the first of it to go when the pool is full. */
interface QueueEnd {
  readonly entry: PooledTransaction
  readonly isFuture: boolean
}

/** The waiting transactions of one node. */
export class Mempool {
  readonly #rules: BlockRules
  readonly #limits: PoolLimits
  readonly #byId = new Map<TransactionId, PooledTransaction>()
  readonly #queues = new Map<Address, SenderQueue>()
  /** The ends of all queues. Those that are ends no longer stay until they come up: see `#isEnd`. */
  #ends = new Heap<QueueEnd>(goesFirst)
  #context: PoolContext
  #bytes = 0
  #arrivals = 0
  #changes = 0

  constructor(rules: BlockRules, context: PoolContext, limits: PoolLimits = REPLICA_LIMITS.pool) {
    this.#rules = rules
    this.#context = context
    this.#limits = limits
  }

  get size(): number {
    return this.#byId.size
  }

  get bytes(): number {
    return this.#bytes
  }

  /** A number that grows whenever the content changes. */
  get changes(): number {
    return this.#changes
  }

  get context(): PoolContext {
    return this.#context
  }

  get(id: TransactionId): PooledTransaction | undefined {
    return this.#byId.get(id)
  }

  /** Every transaction, in the order in which they came. */
  entries(): Iterable<PooledTransaction> {
    return this.#byId.values()
  }

  /** The transactions of one sender by nonce, pending ones and those behind a gap. */
  queueOf(sender: Address): { pending: readonly PooledTransaction[]; future: readonly PooledTransaction[] } {
    const { entries, pending } = this.#queues.get(sender) ?? { entries: [], pending: 0 }
    return { pending: entries.slice(0, pending), future: entries.slice(pending) }
  }

  /** The senders that have something in the pool. */
  senders(): Iterable<Address> {
    return this.#queues.keys()
  }

  /** The nonce that a sender's next transaction should have: after everything pending. */
  nextNonce(sender: Address): bigint {
    return this.#context.state.get(sender).nonce + BigInt(this.#queues.get(sender)?.pending ?? 0)
  }

  /**
   * Takes a transaction in, or says why not and changes nothing. One that comes `back` from a block that was left
   * need not pay the present base fee: it may wait for a lower one. Where its sender has too much waiting, later
   * ones of his make room for it: they could not be mined before it.
   */
  add(tx: Transaction, sender: Address, origin: 'new' | 'back' = 'new'): AddResult {
    if (this.#byId.has(tx.id)) return 'tx-already-known'
    if (origin === 'new' && tx.maxFeePerGas < this.#context.baseFee) return 'tx-fee-below-base'
    const account = this.#context.state.get(sender)
    const rejection = checkTransaction(this.#rules, tx) ?? this.#checkAgainstState(tx, account)
    if (rejection !== null) return rejection
    const queue = this.#queues.get(sender) ?? newQueue(account.nonce)
    const replaced = queue.entries.find(entry => entry.tx.nonce === tx.nonce) ?? null
    const own = this.#checkAgainstQueue(tx, queue, replaced, { balance: account.balance, origin })
    if (typeof own === 'string') return own
    const leaving = replaced === null ? own.map(({ entry }) => entry) : [replaced]
    const victims = this.#findRoom(tx, sender, queue, leaving)
    if (victims === null) return 'tx-pool-full'
    for (const entry of [...leaving, ...victims]) this.#remove(entry)
    this.#insert({ tx, sender, arrival: this.#arrivals++ }, account.nonce)
    return {
      replaced,
      evicted: [...own, ...victims.map(entry => ({ entry, reason: 'tx-pool-full' as const }))],
    }
  }

  /**
   * Measures the pool against a new head. `touched` are the accounts that may have changed. Returns what has no
   * place any more, with the reason.
   */
  moveTo(
    context: PoolContext,
    touched: Iterable<Address>,
  ): { entry: PooledTransaction; reason: StateRejection }[] {
    this.#context = context
    const removed: { entry: PooledTransaction; reason: StateRejection }[] = []
    for (const sender of touched) {
      const queue = this.#queues.get(sender)
      if (queue === undefined) continue
      const account = context.state.get(sender)
      queue.nonce = account.nonce
      this.#measure(queue)
      for (const entry of queue.entries.filter(entry => entry.tx.nonce < account.nonce)) {
        this.#remove(entry)
        removed.push({ entry, reason: 'tx-nonce-too-low' })
      }
      // From the end: what comes first keeps its claim on the balance.
      while (queue.entries.length > 0 && queue.cost > account.balance) {
        const entry = queue.entries.at(-1)!
        this.#remove(entry)
        removed.push({ entry, reason: 'tx-insufficient-funds' })
      }
    }
    return removed
  }

  /**
   * The pending transactions that can pay this base fee, best tip first, each sender's in the order of his nonces.
   * When the caller can't use one, it passes `skip` and the rest of that sender's queue is left out.
   */
  *byPrice(baseFee: bigint): Generator<PooledTransaction, void, 'skip' | undefined> {
    const heap = new Heap<{ entry: PooledTransaction; tip: bigint; rest: readonly PooledTransaction[] }>(
      (a, b) => a.tip > b.tip || (a.tip === b.tip && a.entry.arrival < b.entry.arrival),
    )
    const push = ([entry, ...rest]: readonly PooledTransaction[]): void => {
      if (entry === undefined || entry.tx.maxFeePerGas < baseFee) return
      heap.push({ entry, tip: effectiveTip(entry.tx, baseFee), rest })
    }
    for (const sender of this.#queues.keys()) push(this.queueOf(sender).pending)
    for (let best = heap.pop(); best !== undefined; best = heap.pop()) {
      const answer = yield best.entry
      if (answer !== 'skip') push(best.rest)
    }
  }

  /** Whether a block with this base fee would hold any transaction. */
  hasPending(baseFee: bigint): boolean {
    for (const sender of this.#queues.keys()) {
      const next = this.queueOf(sender).pending[0]
      if (next !== undefined && next.tx.maxFeePerGas >= baseFee) return true
    }
    return false
  }

  #checkAgainstState(tx: Transaction, account: Account): StateRejection | PoolRejection | null {
    if (tx.nonce < account.nonce) return 'tx-nonce-too-low'
    if (tx.nonce >= account.nonce + BigInt(this.#limits.senderTransactionsMax)) return 'tx-nonce-too-high'
    return maximumCost(tx) > account.balance ? 'tx-insufficient-funds' : null
  }

  /** Why a sender may not have this too, or which of his later ones must go for it. */
  #checkAgainstQueue(
    tx: Transaction,
    queue: SenderQueue,
    replaced: PooledTransaction | null,
    { balance, origin }: { balance: bigint; origin: 'new' | 'back' },
  ): Eviction[] | PoolRejection | StateRejection {
    if (replaced !== null && !outbids(tx, replaced.tx)) return 'tx-replacement-underpriced'
    const { senderTransactionsMax, senderBytesMax } = this.#limits
    let count = queue.entries.length + (replaced === null ? 1 : 0)
    let bytes = queue.bytes + tx.raw.length - (replaced?.tx.raw.length ?? 0)
    let cost = queue.cost + maximumCost(tx) - (replaced === null ? 0n : maximumCost(replaced.tx))
    const leaving: Eviction[] = []
    for (let index = queue.entries.length - 1; ; index--) {
      const isFull = count > senderTransactionsMax || bytes > senderBytesMax
      const reason = isFull ? 'tx-sender-queue-full' : cost > balance ? 'tx-insufficient-funds' : null
      if (reason === null) return leaving
      const last = queue.entries[index]
      if (origin === 'new' || replaced !== null || last === undefined || last.tx.nonce < tx.nonce)
        return reason
      leaving.push({ entry: last, reason })
      count -= 1
      bytes -= last.tx.raw.length
      cost -= maximumCost(last.tx)
    }
  }

  /** Who must go to make room, besides those that leave anyway; null when room can't be made. */
  #findRoom(
    tx: Transaction,
    sender: Address,
    queue: SenderQueue,
    leaving: readonly PooledTransaction[],
  ): PooledTransaction[] | null {
    let count = this.#byId.size + 1 - leaving.length
    let bytes = this.#bytes + tx.raw.length - leaving.reduce((sum, entry) => sum + entry.tx.raw.length, 0)
    const isFull = (): boolean => count > this.#limits.transactionsMax || bytes > this.#limits.bytesMax
    if (!isFull()) return []
    // A future transaction pushes nobody out.
    if (tx.nonce > queue.nonce + BigInt(queue.pending)) return null
    const victims = new Map<Address, PooledTransaction[]>()
    const popped: QueueEnd[] = []
    let isRoom = true
    while (isRoom && isFull()) {
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
        this.#noteEnd(this.#queues.get(end.entry.sender)!, taken.length)
      }
    }
    for (const end of popped) this.#ends.push(end)
    if (isRoom) return [...victims.values()].flat()
    return leaving.length > 0 ? null : this.#findRoomBehind(tx, queue)
  }

  /** Where nobody else makes room the sender's own later ones do, the last first: they could not be mined before it. */
  #findRoomBehind(tx: Transaction, queue: SenderQueue): PooledTransaction[] | null {
    let count = this.#byId.size + 1
    let bytes = this.#bytes + tx.raw.length
    const isFull = (): boolean => count > this.#limits.transactionsMax || bytes > this.#limits.bytesMax
    const victims: PooledTransaction[] = []
    for (const entry of queue.entries.toReversed()) {
      if (!isFull() || entry.tx.nonce < tx.nonce) break
      victims.push(entry)
      count -= 1
      bytes -= entry.tx.raw.length
    }
    return isFull() ? null : victims
  }

  /** Whether it is what it was when it was noted, once so many behind it are taken away. */
  #isEnd({ entry, isFuture }: QueueEnd, taken: number): boolean {
    const queue = this.#queues.get(entry.sender)
    const index = (queue?.entries.length ?? 0) - 1 - taken
    return queue?.entries[index] === entry && isFuture === index >= queue.pending
  }

  /** Notes the end of a queue, so many before its last. */
  #noteEnd(queue: SenderQueue, taken = 0): void {
    const index = queue.entries.length - 1 - taken
    const entry = queue.entries[index]
    if (entry !== undefined) this.#ends.push({ entry, isFuture: index >= queue.pending })
  }

  /** Counts what is pending of a queue that changed. */
  #measure(queue: SenderQueue): void {
    const gap = queue.entries.findIndex((entry, index) => entry.tx.nonce !== queue.nonce + BigInt(index))
    queue.pending = gap === -1 ? queue.entries.length : gap
    this.#noteEnd(queue)
    if (this.#ends.size <= 4 * this.#queues.size + STALE_ENDS_MAX) return
    this.#ends = new Heap<QueueEnd>(goesFirst)
    for (const other of this.#queues.values()) this.#noteEnd(other)
  }

  #insert(entry: PooledTransaction, nonce: bigint): void {
    const queue = this.#queues.get(entry.sender) ?? newQueue(nonce)
    const after = queue.entries.findIndex(other => other.tx.nonce > entry.tx.nonce)
    queue.entries.splice(after === -1 ? queue.entries.length : after, 0, entry)
    queue.bytes += entry.tx.raw.length
    queue.cost += maximumCost(entry.tx)
    this.#queues.set(entry.sender, queue)
    this.#byId.set(entry.tx.id, entry)
    this.#bytes += entry.tx.raw.length
    this.#changes += 1
    this.#measure(queue)
  }

  #remove(entry: PooledTransaction): void {
    const queue = this.#queues.get(entry.sender)!
    queue.entries.splice(queue.entries.indexOf(entry), 1)
    queue.bytes -= entry.tx.raw.length
    queue.cost -= maximumCost(entry.tx)
    if (queue.entries.length === 0) this.#queues.delete(entry.sender)
    this.#byId.delete(entry.tx.id)
    this.#bytes -= entry.tx.raw.length
    this.#changes += 1
    this.#measure(queue)
  }
}

function newQueue(nonce: bigint): SenderQueue {
  return { entries: [], nonce, pending: 0, bytes: 0, cost: 0n }
}

/** Which of two ends leaves a full pool first: a future one, then the cheaper, then the newer. */
function goesFirst(a: QueueEnd, b: QueueEnd): boolean {
  if (a.isFuture !== b.isFuture) return a.isFuture
  if (a.entry.tx.maxFeePerGas !== b.entry.tx.maxFeePerGas)
    return a.entry.tx.maxFeePerGas < b.entry.tx.maxFeePerGas
  return a.entry.arrival > b.entry.arrival
}

function outbids(tx: Transaction, other: Transaction): boolean {
  return (
    tx.maxFeePerGas * 100n >= other.maxFeePerGas * (100n + REPLACEMENT_BUMP_PERCENT) &&
    tx.maxPriorityFeePerGas * 100n >= other.maxPriorityFeePerGas * (100n + REPLACEMENT_BUMP_PERCENT)
  )
}
