// The peers that announce themselves on the local network (multicast DNS), for as long as they do.
//
// Any host of that network can announce anything, so the list is bounded and each entry expires. Addresses that an
// operator gave are kept apart from it, and are never evicted.

import type { PeerId } from '../replica/effects.ts'
import type { PeerAddress } from './peer-address.ts'

/** Announced peers at most. */
export const ANNOUNCED_MAX = 32
/** Milliseconds for which a peer that is not announced again is remembered; nodes ask every ten seconds. */
export const ANNOUNCED_MS = 10 * 60_000

/** A peer of the local network. */
export interface AnnouncedPeer {
  readonly id: PeerId
  readonly addresses: readonly PeerAddress[]
}

/** The list of one node. Times are milliseconds of a monotonic clock. */
export class AnnouncedPeers {
  readonly #isConnected: (peer: PeerId) => boolean
  readonly #peers = new Map<PeerId, AnnouncedPeer & { readonly endsMs: number }>()

  constructor(isConnected: (peer: PeerId) => boolean) {
    this.#isConnected = isConnected
  }

  /** Those that were announced lately. */
  current(nowMs: number): AnnouncedPeer[] {
    for (const { id, endsMs } of this.#peers.values()) if (endsMs <= nowMs) this.#peers.delete(id)
    return [...this.#peers.values()]
  }

  /** A peer announced itself. When the list is full one that is not connected makes room, that announced longest ago. */
  add({ id, addresses }: AnnouncedPeer, nowMs: number): void {
    this.#peers.delete(id)
    if (this.current(nowMs).length >= ANNOUNCED_MAX) {
      const stale = [...this.#peers.keys()].find(peer => !this.#isConnected(peer))
      if (stale === undefined) return
      this.#peers.delete(stale)
    }
    this.#peers.set(id, { id, addresses, endsMs: nowMs + ANNOUNCED_MS })
  }
}
