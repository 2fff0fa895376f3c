// The addresses at which peers of our network were met, kept in a file so that a restart finds them again.
//
// A peer is noted once it has said that it follows our network. Addresses that we dialled with success are worth
// more than those that a stranger only told us, and are forgotten last: strangers can't fill the book with
// addresses of their own and push out those that work.

import type { Logger } from 'pino'
import type { PeerId } from '../replica/effects.ts'
import { readFileOrNull, writeFileAtomically } from './atomic-file.ts'

/** Peers in the book at most. */
export const KNOWN_PEERS_MAX = 512
/** Addresses of one peer at most. */
export const ADDRESSES_PER_PEER_MAX = 4

const FILE_BYTES_MAX = 1024 * 1024
const ADDRESS_LENGTH_MAX = 256

/** A peer and where it was met. */
export interface KnownPeer {
  readonly id: PeerId
  /** Multiaddrs, the best first. */
  readonly addresses: readonly string[]
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

  /** The book in this file; an empty one when there is no file or it is damaged. */
  static async load(path: string, log: Logger): Promise<AddressBook> {
    const book = new AddressBook(path, log)
    try {
      const text = await readFileOrNull(path, FILE_BYTES_MAX)
      if (text === null) return book
      for (const peer of parsePeers(text)) book.#peers.set(peer.id, peer)
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
    const addresses = peer.addresses
      .filter(address => address.length <= ADDRESS_LENGTH_MAX)
      .slice(0, ADDRESSES_PER_PEER_MAX)
    const isWorse = known?.wasDialled === true && !peer.wasDialled
    const isSame = known?.wasDialled === peer.wasDialled && known.addresses.join() === addresses.join()
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
      await writeFileAtomically(this.#path, `${JSON.stringify([...this.#peers.values()], null, 1)}\n`)
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

function parsePeers(text: string): KnownPeer[] {
  const list: unknown = JSON.parse(text)
  if (!Array.isArray(list) || !list.every(isKnownPeer)) throw new Error('not a list of peers')
  return list.slice(0, KNOWN_PEERS_MAX)
}

function isKnownPeer(value: unknown): value is KnownPeer {
  if (typeof value !== 'object' || value === null) return false
  const { id, addresses, wasDialled } = value as Partial<Record<keyof KnownPeer, unknown>>
  const hasAddresses = Array.isArray(addresses) && addresses.every(address => typeof address === 'string')
  return typeof id === 'string' && hasAddresses && typeof wasDialled === 'boolean'
}
