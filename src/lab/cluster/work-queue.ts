// What a simulated node has to do, while it can't: each input takes it some time, a pause lasts for a known time, and a
// frozen node (one whose process is stopped by a signal) does nothing until it is thawed. The work waits in order.

import type { Schedule } from '../virtual/schedule.ts'

type Action = () => void

/** The work of one node. */
export class WorkQueue {
  readonly #schedule: Schedule
  /** Until then the node is busy. */
  #freeAtMs = 0
  /** What waits for that, in the order in which it came. */
  #waiting: Action[] = []
  #isWaking = false
  /** What came while the node was frozen; null while it is not. */
  #frozen: Action[] | null = null
  /** Grows when the queue is cleared: a wake-up that was scheduled before does nothing. */
  #generation = 0

  constructor(schedule: Schedule) {
    this.#schedule = schedule
  }

  /** Runs an action now, or when all that came before it is done and the node is free. */
  run(action: Action): void {
    if (this.#frozen !== null) {
      this.#frozen.push(action)
      return
    }
    const waitMs = this.#freeAtMs - this.#schedule.nowMs
    if (waitMs <= 0 && this.#waiting.length === 0) return action()
    this.#waiting.push(action)
    this.#wakeAfter(waitMs)
  }

  /** The node is busy for so long from now on. */
  occupy(forMs: number): void {
    this.#freeAtMs = this.#schedule.nowMs + forMs
  }

  /** The node is free now. */
  release(): void {
    this.#freeAtMs = 0
    this.#drain()
  }

  freeze(): void {
    this.#frozen ??= []
  }

  thaw(): void {
    const frozen = this.#frozen ?? []
    const generation = this.#generation
    this.#frozen = null
    for (const action of frozen) if (generation === this.#generation) this.run(action)
  }

  /** Drops all work: the process has ended, and its next life is neither busy nor frozen. */
  clear(): void {
    this.#freeAtMs = 0
    this.#waiting = []
    this.#isWaking = false
    this.#frozen = null
    this.#generation += 1
  }

  #wakeAfter(delayMs: number): void {
    if (this.#isWaking) return
    this.#isWaking = true
    const generation = this.#generation
    this.#schedule.after(delayMs, () => {
      if (generation !== this.#generation) return
      this.#isWaking = false
      this.#drain()
    })
  }

  #drain(): void {
    while (this.#waiting.length > 0) {
      const waitMs = this.#freeAtMs - this.#schedule.nowMs
      if (waitMs > 0) return this.#wakeAfter(waitMs)
      this.#waiting.shift()!()
    }
  }
}
