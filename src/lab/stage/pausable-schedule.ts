// The schedule of one simulated node, whose process can be frozen: what would happen to it meanwhile waits, and happens
// at once and in order when it is thawed, as to a process that is stopped by a signal and goes on.

import { Schedule } from '../virtual/schedule.ts'

/** A schedule that can stand still while the one below it goes on. */
export class PausableSchedule extends Schedule {
  readonly #below: Schedule
  /** What waits for the end of the pause; null while there is none. */
  #held: (() => void)[] | null = null

  constructor(below: Schedule) {
    super()
    this.#below = below
  }

  override get nowMs(): number {
    return this.#below.nowMs
  }

  override after(delayMs: number, action: () => void): void {
    this.#below.after(delayMs, () => this.awake(action))
  }

  /** Only the one below goes on by itself. */
  override advance(): boolean {
    return this.#below.advance()
  }

  /** Does this now, or when the pause ends. */
  awake(action: () => void): void {
    if (this.#held === null) action()
    else this.#held.push(action)
  }

  pause(): void {
    this.#held ??= []
  }

  resume(): void {
    const held = this.#held ?? []
    this.#held = null
    for (const action of held) action()
  }
}
