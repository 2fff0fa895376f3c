/**
 * Hashes per second over a sliding window, from a counter that only grows. Pure: times are arguments, in milliseconds.
 */

const WINDOW_MS = 10_000

interface Sample {
  readonly timeMs: number
  readonly hashes: number
}

/** Remembers what a counter of hashes showed during the last ten seconds. */
export class Hashrate {
  #samples: Sample[] = []

  /** Notes that the counter shows so many hashes at this time (milliseconds of a clock that never steps back). */
  record(hashes: number, timeMs: number): void {
    this.#samples.push({ timeMs, hashes })
    // One sample at or before the window's beginning stays: the rate is measured from it.
    const firstInside = this.#samples.findIndex(sample => sample.timeMs > timeMs - WINDOW_MS)
    if (firstInside > 1) this.#samples = this.#samples.slice(firstInside - 1)
  }

  /** Hashes per second between the oldest remembered sample and now; 0 when there is none. */
  perSecond(hashes: number, timeMs: number): number {
    const oldest = this.#samples[0]
    if (oldest === undefined || timeMs <= oldest.timeMs) return 0
    return ((hashes - oldest.hashes) * 1000) / (timeMs - oldest.timeMs)
  }
}
