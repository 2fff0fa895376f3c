// Virtual time for code that waits: `sleep` gives a promise that an event of the schedule resolves, and time goes on
// only while all code waits. So the very code that runs by a real clock runs here too, and the same way each time.

import { setImmediate as untilAllWait } from 'node:timers/promises'
import { Schedule } from '../virtual/schedule.ts'

/** A clock that jumps from event to event. */
export class VirtualTime {
  readonly schedule = new Schedule()
  /** Whether some waiting code has been resumed. */
  #isWoken = false

  get nowMs(): number {
    return this.schedule.nowMs
  }

  sleep(ms: number): Promise<void> {
    return new Promise(resolve => this.schedule.after(ms, () => this.wake(resolve)))
  }

  /** Resumes code that waits: nothing else happens before it waits again. */
  wake(resolve: () => void): void {
    this.#isWoken = true
    resolve()
  }

  /** Lets time pass until this work is done. It may wait for nothing but what an event of the schedule resolves. */
  async run<T>(work: Promise<T>): Promise<T> {
    let isDone = false
    const end = (): void => {
      isDone = true
    }
    work.then(end, end)
    for (;;) {
      // A promise that is resolved lets its waiter go on only when nothing else runs: before the next macrotask.
      await untilAllWait()
      if (isDone) return work
      this.#isWoken = false
      while (!this.#isWoken) if (!this.schedule.advance()) throw new Error('nothing is left to happen')
    }
  }
}
