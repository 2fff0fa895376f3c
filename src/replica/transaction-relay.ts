// How transactions travel: announced by their ids to all peers, and pulled from one of them (as in eth/68, and in Bitcoin's
// inv and getdata).
//
// An id that is new here is asked for at the first peer that announces it; when that peer does not give it within a tick, at
// the next. Who announces often what can't be used is asked last, and less (relay-budget.ts), and is never disconnected for
// it: funds are a matter of the head that one follows. What a peer can grow here is bounded: the oldest is forgotten, and
// who handed a transaction in announces it again until a block holds it.

import type { Transaction, TransactionId } from '../chain/transaction.ts'
import { Announced } from './announced.ts'
import { BoundedMap } from './bounded-map.ts'
import type { Outbox, PeerId } from './effects.ts'
import { fittingTransactions } from './messages.ts'
import { type Account, CREDIT_MAX, type Payment, RelayBudget, type RelayOutcome } from './relay-budget.ts'
import { type Rejection, verdictOn } from './verdict.ts'

/** What the relay needs of its replica. */
export interface RelayHost {
  readonly outbox: Outbox
  /** A transaction that waits here. */
  pooled(id: TransactionId): Transaction | undefined
  /** Whether a transaction waits here, or is in a block of the main chain. */
  isKnown(id: TransactionId): boolean
  /** Takes a transaction into the pool, behind a gap or not; the reason when it is refused. */
  take(tx: Transaction): 'pending' | 'future' | Rejection
  /** Whether a peer speaks for a validator. */
  isTrusted(peer: PeerId): boolean
  /** As for `Sync`: no answer to an earlier life is taken for one to this. */
  readonly firstRequestId: number
  /** Transactions in one announcement or request. */
  readonly transactionsMax: number
}

/** Milliseconds between an announcement that is made here and its being sent, with others. */
const ANNOUNCE_DELAY_MS = 15
/** Milliseconds between two ticks, in which answers are waited for and budgets are refilled. */
const TICK_MS = 500
/** Whole ticks after which another peer is asked too, and after which an answer is not waited for any more. */
const LATE_TICKS = 1
const ANSWER_TICKS = 8
/** Requests to one peer that may be under way. */
const REQUESTS_MAX = 4
/** Ids of which is remembered that a peer has them. One that is forgotten is announced once more than needed. */
const HEARD_MAX = 1_024
/** Ids that are remembered as refused, until the head moves. */
const REFUSED_MAX = 16_384
/** Peers whose accounts are kept after they left: who comes back has what it had. */
const ACCOUNTS_MAX = 1_024
/** A peer with a lower score is asked at ticks only, so that any other that announces the same is asked before it. */
const PROMPT_SCORE_MIN = -16

interface RelayPeer {
  readonly account: Account
  readonly heard: BoundedMap<TransactionId, true>
  readonly requests: Set<Request>
  /** When it was asked last, counted in requests. */
  askedAt: number
}

interface Request {
  readonly id: number
  readonly peer: PeerId
  /** What it asks for, in its order, and how each was paid for. */
  readonly asked: ReadonlyMap<TransactionId, Payment>
  /** The ticks at which others are asked too, and at which it is given up. */
  readonly lateAt: number
  readonly deadline: number
}

/** The part of a replica that passes transactions on. */
export class TransactionRelay {
  readonly #host: RelayHost
  readonly #budget = new RelayBudget()
  readonly #peers = new Map<PeerId, RelayPeer>()
  readonly #left = new BoundedMap<PeerId, Account>(ACCOUNTS_MAX)
  readonly #requests = new Map<number, Request>()
  /** The request by which each id is asked for that is not late. */
  readonly #asking = new Map<TransactionId, Request>()
  readonly #announced = new Announced()
  #refused = new BoundedMap<TransactionId, true>(REFUSED_MAX)
  #toAnnounce: TransactionId[] = []
  #requestCount = 0
  #ticks = 0
  #isTicking = false

  constructor(host: RelayHost) {
    this.#host = host
  }

  /** How many announced ids wait to be asked for. */
  get waitingCount(): number {
    return this.#announced.size
  }

  addPeer(id: PeerId): void {
    const account = this.#left.get(id) ?? this.#budget.open()
    this.#left.delete(id)
    const heard = new BoundedMap<TransactionId, true>(HEARD_MAX)
    this.#peers.set(id, { account, heard, requests: new Set(), askedAt: 0 })
  }

  removePeer(id: PeerId): void {
    const peer = this.#peers.get(id)
    if (peer === undefined) return
    for (const request of [...peer.requests]) this.#giveUp(request)
    this.#announced.deletePeer(id)
    this.#peers.delete(id)
    this.#left.set(id, peer.account)
    this.#askAll()
  }

  // ---- what is here, for others

  /** Announces a transaction of the pool, a moment later and with others. */
  announce(id: TransactionId): void {
    this.#toAnnounce.push(id)
    if (this.#toAnnounce.length >= this.#host.transactionsMax) this.flush()
    else if (this.#toAnnounce.length === 1)
      this.#host.outbox.emit({ type: 'set-timer', name: 'gossip', delayMs: ANNOUNCE_DELAY_MS })
  }

  /** Sends what is to be announced to everybody that does not have it. */
  flush(): void {
    const ids = this.#toAnnounce.filter(id => this.#host.pooled(id) !== undefined)
    this.#toAnnounce = []
    for (const [id, peer] of this.#peers) {
      this.announceTo(
        id,
        ids.filter(tx => !peer.heard.has(tx)),
      )
    }
    this.#host.outbox.emit({ type: 'clear-timer', name: 'gossip' })
  }

  /** Announces to one peer, whatever it was told before: words get lost. */
  announceTo(id: PeerId, ids: readonly TransactionId[]): void {
    const peer = this.#peers.get(id)
    const { transactionsMax, outbox } = this.#host
    for (const tx of ids) peer?.heard.set(tx, true)
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
    const peer = this.#peers.get(from)
    if (peer === undefined) return
    for (const id of ids) {
      peer.heard.set(id, true)
      if (!this.#refused.has(id)) this.#list(from, id)
    }
    if (peer.account.score >= PROMPT_SCORE_MIN || this.#host.isTrusted(from)) this.#ask(from, peer)
    this.#keepTicking()
  }

  /** Whether a peer was asked for this answer. */
  isAsked(from: PeerId, requestId: number): boolean {
    return this.#requests.get(requestId)?.peer === from
  }

  /** Those of the transactions that a peer was asked for by this request, and that are not here yet. */
  wanted(from: PeerId, requestId: number, transactions: readonly Transaction[]): readonly Transaction[] {
    const request = this.#requests.get(requestId)
    if (request?.peer !== from) return []
    return transactions.filter(({ id }) => request.asked.has(id) && !this.#host.isKnown(id))
  }

  onAnswer(from: PeerId, requestId: number, transactions: readonly Transaction[]): void {
    const { outbox } = this.#host
    const request = this.#requests.get(requestId)
    const peer = this.#peers.get(from)
    if (request?.peer !== from || peer === undefined)
      return outbox.emit({ type: 'reject', from, reason: 'peer-answer-unasked' })
    this.#close(request)
    const given = new Map(transactions.map(tx => [tx.id, tx]))
    const lastGiven = [...request.asked.keys()].findLastIndex(id => given.has(id))
    const rejections: Rejection[] = []
    for (const [index, [id, payment]] of [...request.asked].entries()) {
      const tx = given.get(id)
      // An answer that is full ends early; what it leaves out stands at its end.
      const isCutOff = tx === undefined && lastGiven !== -1 && index > lastGiven
      const outcome = this.#outcomeOf(id, tx, isCutOff, rejections)
      this.#budget.settle(peer.account, payment, outcome)
      if (isCutOff) this.#list(from, id)
    }
    const worst =
      rejections.find(reason => verdictOn(reason) === 'punish') ??
      (rejections.length === request.asked.size ? rejections[0] : undefined)
    if (worst !== undefined) outbox.emit({ type: 'reject', from, reason: worst })
    this.#askAll()
    this.#keepTicking()
  }

  onTick(): void {
    this.#ticks += 1
    this.#isTicking = false
    for (const request of [...this.#requests.values()]) {
      if (this.#ticks >= request.deadline) this.#giveUp(request)
      else if (this.#ticks >= request.lateAt) this.#release(request)
    }
    this.#budget.refill([...this.#peers.values()].map(peer => peer.account))
    this.#askAll()
    this.#keepTicking()
  }

  /** A transaction came into the pool or into a block of the main chain, in whatever way: nobody is asked for it any more. */
  onKnown(id: TransactionId): void {
    this.#announced.deleteId(id)
    const request = this.#asking.get(id)
    if (request === undefined) return
    this.#asking.delete(id)
    if (this.#isDone(request)) this.#giveUp(request)
  }

  /** What was refused before may be good now. */
  onHead(): void {
    this.#refused = new BoundedMap(REFUSED_MAX)
  }

  // ---- the state of one id

  #outcomeOf(
    id: TransactionId,
    tx: Transaction | undefined,
    isCutOff: boolean,
    rejections: Rejection[],
  ): RelayOutcome {
    if (this.#host.isKnown(id) || isCutOff) return 'known'
    if (tx === undefined) return 'withheld'
    const taken = this.#host.take(tx)
    if (taken === 'pending') return 'useful'
    if (taken === 'future') return 'future'
    rejections.push(taken)
    this.#refused.set(id, true)
    this.#announced.deleteId(id)
    return 'useless'
  }

  /** Notes what a peer has, unless it is here or this peer is asked for it. */
  #list(peer: PeerId, id: TransactionId): void {
    if (!this.#host.isKnown(id) && this.#asking.get(id)?.peer !== peer) this.#announced.add(peer, id)
  }

  // ---- requests

  /** Asks everybody for what waits: validators first, then the most useful, then who was asked longest ago. */
  #askAll(): void {
    const waiting = [...this.#peers]
      .filter(([id]) => this.#announced.of(id).size > 0)
      .map(([id, peer]) => ({ id, peer, isTrusted: this.#host.isTrusted(id) }))
      .toSorted(
        (a, b) =>
          Number(b.isTrusted) - Number(a.isTrusted) ||
          b.peer.account.score - a.peer.account.score ||
          a.peer.askedAt - b.peer.askedAt,
      )
    // In equal parts, or the first of many strangers takes all that there is for them.
    const part = Math.ceil(this.#budget.shared / Math.max(1, waiting.length))
    for (const { id, peer } of waiting) this.#ask(id, peer, part)
  }

  #ask(id: PeerId, peer: RelayPeer, sharedMax = CREDIT_MAX): void {
    let sharedLeft = sharedMax
    while (peer.requests.size < REQUESTS_MAX) {
      const asked = this.#choose(id, peer, sharedLeft)
      if (asked.size === 0) return
      for (const payment of asked.values()) if (payment === 'shared') sharedLeft -= 1
      this.#send(id, peer, asked)
    }
  }

  /** What a peer is asked for next, and paid for. */
  #choose(id: PeerId, peer: RelayPeer, sharedMax: number): Map<TransactionId, Payment> {
    const asked = new Map<TransactionId, Payment>()
    const isTrusted = this.#host.isTrusted(id)
    let sharedLeft = sharedMax
    for (const tx of this.#announced.of(id)) {
      if (asked.size === this.#host.transactionsMax) break
      if (this.#asking.has(tx)) continue
      const payment = this.#budget.pay(peer.account, isTrusted, sharedLeft > 0)
      if (payment === null) break
      if (payment === 'shared') sharedLeft -= 1
      this.#announced.delete(id, tx)
      asked.set(tx, payment)
    }
    return asked
  }

  #send(id: PeerId, peer: RelayPeer, asked: ReadonlyMap<TransactionId, Payment>): void {
    const requestId = (this.#host.firstRequestId + this.#requestCount) % 2 ** 32
    this.#requestCount += 1
    const request: Request = {
      id: requestId,
      peer: id,
      asked,
      // A part of the running tick is no whole one.
      lateAt: this.#ticks + 1 + LATE_TICKS,
      deadline: this.#ticks + 1 + ANSWER_TICKS,
    }
    this.#requests.set(requestId, request)
    peer.requests.add(request)
    peer.askedAt = this.#requestCount
    for (const tx of asked.keys()) this.#asking.set(tx, request)
    const message = { type: 'get-transactions', requestId, ids: [...asked.keys()] } as const
    this.#host.outbox.emit({ type: 'send', to: id, message })
  }

  /** Lets others be asked for what this request asks for; its answer is still welcome. */
  #release(request: Request): void {
    for (const tx of request.asked.keys()) if (this.#asking.get(tx) === request) this.#asking.delete(tx)
  }

  #close(request: Request): void {
    this.#release(request)
    this.#requests.delete(request.id)
    this.#peers.get(request.peer)?.requests.delete(request)
  }

  /** Whether all that it asks for is here. */
  #isDone(request: Request): boolean {
    for (const tx of request.asked.keys()) if (!this.#host.isKnown(tx)) return false
    return true
  }

  /** Waits for an answer no longer: it has not come, or would hold nothing new. */
  #giveUp(request: Request): void {
    const peer = this.#peers.get(request.peer)
    for (const [tx, payment] of request.asked) {
      const outcome = this.#host.isKnown(tx) ? 'known' : 'withheld'
      if (peer !== undefined) this.#budget.settle(peer.account, payment, outcome)
    }
    this.#close(request)
  }

  /** Ticks while there is something to wait for. */
  #keepTicking(): void {
    const isIdle = this.#requests.size === 0 && this.#announced.size === 0 && this.#budget.isFull
    const isPaid = [...this.#peers.values()].every(({ account }) => account.credit === CREDIT_MAX)
    if (this.#isTicking || (isIdle && isPaid)) return
    this.#isTicking = true
    this.#host.outbox.emit({ type: 'set-timer', name: 'transactions', delayMs: TICK_MS })
  }
}
