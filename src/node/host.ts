// The node's place in the network: gossip for what all should know, and one link per peer for everything else.
// Which peers are dialled, kept, disconnected and denied comes together here.

import type {
  Connection,
  PeerInfo as LibraryPeerInfo,
  MultiaddrConnection,
  PrivateKey,
  Stream,
} from '@libp2p/interface'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import type { Logger } from 'pino'
import type { BlockId } from '../chain/header.ts'
import type { PeerId } from '../replica/effects.ts'
import { encodeMessage } from '../replica/message-codec.ts'
import type { Message, OutgoingMessage } from '../replica/messages.ts'
import { type Rejection, verdictOn } from '../replica/verdict.ts'
import type { AddressBook } from './address-book.ts'
import { type Counters, kindOf } from './counters.ts'
import { DenyList } from './deny-list.ts'
import { explainDialFailure } from './dial-failure.ts'
import { frameMessage } from './frames.ts'
import {
  carriesGossip,
  Gossip,
  type GossipType,
  type GossipVerdict,
  isGossipType,
  type OnGossip,
} from './gossip.ts'
import { guarded } from './guarded.ts'
import { InboundGate } from './inbound-gate.ts'
import { createNetwork, type Network } from './libp2p-network.ts'
import { type GroupOf, groupWith, placeOf, placeOfMultiaddr } from './network-group.ts'
import {
  type PeerAddress,
  peerAddressOf,
  printPeerAddress,
  readListenAddress,
  readPeerAddress,
} from './peer-address.ts'
import type { LinkEnd, PeerLink } from './peer-link.ts'
import { closeConnection, PeerLinks, PROTOCOL } from './peer-links.ts'
import { PeerLog } from './peer-log.ts'
import { PeerStandings } from './peer-standings.ts'
import { Redialer } from './redialer.ts'
import { addressesToldOf } from './told-addresses.ts'

/** The addresses to listen at can't be had. */
export class ListenFailed extends Error {
  override name = 'ListenFailed'
}

const TICK_MS = 1_000
/** Ticks after which a peer that listens to gossip and does not get ours is connected to anew. */
const GOSSIPLESS_TICKS_MAX = 10
/** Ticks in which a peer that is connected must have said that it follows our network. */
const HANDSHAKE_TICKS_MAX = 20
/** Ticks between sweeps of what libp2p remembers of peers that are gone. */
const SWEEP_TICKS = 60

/** Another node that we are linked to. */
export interface PeerInfo {
  readonly id: PeerId
  /** The multiaddr of its end of the connection. */
  readonly address: string
  /** Which side opened the connection: the peer (inbound) or this node (outbound). */
  readonly direction: 'inbound' | 'outbound'
}

/** What a host is given. */
export interface HostOptions {
  readonly privateKey: PrivateKey
  readonly genesisId: BlockId
  /** Bytes of a block at most. */
  readonly blockBytesMax: number
  /** Multiaddrs to listen at. */
  readonly listen: readonly string[]
  /** Multiaddrs to stay connected to. */
  readonly bootstrap: readonly string[]
  /** Whether to look for peers on the local network. */
  readonly mdns: boolean
  /** What stands between a connection of the transport and all that libp2p makes of it. */
  wrapConnection(raw: MultiaddrConnection): MultiaddrConnection
  /** Whether it may have a connection with this peer; with all others it is as with peers that are denied. */
  mayConnect(peer: PeerId): boolean
  /** Whether the limits by address and group hold for loopback addresses too. */
  readonly limitLoopback: boolean
  readonly addressBook: AddressBook
  /** Counts what is sent. */
  readonly counters: Counters
  /** Told to peers when they ask who we are. */
  readonly version: string
  readonly log: Logger
  /** Called in strict alternation for each peer. */
  onPeerConnected(peer: PeerId): void
  onPeerDisconnected(peer: PeerId): void
  /** A message came over the link; the next of this peer follows when this resolves, which it always does. */
  onMessage(from: PeerId, bytes: Uint8Array): Promise<void>
  readonly onGossip: OnGossip
  /** Whether a linked peer has proved that it speaks for a validator. */
  isValidator(peer: PeerId): boolean
}

/** A running host. */
export class Host {
  readonly #options: HostOptions
  readonly #network: Network
  readonly #gossip: Gossip
  readonly #links: PeerLinks
  readonly #denied = new DenyList()
  readonly #redialer: Redialer
  readonly #groupOf: GroupOf
  readonly #standings = new PeerStandings()
  readonly #peerLog: PeerLog
  /** Peers that are connected only to see whether they are there. */
  readonly #feelers = new Set<PeerId>()
  /** For each connected peer that has not said that it follows our network: for how many ticks. */
  readonly #mute = new Map<PeerId, number>()
  /** The linked peers that have said that they follow our network. */
  readonly #confirmed = new Set<PeerId>()
  /** For each linked peer that does not get our gossip: for how many ticks. */
  readonly #gossipless = new Map<PeerId, number>()
  #ticks = 0
  #ticker: NodeJS.Timeout | undefined

  private constructor(options: HostOptions, network: Network, gate: InboundGate) {
    this.#options = options
    this.#network = network
    this.#groupOf = groupWith(options.limitLoopback)
    this.#peerLog = new PeerLog(options.log, peer => this.#isPrivileged(peer))
    this.#gossip = new Gossip(network.services.gossip, {
      ...options,
      onGossip: (...given) => this.#takeGossip(...given),
    })
    this.#links = new PeerLinks(
      network.peerId.toString(),
      {
        onUp: peer => this.#onUp(peer),
        onDown: (peer, end) => this.#onDown(peer, end),
        onMessage: options.onMessage,
      },
      options.log,
    )
    this.#redialer = new Redialer(
      {
        dial: addresses => this.#dial(addresses),
        openFeeler: (peer, addresses) => this.#openFeeler(peer, addresses),
        onUnreachable: (address, error) => this.#onUnreachable(address, error),
        isConnected: peer => this.#links.connections(peer).length > 0,
        isDenied: peer => this.#isDenied(peer),
        outbound: () => this.#outbound(),
      },
      options.addressBook,
      this.#groupOf,
    )
    gate.open({
      isDenied: peer => this.#isDenied(peer),
      isPrivileged: peer => this.#isPrivileged(peer),
      isExpectedAt: address => this.#redialer.given().some(given => placeOf(given).address === address),
      standing: peer => this.#standings.standing(peer),
      connections: () => network.getConnections(),
    })
  }

  /** Starts listening and dialling. Throws `ListenFailed`, or `InvalidAddress` for what it is given. */
  static async start(options: HostOptions): Promise<Host> {
    const bootstrap = options.bootstrap.map(readPeerAddress)
    const listen = options.listen.map(address => printPeerAddress(readListenAddress(address)))
    const gate = new InboundGate(options.limitLoopback, options.log)
    let announced: Host | null = null
    const onAnnounced = (peer: LibraryPeerInfo) => announced?.onAnnounced(peer)
    const network = await createNetwork({ ...options, listen, onAnnounced }, gate)
    const host = new Host(options, network, gate)
    announced = host
    try {
      for (const address of bootstrap) host.#redialer.give(address)
      await host.#start()
      return host
    } catch (cause) {
      await host.close()
      throw cause
    }
  }

  /** Our own addresses, each with our peer id. */
  multiaddrs(): string[] {
    return this.#network.getMultiaddrs().map(address => address.toString())
  }

  /** The peers that we are linked to. */
  peers(): PeerInfo[] {
    return this.#links.all().map(({ peer, connection }) => ({
      id: peer,
      address: connection.remoteAddr.toString(),
      direction: connection.direction,
    }))
  }

  /** Where a linked peer is; null where there is no link, or it is at no address that we know. */
  addressOf(peer: PeerId): PeerAddress | null {
    const link = this.#links.get(peer)
    return link === null ? null : peerAddressOf(link.connection.remoteAddr)
  }

  /** Keeps a connection to this multiaddr from now on. Throws `InvalidAddress`. */
  addPeer(address: string): void {
    this.#redialer.give(readPeerAddress(address))
    this.#redialer.tick(performance.now())
  }

  /** A peer makes itself known on the local network. */
  onAnnounced({ id, multiaddrs }: LibraryPeerInfo): void {
    const peer = id.toString()
    const addresses = addressesOf(peer, multiaddrs)
    if (addresses.length > 0 && peer !== this.#network.peerId.toString())
      this.#redialer.announce(peer, addresses, performance.now())
  }

  /** Sends a message to one peer, if there is a link to it. */
  send(to: PeerId, message: OutgoingMessage): void {
    const link = this.#links.get(to)
    if (link === null) return
    const frame = frameMessage(encodeMessage(message))
    link.send(frame)
    this.#options.counters.countSent(kindOf(message), frame.length)
  }

  /** Spreads a message to all: by gossip, and over their links to peers that our gossip does not reach. */
  broadcast(message: Message): void {
    const bytes = encodeMessage(message)
    const reached = isGossipType(message.type) ? this.#publish(message.type, bytes) : new Set<PeerId>()
    this.#sendOver(this.#unreached(reached), kindOf(message), bytes)
  }

  /** Passes on what came by gossip to peers that our gossip does not reach; gossipsub sees to all others. */
  passOn(message: Message, type: GossipType, from: PeerId): void {
    const links = this.#unreached(this.#gossip.listeners(type)).filter(({ peer }) => peer !== from)
    if (links.length > 0) this.#sendOver(links, kindOf(message), encodeMessage(message))
  }

  /** The links to peers that do not listen to our gossip. One that is not greeted yet is told of our head when it is. */
  #unreached(listeners: ReadonlySet<PeerId>): PeerLink[] {
    return this.#links
      .all()
      .filter(({ peer, isGreeted }) => isGreeted && !(listeners.has(peer) && this.#carriesGossip(peer)))
  }

  #sendOver(links: readonly PeerLink[], kind: string, bytes: Uint8Array): void {
    const frame = frameMessage(bytes)
    for (const link of links) link.send(frame)
    if (links.length > 0) this.#options.counters.countSent(kind, frame.length, links.length)
  }

  /** The peer has said that it follows our network. */
  confirm(peer: PeerId): void {
    this.#confirmed.add(peer)
    this.#standings.confirm(peer)
    this.#redialer.confirm(peer)
    guarded(this.#options.log, 'noting a peer', () => this.#noteConfirmed(peer))()
  }

  /** The peer gave something that was news: it is not the first that makes room for others. */
  credit(peer: PeerId, what: 'block' | 'transactions'): void {
    this.#standings.credit(peer, what, performance.now())
  }

  /** Ends the connection with a peer; one of another network is left alone for a while. */
  disconnect(peer: PeerId, reason: Rejection): void {
    this.#peerLog.info(peer, 'a peer is disconnected', { reason })
    if (reason === 'peer-other-network') this.#denied.deny(peer, reason, performance.now())
    this.#links.get(peer)?.end('left')
    for (const connection of this.#links.connections(peer)) closeConnection(connection)
  }

  /** A peer's message was refused. If the peer is to blame it is disconnected, and denied for a while. */
  refuse(peer: PeerId, reason: Rejection): void {
    if (verdictOn(reason) === 'ignore') {
      this.#options.log.debug({ peer, reason }, 'a message is refused')
      return
    }
    const isNews = this.#denied.deny(peer, reason, performance.now())
    if (isNews) this.#peerLog.warn(peer, 'a peer broke the rules and is denied for a while', { reason })
    abortAll(this.#links.connections(peer), reason)
  }

  /** Ends all connections with a peer, without a word to it. */
  abortConnections(peer: PeerId): void {
    abortAll(this.#links.connections(peer), 'ended by the node')
  }

  /** Closes all connections and stops listening. */
  async close(): Promise<void> {
    clearInterval(this.#ticker)
    this.#links.close()
    await this.#network.stop()
    await this.#options.addressBook.save()
  }

  #isDenied(peer: PeerId): boolean {
    return !this.#options.mayConnect(peer) || this.#denied.has(peer, performance.now())
  }

  async #start(): Promise<void> {
    const network = this.#network
    this.#listen()
    const onStream = (stream: Stream, connection: Connection) => this.#links.onStream(stream, connection)
    const drop = (_stream: Stream, connection: Connection) => abortAll([connection], 'a fault')
    await network.handle(PROTOCOL, guarded(this.#options.log, 'taking a stream in', onStream, drop), {
      maxInboundStreams: 2,
      maxOutboundStreams: 2,
    })
    try {
      await network.start()
    } catch (cause) {
      const text = cause instanceof Error ? cause.message : String(cause)
      // libp2p's text carries stacks; the system's own words are enough.
      const reason = /\blisten E[A-Z]+: [^\n]*/.exec(text)?.[0] ?? text
      const addresses = this.#options.listen.join(', ')
      throw new ListenFailed(`can't listen at ${addresses}: ${reason.replaceAll(/\s+/g, ' ')}`, { cause })
    }
    this.#gossip.join()
    this.#redialer.tick(performance.now())
    this.#ticker = this.#startChores()
  }

  /** Hears of what peers do. */
  #listen(): void {
    const { log } = this.#options
    const network = this.#network
    network.addEventListener(
      'connection:open',
      guarded(
        log,
        'taking a connection in',
        ({ detail }) => this.#links.onConnection(detail),
        ({ detail }) => abortAll([detail], 'a fault'),
      ),
    )
    network.addEventListener(
      'connection:close',
      guarded(log, 'giving a connection up', ({ detail }) => this.#onConnectionClosed(detail)),
    )
    network.addEventListener(
      'peer:identify',
      guarded(log, 'noting what a peer says of itself', ({ detail: { peerId } }) => {
        const peer = peerId.toString()
        return this.#confirmed.has(peer) ? this.#note(peer) : null
      }),
    )
  }

  /** Each is done once in a tick, whatever becomes of the others. */
  #startChores(): NodeJS.Timeout {
    const { log } = this.#options
    const chores = [
      guarded(log, 'dialling', () => this.#redialer.tick(performance.now())),
      guarded(log, 'healing gossip', () => this.#healGossip()),
      guarded(log, 'leaving mute peers', () => this.#leaveMute()),
      guarded(log, 'remembering validators', () => this.#noteValidators()),
      guarded(log, 'saving the known peers', () => this.#saveBook()),
      guarded(log, 'forgetting peers', () =>
        this.#ticks % SWEEP_TICKS === 0 ? this.#sweepPeerStore() : null,
      ),
    ]
    const tick = () => {
      this.#ticks += 1
      for (const chore of chores) chore()
    }
    return setInterval(guarded(log, 'a tick', tick), TICK_MS)
  }

  #onConnectionClosed(connection: Connection): void {
    this.#links.onConnectionClosed(connection)
    const peer = connection.remotePeer.toString()
    if (this.#links.connections(peer).length === 0) this.#feelers.delete(peer)
  }

  #onUp(peer: PeerId): void {
    this.#peerLog.info(peer, 'a peer is connected')
    this.#options.onPeerConnected(peer)
  }

  #onDown(peer: PeerId, end: LinkEnd): void {
    this.#confirmed.delete(peer)
    this.#standings.forget(peer)
    this.#gossipless.delete(peer)
    this.#peerLog.info(peer, 'a peer is gone', { end })
    this.#options.onPeerDisconnected(peer)
    if (end === 'message-too-large') this.refuse(peer, end)
    if (end === 'silent' || end === 'too-slow' || end === 'failed')
      abortAll(this.#links.connections(peer), end)
  }

  async #dial(addresses: readonly PeerAddress[]): Promise<PeerId> {
    const connection = await this.#network.dial(
      addresses.map(address => multiaddr(printPeerAddress(address))),
    )
    return connection.remotePeer.toString()
  }

  /** Opens a connection to a peer that ends when the peer is confirmed, or when it stays mute. */
  async #openFeeler(peer: PeerId, addresses: readonly PeerAddress[]): Promise<PeerId> {
    this.#feelers.add(peer)
    return this.#dial(addresses).catch(error => {
      this.#feelers.delete(peer)
      throw error
    })
  }

  /** The connections that we opened to stay. */
  #outbound(): { readonly peer: PeerId; readonly group: string }[] {
    return this.#network
      .getConnections()
      .filter(isOutbound)
      .map(({ remotePeer, remoteAddr }) => ({
        peer: remotePeer.toString(),
        address: peerAddressOf(remoteAddr),
      }))
      .filter(({ peer }) => !this.#feelers.has(peer))
      .map(({ peer, address }) => ({ peer, group: address === null ? '' : this.#groupOf(address) }))
  }

  #isPrivileged(peer: PeerId): boolean {
    return (
      this.#standings.isValidator(peer) || this.#options.isValidator(peer) || this.#redialer.isGiven(peer)
    )
  }

  #onUnreachable(address: string, error: unknown): void {
    this.#options.log.warn(`can't reach ${address}: ${explainDialFailure(error)}; the node keeps trying`)
    this.#options.log.debug({ address, err: error }, 'a dial failed')
  }

  /** A mistake of ours in what a peer sent ends the connection with it, as everywhere. */
  async #takeGossip(...given: Parameters<OnGossip>): Promise<GossipVerdict> {
    try {
      return await this.#options.onGossip(...given)
    } catch (error) {
      const [peer] = given
      this.#options.log.error({ err: error, peer }, 'taking gossip in failed')
      abortAll(this.#links.connections(peer), 'a fault')
      return 'ignore'
    }
  }

  async #noteConfirmed(peer: PeerId): Promise<void> {
    await this.#note(peer)
    // A feeler has seen what it came for.
    if (this.#feelers.delete(peer))
      for (const connection of this.#links.connections(peer).filter(isOutbound)) closeConnection(connection)
  }

  /** Notes where the peer can be reached: where we dialled it, or else where it says that it listens. */
  async #note(peer: PeerId): Promise<void> {
    const { addressBook } = this.#options
    const connections = this.#links.connections(peer)
    const reached = connections.filter(isOutbound).map(({ remoteAddr }) => remoteAddr)
    const dialled = addressesOf(peer, reached)
    if (dialled.length > 0) {
      addressBook.note({ id: peer, addresses: dialled, wasDialled: true })
      return
    }
    const [connection] = connections
    if (connection === undefined) return
    const { remotePeer, remoteAddr } = connection
    // What identify learned; when it has not yet, this is done again when it has.
    const told = await this.#network.peerStore.get(remotePeer).catch(() => null)
    const multiaddrs = told?.addresses.map(({ multiaddr: one }) => one) ?? []
    const place = placeOfMultiaddr(remoteAddr)
    const addresses = addressesToldOf(place, addressesOf(peer, multiaddrs))
    const [first] = addresses
    if (first === undefined) return
    const isExempt = place.reach === 'loopback' && !this.#options.limitLoopback
    addressBook.note(
      { id: peer, addresses, wasDialled: false },
      isExempt ? this.#groupOf(first) : place.group,
    )
  }

  /** The peers to which we have been connected for longest are dialled first at the next start. */
  async #saveBook(): Promise<void> {
    const { addressBook } = this.#options
    const kept = this.#network
      .getConnections()
      .filter(isOutbound)
      .filter(({ remotePeer }) => !this.#feelers.has(remotePeer.toString()))
      .sort((a, b) => a.timeline.open - b.timeline.open)
      .map(({ remotePeer }) => remotePeer.toString())
    addressBook.setAnchors(kept.filter(peer => this.#confirmed.has(peer) && this.#redialer.isChosen(peer)))
    await addressBook.save()
  }

  /** Ends connections with peers that do not say which network they follow: they take the places of others. */
  #leaveMute(): void {
    const connected = new Set(this.#network.getConnections().map(({ remotePeer }) => remotePeer.toString()))
    for (const peer of this.#mute.keys())
      if (!connected.has(peer) || this.#confirmed.has(peer)) this.#mute.delete(peer)
    for (const peer of connected) {
      if (this.#confirmed.has(peer)) continue
      const ticks = (this.#mute.get(peer) ?? 0) + 1
      this.#mute.set(peer, ticks)
      if (ticks < HANDSHAKE_TICKS_MAX) continue
      this.#options.addressBook.noteFailure(peer)
      abortAll(this.#links.connections(peer), 'it does not say which network it follows')
    }
  }

  /** The finality layer knows of a validator while it is linked; it is to find its place again after that. */
  #noteValidators(): void {
    for (const { peer } of this.#links.all())
      if (this.#options.isValidator(peer)) this.#standings.noteValidator(peer)
  }

  /** Returns who listens. */
  #publish(type: GossipType, bytes: Uint8Array): Set<PeerId> {
    this.#gossip
      .publish(type, bytes)
      .catch(error => this.#options.log.warn({ err: error }, 'a message could not be gossiped'))
    return this.#gossip.listeners(type)
  }

  #carriesGossip(peer: PeerId): boolean {
    return this.#links.connections(peer).some(({ streams }) => carriesGossip(streams))
  }

  /** gossipsub does not open its stream to a peer a second time, so a new connection is made. */
  #healGossip(): void {
    const listeners = this.#gossip.listeners('block')
    for (const { peer } of this.#links.all()) {
      const isReached = !listeners.has(peer) || this.#carriesGossip(peer)
      const ticks = isReached ? 0 : (this.#gossipless.get(peer) ?? 0) + 1
      this.#gossipless.set(peer, ticks)
      if (ticks < GOSSIPLESS_TICKS_MAX) continue
      this.#peerLog.info(peer, 'a peer is out of reach of gossip and is connected to again')
      for (const connection of this.#links.connections(peer)) closeConnection(connection)
    }
  }

  /** libp2p remembers whoever connects for hours; the address book remembers whom we want to remember. */
  async #sweepPeerStore(): Promise<void> {
    const { peerStore } = this.#network
    try {
      for (const { id } of await peerStore.all())
        if (this.#links.connections(id.toString()).length === 0) await peerStore.delete(id)
    } catch (error) {
      this.#options.log.debug({ err: error }, 'the peers that are gone could not be forgotten')
    }
  }
}

/** Those of the multiaddrs at which this peer can be dialled, each with its id. */
function addressesOf(peer: PeerId, multiaddrs: readonly Multiaddr[]): PeerAddress[] {
  return multiaddrs
    .map(peerAddressOf)
    .filter(address => address !== null)
    .filter(address => (address.peer ?? peer) === peer)
    .map(address => ({ ...address, peer }))
}

function abortAll(connections: readonly Connection[], reason: string): void {
  for (const connection of connections) connection.abort(new Error(reason))
}

function isOutbound({ direction }: Connection): boolean {
  return direction === 'outbound'
}
