// Notes in the address book where connected peers can be reached: at the addresses where we dialled them, or else where
// they say that they listen (libp2p's identify). What libp2p remembers of peers by itself is swept.

import type { Multiaddr } from '@multiformats/multiaddr'
import type { Logger } from 'pino'
import { groupWith, placeOfMultiaddr } from '../defence/network-group.ts'
import type { PeerId } from '../replica/effects.ts'
import type { AddressBook } from './address-book.ts'
import type { Network } from './libp2p-network.ts'
import { isOutbound } from './outbound-connections.ts'
import { type PeerAddress, peerAddressOf } from './peer-address.ts'
import type { PeerLinks } from './peer-links.ts'
import { addressesToldOf } from './told-addresses.ts'

/** What the notes are taken from, and where they go. */
export interface AddressNotesOptions {
  readonly network: Network
  readonly addressBook: AddressBook
  /** Whether the limits by address and group hold for loopback addresses too. */
  readonly limitLoopback: boolean
  readonly links: PeerLinks
  readonly log: Logger
}

/** Notes the addresses of one node's peers. */
export class AddressNotes {
  readonly #options: AddressNotesOptions

  constructor(options: AddressNotesOptions) {
    this.#options = options
  }

  /** Notes where the peer can be reached. */
  async note(peer: PeerId): Promise<void> {
    const { network, addressBook, limitLoopback, links } = this.#options
    const connections = links.connections(peer)
    const reached = connections.filter(isOutbound).map(({ remoteAddr }) => remoteAddr)
    const dialled = addressesOf(peer, reached)
    if (dialled.length > 0) {
      addressBook.note({ id: peer, addresses: dialled, wasDialled: true })
      return
    }
    const [connection] = connections
    if (connection === undefined) return
    const { remotePeer, remoteAddr } = connection
    // What identify has learned so far; the peer is noted again when identify is done.
    const told = await network.peerStore.get(remotePeer).catch(() => null)
    const multiaddrs = told?.addresses.map(({ multiaddr: one }) => one) ?? []
    const place = placeOfMultiaddr(remoteAddr)
    const addresses = addressesToldOf(place, addressesOf(peer, multiaddrs))
    const [first] = addresses
    if (first === undefined) return
    const isExempt = place.reach === 'loopback' && !limitLoopback
    addressBook.note(
      { id: peer, addresses, wasDialled: false },
      isExempt ? groupWith(limitLoopback)(first) : place.group,
    )
  }

  /** Deletes disconnected peers from libp2p's own store, which keeps them for hours; the address book replaces it. */
  async sweepPeerStore(): Promise<void> {
    const { network, links, log } = this.#options
    const { peerStore } = network
    try {
      for (const { id } of await peerStore.all())
        if (links.connections(id.toString()).length === 0) await peerStore.delete(id)
    } catch (error) {
      log.debug({ err: error }, 'the peers that are gone could not be forgotten')
    }
  }
}

/** The addresses among these multiaddrs at which this peer can be dialled, each with its id. */
export function addressesOf(peer: PeerId, multiaddrs: readonly Multiaddr[]): PeerAddress[] {
  return multiaddrs
    .map(peerAddressOf)
    .filter(address => address !== null)
    .filter(address => (address.peer ?? peer) === peer)
    .map(address => ({ ...address, peer }))
}
