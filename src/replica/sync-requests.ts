// The requests of a replica that catches up: to each peer at most one for headers and one for bodies. Deadlines are counted
// in ticks, and the clock is not asked, for it may be set. A peer that leaves several unanswered is disconnected.

import type { BlockId } from '../chain/header.ts'
import type { PeerId, ReplicaOutbox } from './effects.ts'
import type { HeadersQuestion } from './header-check.ts'
import type { BodiesRequest } from './suppliers.ts'

/** A request of either kind. */
export type SyncRequest = Omit<BodiesRequest, 'ids'>

/** A request for headers. */
export interface HeadersRequest extends SyncRequest, HeadersQuestion {}

/** Milliseconds between two ticks. */
export const SYNC_TICK_MS = 500
/** Whole ticks that a peer has for an answer. */
export const ANSWER_TICKS = 8
/** Whole ticks after which another peer is asked as well: for headers, and for what finality waits for. */
const LATE_TICKS = 1
/** Requests that a peer may leave unanswered before it is disconnected. */
const STRIKES_MAX = 3

interface AskedPeer {
  strikes: number
  bodies: BodiesRequest | null
  headers: HeadersRequest | null
}

/** The open requests of one replica, and the timer by which their deadlines are counted. */
export class SyncRequests {
  readonly #outbox: ReplicaOutbox
  readonly #peers = new Map<PeerId, AskedPeer>()
  #nextId: number
  #tick = 0
  /** Whether the next tick is due: messages of peers must not put it off. */
  #isTicking = false

  /** `firstId` is from 0 to 2^32 − 1: see `SyncHost` (sync-host.ts). */
  constructor(outbox: ReplicaOutbox, firstId: number) {
    this.#outbox = outbox
    this.#nextId = firstId
  }

  add(peer: PeerId): void {
    this.#peers.set(peer, { strikes: 0, bodies: null, headers: null })
  }

  remove(peer: PeerId): void {
    this.#peers.delete(peer)
  }

  has(peer: PeerId): boolean {
    return this.#peers.has(peer)
  }

  /** All peers, in the order in which they connected. */
  peers(): PeerId[] {
    return [...this.#peers.keys()]
  }

  get peerCount(): number {
    return this.#peers.size
  }

  // ---- ticks

  /** Ticks so far; deadlines are such numbers. */
  get tick(): number {
    return this.#tick
  }

  get isTicking(): boolean {
    return this.#isTicking
  }

  /** The timer has fired. */
  onTick(): void {
    this.#tick += 1
    this.#isTicking = false
  }

  /** Runs the timer while there is anything to wait for. */
  keepTicking(isBusy: boolean): void {
    if (isBusy === this.#isTicking) return
    this.#isTicking = isBusy
    if (isBusy) this.#outbox.emit({ type: 'set-timer', name: 'sync', delayMs: SYNC_TICK_MS })
    else this.#outbox.emit({ type: 'clear-timer', name: 'sync' })
  }

  // ---- requests

  /** Whether any request is open. */
  get isAnyOpen(): boolean {
    return [...this.#peers.values()].some(({ bodies, headers }) => bodies !== null || headers !== null)
  }

  bodiesOf(peer: PeerId): BodiesRequest | null {
    return this.#peers.get(peer)?.bodies ?? null
  }

  headersOf(peer: PeerId): HeadersRequest | null {
    return this.#peers.get(peer)?.headers ?? null
  }

  /** The open requests for headers. */
  openHeaders(): HeadersRequest[] {
    return this.peers().flatMap(peer => this.headersOf(peer) ?? [])
  }

  /** The peers that are asked for this body. */
  askedFor(id: BlockId): PeerId[] {
    return this.peers().filter(peer => this.bodiesOf(peer)?.ids.includes(id) === true)
  }

  askForBodies(peer: PeerId, ids: readonly BlockId[], wanted: BlockId | null): void {
    const request = { ...this.#newRequest(), ids, wanted }
    this.#peers.get(peer)!.bodies = request
    const message = { type: 'get-blocks', requestId: request.id, ids } as const
    this.#outbox.emit({ type: 'send', to: peer, message })
  }

  askForHeaders(
    peer: PeerId,
    question: Pick<HeadersRequest, 'branch' | 'wanted' | 'locator'> & { readonly lateAt?: number },
  ): void {
    const request = { ...this.#newRequest(), ...question }
    this.#peers.get(peer)!.headers = request
    const message = { type: 'get-headers', requestId: request.id, locator: request.locator } as const
    this.#outbox.emit({ type: 'send', to: peer, message })
  }

  /** The request for bodies of a peer is answered, or given up. */
  closeBodies(peer: PeerId): void {
    const asked = this.#peers.get(peer)
    if (asked !== undefined) asked.bodies = null
  }

  /** The request for headers of a peer is answered, or given up. */
  closeHeaders(peer: PeerId): void {
    const asked = this.#peers.get(peer)
    if (asked !== undefined) asked.headers = null
  }

  /** Whether a peer is late with the bodies that it was asked for. */
  isLate(peer: PeerId): boolean {
    return (this.bodiesOf(peer)?.lateAt ?? 0) <= this.#tick
  }

  // ---- strikes

  strikesOf(peer: PeerId): number {
    return this.#peers.get(peer)?.strikes ?? 0
  }

  /** A request was given up. */
  strike(peer: PeerId): void {
    const asked = this.#peers.get(peer)
    if (asked === undefined) return
    asked.strikes += 1
    if (asked.strikes >= STRIKES_MAX) this.#outbox.emit({ type: 'disconnect', peer, reason: 'peer-stalled' })
  }

  clearStrikes(peer: PeerId): void {
    const asked = this.#peers.get(peer)
    if (asked !== undefined) asked.strikes = 0
  }

  #newRequest(): Omit<SyncRequest, 'wanted'> {
    const id = this.#nextId
    this.#nextId = (id + 1) >>> 0
    // The tick that is under way does not count.
    const tick = this.#tick + (this.#isTicking ? 1 : 0)
    return { id, lateAt: tick + LATE_TICKS, deadline: tick + ANSWER_TICKS }
  }
}
