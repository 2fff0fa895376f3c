// The ids of transactions that peers announced and were not asked for yet, by peer and by id. An announcement costs a peer
// 32 bytes, so there are bounds: per peer, and for all peers together. The oldest id of the peer with the most is evicted.

import type { TransactionId } from '../chain/transaction.ts'
import type { PeerId } from './effects.ts'

/** Waiting ids of one peer. */
export const WAITING_MAX = 4_096
/** Waiting ids of all peers together: 5 MB. */
export const WAITING_ALL_MAX = 32_768

const NONE: ReadonlySet<never> = new Set()

/** The announced ids that wait to be requested. */
export class Announced {
  /** By peer, in the order in which they came. */
  readonly #byPeer = new Map<PeerId, Set<TransactionId>>()
  readonly #holders = new Map<TransactionId, Set<PeerId>>()
  #size = 0

  /** How many ids wait, each counted for each peer that has it. */
  get size(): number {
    return this.#size
  }

  /** The waiting ids of one peer, oldest first. */
  of(peer: PeerId): ReadonlySet<TransactionId> {
    return this.#byPeer.get(peer) ?? NONE
  }

  /** The peers that announced an id and were not asked for it, in the order in which they did. */
  holdersOf(id: TransactionId): ReadonlySet<PeerId> {
    return this.#holders.get(id) ?? NONE
  }

  add(peer: PeerId, id: TransactionId): void {
    if (this.of(peer).has(id)) return
    if (this.of(peer).size >= WAITING_MAX) this.#deleteOldest(peer)
    if (this.#size >= WAITING_ALL_MAX) this.#deleteOldest(this.#busiest())
    const ids = this.#byPeer.get(peer) ?? new Set<TransactionId>()
    const holders = this.#holders.get(id) ?? new Set<PeerId>()
    this.#byPeer.set(peer, ids.add(id))
    this.#holders.set(id, holders.add(peer))
    this.#size += 1
  }

  delete(peer: PeerId, id: TransactionId): void {
    const [ids, holders] = [this.#byPeer.get(peer), this.#holders.get(id)]
    if (ids?.delete(id) !== true) return
    this.#size -= 1
    if (ids.size === 0) this.#byPeer.delete(peer)
    holders?.delete(peer)
    if (holders?.size === 0) this.#holders.delete(id)
  }

  /** Deletes an id of all peers. */
  deleteId(id: TransactionId): void {
    for (const peer of [...(this.#holders.get(id) ?? NONE)]) this.delete(peer, id)
  }

  deletePeer(peer: PeerId): void {
    for (const id of [...this.of(peer)]) this.delete(peer, id)
  }

  #deleteOldest(peer: PeerId): void {
    for (const oldest of this.of(peer)) return this.delete(peer, oldest)
  }

  /** The peer with the most waiting ids. */
  #busiest(): PeerId {
    let [busiest, most] = ['', 0]
    for (const [peer, { size }] of this.#byPeer) if (size > most) [busiest, most] = [peer, size]
    return busiest
  }
}
