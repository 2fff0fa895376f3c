// Which peer that claims to follow more work than ours is asked for headers next. A claim costs nothing to make, so it
// decides nothing but that: work counts when headers prove it.
//
// A claim fails when the request for headers is not answered in time, or the answer holds no branch worth fetching. The peer
// is not asked again for a number of ticks that doubles each time, nor is any peer of its group that has proved nothing yet:
// else a new connection or a new identity would erase the failure. A body that could be connected ends that. Every second
// peer that is asked is the one that has waited longest, whatever others claim: however many there are, each has its turn.

import { BoundedMap } from '../collections/bounded-map.ts'
import type { PeerId } from './effects.ts'

/** Ticks after the first failure, doubled with each one after it; an honest peer whose answer was lost waits for a second. */
const DELAY_TICKS = 2
/** Ticks that no failure makes longer: what was a liar's address may be another peer's by now. */
export const DELAY_TICKS_MAX = 64
/** Ticks until a deferred claim is looked into again: it is no failure, and still costs us an answer. */
const DEFER_TICKS = 8
/** Peers, and groups of them, whose failures are remembered, connected or not. */
const REMEMBERED_MAX = 1_024

/** How a peer came to be connected. */
export interface PeerOrigin {
  /** Whether this node opened the connection. */
  readonly isOutbound: boolean
  /** What it has in common with other identities of the same owner, such as the network of its address. */
  readonly group: string
}

interface Claimant extends PeerOrigin {
  /** Cumulative work that the peer claims to follow; zero once the claim failed. */
  work: bigint
  /** When it was connected or asked last, counted in such events. */
  turn: number
  /** Whether the node assumes this work, and the peer did not claim it: it sent a block on a branch that is not here. */
  isAssumed: boolean
  /** Whether it gave a body that could be connected. */
  hasProved: boolean
  /** The tick before which nothing is asked because its claim was deferred. */
  deferredUntil: number
}

interface Failures {
  readonly count: number
  /** The tick before which nothing is asked. */
  readonly until: number
}

/** The claims of the peers of one replica. */
export class Claims {
  readonly #claimants = new Map<PeerId, Claimant>()
  readonly #ofPeers = new BoundedMap<PeerId, Failures>(REMEMBERED_MAX)
  readonly #ofGroups = new BoundedMap<string, Failures>(REMEMBERED_MAX)
  #turns = 0
  #picks = 0

  add(peer: PeerId, { isOutbound, group }: PeerOrigin): void {
    const turn = ++this.#turns
    const claimant = {
      isOutbound,
      group,
      work: 0n,
      isAssumed: false,
      turn,
      hasProved: false,
      deferredUntil: 0,
    }
    this.#claimants.set(peer, claimant)
  }

  /** Forgets the peer, and not how it failed. */
  remove(peer: PeerId): void {
    this.#claimants.delete(peer)
  }

  /** A peer says how much work it follows. */
  claim(peer: PeerId, work: bigint): void {
    const claimant = this.#claimants.get(peer)
    if (claimant === undefined) return
    claimant.work = work
    claimant.isAssumed = false
  }

  /** A peer follows a branch that is not here: it is assumed to hold this work, unless the peer claims as much itself. */
  assume(peer: PeerId, work: bigint): void {
    const claimant = this.#claimants.get(peer)
    if (claimant === undefined || claimant.work >= work) return
    claimant.work = work
    claimant.isAssumed = true
  }

  /** What a peer claims; zero where it claims nothing, or where that failed. */
  of(peer: PeerId): bigint {
    return this.#claimants.get(peer)?.work ?? 0n
  }

  /** Whether the peer did not claim this work itself. */
  isAssumed(peer: PeerId): boolean {
    return this.#claimants.get(peer)?.isAssumed ?? false
  }

  /** The claim proved empty, at this tick. */
  fail(peer: PeerId, tick: number): void {
    const claimant = this.#claimants.get(peer)
    if (claimant === undefined) return
    claimant.work = 0n
    const { group } = claimant
    this.#ofPeers.set(peer, oneMore(this.#ofPeers.get(peer), tick))
    this.#ofGroups.set(group, oneMore(this.#ofGroups.get(group), tick))
  }

  /** The claim led to nothing, but the peer may be honest: its blocks are not due by our clock, or it claimed nothing. */
  defer(peer: PeerId, tick: number): void {
    const claimant = this.#claimants.get(peer)
    if (claimant === undefined) return
    claimant.work = 0n
    claimant.deferredUntil = tick + DEFER_TICKS
  }

  /**
   * A body that the peer gave is connected: its failures are forgotten each time, and those of its group the first time.
   * Else one peer of a group could clear the others for ever.
   */
  prove(peer: PeerId): void {
    const claimant = this.#claimants.get(peer)
    if (claimant === undefined) return
    this.#ofPeers.delete(peer)
    if (claimant.hasProved) return
    claimant.hasProved = true
    this.#ofGroups.delete(claimant.group)
  }

  hasProved(peer: PeerId): boolean {
    return this.#claimants.get(peer)?.hasProved ?? false
  }

  /**
   * The peer to ask next, of those that claim more than this work, may be asked at this tick and are free: by turns the
   * best, which is one that we chose before others, with few failures, and of equals the one that claims the most; and the
   * one that has waited longest.
   */
  next(work: bigint, tick: number, isFree: (peer: PeerId) => boolean): PeerId | null {
    const isOldestDue = this.#picks % 2 === 1
    let best: PeerId | null = null
    for (const [peer, claimant] of this.#claimants) {
      if (claimant.work <= work || this.#waitsUntil(peer, claimant) > tick || !isFree(peer)) continue
      if (best === null || this.#isBefore(peer, best, isOldestDue)) best = peer
    }
    if (best === null) return null
    this.#picks += 1
    this.#claimants.get(best)!.turn = ++this.#turns
    return best
  }

  /** Whether any peer is not asked at this tick that may be asked later. */
  isWaiting(tick: number): boolean {
    return [...this.#claimants].some(([peer, claimant]) => this.#waitsUntil(peer, claimant) > tick)
  }

  #waitsUntil(peer: PeerId, { group, hasProved, deferredUntil }: Claimant): number {
    const own = this.#ofPeers.get(peer)?.until ?? 0
    const ofGroup = hasProved ? 0 : (this.#ofGroups.get(group)?.until ?? 0)
    return Math.max(own, ofGroup, deferredUntil)
  }

  #isBefore(peer: PeerId, other: PeerId, isOldestDue: boolean): boolean {
    const one = this.#claimants.get(peer)!
    const two = this.#claimants.get(other)!
    if (isOldestDue) return one.turn < two.turn
    if (one.isOutbound !== two.isOutbound) return one.isOutbound
    const failures = this.#failuresOf(peer) - this.#failuresOf(other)
    return failures === 0 ? one.work > two.work : failures < 0
  }

  #failuresOf(peer: PeerId): number {
    return this.#ofPeers.get(peer)?.count ?? 0
  }
}

function oneMore(failures: Failures | undefined, tick: number): Failures {
  const count = (failures?.count ?? 0) + 1
  return { count, until: tick + Math.min(DELAY_TICKS_MAX, DELAY_TICKS * 2 ** (count - 1)) }
}
