// A clock on which waiting takes no time, and which remembers how long was waited.

import type { Clock } from '../../src/wallet/clock.ts'

/** Time that passes only by waiting. */
export class FakeClock implements Clock {
  readonly waits: number[] = []
  #now = 0

  readonly now = () => this.#now

  readonly sleep = async (milliseconds: number, signal?: AbortSignal) => {
    signal?.throwIfAborted()
    this.waits.push(milliseconds)
    this.#now += milliseconds
  }
}
