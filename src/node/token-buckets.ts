// How often somebody may do something that costs us a fixed price: a token bucket for each. Tokens are never more than a
// burst, so a pause saves up no more than that; who is forgotten has a full bucket again, so remember many.

import { BoundedMap } from '../replica/bounded-map.ts'

/** How many at once after a pause, and how many a second for ever. */
export interface TokenRate {
  readonly burst: number
  readonly perSecond: number
}

/** The buckets of one kind of thing. */
export class TokenBuckets<K> {
  readonly #buckets: BoundedMap<K, { readonly tokens: number; readonly atMs: number }>

  /** Remembers the buckets of so many. */
  constructor(sizeMax: number) {
    this.#buckets = new BoundedMap(sizeMax)
  }

  /** Takes a token; false when there is none. The hour is given, and never steps back. */
  take(key: K, { burst, perSecond }: TokenRate, nowMs: number): boolean {
    const { tokens, atMs } = this.#buckets.get(key) ?? { tokens: burst, atMs: nowMs }
    const left = Math.min(burst, tokens + ((nowMs - atMs) / 1_000) * perSecond)
    if (left < 1) return false
    this.#buckets.set(key, { tokens: left - 1, atMs: nowMs })
    return true
  }
}
