// The way from a wanted block down to a block that is here, found body by body: each names its parent. A branch beside the
// main chain of every holder can be fetched in no other way, since headers are given of main chains alone.
//
// The ids of the path are kept, and its lowest bodies as far as their bytes have room: the others are asked for again on the
// way up. A body is not executed before its parent is here. What is known of it until then: its id, which commits to its
// parent and to its height, and its work, where blocks have any.

import type { BlockId } from '../chain/header.ts'
import type { GivenBody } from './body-download.ts'

/** Bytes of bodies that one path keeps; the lowest is kept whatever its size. */
export const PATH_BYTES_MAX = 8 * 1024 * 1024

/** A wanted block and those of its ancestors that are known not to be here. */
export class AncestorPath {
  readonly wanted: BlockId
  /** From the wanted block down. */
  readonly #ids: BlockId[]
  readonly #bodies = new Map<BlockId, GivenBody>()
  #bytes = 0
  /** The height of the wanted block, by its coinbase record; null until it comes. */
  #wantedHeight: number | null = null
  #connectedId: BlockId | null = null
  #isBlocked = false

  constructor(wanted: BlockId) {
    this.wanted = wanted
    this.#ids = [wanted]
  }

  /** The lowest block that is not here: the next to be asked for, and to be connected. Null once all are here. */
  get target(): BlockId | null {
    return this.#ids.at(-1) ?? null
  }

  /** The body of the target; undefined until it comes. */
  get body(): GivenBody | undefined {
    return this.target === null ? undefined : this.#bodies.get(this.target)
  }

  /** The block on which the rest of the path stands, once part of it is connected. */
  get connectedId(): BlockId | null {
    return this.#connectedId
  }

  /** Whether the parent of the wanted block turned out to be unknown. */
  get isDeep(): boolean {
    return this.#isBlocked || this.#ids.length > 1
  }

  /** Whether the path can't lead further down: it would leave our chain below the base, or be too long. */
  get isBlocked(): boolean {
    return this.#isBlocked
  }

  /** Bytes of the bodies that are kept. */
  get bytes(): number {
    return this.#bytes
  }

  /** Takes the body of the target in; false where its height is not that of a parent of the block above it. */
  add(body: GivenBody): boolean {
    const { block } = body
    this.#wantedHeight ??= block.coinbase.height
    if (block.coinbase.height !== this.#targetHeight(this.#wantedHeight)) return false
    this.#drop(block.id)
    this.#bodies.set(block.id, body)
    this.#bytes += block.raw.length
    // The highest came first.
    for (const id of this.#bodies.keys()) {
      if (this.#bytes <= PATH_BYTES_MAX || id === block.id) break
      this.#drop(id)
    }
    return true
  }

  /** The parent of the target is not here: it is the next target, where it can be one at all. */
  descend(baseHeight: number, blocksMax: number): boolean {
    const body = this.body
    if (body === undefined || this.#wantedHeight === null) return false
    const isAboveBase = this.#targetHeight(this.#wantedHeight) - 1 > baseHeight
    this.#isBlocked = !isAboveBase || this.#wantedHeight - baseHeight > blocksMax
    if (!this.#isBlocked) this.#ids.push(body.block.header.previous)
    return !this.#isBlocked
  }

  /** The target is here. */
  ascend(): void {
    const id = this.#ids.pop()
    if (id === undefined) return
    this.#drop(id)
    this.#connectedId = id
    this.#isBlocked = false
  }

  /** Forgets all but the wanted block. */
  restart(): void {
    this.#ids.splice(0, this.#ids.length, this.wanted)
    this.#bodies.clear()
    this.#bytes = 0
    this.#wantedHeight = null
    this.#connectedId = null
    this.#isBlocked = false
  }

  #targetHeight(wantedHeight: number): number {
    return wantedHeight - (this.#ids.length - 1)
  }

  #drop(id: BlockId): void {
    this.#bytes -= this.#bodies.get(id)?.block.raw.length ?? 0
    this.#bodies.delete(id)
  }
}
