// The checked headers of a branch whose bodies are not fetched yet, because it does not hold more work than our chain so far.
// It may be longer than memory allows: the first headers are kept, for their bodies are fetched first, and of the rest only
// the last, to check the next. Bitcoin Core keeps none until the work is proved ("presync", headerssync.cpp, 2022); here the
// bounded part that is kept spares most branches a second round.

import type { BlockId } from '../chain/header.ts'
import type { ChainedHeader } from '../chain/header-chain.ts'

/** The headers of one branch, from its fork. */
export class HeaderBranch {
  readonly #kept: ChainedHeader[] = []
  readonly #keptMax: number
  #tip: ChainedHeader | null = null
  #size = 0
  #holdsWanted = false
  #timely: ChainedHeader | null = null
  #timelySize = 0
  #decidedSize = 0
  #newestEarlyTime: number | null = null

  constructor(keptMax: number) {
    this.#keptMax = keptMax
  }

  /** The first headers. */
  get kept(): readonly ChainedHeader[] {
    return this.#kept
  }

  /** The last header, kept or not; null for a branch without any. */
  get tip(): ChainedHeader | null {
    return this.#tip
  }

  /** Headers, kept or not. */
  get size(): number {
    return this.#size
  }

  /** Whether a header that was added, kept or not, is of the block that was wanted then. */
  get holdsWanted(): boolean {
    return this.#holdsWanted
  }

  /** The block on which the branch stands; null for a branch without headers. */
  get forkId(): BlockId | null {
    return this.#kept[0]?.header.previous ?? null
  }

  /** The last header before the first that is not due by our clock; null where none is before it. */
  get timelyTip(): ChainedHeader | null {
    return this.#timely
  }

  /** Headers before the first that is not due by our clock. */
  get timelySize(): number {
    return this.#timelySize
  }

  /** Headers up to the last that is of a block that is decided: our clock has no say in them. */
  get decidedSize(): number {
    return this.#decidedSize
  }

  /** The time of the newest header that is not due by our clock, added or not; null for none. */
  get newestEarlyTime(): number | null {
    return this.#newestEarlyTime
  }

  /** Notes a header that is not due by our clock: neither is any after it. */
  noteEarly({ header }: ChainedHeader): void {
    this.#newestEarlyTime = Math.max(header.time, this.#newestEarlyTime ?? 0)
  }

  /** Adds the child of the tip. */
  add(header: ChainedHeader, { isWanted, isDecided }: { isWanted: boolean; isDecided: boolean }): void {
    if (this.#kept.length < this.#keptMax) this.#kept.push(header)
    this.#tip = header
    this.#size += 1
    if (isWanted) this.#holdsWanted = true
    if (isDecided) this.#decidedSize = this.#size
    if (this.#newestEarlyTime !== null) return
    this.#timely = header
    this.#timelySize = this.#size
  }
}
