// Numbers that look random and are the same for every run of a seed (mulberry32, T. Ettinger), for the tests of
// protocols.

/** A stream of random numbers that a seed names. */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = (seed * 0x9e3779b1) >>> 0
  }

  /** At least 0, below 1. */
  unit(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  /** A whole number from 0 to below `end`. */
  below(end: number): number {
    return Math.floor(this.unit() * end)
  }

  between(least: number, most: number): number {
    return least + this.unit() * (most - least)
  }

  chance(probability: number): boolean {
    return this.unit() < probability
  }

  pick<T>(of: readonly T[]): T {
    return of[this.below(of.length)]!
  }
}
