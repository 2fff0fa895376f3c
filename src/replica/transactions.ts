// The transactions of one replica: submitted here, pulled from peers, moved with the head, and what became of those that
// left the pool. The pool itself is mempool.ts, gossip transaction-relay.ts, and what returns to the pool after a
// reorganisation return-to-pool.ts.

import type { Address } from '../chain/address.ts'
import { maximumCost, nextBaseFee } from '../chain/fees.ts'
import type { RecoverSender } from '../chain/signature.ts'
import { decodeTransaction, type Transaction, type TransactionId } from '../chain/transaction.ts'
import type { BlockRules } from '../execution/block-execution.ts'
import type { BlockTree, HeadMove, TreeBlock } from './block-tree.ts'
import type { PeerId, ReplicaOutbox, Store } from './effects.ts'
import type { PoolLimits } from './limits.ts'
import { Mempool, type PoolContext } from './mempool.ts'
import { CorruptStore, KEYS } from './records.ts'
import { includedInstead, returningTransactions } from './return-to-pool.ts'
import { SubmittedTransactions } from './submitted-transactions.ts'
import { type TransactionOutcome, TransactionOutcomes } from './transaction-outcomes.ts'
import { type Refusal, TransactionRelay } from './transaction-relay.ts'
import type { Rejection } from './verdict.ts'

/** What is needed of the replica. */
export interface TransactionsHost {
  readonly rules: BlockRules
  readonly tree: BlockTree
  readonly outbox: ReplicaOutbox
  readonly recoverSender: RecoverSender
  /** Whether a peer speaks for a validator. */
  isTrusted(peer: PeerId): boolean
  /** As for `Sync`. */
  readonly firstRequestId: number
  readonly limits: { readonly pool: PoolLimits; readonly gossipTransactionsMax: number }
}

/** All that a replica knows of transactions that are not final. */
export class Transactions {
  readonly pool: Mempool
  readonly relay: TransactionRelay
  readonly outcomes = new TransactionOutcomes()
  readonly #host: TransactionsHost
  readonly #submitted: SubmittedTransactions

  constructor(host: TransactionsHost) {
    const { rules, tree, outbox, limits, firstRequestId } = host
    this.#host = host
    this.#submitted = new SubmittedTransactions(outbox)
    this.pool = new Mempool(rules, poolContext(tree.head), limits.pool)
    this.relay = new TransactionRelay({
      outbox,
      pooled: id => this.pool.get(id)?.tx,
      isKnown: id => this.pool.get(id) !== undefined || tree.including(id) !== undefined,
      take: tx => this.#takeRelayed(tx),
      isTrusted: peer => host.isTrusted(peer),
      firstRequestId,
      transactionsMax: limits.gossipTransactionsMax,
    })
  }

  /** Reads the submitted transactions that are on disk. Throws `CorruptStore`. */
  load(store: Store): void {
    for (const [key, raw] of store.entries(KEYS.pooledTransactions)) this.#loadSubmitted(key, raw)
  }

  #loadSubmitted(key: string, raw: Uint8Array): void {
    const tx = decodeTransaction(raw)
    if (typeof tx === 'string' || KEYS.pooled(tx.id) !== key)
      throw new CorruptStore(`record ${key} is damaged`)
    this.#submitted.restore(tx.id)
    if (this.#host.tree.including(tx.id) !== undefined) return
    const rejection = this.#addToPool(tx, 'back')
    if (rejection !== null) this.#recordOutcome(tx.id, { status: 'dropped', reason: rejection })
  }

  /** A client submits a transaction; the answer goes out as a `reply` with this token. */
  submit(raw: Uint8Array, token: string): void {
    const { outbox } = this.#host
    const tx = decodeTransaction(raw)
    const rejection = typeof tx === 'string' ? tx : this.#addToPool(tx, 'new')
    if (rejection !== null || typeof tx === 'string') {
      outbox.emit({ type: 'reply', token, result: { rejection: rejection as Rejection } })
      return
    }
    this.#submitted.track(tx)
    this.relay.announce(tx.id)
    outbox.emit({ type: 'reply', token, result: { id: tx.id } })
  }

  /** Announces to a peer what was submitted here and waits in the pool. */
  announceSubmitted(peer: PeerId): void {
    this.relay.announceTo(
      peer,
      this.#submitted.ids().filter(id => this.pool.get(id) !== undefined),
    )
  }

  /** Moves the pool to a new head. */
  onHead({ left, joined }: HeadMove): void {
    const { tree } = this.#host
    const touched = new Set([...left, ...joined].flatMap(entry => [...entry.execution.changes.keys()]))
    const removed = this.pool.moveTo(poolContext(tree.head), touched)
    for (const { entry, reason } of removed) {
      if (tree.including(entry.tx.id) !== undefined) continue
      const by = reason === 'tx-nonce-too-low' ? includedInstead(joined, entry.sender, entry.tx.nonce) : null
      this.#recordLoss(entry.tx.id, reason, by)
    }
    for (const { tx, sender } of returningTransactions(left, tree)) this.#return(tx, sender, joined)
    for (const entry of joined) for (const tx of entry.block.transactions) this.#onIncluded(tx.id)
    this.relay.onHead()
  }

  /** Blocks became final: this node answers for their transactions no longer. */
  onFinal(blocks: readonly TreeBlock[]): void {
    for (const { block } of blocks) for (const tx of block.transactions) this.#submitted.untrack(tx.id)
  }

  #onIncluded(id: TransactionId): void {
    this.outcomes.forget(id)
    this.relay.onKnown(id)
  }

  /** Returns a transaction to the pool, unless another has taken its place in the new branch. */
  #return(tx: Transaction, sender: Address, joined: readonly TreeBlock[]): void {
    const rejection = this.#addToPool(tx, 'back', sender)
    if (rejection === null) this.relay.announce(tx.id)
    else if (rejection !== 'tx-already-known')
      this.#recordLoss(tx.id, rejection, includedInstead(joined, sender, tx.nonce))
  }

  /** Adds a transaction to the pool. `known` is its sender where that was recovered before. */
  #addToPool(tx: Transaction, origin: 'new' | 'back', known?: Address): Rejection | null {
    // The cheap check first: to recover a sender is the most expensive one there is.
    if (this.pool.get(tx.id) !== undefined) return 'tx-already-known'
    const sender = known ?? this.#host.recoverSender(tx)
    if (sender === null) return 'tx-signature-invalid'
    const result = this.pool.add(tx, sender, origin)
    if (typeof result === 'string') return result
    this.relay.onKnown(tx.id)
    this.outcomes.forget(tx.id)
    this.#submitted.onPooled(tx)
    const { replaced, evicted } = result
    if (replaced !== null) this.#recordOutcome(replaced.tx.id, { status: 'replaced', by: tx.id })
    for (const { entry, reason } of evicted) this.#recordOutcome(entry.tx.id, { status: 'dropped', reason })
    return null
  }

  /** Adds a transaction that a peer was asked for, and announces it. */
  #takeRelayed(tx: Transaction): 'pending' | 'future' | Refusal {
    const sender = this.#host.recoverSender(tx)
    if (sender === null) return { reason: 'tx-signature-invalid', isFunded: false }
    const reason = this.#addToPool(tx, 'new', sender)
    const { balance } = this.pool.context.state.get(sender)
    if (reason !== null) return { reason, isFunded: maximumCost(tx) <= balance }
    this.relay.announce(tx.id)
    return tx.nonce < this.pool.nextNonce(sender) ? 'pending' : 'future'
  }

  #recordLoss(id: TransactionId, reason: Rejection, by: TransactionId | null): void {
    this.#recordOutcome(id, by === null ? { status: 'dropped', reason } : { status: 'replaced', by })
  }

  /** A transaction left the pool for good. */
  #recordOutcome(id: TransactionId, outcome: TransactionOutcome): void {
    this.outcomes.record(id, outcome)
    this.#submitted.abandon(id)
  }
}

function poolContext(head: TreeBlock): PoolContext {
  return { state: head.execution.state, baseFee: nextBaseFee(head.block.coinbase) }
}
