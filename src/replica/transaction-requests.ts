// Which peer is asked for which announced transaction, and what pays for it (relay-budget.ts).
//
// An id is first requested of the peer that announced it first. If that peer does not deliver within a tick, the id is late,
// and its announcers take turns: the best of them, then the earliest, then the best again. Useful peers deliver an id soon,
// however many strangers announced it before them. Every second turn goes by order of announcement, so that neither
// short-lived identities nor validators keep an id from being requested of each peer that announced it: with n peers before it
// in that order this takes at most 2n + 1 turns of LATE_TICKS + 1 ticks each. One file, because the choice of a peer and
// the bookkeeping of requests share all of their state.

import type { TransactionId } from '../chain/transaction.ts'
import { BoundedMap } from '../collections/bounded-map.ts'
import { Announced } from './announced.ts'
import type { PeerId, ReplicaOutbox } from './effects.ts'
import { type Account, CREDIT_MAX, type Payment, RelayBudget, type RelayOutcome } from './relay-budget.ts'

/** What the requests need of their replica. */
export interface RequestsHost {
  readonly outbox: ReplicaOutbox
  /** Whether a transaction is in the pool, or in a block of the main chain. */
  isKnown(id: TransactionId): boolean
  /** Whether a peer speaks for a validator. */
  isTrusted(peer: PeerId): boolean
  /** As for `Sync`: an answer to a request before a restart is not taken for one to a later request. */
  readonly firstRequestId: number
  /** Transactions in one announcement or request. */
  readonly transactionsMax: number
}

/** Milliseconds between two ticks, in which deadlines are counted and budgets are refilled. */
const TICK_MS = 500
/** Whole ticks after which another peer is asked as well, and after which a request is given up. */
const LATE_TICKS = 1
const ANSWER_TICKS = 8
/** Open requests to one peer. */
const REQUESTS_MAX = 4
/** Disconnected peers whose accounts are kept: one that reconnects has what it had. */
const ACCOUNTS_MAX = 1_024
/** Peers with a lower score are asked at ticks only, so that any other announcer of an id is asked before them. */
const PROMPT_SCORE_MIN = -16

interface AskedPeer {
  readonly account: Account
  readonly requests: Set<TransactionRequest>
  /** When it was asked last, counted in requests; for a new peer, when it came. */
  askedAt: number
}

/** An open request to one peer. */
export interface TransactionRequest {
  readonly id: number
  readonly peer: PeerId
  /** The requested ids, in order, and how each was paid for. */
  readonly asked: ReadonlyMap<TransactionId, Payment>
  /** The ticks at which others are asked too, and at which it is given up. */
  readonly lateAt: number
  readonly deadline: number
}

/** The part of the shared pool that each peer may use now. */
type Parts = Map<PeerId, number>

/** The requests of one replica for transactions. */
export class TransactionRequests {
  readonly #host: RequestsHost
  readonly #budget = new RelayBudget()
  readonly #peers = new Map<PeerId, AskedPeer>()
  readonly #left = new BoundedMap<PeerId, Account>(ACCOUNTS_MAX)
  readonly #requests = new Map<number, TransactionRequest>()
  /** The open request for each id that is not late. */
  readonly #asking = new Map<TransactionId, TransactionRequest>()
  readonly #announced = new Announced()
  /** Late ids that other peers announced too, and how many requests for each were late. */
  readonly #late = new Map<TransactionId, number>()
  #requestCount = 0
  #ticks = 0
  #isTicking = false

  constructor(host: RequestsHost) {
    this.#host = host
  }

  /** Announced ids that wait to be requested. */
  get waitingCount(): number {
    return this.#announced.size
  }

  /** What is left of the shared pool. */
  get sharedCount(): number {
    return this.#budget.shared
  }

  /** The score of a connected peer. */
  scoreOf(id: PeerId): number | undefined {
    return this.#peers.get(id)?.account.score
  }

  addPeer(id: PeerId): void {
    const account = this.#left.get(id) ?? this.#budget.open()
    this.#left.delete(id)
    // A new peer comes after all others: no number of new identities keeps an old peer waiting.
    this.#peers.set(id, { account, requests: new Set(), askedAt: this.#requestCount })
  }

  removePeer(id: PeerId): void {
    const peer = this.#peers.get(id)
    if (peer === undefined) return
    this.#announced.deletePeer(id)
    const asked = [...peer.requests].flatMap(request => [...request.asked.keys()])
    for (const request of [...peer.requests]) this.#giveUp(request)
    this.#peers.delete(id)
    this.#left.set(id, peer.account)
    this.#askAll(asked)
  }

  /** Notes what a peer has, and requests it at once unless others should be asked first. */
  onAnnounce(from: PeerId, ids: readonly TransactionId[]): void {
    const peer = this.#peers.get(from)
    if (peer === undefined) return
    for (const id of ids) this.#list(from, id)
    if (peer.account.score >= PROMPT_SCORE_MIN || this.#host.isTrusted(from)) this.#ask(from, peer)
    this.#keepTicking()
  }

  /** The open request with this id to this peer. */
  find(from: PeerId, requestId: number): TransactionRequest | null {
    const request = this.#requests.get(requestId)
    return request?.peer === from ? request : null
  }

  /** Handles an answer. `outcomeOf` gives the outcome of each transaction; null when the answer ended before it. */
  onAnswer(request: TransactionRequest, outcomeOf: (id: TransactionId) => RelayOutcome | null): void {
    const { account } = this.#peers.get(request.peer)!
    this.#close(request)
    for (const [id, payment] of request.asked) {
      const outcome = outcomeOf(id)
      this.#budget.settle(account, payment, outcome ?? 'known')
      if (outcome === null) this.#list(request.peer, id)
    }
    this.#askAll(request.asked.keys())
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
    this.#askAll(this.#late.keys())
    this.#keepTicking()
  }

  /** Requests an id no more: it is known, or useless. An answer in flight is still accepted. */
  drop(id: TransactionId): void {
    this.#announced.deleteId(id)
    this.#late.delete(id)
  }

  /** A transaction is in the pool or in a block of the main chain. */
  onKnown(id: TransactionId): void {
    this.drop(id)
    const request = this.#asking.get(id)
    if (request === undefined) return
    this.#asking.delete(id)
    if (this.#isDone(request)) this.#giveUp(request)
  }

  // ---- which peer to ask for what

  /** Notes that a peer has a transaction, unless it is known or already requested of this peer. */
  #list(peer: PeerId, id: TransactionId): void {
    if (!this.#host.isKnown(id) && this.#asking.get(id)?.peer !== peer) this.#announced.add(peer, id)
  }

  /** Requests what waits: late ids by turns, then of each peer what it was the first to announce. */
  #askAll(late: Iterable<TransactionId>): void {
    const waiting = [...this.#peers]
      .filter(([id]) => this.#announced.of(id).size > 0)
      .map(([id, peer]) => ({ id, peer, isTrusted: this.#host.isTrusted(id) }))
      .toSorted(
        (a, b) =>
          Number(b.isTrusted) - Number(a.isTrusted) ||
          b.peer.account.score - a.peer.account.score ||
          a.peer.askedAt - b.peer.askedAt,
      )
    // In equal parts, or the first of many strangers would take the whole shared pool. A tick gives at least one to each.
    const part = Math.max(1, Math.floor(this.#budget.shared / Math.max(1, waiting.length)))
    const parts: Parts = new Map(waiting.map(({ id }) => [id, part]))
    this.#askByTurns([...late], parts)
    for (const { id, peer } of waiting) this.#ask(id, peer, parts)
  }

  /** Requests each late id of the announcer whose turn it is. */
  #askByTurns(ids: readonly TransactionId[], parts: Parts): void {
    const chosen = new Map<PeerId, Map<TransactionId, Payment>>()
    for (const tx of ids) {
      const turn = this.#late.get(tx)
      if (turn === undefined || this.#asking.has(tx)) continue
      if (this.#announced.holdersOf(tx).size === 0) this.#late.delete(tx)
      const id = this.#nextHolder(tx, turn, parts)
      if (id === null) continue
      const asked = chosen.get(id) ?? new Map<TransactionId, Payment>()
      chosen.set(id, asked)
      this.#pay(id, tx, asked, parts)
      if (asked.size < this.#host.transactionsMax) continue
      this.#send(id, asked)
      chosen.delete(id)
    }
    for (const [id, asked] of chosen) this.#send(id, asked)
  }

  /** Of the announcers that can be asked now, the first; at every other turn the best: a validator, or the highest score. */
  #nextHolder(tx: TransactionId, turn: number, parts: Parts): PeerId | null {
    let best: { id: PeerId; isTrusted: boolean; score: number } | null = null
    for (const id of this.#announced.holdersOf(tx)) {
      const peer = this.#peers.get(id)!
      if (!this.#canAsk(id, peer, parts)) continue
      if (turn % 2 === 0) return id
      const isTrusted = this.#host.isTrusted(id)
      const { score } = peer.account
      const isBetter =
        best === null || (isTrusted === best.isTrusted ? score > best.score : isTrusted && !best.isTrusted)
      if (isBetter) best = { id, isTrusted, score }
    }
    return best?.id ?? null
  }

  /** Requests of a peer what is requested of no other. */
  #ask(id: PeerId, peer: AskedPeer, parts: Parts = new Map([[id, CREDIT_MAX]])): void {
    while (this.#canAsk(id, peer, parts)) {
      const asked = new Map<TransactionId, Payment>()
      for (const tx of this.#announced.of(id)) {
        if (asked.size === this.#host.transactionsMax) break
        if (this.#asking.has(tx) || this.#late.has(tx)) continue
        if (!this.#pay(id, tx, asked, parts)) break
      }
      if (asked.size === 0) return
      this.#send(id, asked)
    }
  }

  #canAsk(id: PeerId, { account, requests }: AskedPeer, parts: Parts): boolean {
    if (requests.size >= REQUESTS_MAX) return false
    return this.#budget.choose(account, this.#host.isTrusted(id), (parts.get(id) ?? 0) > 0) !== null
  }

  /** Pays for an id and adds it to a request; false when that is not possible now. */
  #pay(id: PeerId, tx: TransactionId, asked: Map<TransactionId, Payment>, parts: Parts): boolean {
    const { account } = this.#peers.get(id)!
    const part = parts.get(id) ?? 0
    const payment = this.#budget.pay(account, this.#host.isTrusted(id), part > 0)
    if (payment === null) return false
    if (payment === 'shared') parts.set(id, part - 1)
    this.#announced.delete(id, tx)
    asked.set(tx, payment)
    return true
  }

  // ---- the life of a request

  #send(id: PeerId, asked: ReadonlyMap<TransactionId, Payment>): void {
    const peer = this.#peers.get(id)!
    const requestId = (this.#host.firstRequestId + this.#requestCount) % 2 ** 32
    this.#requestCount += 1
    const request: TransactionRequest = {
      id: requestId,
      peer: id,
      asked,
      // The tick that is running does not count.
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

  /** Allows its ids to be requested of others; the answer is still accepted. */
  #release(request: TransactionRequest): void {
    for (const tx of request.asked.keys()) {
      if (this.#asking.get(tx) !== request) continue
      this.#asking.delete(tx)
      // Without another announcer there is no turn to take.
      if (this.#announced.holdersOf(tx).size > 0) this.#late.set(tx, (this.#late.get(tx) ?? 0) + 1)
      else this.#late.delete(tx)
    }
  }

  #close(request: TransactionRequest): void {
    this.#release(request)
    this.#requests.delete(request.id)
    this.#peers.get(request.peer)?.requests.delete(request)
  }

  /** Whether all its ids are known. */
  #isDone(request: TransactionRequest): boolean {
    for (const tx of request.asked.keys()) if (!this.#host.isKnown(tx)) return false
    return true
  }

  /** Gives up a request: its answer is overdue, or would hold nothing new. */
  #giveUp(request: TransactionRequest): void {
    const peer = this.#peers.get(request.peer)
    for (const [tx, payment] of request.asked) {
      const outcome = this.#host.isKnown(tx) ? 'known' : 'withheld'
      if (peer !== undefined) this.#budget.settle(peer.account, payment, outcome)
    }
    this.#close(request)
  }

  /** Keeps the timer running while there is something to wait for. */
  #keepTicking(): void {
    const isIdle = this.#requests.size === 0 && this.#announced.size === 0 && this.#budget.isFull
    const isPaid = [...this.#peers.values()].every(({ account }) => account.credit === CREDIT_MAX)
    if (this.#isTicking || (isIdle && isPaid)) return
    this.#isTicking = true
    this.#host.outbox.emit({ type: 'set-timer', name: 'transactions', delayMs: TICK_MS })
  }
}
