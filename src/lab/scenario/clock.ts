// The clock of a scenario. It stands still while something is done to the network that takes real processes a moment,
// such as starting one, so that what comes after is as long after it as the file says. In the simulator it never does.

import type { Stage } from '../stage/stage.ts'

/** Milliseconds of a scenario, from 0. */
export class ScenarioClock {
  readonly #stage: Pick<Stage, 'nowMs'>
  readonly #startMs: number
  /** Stretches of the stage's time in which this clock stood still. */
  readonly #stops: { readonly fromMs: number; readonly toMs: number }[] = []

  constructor(stage: Pick<Stage, 'nowMs'>) {
    this.#stage = stage
    this.#startMs = stage.nowMs()
  }

  nowMs(): number {
    return this.at(this.#stage.nowMs())
  }

  /** What this clock showed at a moment of the stage's. */
  at(stageMs: number): number {
    const stood = this.#stops.map(({ fromMs, toMs }) => Math.max(0, Math.min(stageMs, toMs) - fromMs))
    return stood.reduce((time, ms) => time - ms, stageMs - this.#startMs)
  }

  /** Does this while the clock stands still. */
  async standStill(action: () => Promise<void>): Promise<void> {
    const fromMs = this.#stage.nowMs()
    await action()
    const toMs = this.#stage.nowMs()
    if (toMs > fromMs) this.#stops.push({ fromMs, toMs })
  }
}
