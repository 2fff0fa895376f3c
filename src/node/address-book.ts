// The addresses of peers of our network, kept in a file so that a restart finds them again.
//
// A peer is noted once it has said that it follows our network: as tried if we dialled it with success, and as new if it
// only reported where it listens. Each kind has a table in buckets (see address-buckets.ts), so that strangers can't fill
// the book with addresses of their own and evict those that work. If the slot of a tried peer is taken, its holder is
// dialled first, and is evicted only when it does not answer.
//
// The file is only an aid: entries that can't be read are left out, and never prevent a start.

import { randomBytes } from 'node:crypto'
import type { Logger } from 'pino'
import { BoundedMap } from '../collections/bounded-map.ts'
import { type GroupOf, groupWith } from '../defence/network-group.ts'
import { readFileOrNull } from '../files/read-file.ts'
import { writeFileAtomically } from '../files/write-file.ts'
import type { PeerId } from '../replica/effects.ts'
import { BOOK_BYTES_MAX, type BookContent, readBook, writeBook } from './address-book-file.ts'
import { AddressBuckets, type BucketLayout, type Origin } from './address-buckets.ts'
import { type PeerAddress, printPeerAddress } from './peer-address.ts'

/** Addresses of one peer at most. */
export const ADDRESSES_PER_PEER_MAX = 4
/** Peers that are dialled first at the next start. */
export const ANCHORS_MAX = 2

/** Peers that we reached: of one provider group 32 of 256. */
export const TRIED = {
  name: 'tried',
  buckets: 32,
  bucketSize: 8,
  bucketsPerSource: 4,
} as const satisfies BucketLayout
/** Peers that reported their own addresses: from one provider group 64 of 512. */
export const NEW = {
  name: 'new',
  buckets: 64,
  bucketSize: 8,
  bucketsPerSource: 8,
} as const satisfies BucketLayout
/** Peers in the book at most. */
export const KNOWN_PEERS_MAX = TRIED.buckets * TRIED.bucketSize + NEW.buckets * NEW.bucketSize

/** Tried peers for which the peer that waits for their slot is remembered. */
const RIVALS_MAX = 16
/** Failed dials after which a tried peer is no longer protected from one that waits for its slot. */
const TRIED_FAILURES_MAX = 2

/** A peer and where it was met. */
export interface KnownPeer {
  readonly id: PeerId
  /** The best first. */
  readonly addresses: readonly PeerAddress[]
  /** We once reached it at one of them. */
  readonly wasDialled: boolean
}

type Entry = KnownPeer & {
  /** The group of the peer that reported it. */
  readonly source: string
  failures: number
}

/** The address book of one node. */
export class AddressBook {
  readonly #path: string
  readonly #log: Logger
  readonly #groupOf: GroupOf
  readonly #key: Uint8Array
  readonly #peers = new Map<PeerId, Entry>()
  readonly #tried: AddressBuckets
  readonly #new: AddressBuckets
  /** The peer that waits for the slot of a tried one. */
  readonly #rivals = new BoundedMap<PeerId, PeerId>(RIVALS_MAX)
  /** Those of the last run, and those that the file holds for the next one. */
  #anchors: readonly PeerId[] = []
  #nextAnchors: readonly PeerId[] = []
  #isSaved = true
  #saving: Promise<void> = Promise.resolve()

  private constructor(path: string, log: Logger, groupOf: GroupOf, key: Uint8Array) {
    this.#path = path
    this.#log = log
    this.#groupOf = groupOf
    this.#key = key
    this.#tried = new AddressBuckets(TRIED, key)
    this.#new = new AddressBuckets(NEW, key)
  }

  /**
   * The book in this file, without what can't be read in it; an empty one when there is no file. `groupOf` says which
   * addresses are of one group; those of one provider unless given.
   */
  static async load(path: string, log: Logger, groupOf: GroupOf = groupWith(true)): Promise<AddressBook> {
    let content: BookContent | null = null
    try {
      const text = await readFileOrNull(path, BOOK_BYTES_MAX)
      content = text === null ? null : readBook(text)
      const dropped = content?.dropped ?? 0
      if (dropped > 0)
        log.warn({ dropped }, `some of the known peers in ${path} can't be read and are left out`)
    } catch (error) {
      log.warn(`the known peers in ${path} can't be read (${reasonOf(error)}); beginning with none`)
    }
    const book = new AddressBook(path, log, groupOf, content?.key ?? randomBytes(32))
    for (const { source, ...peer } of content?.peers ?? []) book.note(peer, source)
    book.#anchors = content?.anchors ?? []
    book.#nextAnchors = book.#anchors
    book.#isSaved = true
    return book
  }

  /** All known peers: the anchors of the last run, then those that we reached ourselves, then the others. */
  peers(): KnownPeer[] {
    const ids = new Set([...this.#anchors, ...this.#tried.peers(), ...this.#new.peers()])
    return [...ids]
      .map(id => this.#peers.get(id))
      .filter(entry => entry !== undefined)
      .map(({ id, addresses, wasDialled }) => ({ id, addresses, wasDialled }))
  }

  /** Those of which it is worth knowing whether they answer: first those whose slots others wait for. */
  untested(): KnownPeer[] {
    const all = this.peers()
    const contested = all.filter(({ id }) => this.#rivals.has(id))
    return [...contested, ...all.filter(({ wasDialled }) => !wasDialled)]
  }

  /**
   * Notes a peer, and the group of the peer that reported it; its own by default. The addresses replace those that are
   * known, unless they are only reported and the others were dialled.
   */
  note(peer: KnownPeer, source: string | null = null): void {
    const known = this.#peers.get(peer.id)
    const addresses = peer.addresses.slice(0, ADDRESSES_PER_PEER_MAX)
    const [first] = addresses
    if (first === undefined || (known?.wasDialled === true && !peer.wasDialled)) return
    const entry = { ...peer, addresses, source: source ?? this.#groupOf(first), failures: 0 }
    if (peer.wasDialled) {
      if (known !== undefined) known.failures = 0
      this.#rivals.delete(peer.id)
    }
    if (known?.wasDialled === peer.wasDialled && printAll(known.addresses) === printAll(addresses)) return
    if (peer.wasDialled) this.#noteTried(entry)
    else this.#noteNew(entry)
  }

  /** The peer did not answer at its addresses, while others did. */
  noteFailure(id: PeerId): void {
    const entry = this.#peers.get(id)
    if (entry === undefined) return
    entry.failures += 1
    const rival = this.#peers.get(this.#rivals.get(id) ?? '')
    if (rival === undefined || entry.failures < TRIED_FAILURES_MAX) return
    this.#rivals.delete(id)
    this.#remove(id)
    this.#noteTried({ ...rival, wasDialled: true })
    this.#noteNew({ ...entry, wasDialled: false })
  }

  /** These are dialled first at the next start. None keeps those that are known. */
  setAnchors(peers: readonly PeerId[]): void {
    const anchors = peers.filter(id => this.#peers.has(id)).slice(0, ANCHORS_MAX)
    if (anchors.length === 0 || anchors.join() === this.#nextAnchors.join()) return
    this.#nextAnchors = anchors
    this.#isSaved = false
  }

  /** Writes the book if it has changed. A failure is logged: the node can live without it. */
  save(): Promise<void> {
    // One after the other, so that the newest is renamed last.
    this.#saving = this.#saving.then(() => this.#write())
    return this.#saving
  }

  async #write(): Promise<void> {
    if (this.#isSaved) return
    this.#isSaved = true
    try {
      const order = [...this.#tried.peers(), ...this.#new.peers()]
      const peers = order.map(id => this.#peers.get(id)).filter(entry => entry !== undefined)
      const text = writeBook({ key: this.#key, anchors: this.#nextAnchors, peers })
      await writeFileAtomically(this.#path, text)
    } catch (error) {
      this.#log.warn(`the known peers can't be written to ${this.#path} (${reasonOf(error)})`)
    }
  }

  /**
   * A peer that we reached goes to its slot; if the slot is taken it stays a new peer until the holder was tested. A peer that
   * already has a slot, by an earlier address, keeps it.
   */
  #noteTried(entry: Entry): void {
    const slot = this.#tried.slotOf(this.#originOf(entry, this.#groupOf(entry.addresses[0]!)))
    const holder = this.#tried.at(slot)
    if (holder !== undefined && holder !== entry.id) {
      if (this.#peers.get(entry.id)?.wasDialled === true) return
      this.#noteNew({ ...entry, wasDialled: false })
      if (this.#peers.has(entry.id)) this.#rivals.set(holder, entry.id)
      return
    }
    this.#put(this.#tried, slot, entry)
  }

  /** A reported peer goes to its slot, unless a peer that has not failed yet holds it. */
  #noteNew(entry: Entry): void {
    const slot = this.#new.slotOf(this.#originOf(entry, entry.source))
    const holder = this.#new.at(slot)
    if (holder !== undefined && holder !== entry.id) {
      if (this.#peers.get(holder)?.failures === 0) return
      this.#remove(holder)
    }
    this.#put(this.#new, slot, entry)
  }

  #put(table: AddressBuckets, slot: number, entry: Entry): void {
    this.#remove(entry.id)
    table.set(slot, entry.id)
    this.#peers.set(entry.id, entry)
    this.#isSaved = false
  }

  #remove(id: PeerId): void {
    this.#tried.delete(id)
    this.#new.delete(id)
    this.#peers.delete(id)
  }

  /** One provider group spreads over its buckets by address where it is tried, and by group of address where it is new. */
  #originOf({ addresses, wasDialled }: Entry, source: string): Origin {
    const first = addresses[0]!
    const address = printPeerAddress({ ...first, peer: null })
    return { source, part: wasDialled ? address : this.#groupOf(first), address }
  }
}

function printAll(addresses: readonly PeerAddress[]): string {
  return addresses.map(printPeerAddress).join()
}

/** The reason alone: a hint file that is no use is no fault in the program. */
function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
