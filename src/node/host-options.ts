// How a host is set up, and what it tells of linked peers.
// Everything is given here: defaults are in node-options.ts.

import type { MultiaddrConnection, PrivateKey } from '@libp2p/interface'
import type { Logger } from 'pino'
import type { BlockId } from '../chain/header.ts'
import type { PeerId } from '../replica/effects.ts'
import type { AddressBook } from './address-book.ts'
import type { Counters } from './counters.ts'
import type { OnGossip } from './gossip.ts'

/** A linked peer. */
export interface PeerInfo {
  readonly id: PeerId
  /** The multiaddr of its end of the connection. */
  readonly address: string
  /** Which side opened the connection: the peer (inbound) or this node (outbound). */
  readonly direction: 'inbound' | 'outbound'
}

/** How a host is set up. */
export interface HostOptions {
  readonly privateKey: PrivateKey
  readonly genesisId: BlockId
  /** Bytes of a block at most. */
  readonly blockBytesMax: number
  /** Multiaddrs to listen on. */
  readonly listen: readonly string[]
  /** Multiaddrs to stay connected to. */
  readonly bootstrap: readonly string[]
  /** Whether to look for peers on the local network by multicast DNS. */
  readonly mdns: boolean
  /** Wraps each raw connection of the transport before libp2p uses it. */
  wrapConnection(raw: MultiaddrConnection): MultiaddrConnection
  /** Whether the node may have a connection with this peer; all others are treated as banned peers are. */
  mayConnect(peer: PeerId): boolean
  /** Whether the limits by address and group hold for loopback addresses too. */
  readonly limitLoopback: boolean
  readonly addressBook: AddressBook
  /** Counts what is sent. */
  readonly counters: Counters
  /** The version that identify tells peers. */
  readonly version: string
  readonly log: Logger
  /** Called in strict alternation for each peer. */
  onPeerConnected(peer: PeerId): void
  onPeerDisconnected(peer: PeerId): void
  /** A message came over the link; the peer's next one follows when this resolves, which it always does. */
  onMessage(from: PeerId, bytes: Uint8Array): Promise<void>
  readonly onGossip: OnGossip
  /** Whether a linked peer has proved that it speaks for a validator. */
  isValidator(peer: PeerId): boolean
}
