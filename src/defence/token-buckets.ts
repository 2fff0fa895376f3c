// How often each of many may do something: a token bucket for each name. Names come from outside, so few are remembered,
// and a name that was forgotten begins with a full bucket.

import { BoundedMap } from '../collections/bounded-map.ts'
import { TokenBucket, type TokenRate } from './token-bucket.ts'

/** Names that are remembered. */
export const NAMES_MAX = 4_096

/** The buckets of one kind of action. Times are milliseconds of a monotonic clock. */
export class TokenBuckets {
  readonly #rate: TokenRate
  readonly #buckets = new BoundedMap<string, TokenBucket>(NAMES_MAX)

  constructor(rate: TokenRate) {
    this.#rate = rate
  }

  /** Whether there are so many tokens for this name; if so they are taken. */
  take(name: string, nowMs: number, tokens = 1): boolean {
    const bucket = this.#buckets.get(name) ?? new TokenBucket(this.#rate, nowMs)
    if (!bucket.take(tokens, nowMs)) return false
    this.#buckets.set(name, bucket)
    return true
  }
}
