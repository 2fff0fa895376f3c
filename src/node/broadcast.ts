// Spreads messages to all peers: by gossip, and over the link of each peer that our gossip does not reach.
//
// gossipsub opens its stream to a peer once; when that stream is lost, our gossip no longer reaches the peer although it is
// subscribed. Such a peer gets messages over its link meanwhile, and is disconnected after a while, so that a new connection
// carries gossip again.

import type { Logger } from 'pino'
import type { PeerId } from '../replica/effects.ts'
import { encodeMessage } from '../replica/message-codec.ts'
import type { Message } from '../replica/messages.ts'
import { type Counters, kindOf } from './counters.ts'
import { frameMessage } from './frames.ts'
import { carriesGossip, type Gossip, type GossipType, isGossipType } from './gossip.ts'
import type { PeerLink } from './peer-link.ts'
import { closeConnection, type PeerLinks } from './peer-links.ts'
import type { PeerLog } from './peer-log.ts'

/** Ticks after which a peer that is subscribed to gossip and does not get ours is disconnected. */
const GOSSIPLESS_TICKS_MAX = 10

/** What a broadcaster sends through. */
export interface BroadcasterParts {
  readonly gossip: Gossip
  readonly links: PeerLinks
  readonly counters: Counters
  readonly log: Logger
  readonly peerLog: PeerLog
}

/** The broadcasts of one node. */
export class Broadcaster {
  readonly #parts: BroadcasterParts
  /** For each linked peer that does not get our gossip: for how many ticks. */
  readonly #gossipless = new Map<PeerId, number>()

  constructor(parts: BroadcasterParts) {
    this.#parts = parts
  }

  /** Sends a message of our own to all peers. */
  broadcast(message: Message): void {
    const bytes = encodeMessage(message)
    const reached = isGossipType(message.type) ? this.#publish(message.type, bytes) : new Set<PeerId>()
    this.#sendOver(this.#unreached(reached), kindOf(message), bytes)
  }

  /** Relays a gossiped message to the peers that our gossip does not reach; gossipsub relays it to all others. */
  passOn(message: Message, type: GossipType, from: PeerId): void {
    const links = this.#unreached(this.#parts.gossip.listeners(type)).filter(({ peer }) => peer !== from)
    if (links.length > 0) this.#sendOver(links, kindOf(message), encodeMessage(message))
  }

  /** Counts the ticks for which each peer is out of reach of gossip, and disconnects those that are for too long. */
  heal(): void {
    const { gossip, links, peerLog } = this.#parts
    const listeners = gossip.listeners('block')
    for (const { peer } of links.all()) {
      const isReached = !listeners.has(peer) || this.#carriesGossip(peer)
      const ticks = isReached ? 0 : (this.#gossipless.get(peer) ?? 0) + 1
      this.#gossipless.set(peer, ticks)
      if (ticks < GOSSIPLESS_TICKS_MAX) continue
      peerLog.info(peer, 'a peer is out of reach of gossip and is connected to again')
      for (const connection of links.connections(peer)) closeConnection(connection)
    }
  }

  /** The link to the peer has ended. */
  forget(peer: PeerId): void {
    this.#gossipless.delete(peer)
  }

  /** Returns the subscribers. */
  #publish(type: GossipType, bytes: Uint8Array): Set<PeerId> {
    const { gossip, log } = this.#parts
    gossip.publish(type, bytes).catch(error => log.warn({ err: error }, 'a message could not be gossiped'))
    return gossip.listeners(type)
  }

  /** The links to peers out of reach of our gossip. A peer that is not greeted yet learns our head from the greeting. */
  #unreached(listeners: ReadonlySet<PeerId>): PeerLink[] {
    return this.#parts.links
      .all()
      .filter(({ peer, isGreeted }) => isGreeted && !(listeners.has(peer) && this.#carriesGossip(peer)))
  }

  #carriesGossip(peer: PeerId): boolean {
    return this.#parts.links.connections(peer).some(({ streams }) => carriesGossip(streams))
  }

  #sendOver(links: readonly PeerLink[], kind: string, bytes: Uint8Array): void {
    const frame = frameMessage(bytes)
    for (const link of links) link.send(frame)
    if (links.length > 0) this.#parts.counters.countSent(kind, frame.length, links.length)
  }
}
