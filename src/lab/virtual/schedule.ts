// Virtual time: what is to happen, in the order of when. Nothing waits; the clock jumps to the next event.
// Events of one moment happen in the order in which they were planned.

import { Heap } from '../../collections/heap.ts'

interface Event {
  readonly timeMs: number
  /** Breaks ties, so that the order is total. */
  readonly sequence: number
  readonly action: () => void
}

/** The events to come. */
export class Schedule {
  readonly #events = new Heap<Event>(
    (a, b) => a.timeMs < b.timeMs || (a.timeMs === b.timeMs && a.sequence < b.sequence),
  )
  #nowMs = 0
  #sequence = 0

  /** Milliseconds since the start of the run. */
  get nowMs(): number {
    return this.#nowMs
  }

  /** Does something `delayMs` from now. */
  after(delayMs: number, action: () => void): void {
    this.#events.push({ timeMs: this.#nowMs + Math.max(0, delayMs), sequence: this.#sequence++, action })
  }

  /** Lets the next event happen; false when there is none. */
  advance(): boolean {
    const event = this.#events.pop()
    if (event === undefined) return false
    this.#nowMs = event.timeMs
    event.action()
    return true
  }
}
