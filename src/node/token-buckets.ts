// How often each of many may do something: a token bucket for each name. Names come from outside, so few are remembered,
// and a name that was forgotten begins with a full bucket.

import { BoundedMap } from '../replica/bounded-map.ts'

/** Names that are remembered. */
export const NAMES_MAX = 4_096

/** How fast tokens come back, and how many may be taken at once after a pause. */
export interface TokenRate {
  readonly perSecond: number
  readonly burst: number
}

/** The buckets of one kind of deed. The hour is given in milliseconds of a clock that never steps back. */
export class TokenBuckets {
  readonly #rate: TokenRate
  readonly #buckets = new BoundedMap<string, { readonly tokens: number; readonly atMs: number }>(NAMES_MAX)

  constructor(rate: TokenRate) {
    this.#rate = rate
  }

  /** Whether there is a token for this name; if so it is taken. */
  take(name: string, nowMs: number): boolean {
    const { perSecond, burst } = this.#rate
    const { tokens, atMs } = this.#buckets.get(name) ?? { tokens: burst, atMs: nowMs }
    const left = Math.min(burst, tokens + ((nowMs - atMs) / 1_000) * perSecond)
    if (left < 1) return false
    this.#buckets.set(name, { tokens: left - 1, atMs: nowMs })
    return true
  }
}
