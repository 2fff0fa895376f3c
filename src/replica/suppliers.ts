// How peers answer requests for bodies, and what is asked of each because of it: how many bodies at once, and when again
// after an answer that was late or short.
//
// A peer with little bandwidth may be honest. The group asked of it is halved with each late answer, and grows by one with each
// good one (as the window of TCP does, RFC 5681 section 3.1). A request that is given up is remembered for a while: bodies
// that come late are taken all the same. How large a group may be outlasts the connection, since a peer that is
// disconnected for being late would else be asked for as much again.

import type { BlockId } from '../chain/header.ts'
import { BoundedMap } from '../collections/bounded-map.ts'
import type { PeerId } from './effects.ts'

/** Ticks for which a peer is not asked after a late or short answer, doubled with each one after it. */
const SLOW_TICKS = 2
/** The longest such delay, in ticks. */
const SLOW_TICKS_MAX = 64
/** Short answers after which a peer is asked for no more of one download. */
const SHORT_MAX = 3
/** Late requests of one peer that are remembered. */
export const OVERDUE_MAX = 3
/** Peers, connected or not, whose size of a group is remembered. */
const REMEMBERED_MAX = 1_024

/** A request for bodies. */
export interface BodiesRequest {
  readonly id: number
  /** The ticks by which the answer is late, and by which it is given up. */
  readonly lateAt: number
  readonly deadline: number
  /** The wanted block for which it was made; null for any other reason. */
  readonly wanted: BlockId | null
  readonly ids: readonly BlockId[]
}

interface Supplier {
  /** Late and short answers since the download began. */
  slowCount: number
  shortCount: number
  /** The tick before which it is not asked. */
  slowUntil: number
  /** Requests that were given up, the oldest first. */
  overdue: BodiesRequest[]
}

/** The peers of one replica as givers of bodies. */
export class Suppliers {
  readonly #suppliers = new Map<PeerId, Supplier>()
  readonly #groups = new BoundedMap<PeerId, number>(REMEMBERED_MAX)
  readonly #groupMax: number

  constructor(groupMax: number) {
    this.#groupMax = groupMax
  }

  add(peer: PeerId): void {
    this.#suppliers.set(peer, { slowCount: 0, shortCount: 0, slowUntil: 0, overdue: [] })
  }

  remove(peer: PeerId): void {
    this.#suppliers.delete(peer)
  }

  /** Another download begins, for which each peer has a fresh start. */
  restart(): void {
    for (const supplier of this.#suppliers.values()) {
      supplier.slowCount = 0
      supplier.shortCount = 0
      supplier.slowUntil = 0
    }
  }

  /** How many bodies the peer is asked for at once. */
  groupOf(peer: PeerId): number {
    return this.#groups.get(peer) ?? this.#groupMax
  }

  /** Whether the peer is not asked at this tick. */
  isSlow(peer: PeerId, tick: number): boolean {
    return this.isOut(peer) || (this.#suppliers.get(peer)?.slowUntil ?? 0) > tick
  }

  /** Whether the peer is asked for no more of this download. */
  isOut(peer: PeerId): boolean {
    return (this.#suppliers.get(peer)?.shortCount ?? 0) >= SHORT_MAX
  }

  /** Whether an answer of the peer was late or short since the download began. */
  hasFailed(peer: PeerId): boolean {
    return (this.#suppliers.get(peer)?.slowCount ?? 0) > 0
  }

  /** A request is given up at this tick. */
  onLate(peer: PeerId, request: BodiesRequest, tick: number): void {
    const supplier = this.#suppliers.get(peer)
    if (supplier === undefined) return
    supplier.overdue = [...supplier.overdue, request].slice(-OVERDUE_MAX)
    if (request.ids.length > 1) this.#groups.set(peer, Math.max(1, this.groupOf(peer) >> 1))
    this.#slow(supplier, tick)
  }

  /** An answer lacks bodies that were asked for, and not because they are large. */
  onShort(peer: PeerId, tick: number): void {
    const supplier = this.#suppliers.get(peer)
    if (supplier === undefined) return
    supplier.shortCount += 1
    this.#slow(supplier, tick)
  }

  /** An answer has what was asked for. One that is late ends the delay that its lateness caused. */
  onGood(peer: PeerId, { isLate }: { readonly isLate: boolean }): void {
    const supplier = this.#suppliers.get(peer)
    if (supplier === undefined) return
    supplier.slowUntil = 0
    if (isLate) return
    supplier.slowCount = 0
    const group = this.groupOf(peer)
    if (group < this.#groupMax) this.#groups.set(peer, group + 1)
  }

  /** The request with this id that was given up, if it is remembered. */
  overdue(peer: PeerId, requestId: number): BodiesRequest | null {
    return this.#suppliers.get(peer)?.overdue.find(({ id }) => id === requestId) ?? null
  }

  /** The answer to a request that was given up is here. */
  forgetOverdue(peer: PeerId, requestId: number): void {
    const supplier = this.#suppliers.get(peer)
    if (supplier !== undefined) supplier.overdue = supplier.overdue.filter(({ id }) => id !== requestId)
  }

  /** The largest number of late requests that are remembered of one peer. */
  get overdueSize(): number {
    return Math.max(0, ...[...this.#suppliers.values()].map(({ overdue }) => overdue.length))
  }

  #slow(supplier: Supplier, tick: number): void {
    supplier.slowUntil = tick + Math.min(SLOW_TICKS_MAX, SLOW_TICKS * 2 ** supplier.slowCount)
    supplier.slowCount += 1
  }
}
