// Blocks that must be had, whatever work they hold, and which peer is asked for each next. No peer can hold one up: where
// one has not answered within a tick another is asked as well, and where one has failed another is asked at once. Of one
// block not more than three answers are under way.
//
// Asked first is a validator, before one that only follows; of these one that was not late before, that promised this
// block by its vote, and that failed longest ago. How a peer did is remembered for as long as it is connected.

import type { BlockId } from '../chain/header.ts'
import { BoundedMap } from '../collections/bounded-map.ts'
import type { Holders } from '../finality/contract.ts'
import type { PeerId } from './effects.ts'

/** Blocks wanted at once: with one alone, what nobody has would keep out what somebody has. */
export const WANTS_MAX = 4
/** Peers that are asked for one block at a time. */
export const ASKED_MAX = 3
/** How many of these may be peers that were late before, so that they can't take all the places. */
const LATE_ASKED_MAX = 2

/** A block that is wanted. */
export interface Want {
  readonly id: BlockId
  readonly promised: Set<PeerId>
  others: readonly PeerId[]
  /** Peers that were asked and do not have it. */
  readonly failed: Set<PeerId>
  /** Asked for alone, or with all before it once its parent proved to be unknown here. */
  part: 'block' | 'headers'
  /** Whether it is decided, and not only proposed. */
  isDecided: boolean
  /** Whether one more is to be asked, beside those that are. */
  isDue: boolean
}

/** How a peer did when it was asked for a block that was wanted. */
interface Standing {
  isLate: boolean
  /** When it failed last, counted in such events. */
  failedTurn: number
}

const UNTRIED: Readonly<Standing> = { isLate: false, failedTurn: 0 }

/** The wanted blocks of one replica. */
export class Wants {
  readonly #wants = new BoundedMap<BlockId, Want>(WANTS_MAX)
  readonly #standings = new Map<PeerId, Standing>()
  #turns = 0

  get size(): number {
    return this.#wants.size
  }

  /** Peers of which it is remembered how they did. */
  get standings(): number {
    return this.#standings.size
  }

  has(id: BlockId): boolean {
    return this.#wants.has(id)
  }

  /** Whether a block is wanted that is decided. */
  get hasDecided(): boolean {
    return this.#wants.values().some(want => want.isDecided)
  }

  get(id: BlockId): Want | undefined {
    return this.#wants.get(id)
  }

  /** All of them, the oldest first; any may be deleted meanwhile. */
  all(): readonly Want[] {
    return [...this.#wants.values()]
  }

  /** Notes a block. One that is wanted already is asked for once more where a peer promises it that did not before. */
  add(id: BlockId, { promised, others }: Holders, isDecided = false): void {
    const want = this.#wants.get(id) ?? this.#create(id)
    want.isDecided ||= isDecided
    want.others = others
    for (const peer of promised) {
      if (want.promised.has(peer)) continue
      want.promised.add(peer)
      // It may not have had the block when it was asked.
      want.failed.delete(peer)
      want.isDue = true
    }
  }

  delete(id: BlockId): void {
    this.#wants.delete(id)
  }

  forgetPeer(peer: PeerId): void {
    this.#standings.delete(peer)
  }

  /** A peer has not answered for a tick. */
  onLate(id: BlockId, peer: PeerId): void {
    this.#standing(peer).isLate = true
    this.#noteFailure(peer)
    const want = this.#wants.get(id)
    if (want !== undefined) want.isDue = true
  }

  /** A peer does not have the block, or never answered. */
  onFailed(id: BlockId, peer: PeerId): void {
    this.#noteFailure(peer)
    const want = this.#wants.get(id)
    if (want === undefined) return
    want.failed.add(peer)
    want.isDue = true
  }

  /** A peer gave the block before it was late. */
  onGiven(peer: PeerId): void {
    this.#standing(peer).isLate = false
  }

  /** The peer to ask next: one of the free ones, beside those that are asked now; null when none is to be asked now. */
  next(want: Want, free: readonly PeerId[], asked: readonly PeerId[]): PeerId | null {
    if (asked.length >= ASKED_MAX || (asked.length > 0 && !want.isDue)) return null
    const [best] = free
      .filter(peer => !want.failed.has(peer) && !asked.includes(peer))
      .map(peer => ({ peer, ranks: this.#ranks(want, peer) }))
      .sort((one, other) => compareRanks(one.ranks, other.ranks))
    if (best === undefined) return null
    const lateCount = asked.filter(peer => this.#of(peer).isLate).length
    return this.#of(best.peer).isLate && lateCount >= LATE_ASKED_MAX ? null : best.peer
  }

  /** What decides the order, the first difference first; a lower number comes first, of equals the longer connected. */
  #ranks({ promised, others }: Want, peer: PeerId): number[] {
    const { isLate, failedTurn } = this.#of(peer)
    const isStranger = !promised.has(peer) && !others.includes(peer)
    return [Number(isStranger), Number(isLate), Number(!promised.has(peer)), failedTurn]
  }

  #create(id: BlockId): Want {
    const want: Want = {
      id,
      promised: new Set(),
      others: [],
      failed: new Set(),
      part: 'block',
      isDecided: false,
      isDue: true,
    }
    this.#wants.set(id, want)
    return want
  }

  #noteFailure(peer: PeerId): void {
    this.#turns += 1
    this.#standing(peer).failedTurn = this.#turns
  }

  #of(peer: PeerId): Readonly<Standing> {
    return this.#standings.get(peer) ?? UNTRIED
  }

  #standing(peer: PeerId): Standing {
    const standing = this.#standings.get(peer) ?? { ...UNTRIED }
    this.#standings.set(peer, standing)
    return standing
  }
}

function compareRanks(one: readonly number[], other: readonly number[]): number {
  const at = one.findIndex((rank, index) => rank !== other[index])
  return at < 0 ? 0 : one[at]! - other[at]!
}
