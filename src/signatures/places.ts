// A counting semaphore (Dijkstra 1965): as many may work as there are places; who comes later waits in the
// order of coming.

/** A number of places that are taken and given back. */
export class Places {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(count: number) {
    this.#free = count
  }

  /** Resolves when the caller has a place. */
  async take(): Promise<void> {
    if (this.#free === 0) return new Promise(resolve => this.#waiting.push(resolve))
    this.#free--
  }

  /** Gives a place back: to whom has waited longest, if somebody has. */
  give(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#free++
    else next()
  }
}
