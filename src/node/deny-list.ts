// Temporary bans of peers, with their reasons. The list is bounded, so a peer with ever new ids can only evict its oldest
// entries; and each id costs it a connection.

import { BoundedMap } from '../collections/bounded-map.ts'
import type { PeerId } from '../replica/effects.ts'

/** Milliseconds of a ban. */
export const DENIAL_MS = 5 * 60_000

const DENIED_MAX = 1_024

/** The banned peers. Times are milliseconds of a monotonic clock. */
export class DenyList {
  readonly #endsMs = new BoundedMap<PeerId, number>(DENIED_MAX)
  /** Bans that `deny` returned true for. */
  readonly #reported = new BoundedMap<string, true>(DENIED_MAX)

  /** Bans the peer from now on; true the first time that it is banned for this reason. */
  deny(peer: PeerId, reason: string, nowMs: number): boolean {
    this.#endsMs.set(peer, nowMs + DENIAL_MS)
    const ban = `${peer} ${reason}`
    const isFirst = !this.#reported.has(ban)
    this.#reported.set(ban, true)
    return isFirst
  }

  /** Whether the peer is banned. */
  has(peer: PeerId, nowMs: number): boolean {
    return (this.#endsMs.get(peer) ?? Number.NEGATIVE_INFINITY) > nowMs
  }
}
