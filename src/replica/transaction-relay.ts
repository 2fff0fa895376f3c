// How transactions travel: announced by their ids to all peers, and pulled from one of them (as in eth/68, and in Bitcoin's
// inv and getdata).
//
// Which peer is asked for an id that is new here, transaction-requests.ts says. A peer that often announces what can't be
// used is asked last, and less (relay-budget.ts), and is never disconnected for it: funds are a matter of the head that one
// follows. What a peer can grow here is bounded: the oldest is forgotten, and the node where a transaction was submitted
// announces it again until a block holds it.

import type { Transaction, TransactionId } from '../chain/transaction.ts'
import { BoundedMap } from '../collections/bounded-map.ts'
import type { PeerId } from './effects.ts'
import { fittingTransactions } from './messages.ts'
import type { RelayOutcome } from './relay-budget.ts'
import { type RequestsHost, TransactionRequests } from './transaction-requests.ts'
import { type Rejection, verdictOn } from './verdict.ts'

/** Why a transaction of a peer was not taken in. */
export interface Refusal {
  readonly reason: Rejection
  /** Whether its sender could pay for it if nothing else of that sender waited. */
  readonly isFunded: boolean
}

/** What the relay needs of its replica. */
export interface RelayHost extends RequestsHost {
  /** A transaction that waits here. */
  pooled(id: TransactionId): Transaction | undefined
  /** Takes a transaction into the pool, behind a gap or not; why not when it is refused. */
  take(tx: Transaction): 'pending' | 'future' | Refusal
}

/** Milliseconds between an announcement that is made here and its being sent, with others. */
const ANNOUNCE_DELAY_MS = 15
/** Ids of which is remembered that a peer has them. One that is forgotten is announced once more than needed. */
const HEARD_MAX = 1_024
/** Ids that are remembered as refused, until the head moves. */
const REFUSED_MAX = 16_384

const NOTHING_ASKED: ReadonlyMap<TransactionId, unknown> = new Map()

/** The part of a replica that passes transactions on. */
export class TransactionRelay {
  readonly #host: RelayHost
  readonly requests: TransactionRequests
  /** What each peer has, as far as it said so or was told. */
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

  // ---- what is here, for others

  /** Announces a transaction of the pool, a moment later and with others. */
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

  /** Announces to one peer, whatever it was told before: words get lost. */
  announceTo(id: PeerId, ids: readonly TransactionId[]): void {
    const heard = this.#heard.get(id)
    const { transactionsMax, outbox } = this.#host
    for (const tx of ids) heard?.set(tx, true)
    for (let start = 0; start < ids.length; start += transactionsMax) {
      const message = { type: 'announce', ids: ids.slice(start, start + transactionsMax) } as const
      outbox.emit({ type: 'send', to: id, message })
    }
  }

  /** Gives a peer what it asks for. */
  onRequest(from: PeerId, requestId: number, ids: readonly TransactionId[]): void {
    const pooled = ids.map(id => this.#host.pooled(id)).filter(tx => tx !== undefined)
    const message = { type: 'transactions', requestId, transactions: fittingTransactions(pooled) } as const
    this.#host.outbox.emit({ type: 'send', to: from, message })
  }

  // ---- what others have

  onAnnounce(from: PeerId, ids: readonly TransactionId[]): void {
    const heard = this.#heard.get(from)
    for (const id of ids) heard?.set(id, true)
    this.requests.onAnnounce(
      from,
      ids.filter(id => !this.#refused.has(id)),
    )
  }

  /** Whether a peer was asked for this answer. */
  isAsked(from: PeerId, requestId: number): boolean {
    return this.requests.find(from, requestId) !== null
  }

  /** The ids that a peer was asked for by this request; none where it is not under way. */
  asked(from: PeerId, requestId: number): Pick<ReadonlyMap<TransactionId, unknown>, 'has' | 'size'> {
    return this.requests.find(from, requestId)?.asked ?? NOTHING_ASKED
  }

  /** Those of the transactions that a peer was asked for by this request, and that are not here yet. */
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
    // An answer that is full ends early; what it leaves out stands at its end.
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

  /** A transaction came into the pool or into a block of the main chain, in whatever way: no peer is asked for it any more. */
  onKnown(id: TransactionId): void {
    this.requests.onKnown(id)
  }

  /** What was refused before may be good now. */
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
 * Whether another pool or head than ours would take it in, so that an honest peer may have announced it: one account can give
 * every node another transaction of the same nonce, and each honest node would then be blamed by all the others.
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
