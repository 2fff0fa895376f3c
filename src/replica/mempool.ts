// Transactions that wait for a block: one queue per sender, ordered by nonce.
//
// The first of a queue that follow the account's nonce without a gap are *pending*; those behind a gap are
// *future*. Everything is capped, and what a stranger sends for nothing can never push out what others can pay
// for (DETER, CCS 2021): future transactions evict nobody, and a sender must be able to pay for his whole queue.

import type { Address } from '../chain/address.ts'
import {
  type BlockRules,
  type ChainRejection,
  checkTransaction,
  type StateRejection,
} from '../chain/execution.ts'
import { effectiveTip, maximumCost } from '../chain/fees.ts'
import type { State } from '../chain/state.ts'
import type { Transaction, TransactionId } from '../chain/transaction.ts'
import { Heap } from './heap.ts'
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

/** The outcome of an attempt to add. */
export type AddResult =
  | { readonly replaced: PooledTransaction | null; readonly evicted: readonly PooledTransaction[] }
  | PoolRejection
  | ChainRejection
  | StateRejection

/** What one sender, and all together, may have in the pool. */
export interface PoolLimits {
  readonly transactionsMax: number
  readonly bytesMax: number
  readonly senderTransactionsMax: number
  readonly senderBytesMax: number
}

/** The limits of a node. */
export const POOL_LIMITS: PoolLimits = {
  transactionsMax: 16_384,
  bytesMax: 32 * 1024 * 1024,
  senderTransactionsMax: 128,
  senderBytesMax: 512 * 1024,
}

/** A replacement must raise both fees by this many percent (geth's rule). */
const REPLACEMENT_BUMP_PERCENT = 10n

interface SenderQueue {
  /** By nonce, ascending. */
  readonly entries: PooledTransaction[]
  bytes: number
  /** Wei: what the whole queue may cost. */
  cost: bigint
}

/** The waiting transactions of one node. */
export class Mempool {
  readonly #rules: BlockRules
  readonly #limits: PoolLimits
  readonly #byId = new Map<TransactionId, PooledTransaction>()
  readonly #queues = new Map<Address, SenderQueue>()
  #context: PoolContext
  #bytes = 0
  #arrivals = 0
  #changes = 0

  constructor(rules: BlockRules, context: PoolContext, limits: PoolLimits = POOL_LIMITS) {
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
    const entries = this.#queues.get(sender)?.entries ?? []
    const pending = this.#pendingCount(sender, entries)
    return { pending: entries.slice(0, pending), future: entries.slice(pending) }
  }

  /** The senders that have something in the pool. */
  senders(): Iterable<Address> {
    return this.#queues.keys()
  }

  /** The nonce that a sender's next transaction should have: after everything pending. */
  nextNonce(sender: Address): bigint {
    return this.#context.state.get(sender).nonce + BigInt(this.queueOf(sender).pending.length)
  }

  /**
   * Takes a transaction in, or says why not and changes nothing. One that comes `back` from a block that was left
   * need not pay the present base fee: it may wait for a lower one.
   */
  add(tx: Transaction, sender: Address, origin: 'new' | 'back' = 'new'): AddResult {
    if (this.#byId.has(tx.id)) return 'tx-already-known'
    if (origin === 'new' && tx.maxFeePerGas < this.#context.baseFee) return 'tx-fee-below-base'
    const rejection = checkTransaction(this.#rules, tx) ?? this.#checkAgainstState(tx, sender)
    if (rejection !== null) return rejection
    const queue = this.#queues.get(sender) ?? { entries: [], bytes: 0, cost: 0n }
    const replaced = queue.entries.find(entry => entry.tx.nonce === tx.nonce) ?? null
    const refusal = this.#checkAgainstQueue(tx, queue, replaced, this.#context.state.get(sender).balance)
    if (refusal !== null) return refusal
    const victims = replaced === null ? this.#findRoom(tx, sender, queue) : []
    if (victims === null) return 'tx-pool-full'
    for (const victim of victims) this.#remove(victim)
    if (replaced !== null) this.#remove(replaced)
    this.#insert({ tx, sender, arrival: this.#arrivals++ })
    return { replaced, evicted: victims }
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

  #checkAgainstState(tx: Transaction, sender: Address): StateRejection | PoolRejection | null {
    const account = this.#context.state.get(sender)
    if (tx.nonce < account.nonce) return 'tx-nonce-too-low'
    if (tx.nonce >= account.nonce + BigInt(this.#limits.senderTransactionsMax)) return 'tx-nonce-too-high'
    return maximumCost(tx) > account.balance ? 'tx-insufficient-funds' : null
  }

  #checkAgainstQueue(
    tx: Transaction,
    queue: SenderQueue,
    replaced: PooledTransaction | null,
    balance: bigint,
  ): PoolRejection | StateRejection | null {
    if (replaced !== null && !outbids(tx, replaced.tx)) return 'tx-replacement-underpriced'
    const { senderTransactionsMax, senderBytesMax } = this.#limits
    const bytes = queue.bytes + tx.raw.length - (replaced?.tx.raw.length ?? 0)
    const isFull = replaced === null && queue.entries.length >= senderTransactionsMax
    if (isFull || bytes > senderBytesMax) return 'tx-sender-queue-full'
    const cost = queue.cost + maximumCost(tx) - (replaced === null ? 0n : maximumCost(replaced.tx))
    return cost > balance ? 'tx-insufficient-funds' : null
  }

  /** The transactions that must go to make room; null when none may. */
  #findRoom(tx: Transaction, sender: Address, queue: SenderQueue): PooledTransaction[] | null {
    const victims: PooledTransaction[] = []
    let count = this.#byId.size + 1
    let bytes = this.#bytes + tx.raw.length
    if (count <= this.#limits.transactionsMax && bytes <= this.#limits.bytesMax) return victims
    if (!this.#wouldBePending(tx, sender, queue)) return null
    const candidates = this.#evictionOrder(sender)
    while (count > this.#limits.transactionsMax || bytes > this.#limits.bytesMax) {
      const victim = candidates.pop()
      if (victim === undefined || (!victim.isFuture && !outbids(tx, victim.entry.tx))) return null
      victims.push(victim.entry)
      count -= 1
      bytes -= victim.entry.tx.raw.length
      candidates.advance(victim.entry.sender)
    }
    return victims
  }

  #wouldBePending(tx: Transaction, sender: Address, queue: SenderQueue): boolean {
    const account = this.#context.state.get(sender)
    return tx.nonce <= account.nonce + BigInt(this.#pendingCount(sender, queue.entries))
  }

  /** The ends of all other senders' queues, first to go first: future ones, then the cheapest, then the newest. */
  #evictionOrder(except: Address) {
    type Candidate = { entry: PooledTransaction; isFuture: boolean }
    const heap = new Heap<Candidate>((a, b) => {
      if (a.isFuture !== b.isFuture) return a.isFuture
      if (a.entry.tx.maxFeePerGas !== b.entry.tx.maxFeePerGas)
        return a.entry.tx.maxFeePerGas < b.entry.tx.maxFeePerGas
      return a.entry.arrival > b.entry.arrival
    })
    const taken = new Map<Address, number>()
    const advance = (sender: Address): void => {
      const entries = this.#queues.get(sender)!.entries
      const index = entries.length - 1 - (taken.get(sender) ?? 0)
      taken.set(sender, (taken.get(sender) ?? 0) + 1)
      if (index >= 0)
        heap.push({ entry: entries[index]!, isFuture: index >= this.#pendingCount(sender, entries) })
    }
    for (const sender of this.#queues.keys()) if (sender !== except) advance(sender)
    return { pop: () => heap.pop(), advance }
  }

  #pendingCount(sender: Address, entries: readonly PooledTransaction[]): number {
    const { nonce } = this.#context.state.get(sender)
    const gap = entries.findIndex((entry, index) => entry.tx.nonce !== nonce + BigInt(index))
    return gap === -1 ? entries.length : gap
  }

  #insert(entry: PooledTransaction): void {
    const queue = this.#queues.get(entry.sender) ?? { entries: [], bytes: 0, cost: 0n }
    const after = queue.entries.findIndex(other => other.tx.nonce > entry.tx.nonce)
    queue.entries.splice(after === -1 ? queue.entries.length : after, 0, entry)
    queue.bytes += entry.tx.raw.length
    queue.cost += maximumCost(entry.tx)
    this.#queues.set(entry.sender, queue)
    this.#byId.set(entry.tx.id, entry)
    this.#bytes += entry.tx.raw.length
    this.#changes += 1
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
  }
}

function outbids(tx: Transaction, other: Transaction): boolean {
  return (
    tx.maxFeePerGas * 100n >= other.maxFeePerGas * (100n + REPLACEMENT_BUMP_PERCENT) &&
    tx.maxPriorityFeePerGas * 100n >= other.maxPriorityFeePerGas * (100n + REPLACEMENT_BUMP_PERCENT)
  )
}
