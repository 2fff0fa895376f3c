// Budgets for answers between two ticks. A question costs a peer a few bytes, and its answer is many times as long: each
// source has a budget, and so has the number of sources. A peer that asks for more is served after the tick.

import type { PeerId, Snapshot } from '../process.ts'
import { snapshotOf } from '../snapshot.ts'

/** Sources that are answered between two ticks. */
const ANSWERED_SOURCES_MAX = 256
/** Messages that one source is answered between two ticks: what two of its own ticks ask for. */
const ANSWERS_MAX = 24

/** The answers since the last tick. */
export class Answers {
  readonly #counts = new Map<PeerId, number>()
  /** Sources that were given the beginning of our view: once is enough, for it is long. */
  readonly #newViews = new Set<PeerId>()

  /** Whether a source may be answered once more: asked before any work is done for it. */
  has(source: PeerId): boolean {
    const count = this.#counts.get(source) ?? 0
    return count === 0 ? this.#counts.size < ANSWERED_SOURCES_MAX : count < ANSWERS_MAX
  }

  /** Whether a source may be answered once more; it is counted. */
  take(source: PeerId): boolean {
    if (!this.has(source)) return false
    this.#counts.set(source, (this.#counts.get(source) ?? 0) + 1)
    return true
  }

  /** Whether a source may be given the beginning of our view. */
  takeNewView(source: PeerId): boolean {
    if (this.#newViews.has(source) || this.#newViews.size >= ANSWERED_SOURCES_MAX) return false
    this.#newViews.add(source)
    return true
  }

  /** Sources that are remembered. */
  get size(): number {
    return this.#counts.size + this.#newViews.size
  }

  /** All of it (see `Process`). */
  get snapshot(): Snapshot {
    return snapshotOf({ counts: this.#counts, newViews: this.#newViews })
  }

  clear(): void {
    this.#counts.clear()
    this.#newViews.clear()
  }
}
