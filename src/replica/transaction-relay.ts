// Transaction gossip: ids are announced to all peers, and transactions are pulled from one of them (as in eth/68, and as with
// Bitcoin's inv and getdata).
//
// transaction-requests.ts chooses the peer to ask for a new id. A peer that often announces useless transactions is asked
// last, and less (relay-budget.ts), but is never disconnected for it: whether an account has funds depends on the head that
// one follows. All that a peer can make grow is bounded by evicting the oldest; the node where a transaction was submitted
// announces it again until a block holds it.

import type { Transaction, TransactionId } from '../chain/transaction.ts'
import { BoundedMap } from '../collections/bounded-map.ts'
import type { PeerId } from './effects.ts'
import { fittingTransactions } from './messages.ts'
import type { RelayOutcome } from './relay-budget.ts'
import { type RequestsHost, TransactionRequests } from './transaction-requests.ts'
import { type Rejection, verdictOn } from './verdict.ts'

/** Why a transaction of a peer was refused. */
export interface Refusal {
  readonly reason: Rejection
  /** Whether its sender could pay for it if nothing else of that sender waited. */
  readonly isFunded: boolean
}

/** What the relay needs of its replica. */
export interface RelayHost extends RequestsHost {
  /** A transaction of the pool. */
  pooled(id: TransactionId): Transaction | undefined
  /** Adds a transaction to the pool, as pending or behind a gap; or says why it is refused. */
  take(tx: Transaction): 'pending' | 'future' | Refusal
}

/** Milliseconds for which announcements are collected before they are sent. */
const ANNOUNCE_DELAY_MS = 15
/** Ids that a peer is known to have. A forgotten one is announced once more than needed. */
const HEARD_MAX = 1_024
/** Refused ids, remembered until the head moves. */
const REFUSED_MAX = 16_384

const NOTHING_ASKED: ReadonlyMap<TransactionId, unknown> = new Map()

/** The part of a replica that relays transactions. */
export class TransactionRelay {
  readonly #host: RelayHost
  readonly requests: TransactionRequests
  /** Ids that each peer has announced or was sent. */
  readonly #heard = new Map<PeerId, BoundedMap<TransactionId, true>>()
  #refused = new BoundedMap<TransactionId, true>(REFUSED_MAX)
  #toAnnounce: TransactionId[] = []

  constructor(host: RelayHost) {
    this.#host = host
    this.requests = new TransactionRequests(host)
  }

  addPeer(id: PeerId): void {
    this.#heard.set(id, new BoundedMap(HEARD_MAX))
    this.requests.addPeer(id)
  }

  removePeer(id: PeerId): void {
    this.#heard.delete(id)
    this.requests.removePeer(id)
  }

  // ---- our transactions

  /** Announces a transaction of the pool, after a short delay and together with others. */
  announce(id: TransactionId): void {
    this.#toAnnounce.push(id)
    if (this.#toAnnounce.length >= this.#host.transactionsMax) this.flush()
    else if (this.#toAnnounce.length === 1)
      this.#host.outbox.emit({ type: 'set-timer', name: 'gossip', delayMs: ANNOUNCE_DELAY_MS })
  }

  /** Sends what is to be announced to each peer that does not have it. */
  flush(): void {
    const ids = this.#toAnnounce.filter(id => this.#host.pooled(id) !== undefined)
    this.#toAnnounce = []
    for (const [id, heard] of this.#heard) {
      this.announceTo(
        id,
        ids.filter(tx => !heard.has(tx)),
      )
    }
    this.#host.outbox.emit({ type: 'clear-timer', name: 'gossip' })
  }

  /** Announces to one peer, even what it was told before: messages get lost. */
  announceTo(id: PeerId, ids: readonly TransactionId[]): void {
    const heard = this.#heard.get(id)
    const { transactionsMax, outbox } = this.#host
    for (const tx of ids) heard?.set(tx, true)
    for (let start = 0; start < ids.length; start += transactionsMax) {
      const message = { type: 'announce', ids: ids.slice(start, start + transactionsMax) } as const
      outbox.emit({ type: 'send', to: id, message })
    }
  }

  /** Answers a request. */
  onRequest(from: PeerId, requestId: number, ids: readonly TransactionId[]): void {
    const pooled = ids.map(id => this.#host.pooled(id)).filter(tx => tx !== undefined)
    const message = { type: 'transactions', requestId, transactions: fittingTransactions(pooled) } as const
    this.#host.outbox.emit({ type: 'send', to: from, message })
  }

  // ---- transactions of peers

  onAnnounce(from: PeerId, ids: readonly TransactionId[]): void {
    const heard = this.#heard.get(from)
    for (const id of ids) heard?.set(id, true)
    this.requests.onAnnounce(
      from,
      ids.filter(id => !this.#refused.has(id)),
    )
  }

  /** Whether this answer was requested of the peer. */
  isAsked(from: PeerId, requestId: number): boolean {
    return this.requests.find(from, requestId) !== null
  }

  /** The ids in a request to this peer; none when there is no such request open. */
  asked(from: PeerId, requestId: number): Pick<ReadonlyMap<TransactionId, unknown>, 'has' | 'size'> {
    return this.requests.find(from, requestId)?.asked ?? NOTHING_ASKED
  }

  /** Those of the transactions that this request asked the peer for and that are not known yet. */
  wanted(from: PeerId, requestId: number, transactions: readonly Transaction[]): readonly Transaction[] {
    const request = this.requests.find(from, requestId)
    if (request === null) return []
    return transactions.filter(({ id }) => request.asked.has(id) && !this.#host.isKnown(id))
  }

  onAnswer(from: PeerId, requestId: number, transactions: readonly Transaction[]): void {
    const { outbox } = this.#host
    const request = this.requests.find(from, requestId)
    if (request === null) return outbox.emit({ type: 'reject', from, reason: 'peer-answer-unasked' })
    const given = new Map(transactions.map(tx => [tx.id, tx]))
    // A full answer ends early: it leaves out the last of what was requested.
    const ids = [...request.asked.keys()]
    const lastGiven = ids.findLastIndex(id => given.has(id))
    const cutOff = new Set(lastGiven === -1 ? [] : ids.slice(lastGiven + 1))
    const rejections: Rejection[] = []
    this.requests.onAnswer(request, id => {
      if (cutOff.has(id)) return null
      return this.#outcomeOf(id, given.get(id), rejections)
    })
    const worst =
      rejections.find(reason => verdictOn(reason) === 'punish') ??
      (rejections.length === request.asked.size ? rejections[0] : undefined)
    if (worst !== undefined) outbox.emit({ type: 'reject', from, reason: worst })
  }

  onTick(): void {
    this.requests.onTick()
  }

  /** A transaction is in the pool or in a block of the main chain: it is requested no more. */
  onKnown(id: TransactionId): void {
    this.requests.onKnown(id)
  }

  /** The head moved: what was refused may be valid now. */
  onHead(): void {
    this.#refused = new BoundedMap(REFUSED_MAX)
  }

  #outcomeOf(id: TransactionId, tx: Transaction | undefined, rejections: Rejection[]): RelayOutcome {
    if (this.#host.isKnown(id)) return 'known'
    if (tx === undefined) return 'withheld'
    const taken = this.#host.take(tx)
    if (taken === 'pending') return 'useful'
    if (taken === 'future') return 'future'
    rejections.push(taken.reason)
    this.#refused.set(id, true)
    this.requests.drop(id)
    return isOfOurPool(taken) ? 'refused' : 'useless'
  }
}

/**
 * Whether a node with another pool or head could accept it, so that an honest peer may have announced it. One account can send
 * every node a different transaction of the same nonce, and each honest node would then be blamed by all the others.
 */
function isOfOurPool({ reason, isFunded }: Refusal): boolean {
  switch (reason) {
    case 'tx-already-known':
    case 'tx-underpriced':
    case 'tx-replacement-underpriced':
    case 'tx-sender-queue-full':
    case 'tx-pool-full':
    case 'tx-nonce-too-low':
    case 'tx-nonce-too-high':
    case 'tx-fee-below-base':
      return true
    case 'tx-insufficient-funds':
      return isFunded
    default:
      return false
  }
}
