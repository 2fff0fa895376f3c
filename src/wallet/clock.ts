// The passage of time for code that waits here, so that tests can let it pass at once. Only durations count: the time of
// day is never read.

import { setTimeout as sleep } from 'node:timers/promises'

/** Measures spans of time and waits. */
export interface Clock {
  /** Milliseconds since some fixed moment; never goes back. */
  readonly now: () => number
  /** Waits. Throws the signal's reason when it is aborted. */
  readonly sleep: (milliseconds: number, signal?: AbortSignal) => Promise<void>
}

/** The real one. */
export const systemClock: Clock = {
  now: () => performance.now(),
  sleep: async (milliseconds, signal) => {
    try {
      await sleep(milliseconds, undefined, signal === undefined ? {} : { signal })
    } catch (error) {
      signal?.throwIfAborted()
      throw error
    }
  },
}
