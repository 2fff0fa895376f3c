// Whether the clock of this node looks wrong. Headers with valid work that are too far ahead of it say so: either those that
// mined them have wrong clocks, or this node has, and then it follows nothing that is mined. What is kept are times of
// blocks, so that the suspicion ends by itself when the clock is set.

import type { PeerId } from './effects.ts'

/** How far the clock seems to be behind. */
export interface ClockDoubt {
  /** Seconds that it is behind at least, if the blocks are right. */
  readonly behindSeconds: number
  /** Peers that follow such blocks. */
  readonly peers: number
}

/** Collects the times of headers that were refused as too new. */
export class ClockWatch {
  readonly #futureLimitSeconds: number
  /** The newest time of a header that each connected peer gave, in seconds since 1970. */
  readonly #times = new Map<PeerId, number>()

  constructor(futureLimitSeconds: number) {
    this.#futureLimitSeconds = futureLimitSeconds
  }

  /** A peer follows a block of this time, which is too new. */
  note(peer: PeerId, timeSeconds: number): void {
    this.#times.set(peer, Math.max(timeSeconds, this.#times.get(peer) ?? 0))
  }

  forget(peer: PeerId): void {
    this.#times.delete(peer)
  }

  /** What the peers say of this clock: of several the lesser middle one, so that one liar among three changes little. */
  doubt(nowSeconds: number): ClockDoubt | null {
    const behind = [...this.#times.values()]
      .map(time => time - this.#futureLimitSeconds - nowSeconds)
      .filter(seconds => seconds > 0)
      .toSorted((a, b) => a - b)
    const middle = behind[(behind.length - 1) >> 1]
    return middle === undefined ? null : { behindSeconds: middle, peers: behind.length }
  }
}
