// Work in steps, some in each turn of the event loop: what a peer sends may take long to read, and everybody else waits.
// Little work is done at once. Of more the rest is done one after the other, so that many peers that send large messages
// at the same time take no more of a turn than one.

import { setImmediate } from 'node:timers/promises'
import type { Steps } from '../chain/steps.ts'

/** Milliseconds of one turn that may be spent before others have theirs. */
const TURN_MS = 4

/** Where turns take their time from. */
export interface TurnTime {
  /** Milliseconds of a clock that never steps back. */
  now(): number
  /** Resolves in the next turn of the event loop. */
  nextTurn(): Promise<unknown>
}

/** The turns that the work of one node takes. */
export class Turns {
  readonly #time: TurnTime
  #last: Promise<unknown> = Promise.resolve()

  constructor(time: TurnTime = { now: () => performance.now(), nextTurn: setImmediate }) {
    this.#time = time
  }

  /** The result of the work. Rejects with what it throws. */
  async run<T>(steps: Steps<T>): Promise<T> {
    const first = this.#turn(steps)
    if (first.done === true) return first.value
    const rest = this.#last.then(() => this.#rest(steps))
    this.#last = rest.catch(() => {})
    return rest
  }

  async #rest<T>(steps: Steps<T>): Promise<T> {
    for (;;) {
      await this.#time.nextTurn()
      const turn = this.#turn(steps)
      if (turn.done === true) return turn.value
    }
  }

  #turn<T>(steps: Steps<T>): IteratorResult<void, T> {
    const endMs = this.#time.now() + TURN_MS
    for (;;) {
      const step = steps.next()
      if (step.done === true || this.#time.now() >= endMs) return step
    }
  }
}
