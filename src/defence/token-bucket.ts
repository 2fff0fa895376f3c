// A token bucket: so many at once after a pause, and so many a second from then on.
// Time is given, so that what uses it stays pure.

/** What a bucket holds when it is full, and what flows into it. */
export interface TokenRate {
  readonly burst: number
  readonly perSecond: number
}

/** The bucket of one peer and one kind of thing. */
export class TokenBucket {
  readonly #rate: TokenRate
  #tokens: number
  #atMs: number

  constructor(rate: TokenRate, nowMs: number) {
    this.#rate = rate
    this.#tokens = rate.burst
    this.#atMs = nowMs
  }

  /** Takes so many tokens, which may be a part of one; false, and nothing is taken, when there are fewer. */
  take(tokens: number, nowMs: number): boolean {
    const { burst, perSecond } = this.#rate
    this.#tokens = Math.min(burst, this.#tokens + (Math.max(0, nowMs - this.#atMs) / 1_000) * perSecond)
    this.#atMs = nowMs
    if (this.#tokens < tokens) return false
    this.#tokens -= tokens
    return true
  }

  /** Puts tokens in, as far as there is room. */
  give(tokens: number): void {
    this.#tokens = Math.min(this.#rate.burst, this.#tokens + tokens)
  }
}
