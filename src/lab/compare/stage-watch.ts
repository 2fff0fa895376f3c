// What every part of an experiment needs of its stage: heights, what is final, and waiting for it with a patience that
// grows with the time between blocks, since finality does.

import type { Stage } from '../stage/stage.ts'
import type { Submitted } from '../stage/submit-all.ts'
import { BLOCK_MS } from '../stage/variant.ts'

/** Milliseconds for which finality is waited for after a fault, where a block comes in `BLOCK_MS` or sooner. */
const FAULT_PATIENCE_MS = 12_000
const LOOK_MS = 25

/** Watches one stage. */
export class StageWatch {
  readonly #stage: Stage
  /** The time between blocks as a multiple of `BLOCK_MS`; at least 1. */
  readonly #slowness: number

  constructor(stage: Stage, blockMs = BLOCK_MS) {
    this.#stage = stage
    this.#slowness = Math.max(1, blockMs / BLOCK_MS)
  }

  /** The greatest height of these nodes' heads. */
  height(nodes: readonly number[] = this.#stage.nodes()): number {
    return Math.max(...nodes.map(node => this.#stage.timeline.height(node)))
  }

  /** Whether one of these nodes shows a transfer as final. */
  isFinalOn(nodes: readonly number[], id: Submitted['id']): boolean {
    return this.#stage.timeline.earliest(nodes, id)?.finalMs != null
  }

  /** Waits until all nodes that run show these transfers as final, or patience ends. */
  async untilFinal(submitted: readonly Submitted[], patienceMs = FAULT_PATIENCE_MS): Promise<void> {
    const { timeline } = this.#stage
    const nodes = this.#stage.nodes()
    const isFinal = ({ id }: Submitted): boolean =>
      nodes.every(node => timeline.sighting(node, id)?.finalMs != null)
    await this.until(() => submitted.every(isFinal), patienceMs)
  }

  /** Waits until something is so (true), or patience ends (false). */
  async until(isSo: () => boolean, patienceMs = FAULT_PATIENCE_MS): Promise<boolean> {
    const deadline = this.#stage.nowMs() + patienceMs * this.#slowness
    while (!isSo()) {
      if (this.#stage.nowMs() > deadline) return false
      await this.#stage.sleep(LOOK_MS)
    }
    return true
  }
}
