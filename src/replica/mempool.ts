// The mempool: transactions that wait for a block, one queue per sender (sender-queue.ts).
//
// Everything is bounded, and what a peer sends for nothing can't displace what others would pay for (pool-eviction.ts).
// Replacing a transaction costs a higher fee (replacement.ts).

import type { Address } from '../chain/address.ts'
import { effectiveTip, maximumCost } from '../chain/fees.ts'
import type { Transaction, TransactionId } from '../chain/transaction.ts'
import { type ChainRejection, checkTransaction } from '../chain/transaction-rules.ts'
import { Heap } from '../collections/heap.ts'
import type { BlockRules, StateRejection } from '../execution/block-execution.ts'
import type { Account, State } from '../execution/state.ts'
import { type PoolLimits, REPLICA_LIMITS } from './limits.ts'
import { PoolEviction } from './pool-eviction.ts'
import { type Eviction, type Origin, type PooledTransaction, SenderQueue } from './sender-queue.ts'
import type { PoolRejection } from './verdict.ts'

/** What the pool is measured against: the head's state and the base fee of the next block. */
export interface PoolContext {
  readonly state: State
  readonly baseFee: bigint
}

/** The outcome of an attempt to add. */
export type AddResult =
  | { readonly replaced: PooledTransaction | null; readonly evicted: readonly Eviction[] }
  | PoolRejection
  | ChainRejection
  | StateRejection

/** The waiting transactions of one node. */
export class Mempool {
  readonly #rules: BlockRules
  readonly #limits: PoolLimits
  readonly #byId = new Map<TransactionId, PooledTransaction>()
  readonly #queues = new Map<Address, SenderQueue>()
  readonly #eviction: PoolEviction
  #context: PoolContext
  #bytes = 0
  #arrivals = 0
  #changes = 0

  constructor(rules: BlockRules, context: PoolContext, limits: PoolLimits = REPLICA_LIMITS.pool) {
    this.#rules = rules
    this.#context = context
    this.#limits = limits
    this.#eviction = new PoolEviction(this.#queues, limits)
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
    const { pending, future } = this.#queues.get(sender) ?? { pending: [], future: [] }
    return { pending, future }
  }

  /** The senders that have something in the pool. */
  senders(): Iterable<Address> {
    return this.#queues.keys()
  }

  /** The nonce that a sender's next transaction should have: after everything pending. */
  nextNonce(sender: Address): bigint {
    return this.#context.state.get(sender).nonce + BigInt(this.#queues.get(sender)?.pendingCount ?? 0)
  }

  /**
   * Adds a transaction, or says why not and changes nothing. One that comes back from a block that was left need not pay the
   * present base fee: it may wait for a lower one. Where its sender has too much waiting, its transactions with higher nonces
   * make room for it: they could not be mined before it.
   */
  add(tx: Transaction, sender: Address, origin: Origin = 'new'): AddResult {
    if (this.#byId.has(tx.id)) return 'tx-already-known'
    if (origin === 'new' && tx.maxFeePerGas < this.#context.baseFee) return 'tx-fee-below-base'
    const account = this.#context.state.get(sender)
    const rejection = checkTransaction(this.#rules, tx) ?? this.#checkAgainstState(tx, account)
    if (rejection !== null) return rejection
    const queue = this.#queues.get(sender) ?? new SenderQueue(account.nonce)
    const replaced = queue.withNonce(tx.nonce)
    const own = queue.admit(tx, replaced, { balance: account.balance, origin, limits: this.#limits })
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

  /** Measures the pool against a new head. `touched` are the accounts that may have changed. Returns what has to leave. */
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
      queue.moveTo(account.nonce)
      this.#eviction.onChange(queue)
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
   * The pending transactions that can pay this base fee, best tip first, each sender's in the order of its nonces.
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
    for (const queue of this.#queues.values()) push(queue.pending)
    for (let best = heap.pop(); best !== undefined; best = heap.pop()) {
      const answer = yield best.entry
      if (answer !== 'skip') push(best.rest)
    }
  }

  /** Whether a block with this base fee would hold any transaction. */
  hasPending(baseFee: bigint): boolean {
    for (const queue of this.#queues.values()) {
      const [next] = queue.pending
      if (next !== undefined && next.tx.maxFeePerGas >= baseFee) return true
    }
    return false
  }

  #checkAgainstState(tx: Transaction, account: Account): StateRejection | PoolRejection | null {
    if (tx.nonce < account.nonce) return 'tx-nonce-too-low'
    if (tx.nonce >= account.nonce + BigInt(this.#limits.senderTransactionsMax)) return 'tx-nonce-too-high'
    return maximumCost(tx) > account.balance ? 'tx-insufficient-funds' : null
  }

  /** The transactions that must leave for `tx`, besides those that leave anyway; null when there can't be room. */
  #findRoom(
    tx: Transaction,
    sender: Address,
    queue: SenderQueue,
    leaving: readonly PooledTransaction[],
  ): readonly PooledTransaction[] | null {
    const size = {
      count: this.#byId.size + 1 - leaving.length,
      bytes: this.#bytes + tx.raw.length - leaving.reduce((sum, entry) => sum + entry.tx.raw.length, 0),
    }
    const victims = this.#eviction.findRoom(tx, sender, queue, size)
    if (victims !== null || leaving.length > 0 || queue.isFuture(tx.nonce)) return victims
    return this.#eviction.findRoomBehind(tx, queue, size)
  }

  #insert(entry: PooledTransaction, nonce: bigint): void {
    const queue = this.#queues.get(entry.sender) ?? new SenderQueue(nonce)
    queue.insert(entry)
    this.#queues.set(entry.sender, queue)
    this.#byId.set(entry.tx.id, entry)
    this.#bytes += entry.tx.raw.length
    this.#changes += 1
    this.#eviction.onChange(queue)
  }

  #remove(entry: PooledTransaction): void {
    const queue = this.#queues.get(entry.sender)!
    queue.remove(entry)
    if (queue.entries.length === 0) this.#queues.delete(entry.sender)
    this.#byId.delete(entry.tx.id)
    this.#bytes -= entry.tx.raw.length
    this.#changes += 1
    this.#eviction.onChange(queue)
  }
}
