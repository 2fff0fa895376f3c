// The clock of one simulated node: off by some milliseconds, gaining or losing on the right time, and, while a fault lasts,
// stopped.

import type { Schedule } from '../virtual/schedule.ts'

/** An offset that is larger when the faults end is set to zero, as an operator would; in milliseconds. */
const TOLERATED_OFFSET_MS = 25_000

/** What a clock is made of. */
export interface NodeClockOptions {
  readonly schedule: Schedule
  /** Milliseconds since 1970 at which virtual time starts. */
  readonly epochMs: number
  readonly offsetMs: number
  /** Milliseconds that it gains on the right time, each millisecond. */
  readonly drift: number
}

/** The clock of one node. */
export class NodeClock {
  /** Milliseconds by which it is ahead of the right time, besides its drift. */
  offsetMs: number
  readonly #options: NodeClockOptions
  /** What it shows while it is stopped, and until when it is. */
  #stopped: { readonly atMs: number; readonly untilMs: number } | null = null

  constructor(options: NodeClockOptions) {
    this.#options = options
    this.offsetMs = options.offsetMs
  }

  /** What it shows: milliseconds since 1970. */
  get nowMs(): number {
    const { schedule, epochMs, drift } = this.#options
    const { nowMs } = schedule
    if (this.#stopped !== null && nowMs < this.#stopped.untilMs) return this.#stopped.atMs
    return Math.floor(epochMs + nowMs + this.offsetMs + nowMs * drift)
  }

  /** Stops it for so long; afterwards it shows what it would have shown without. */
  stop(forMs: number): void {
    this.#stopped = { atMs: this.nowMs, untilMs: this.#options.schedule.nowMs + forMs }
  }

  /** Lets it run, and corrects it if it is off by too much. */
  heal(): void {
    this.#stopped = null
    if (Math.abs(this.offsetMs) > TOLERATED_OFFSET_MS) this.offsetMs = 0
  }
}
