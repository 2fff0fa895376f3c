// The bodies of one branch whose headers were checked: which are here and wait for one before them, and which are still to
// be asked for. Which peer is asked, and when an answer is late, is decided in body-sync.ts.

import type { Block } from '../chain/block.ts'
import type { BlockId } from '../chain/header.ts'
import type { ChainedHeader } from '../chain/header-chain.ts'
import type { PeerId } from './effects.ts'

/** A body, and the peer that gave it. */
export interface GivenBody {
  readonly block: Block
  readonly from: PeerId
}

/** The download of one branch. */
export class BodyDownload {
  /** The peer that gave the headers. */
  readonly source: PeerId
  /** The height to which the whole branch is known, of which these may be a part. */
  readonly target: number
  /** Its number among the downloads of its replica, from 1. */
  readonly number: number
  readonly #decidedCount: number
  readonly #headers: readonly ChainedHeader[]
  readonly #bodies = new Map<BlockId, GivenBody>()
  #connectedCount = 0

  /** The first `decidedCount` headers are of decided blocks: they are taken in whatever the clock says. */
  constructor(
    source: PeerId,
    headers: readonly ChainedHeader[],
    branch: { readonly target: number; readonly decidedCount: number; readonly number: number },
  ) {
    this.source = source
    this.target = branch.target
    this.number = branch.number
    this.#headers = headers
    this.#decidedCount = branch.decidedCount
  }

  /** The next block to be connected; null when all are. */
  get next(): ChainedHeader | null {
    return this.#headers[this.#connectedCount] ?? null
  }

  /** Whether the next block is decided, or below one that is. */
  get isNextDecided(): boolean {
    return this.#connectedCount < this.#decidedCount
  }

  /** The work of the chain that ends with the last of these blocks. */
  get work(): bigint {
    return this.#headers.at(-1)!.work
  }

  brings(id: BlockId): boolean {
    return this.#headers.some(header => header.id === id)
  }

  /** Keeps a body until those before it are connected. */
  add(block: Block, from: PeerId): void {
    this.#bodies.set(block.id, { block, from })
  }

  bodyOf(id: BlockId): GivenBody | undefined {
    return this.#bodies.get(id)
  }

  /** The next block is connected. */
  advance(): void {
    this.#bodies.delete(this.next!.id)
    this.#connectedCount += 1
  }

  /** How many bodies wait for one before them. */
  get waiting(): number {
    return this.#bodies.size
  }

  /** Those of the next so many blocks whose bodies are not here. */
  missing(aheadMax: number): ChainedHeader[] {
    return this.#headers
      .slice(this.#connectedCount, this.#connectedCount + aheadMax)
      .filter(header => !this.#bodies.has(header.id))
  }
}
