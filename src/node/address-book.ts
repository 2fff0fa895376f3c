// The addresses at which peers of our network were met, kept in a file so that a restart finds them again.
//
// A peer is noted once it has said that it follows our network. Addresses that we dialled with success are worth
// more than those that a stranger only told us, and are forgotten last: strangers can't fill the book with
// addresses of their own and push out those that work.
//
// The file only helps: what can't be read in it is left out, entry by entry, and never stops a start.

import type { Logger } from 'pino'
import type { PeerId } from '../replica/effects.ts'
import { readFileOrNull, writeFileAtomically } from './atomic-file.ts'
import { type PeerAddress, parsePeerAddress, parsePeerId, printPeerAddress } from './peer-address.ts'

/** Peers in the book at most. */
export const KNOWN_PEERS_MAX = 512
/** Addresses of one peer at most. */
export const ADDRESSES_PER_PEER_MAX = 4

const FILE_BYTES_MAX = 1024 * 1024

/** A peer and where it was met. */
export interface KnownPeer {
  readonly id: PeerId
  /** The best first. */
  readonly addresses: readonly PeerAddress[]
  /** We once reached it at one of them. */
  readonly wasDialled: boolean
}

/** The address book of one node. */
export class AddressBook {
  readonly #path: string
  readonly #log: Logger
  readonly #peers = new Map<PeerId, KnownPeer>()
  #isSaved = true
  #saving: Promise<void> = Promise.resolve()

  private constructor(path: string, log: Logger) {
    this.#path = path
    this.#log = log
  }

  /** The book in this file, without what can't be read in it; an empty one when there is no file. */
  static async load(path: string, log: Logger): Promise<AddressBook> {
    const book = new AddressBook(path, log)
    try {
      const text = await readFileOrNull(path, FILE_BYTES_MAX)
      if (text === null) return book
      const { peers, dropped } = readPeers(text)
      for (const peer of peers) book.#peers.set(peer.id, peer)
      if (dropped > 0)
        log.warn({ dropped }, `some of the known peers in ${path} can't be read and are left out`)
    } catch (error) {
      log.warn({ err: error }, `the known peers in ${path} can't be read; beginning with none`)
    }
    return book
  }

  /** All known peers, those that we reached ourselves first. */
  peers(): KnownPeer[] {
    const all = [...this.#peers.values()]
    return [...all.filter(peer => peer.wasDialled), ...all.filter(peer => !peer.wasDialled)]
  }

  /** Notes a peer. The addresses replace those that are known, unless they are hearsay and the others are not. */
  note(peer: KnownPeer): void {
    const known = this.#peers.get(peer.id)
    const addresses = peer.addresses.slice(0, ADDRESSES_PER_PEER_MAX)
    const isWorse = known?.wasDialled === true && !peer.wasDialled
    const isSame = known?.wasDialled === peer.wasDialled && printAll(known.addresses) === printAll(addresses)
    if (addresses.length === 0 || isWorse || isSame) return
    this.#peers.delete(peer.id)
    this.#peers.set(peer.id, { ...peer, addresses })
    this.#isSaved = false
    if (this.#peers.size > KNOWN_PEERS_MAX) this.#peers.delete(this.#leastWorthy())
  }

  /** Writes the book if it has changed. A failure is logged: the node can live without it. */
  save(): Promise<void> {
    // One after the other: they share a temporary file.
    this.#saving = this.#saving.then(() => this.#write())
    return this.#saving
  }

  async #write(): Promise<void> {
    if (this.#isSaved) return
    this.#isSaved = true
    try {
      const peers = [...this.#peers.values()]
      const entries = peers.map(peer => ({ ...peer, addresses: peer.addresses.map(printPeerAddress) }))
      await writeFileAtomically(this.#path, `${JSON.stringify(entries, null, 1)}\n`)
    } catch (error) {
      this.#log.warn({ err: error }, `the known peers can't be written to ${this.#path}`)
    }
  }

  /** The oldest of those that we never reached, or else the oldest of all. */
  #leastWorthy(): PeerId {
    const all = [...this.#peers.values()]
    return (all.find(peer => !peer.wasDialled) ?? all[0])!.id
  }
}

function printAll(addresses: readonly PeerAddress[]): string {
  return addresses.map(printPeerAddress).join()
}

/** The peers in the text of a file, and how many entries and addresses in it are none. Throws when it is no list. */
function readPeers(text: string): { readonly peers: readonly KnownPeer[]; readonly dropped: number } {
  const list: unknown = JSON.parse(text)
  if (!Array.isArray(list)) throw new Error('not a list of peers')
  const entries = list.slice(0, KNOWN_PEERS_MAX).map(readPeer)
  const peers = entries.map(({ peer }) => peer).filter(peer => peer !== null)
  return { peers, dropped: entries.reduce((sum, { dropped }) => sum + dropped, 0) }
}

/** One entry, without the addresses that are none or another peer's; null when nothing is left of it. */
function readPeer(entry: unknown): { readonly peer: KnownPeer | null; readonly dropped: number } {
  const given = typeof entry === 'object' && entry !== null ? entry : {}
  const { id, addresses, wasDialled } = given as Partial<Record<keyof KnownPeer, unknown>>
  const peer = typeof id === 'string' ? parsePeerId(id) : null
  if (peer === null || !Array.isArray(addresses)) return { peer: null, dropped: 1 }
  const readable = addresses
    .map(address => (typeof address === 'string' ? parsePeerAddress(address) : null))
    .filter(address => address !== null)
    .filter(address => (address.peer ?? peer) === peer)
  const kept = readable.slice(0, ADDRESSES_PER_PEER_MAX)
  return {
    peer: kept.length === 0 ? null : { id: peer, addresses: kept, wasDialled: wasDialled === true },
    dropped: addresses.length - readable.length,
  }
}
