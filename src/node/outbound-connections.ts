// The connections that this node opens: those that stay, and feelers, which end as soon as the peer is confirmed or has
// stayed mute. Which peers are dialled and when is the redialer's choice (redialer.ts).

import type { Connection } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import type { Logger } from 'pino'
import type { GroupOf } from '../defence/network-group.ts'
import type { PeerId } from '../replica/effects.ts'
import { explainDialFailure } from './dial-failure.ts'
import type { Network } from './libp2p-network.ts'
import { type PeerAddress, peerAddressOf, printPeerAddress } from './peer-address.ts'
import type { PeerLinks } from './peer-links.ts'
import type { Dialer } from './redialer.ts'

/** What outbound connections are made with. */
export interface OutboundOptions {
  readonly network: Network
  readonly links: PeerLinks
  readonly groupOf: GroupOf
  /** Whether the node may not have a connection with this peer. */
  isDenied(peer: PeerId): boolean
  readonly log: Logger
}

/** The outbound connections of one node. */
export class OutboundConnections implements Dialer {
  readonly #options: OutboundOptions
  /** Peers that are connected only to see whether they answer. */
  readonly #feelers = new Set<PeerId>()

  constructor(options: OutboundOptions) {
    this.#options = options
  }

  /** Opens a connection that stays. */
  async dial(addresses: readonly PeerAddress[]): Promise<PeerId> {
    const connection = await this.#options.network.dial(
      addresses.map(address => multiaddr(printPeerAddress(address))),
    )
    return connection.remotePeer.toString()
  }

  /** Opens a feeler. */
  async openFeeler(peer: PeerId, addresses: readonly PeerAddress[]): Promise<PeerId> {
    this.#feelers.add(peer)
    return this.dial(addresses).catch(error => {
      this.#feelers.delete(peer)
      throw error
    })
  }

  /** The feeler to the peer has ended, because it has answered or disconnected; true if there was one. */
  endFeeler(peer: PeerId): boolean {
    return this.#feelers.delete(peer)
  }

  /** Whether there is a connection with the peer, opened by either side. */
  isConnected(peer: PeerId): boolean {
    return this.#options.links.connections(peer).length > 0
  }

  /** Whether the node may not have a connection with this peer. */
  isDenied(peer: PeerId): boolean {
    return this.#options.isDenied(peer)
  }

  /** A given address can't be reached. */
  onUnreachable(address: string, error: unknown): void {
    const { log } = this.#options
    log.warn(`can't reach ${address}: ${explainDialFailure(error)}; the node keeps trying`)
    log.debug({ address, err: error }, 'a dial failed')
  }

  /** The peers that we keep a connection to, each with the group of its address. */
  outbound(): { readonly peer: PeerId; readonly group: string }[] {
    return this.#kept().map(({ remotePeer, remoteAddr }) => {
      const address = peerAddressOf(remoteAddr)
      return { peer: remotePeer.toString(), group: address === null ? '' : this.#options.groupOf(address) }
    })
  }

  /** The peers that we keep a connection to, the longest connected first. */
  longestKept(): PeerId[] {
    return this.#kept()
      .sort((a, b) => a.timeline.open - b.timeline.open)
      .map(({ remotePeer }) => remotePeer.toString())
  }

  #kept(): Connection[] {
    return this.#options.network
      .getConnections()
      .filter(isOutbound)
      .filter(({ remotePeer }) => !this.#feelers.has(remotePeer.toString()))
  }
}

/** Whether we opened this connection. */
export function isOutbound({ direction }: Connection): boolean {
  return direction === 'outbound'
}
