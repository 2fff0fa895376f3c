// A table of known peers in buckets that a secret picks, as in Bitcoin Core's addrman.cpp after Heilman et al. 2015,
// "Eclipse Attacks on Bitcoin's Peer-to-Peer Network", countermeasures 1 and 2.
//
// The slot of a peer depends on the peer that reported it and on its address: one provider group reaches a few buckets of
// many, so that it can fill those and no more. The secret hides which buckets they are, and which peers would be evicted.

import { hash } from 'node:crypto'
import type { PeerId } from '../replica/effects.ts'

/** The form of a table. */
export interface BucketLayout {
  readonly name: string
  readonly buckets: number
  readonly bucketSize: number
  /** Buckets that peers of one source reach. */
  readonly bucketsPerSource: number
}

/** What decides the bucket of a peer. */
export interface Origin {
  /** The source that placed it in the table. */
  readonly source: string
  /** What is different enough to go to another bucket of the same source. */
  readonly part: string
  /** The host and port at which it is, so that many ids at one of them have one slot. */
  readonly address: string
}

/** One table. */
export class AddressBuckets {
  readonly #layout: BucketLayout
  readonly #secret: string
  readonly #slots: (PeerId | undefined)[]

  constructor(layout: BucketLayout, key: Uint8Array) {
    this.#layout = layout
    this.#secret = Buffer.from(key).toString('hex')
    this.#slots = new Array(layout.buckets * layout.bucketSize)
  }

  /** All peers, in an order that depends on the secret. */
  peers(): PeerId[] {
    return this.#slots.filter(peer => peer !== undefined)
  }

  /** The slot of a peer. */
  slotOf({ source, part, address }: Origin): number {
    const { buckets, bucketSize, bucketsPerSource } = this.#layout
    const reached = this.#hash('part', source, part) % bucketsPerSource
    const bucket = this.#hash('bucket', source, String(reached)) % buckets
    return bucket * bucketSize + (this.#hash('slot', String(bucket), address) % bucketSize)
  }

  /** The peer in a slot. */
  at(slot: number): PeerId | undefined {
    return this.#slots[slot]
  }

  set(slot: number, peer: PeerId): void {
    this.#slots[slot] = peer
  }

  delete(peer: PeerId): void {
    const slot = this.#slots.indexOf(peer)
    if (slot >= 0) this.#slots[slot] = undefined
  }

  #hash(...words: readonly string[]): number {
    const text = JSON.stringify([this.#secret, this.#layout.name, ...words])
    return hash('sha256', text, 'buffer').readUIntLE(0, 6)
  }
}
