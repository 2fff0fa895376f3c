// A counting semaphore (Dijkstra 1965) with lanes: as many may work as there are places; what comes later waits behind all
// that are more urgent, and else in the order of coming.

/** The purpose of work, the most urgent first: a block, a transaction that a client submitted, or one of a peer. */
export const URGENCIES = ['block', 'submission', 'peer'] as const
export type Urgency = (typeof URGENCIES)[number]

/** A number of places that are taken and given back. */
export class Places {
  #free: number
  readonly #waiting: { readonly [urgency in Urgency]: (() => void)[] } = {
    block: [],
    submission: [],
    peer: [],
  }

  constructor(count: number) {
    this.#free = count
  }

  /** Resolves when the caller has a place. */
  async take(urgency: Urgency = 'block'): Promise<void> {
    if (this.#free === 0) return new Promise(resolve => this.#waiting[urgency].push(resolve))
    this.#free--
  }

  /** Gives a place back: to the task that has waited longest among the most urgent, if one waits. */
  give(): void {
    for (const urgency of URGENCIES) {
      const next = this.#waiting[urgency].shift()
      if (next !== undefined) return next()
    }
    this.#free++
  }
}
