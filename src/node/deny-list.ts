// Peers that are denied for a while, and for what. The list is bounded, so a peer that takes ever new names can only
// make it forget its oldest entries; and each of its names costs it a connection.

import { BoundedMap } from '../collections/bounded-map.ts'
import type { PeerId } from '../replica/effects.ts'

/** Milliseconds for which a peer is denied. */
export const DENIAL_MS = 5 * 60_000

const DENIED_MAX = 1_024

/** Denied peers. Times are milliseconds of a monotonic clock. */
export class DenyList {
  readonly #endsMs = new BoundedMap<PeerId, number>(DENIED_MAX)
  readonly #told = new BoundedMap<string, true>(DENIED_MAX)

  /** Denies the peer from now on; true when this reason was not heard of this peer before. */
  deny(peer: PeerId, reason: string, nowMs: number): boolean {
    this.#endsMs.set(peer, nowMs + DENIAL_MS)
    const word = `${peer} ${reason}`
    const isNews = !this.#told.has(word)
    this.#told.set(word, true)
    return isNews
  }

  /** Whether the peer is denied. */
  has(peer: PeerId, nowMs: number): boolean {
    return (this.#endsMs.get(peer) ?? Number.NEGATIVE_INFINITY) > nowMs
  }
}
