// Blocks that the finality layer needs, whatever work they hold, and which peer is asked for each next. No single peer can
// delay one: when a peer has not answered within a tick another is asked as well, and when one has failed another is asked
// at once. At most three requests for one block are in flight.
//
// Validators are asked before other peers. Among equals the order is: peers that were not late before, peers that promised
// this block by their vote, and then the one that failed longest ago. A peer's record lasts as long as its connection.

import type { BlockId } from '../chain/header.ts'
import { BoundedMap } from '../collections/bounded-map.ts'
import type { Holders } from '../finality/contract.ts'
import type { PeerId } from './effects.ts'

/** Blocks wanted at once. With one alone, a block that no peer has would keep out one that can be fetched. */
export const WANTED_MAX = 4
/** Peers that are asked for one block at a time. */
export const ASKED_MAX = 3
/** How many of these may be peers that were late before, so that such peers can't take all the places. */
const LATE_ASKED_MAX = 2

/** A wanted block, and what is known of peers that may have it. */
export interface WantedBlock {
  readonly id: BlockId
  /** Peers that promised to have it, by a vote for it. */
  readonly promised: Set<PeerId>
  /** Other validators. */
  others: readonly PeerId[]
  /** Peers that were asked and do not have it. */
  readonly failed: Set<PeerId>
  /** Requested alone, or as headers with all its ancestors once its parent turned out to be unknown. */
  part: 'block' | 'headers'
  /** Whether it is decided, not only proposed. */
  isDecided: boolean
  /** Whether one more peer should be asked, besides those that are. */
  isDue: boolean
}

/** How a peer answered requests for wanted blocks. */
interface Standing {
  isLate: boolean
  /** Its last failure, as a count of all failures so far. */
  failedTurn: number
}

const UNTRIED: Readonly<Standing> = { isLate: false, failedTurn: 0 }

/** The wanted blocks of one replica. */
export class WantedBlocks {
  readonly #wanted = new BoundedMap<BlockId, WantedBlock>(WANTED_MAX)
  readonly #standings = new Map<PeerId, Standing>()
  #turns = 0

  get size(): number {
    return this.#wanted.size
  }

  /** Number of peers with a record. */
  get standings(): number {
    return this.#standings.size
  }

  has(id: BlockId): boolean {
    return this.#wanted.has(id)
  }

  /** Whether any wanted block is decided. */
  get hasDecided(): boolean {
    return this.#wanted.values().some(wanted => wanted.isDecided)
  }

  get(id: BlockId): WantedBlock | undefined {
    return this.#wanted.get(id)
  }

  /** All of them, the oldest first, as a copy. */
  all(): readonly WantedBlock[] {
    return [...this.#wanted.values()]
  }

  /** Adds a block. If it is wanted already, a new promise from a peer makes one more request due. */
  add(id: BlockId, { promised, others }: Holders, isDecided = false): void {
    const wanted = this.#wanted.get(id) ?? this.#create(id)
    wanted.isDecided ||= isDecided
    wanted.others = others
    for (const peer of promised) {
      if (wanted.promised.has(peer)) continue
      wanted.promised.add(peer)
      // It may not have had the block when it was asked.
      wanted.failed.delete(peer)
      wanted.isDue = true
    }
  }

  delete(id: BlockId): void {
    this.#wanted.delete(id)
  }

  forgetPeer(peer: PeerId): void {
    this.#standings.delete(peer)
  }

  /** A peer has not answered for a tick. */
  onLate(id: BlockId, peer: PeerId): void {
    this.#standing(peer).isLate = true
    this.#noteFailure(peer)
    const wanted = this.#wanted.get(id)
    if (wanted !== undefined) wanted.isDue = true
  }

  /** A peer does not have the block, or never answered. */
  onFailed(id: BlockId, peer: PeerId): void {
    this.#noteFailure(peer)
    const wanted = this.#wanted.get(id)
    if (wanted === undefined) return
    wanted.failed.add(peer)
    wanted.isDue = true
  }

  /** A peer gave the block before it was late. */
  onGiven(peer: PeerId): void {
    this.#standing(peer).isLate = false
  }

  /** The peer to ask next, one of `free`, given the peers `asked` now; null when no request is due. */
  next(wanted: WantedBlock, free: readonly PeerId[], asked: readonly PeerId[]): PeerId | null {
    if (asked.length >= ASKED_MAX || (asked.length > 0 && !wanted.isDue)) return null
    const [best] = free
      .filter(peer => !wanted.failed.has(peer) && !asked.includes(peer))
      .map(peer => ({ peer, ranks: this.#ranks(wanted, peer) }))
      .sort((one, other) => compareRanks(one.ranks, other.ranks))
    if (best === undefined) return null
    const lateCount = asked.filter(peer => this.#of(peer).isLate).length
    return this.#of(best.peer).isLate && lateCount >= LATE_ASKED_MAX ? null : best.peer
  }

  /** Sort key, compared element by element; lower comes first, and among equals the peer connected for longer. */
  #ranks({ promised, others }: WantedBlock, peer: PeerId): number[] {
    const { isLate, failedTurn } = this.#of(peer)
    const isStranger = !promised.has(peer) && !others.includes(peer)
    return [Number(isStranger), Number(isLate), Number(!promised.has(peer)), failedTurn]
  }

  #create(id: BlockId): WantedBlock {
    const wanted: WantedBlock = {
      id,
      promised: new Set(),
      others: [],
      failed: new Set(),
      part: 'block',
      isDecided: false,
      isDue: true,
    }
    this.#wanted.set(id, wanted)
    return wanted
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
