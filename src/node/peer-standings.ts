// How peers have behaved, which decides evictions when all inbound places are taken (see inbound-slots.ts).
// All but the set of validators is forgotten when the link ends, so it is bounded by the number of links.

import { BoundedMap } from '../collections/bounded-map.ts'
import type { PeerId } from '../replica/effects.ts'
import type { InboundPeer } from './inbound-slots.ts'

/** Ids of validators that are remembered: more than a committee has, each of which may have been given a new id. */
const VALIDATORS_MAX = 1_024

/** How a linked peer has behaved. */
export type Standing = Pick<InboundPeer, 'isGreeted' | 'blockMs' | 'transactionsMs'>

const STRANGER: Standing = {
  isGreeted: false,
  blockMs: Number.NEGATIVE_INFINITY,
  transactionsMs: Number.NEGATIVE_INFINITY,
}

/** The standings of all peers of one node. Times are milliseconds of a monotonic clock. */
export class PeerStandings {
  readonly #standings = new Map<PeerId, Standing>()
  readonly #validators = new BoundedMap<PeerId, true>(VALIDATORS_MAX)

  /** The peer has said that it follows our network. */
  confirm(peer: PeerId): void {
    this.#standings.set(peer, { ...this.standing(peer), isGreeted: true })
  }

  /** A linked peer gave a block that moved our head, or transactions that were news. */
  credit(peer: PeerId, what: 'block' | 'transactions', nowMs: number): void {
    const standing = this.#standings.get(peer)
    if (standing === undefined) return
    this.#standings.set(peer, { ...standing, [what === 'block' ? 'blockMs' : 'transactionsMs']: nowMs })
  }

  /** How the peer has behaved since it was linked. */
  standing(peer: PeerId): Standing {
    return this.#standings.get(peer) ?? STRANGER
  }

  /** The peer has proved that it speaks for a validator. */
  noteValidator(peer: PeerId): void {
    this.#validators.set(peer, true)
  }

  isValidator(peer: PeerId): boolean {
    return this.#validators.has(peer)
  }

  /** The link to the peer has ended. */
  forget(peer: PeerId): void {
    this.#standings.delete(peer)
  }
}
