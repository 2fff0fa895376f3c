// Random numbers from a seed: a tree of named streams, so that a new use of chance in one place does not shift
// the numbers of another. Each stream is sfc32 (Chris Doty-Humphrey, PractRand), seeded by SHA-256.

import { sha256 } from '../../chain/hash.ts'

/** One stream of random numbers. */
export class Random {
  readonly #name: string
  readonly #state: Uint32Array

  /** `name` is the seed followed by the names of the streams above. */
  constructor(name: string) {
    this.#name = name
    const digest = sha256(new TextEncoder().encode(name))
    this.#state = new Uint32Array(digest.buffer.slice(digest.byteOffset, digest.byteOffset + 16))
  }

  /** A stream of its own for one purpose. */
  stream(name: string): Random {
    return new Random(`${this.#name}/${name}`)
  }

  /** A number from 0 up to, not including, 1. */
  next(): number {
    const s = this.#state
    const sum = (s[0]! + s[1]! + s[3]!) >>> 0
    s[3] = s[3]! + 1
    s[0] = s[1]! ^ (s[1]! >>> 9)
    s[1] = s[2]! + (s[2]! << 3)
    s[2] = ((s[2]! << 21) | (s[2]! >>> 11)) + sum
    return sum / 2 ** 32
  }

  /** A whole number from `min` to `max`, both included. */
  integer(min: number, max: number): number {
    return min + Math.floor(this.next() * (max - min + 1))
  }

  /** A number between two others. */
  between(min: number, max: number): number {
    return min + this.next() * (max - min)
  }

  /** True with this probability. */
  chance(probability: number): boolean {
    return this.next() < probability
  }

  /** The time to the next event of a process without memory. */
  exponential(mean: number): number {
    return -mean * Math.log(1 - this.next())
  }

  /** One of the items, each as likely. */
  pick<T>(items: readonly T[]): T {
    return items[this.integer(0, items.length - 1)]!
  }

  /** The items in another order. */
  shuffle<T>(items: readonly T[]): T[] {
    const shuffled = [...items]
    for (let index = shuffled.length - 1; index > 0; index--) {
      const other = this.integer(0, index)
      const item = shuffled[index]!
      shuffled[index] = shuffled[other]!
      shuffled[other] = item
    }
    return shuffled
  }
}
