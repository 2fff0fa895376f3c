// Blocks that the finality layer needs, whatever work they hold, and which peer is asked for each next. No single peer can
// delay one: when a peer has not answered within a tick another is asked as well, and when one has failed another is asked
// at once, three at most. A block whose parent is unknown is asked for as headers with all before it, and then, of a peer
// whose headers do not lead to it, body by body (ancestor-path.ts).
//
// Validators come first, and one place is kept for them. Among equals: peers that were not late, peers that promised the
// block by their vote, and then the one that failed longest ago. Of other peers every second turn goes to the one that has
// waited longest, since new identities cost nothing. Failures end: those of validators in the tick after all have failed,
// those of others after some ticks. A peer's record lasts as long as its connection.

import type { BlockId } from '../chain/header.ts'
import { BoundedMap } from '../collections/bounded-map.ts'
import type { Holders } from '../finality/contract.ts'
import { AncestorPath } from './ancestor-path.ts'
import type { PeerId } from './effects.ts'

/** Blocks wanted at once. With one alone, a block that no peer has would keep out one that can be fetched. */
export const WANTED_MAX = 4
/** Peers that are asked for one block at a time. */
export const ASKED_MAX = 3
/** How many of these may be peers that were late before, so that such peers can't take all the places. */
const LATE_ASKED_MAX = 2
/** How many may be no validators while validators are there to be asked. */
const STRANGERS_ASKED_MAX = 2
/** Ticks after which the failure of a peer that is no validator is forgiven. */
const FAILED_TICKS = 8

/** A wanted block, and what is known of peers that may have it. */
export interface WantedBlock {
  readonly id: BlockId
  /** Peers that promised to have it, by a vote for it. */
  readonly promised: Set<PeerId>
  /** Other validators. */
  others: readonly PeerId[]
  /** Peers that were asked and did not give it, with the tick in which they failed. */
  readonly failed: Map<PeerId, number>
  /** The block and those of its ancestors that are known not to be here. */
  readonly path: AncestorPath
  /** Peers whose headers do not lead to it: it is not on their main chain, and asked of them body by body. */
  readonly offMain: Set<PeerId>
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
  /** When it was connected or asked last, counted in such events. */
  askedTurn: number
}

const UNTRIED: Readonly<Standing> = { isLate: false, failedTurn: 0, askedTurn: 0 }

/** The wanted blocks of one replica. */
export class WantedBlocks {
  readonly #wanted = new BoundedMap<BlockId, WantedBlock>(WANTED_MAX)
  readonly #standings = new Map<PeerId, Standing>()
  readonly #isValidator: (peer: PeerId) => boolean
  #failures = 0
  #turns = 0
  /** How often peers that are no validators were asked since one gave a block in time. */
  #nonValidatorRequests = 0
  #ticks = 0

  constructor(isValidator: (peer: PeerId) => boolean) {
    this.#isValidator = isValidator
  }

  get size(): number {
    return this.#wanted.size
  }

  /** Bytes of bodies that wait for an ancestor. */
  get bytes(): number {
    return [...this.#wanted.values()].reduce((sum, { path }) => sum + path.bytes, 0)
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
    return [...this.#wanted.values()].some(wanted => wanted.isDecided)
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

  /** A peer gave a later block of the path: it has the wanted block too. */
  addHolder({ promised }: WantedBlock, peer: PeerId): void {
    if (this.#standings.has(peer)) promised.add(peer)
  }

  delete(id: BlockId): void {
    this.#wanted.delete(id)
  }

  addPeer(peer: PeerId): void {
    this.#turns += 1
    this.#standings.set(peer, { ...UNTRIED, askedTurn: this.#turns })
  }

  forgetPeer(peer: PeerId): void {
    this.#standings.delete(peer)
    for (const { failed, offMain, promised } of this.#wanted.values()) {
      failed.delete(peer)
      offMain.delete(peer)
      promised.delete(peer)
    }
  }

  /** A tick is over: failures that have lasted long enough end. */
  onTick(connected: readonly PeerId[]): void {
    this.#ticks += 1
    const validators = connected.filter(this.#isValidator)
    for (const wanted of this.#wanted.values()) {
      const { failed } = wanted
      const isAnyLeft = validators.some(peer => !failed.has(peer))
      for (const [peer, tick] of failed) {
        const isOver = this.#isValidator(peer) ? !isAnyLeft : tick + FAILED_TICKS <= this.#ticks
        if (!isOver) continue
        failed.delete(peer)
        wanted.offMain.delete(peer)
        wanted.isDue = true
      }
    }
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
    if (this.#standings.has(peer)) wanted.failed.set(peer, this.#ticks)
    wanted.isDue = true
  }

  /** A peer gave headers of its main chain that do not lead to the block: it is asked for bodies instead where that can lead on. */
  onNotOnMain(id: BlockId, peer: PeerId): void {
    const wanted = this.#wanted.get(id)
    if (wanted === undefined || wanted.path.isBlocked || wanted.offMain.has(peer))
      return this.onFailed(id, peer)
    wanted.offMain.add(peer)
    wanted.isDue = true
  }

  /** A peer gave the block before it was late. */
  onGiven(peer: PeerId): void {
    this.#standing(peer).isLate = false
    if (!this.#isValidator(peer)) this.#nonValidatorRequests = 0
  }

  /** The peer to ask next, one of `free`, given the peers `asked` now; null when no request is due. */
  next(wanted: WantedBlock, free: readonly PeerId[], asked: readonly PeerId[]): PeerId | null {
    if (asked.length >= ASKED_MAX || (asked.length > 0 && !wanted.isDue)) return null
    const [best] = free
      .filter(peer => !wanted.failed.has(peer) && !asked.includes(peer))
      .map(peer => ({ peer, ranks: this.#ranks(wanted, peer) }))
      .sort((one, other) => compareRanks(one.ranks, other.ranks))
    if (best === undefined || !this.#hasPlace(best.peer, free, asked)) return null
    if (!this.#isValidator(best.peer)) this.#nonValidatorRequests += 1
    this.#turns += 1
    this.#standing(best.peer).askedTurn = this.#turns
    return best.peer
  }

  /** Whether a peer may take one of the places: a peer that ranks below it takes none from it. */
  #hasPlace(peer: PeerId, free: readonly PeerId[], asked: readonly PeerId[]): boolean {
    const isStranger = !this.#isValidator(peer)
    const rivals = asked.filter(other => isStranger || this.#isValidator(other))
    const lateCount = rivals.filter(other => this.#of(other).isLate).length
    if (this.#of(peer).isLate && lateCount >= LATE_ASKED_MAX) return false
    if (!isStranger || ![...free, ...asked].some(this.#isValidator)) return true
    return asked.filter(other => !this.#isValidator(other)).length < STRANGERS_ASKED_MAX
  }

  /** Sort key, compared element by element; lower comes first, and among equals the peer connected for longer. */
  #ranks({ promised }: WantedBlock, peer: PeerId): number[] {
    const { isLate, failedTurn, askedTurn } = this.#of(peer)
    const isStranger = !this.#isValidator(peer)
    if (isStranger && this.#nonValidatorRequests % 2 === 1) return [1, askedTurn]
    return [Number(isStranger), Number(isLate), Number(!promised.has(peer)), failedTurn]
  }

  #create(id: BlockId): WantedBlock {
    const wanted: WantedBlock = {
      id,
      promised: new Set(),
      others: [],
      failed: new Map(),
      path: new AncestorPath(id),
      offMain: new Set(),
      isDecided: false,
      isDue: true,
    }
    this.#wanted.set(id, wanted)
    return wanted
  }

  #noteFailure(peer: PeerId): void {
    this.#failures += 1
    this.#standing(peer).failedTurn = this.#failures
  }

  #of(peer: PeerId): Readonly<Standing> {
    return this.#standings.get(peer) ?? UNTRIED
  }

  /** Of a peer that is gone nothing is kept: a body that it gave may prove wrong after its connection has ended. */
  #standing(peer: PeerId): Standing {
    return this.#standings.get(peer) ?? { ...UNTRIED }
  }
}

function compareRanks(one: readonly number[], other: readonly number[]): number {
  const at = one.findIndex((rank, index) => rank !== other[index])
  return at < 0 ? 0 : one[at]! - other[at]!
}
