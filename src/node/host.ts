// The node's place in the network: what it listens on, and how gossip, links, dials and the admission of peers work together.
//
// Messages for all peers go through broadcast.ts, those for one peer over its link (peer-links.ts). Peers are dialled by
// redialer.ts, admitted by peer-admission.ts and inbound-gate.ts, and remembered by address-notes.ts.

import type { Connection, PeerInfo as LibraryPeerInfo, Stream } from '@libp2p/interface'
import { guarded } from '../defence/guarded.ts'
import { groupWith, placeOf } from '../defence/network-group.ts'
import type { PeerId } from '../replica/effects.ts'
import { encodeMessage } from '../replica/message-codec.ts'
import type { Message, OutgoingMessage } from '../replica/messages.ts'
import { AddressNotes, addressesOf } from './address-notes.ts'
import { Broadcaster } from './broadcast.ts'
import { startChores } from './chores.ts'
import { kindOf } from './counters.ts'
import { frameMessage } from './frames.ts'
import { Gossip, type GossipType, type GossipVerdict, type OnGossip } from './gossip.ts'
import type { HostOptions, PeerInfo } from './host-options.ts'
import { InboundGate } from './inbound-gate.ts'
import { createNetwork, type Network } from './libp2p-network.ts'
import { startListening } from './listening.ts'
import { isOutbound, OutboundConnections } from './outbound-connections.ts'
import {
  type PeerAddress,
  peerAddressOf,
  printPeerAddress,
  readListenAddress,
  readPeerAddress,
} from './peer-address.ts'
import { PeerAdmission } from './peer-admission.ts'
import type { LinkEnd } from './peer-link.ts'
import { abortAll, closeConnection, PeerLinks, PROTOCOL } from './peer-links.ts'
import { PeerLog } from './peer-log.ts'
import { Redialer } from './redialer.ts'

/** Ticks between sweeps of what libp2p remembers of disconnected peers. */
const SWEEP_TICKS = 60

/** A running host. */
export class Host {
  /** Credits and bans peers. */
  readonly admission: PeerAdmission
  readonly #options: HostOptions
  readonly #network: Network
  readonly #gossip: Gossip
  readonly #links: PeerLinks
  readonly #broadcaster: Broadcaster
  readonly #redialer: Redialer
  readonly #outbound: OutboundConnections
  readonly #notes: AddressNotes
  readonly #peerLog: PeerLog
  #ticker: NodeJS.Timeout | undefined

  private constructor(options: HostOptions, network: Network, gate: InboundGate) {
    this.#options = options
    this.#network = network
    const { addressBook, counters, limitLoopback, log } = options
    const groupOf = groupWith(limitLoopback)
    this.#peerLog = new PeerLog(log, peer => this.admission.isPrivileged(peer))
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
      log,
    )
    const [gossip, links, peerLog] = [this.#gossip, this.#links, this.#peerLog]
    this.#broadcaster = new Broadcaster({ gossip, links, counters, log, peerLog })
    this.admission = new PeerAdmission({
      mayConnect: options.mayConnect,
      isValidator: options.isValidator,
      isGiven: peer => this.#redialer.isGiven(peer),
      links,
      log,
      peerLog,
    })
    this.#notes = new AddressNotes({ network, addressBook, limitLoopback, links, log })
    this.#outbound = new OutboundConnections({
      network,
      links,
      groupOf,
      isDenied: peer => this.admission.isDenied(peer),
      log,
    })
    this.#redialer = new Redialer(this.#outbound, addressBook, groupOf)
    gate.open({
      isDenied: peer => this.admission.isDenied(peer),
      isPrivileged: peer => this.admission.isPrivileged(peer),
      isExpectedAt: address => this.#redialer.given().some(given => placeOf(given).address === address),
      standing: peer => this.admission.standing(peer),
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

  /** The address of a linked peer; null if there is no link, or its address is of an unknown kind. */
  addressOf(peer: PeerId): PeerAddress | null {
    const link = this.#links.get(peer)
    return link === null ? null : peerAddressOf(link.connection.remoteAddr)
  }

  /** Keeps a connection to this multiaddr from now on. Throws `InvalidAddress`. */
  addPeer(address: string): void {
    this.#redialer.give(readPeerAddress(address))
    this.#redialer.tick(performance.now())
  }

  /** A peer announces itself on the local network. */
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

  /** Sends a message of our own to all peers. */
  broadcast(message: Message): void {
    this.#broadcaster.broadcast(message)
  }

  /** Relays a message that came by gossip. */
  passOn(message: Message, type: GossipType, from: PeerId): void {
    this.#broadcaster.passOn(message, type, from)
  }

  /** The peer has said that it follows our network. */
  confirm(peer: PeerId): void {
    this.admission.confirm(peer)
    this.#redialer.confirm(peer)
    guarded(this.#options.log, 'noting a peer', () => this.#noteConfirmed(peer))()
  }

  /** Closes all connections and stops listening. */
  async close(): Promise<void> {
    clearInterval(this.#ticker)
    this.#links.close()
    await this.#network.stop()
    await this.#options.addressBook.save()
  }

  async #start(): Promise<void> {
    const network = this.#network
    this.#subscribe()
    const onStream = (stream: Stream, connection: Connection) => this.#links.onStream(stream, connection)
    const drop = (_stream: Stream, connection: Connection) => abortAll([connection], 'a fault')
    await network.handle(PROTOCOL, guarded(this.#options.log, 'taking a stream in', onStream, drop), {
      maxInboundStreams: 2,
      maxOutboundStreams: 2,
    })
    await startListening(network, this.#options.listen)
    this.#gossip.join()
    this.#redialer.tick(performance.now())
    this.#ticker = this.#startChores()
  }

  /** Subscribes to libp2p's events. */
  #subscribe(): void {
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
        return this.admission.isConfirmed(peer) ? this.#notes.note(peer) : null
      }),
    )
  }

  #startChores(): NodeJS.Timeout {
    const { log } = this.#options
    return startChores(log, [
      guarded(log, 'dialling', () => this.#redialer.tick(performance.now())),
      guarded(log, 'healing gossip', () => this.#broadcaster.heal()),
      guarded(log, 'leaving mute peers', () => this.#leaveMute()),
      guarded(log, 'remembering validators', () => this.admission.noteValidators()),
      guarded(log, 'saving the known peers', () => this.#saveBook()),
      guarded(log, 'forgetting peers', (ticks: number) =>
        ticks % SWEEP_TICKS === 0 ? this.#notes.sweepPeerStore() : null,
      ),
    ])
  }

  #onConnectionClosed(connection: Connection): void {
    this.#links.onConnectionClosed(connection)
    const peer = connection.remotePeer.toString()
    if (this.#links.connections(peer).length === 0) this.#outbound.endFeeler(peer)
  }

  #onUp(peer: PeerId): void {
    this.#peerLog.info(peer, 'a peer is connected')
    this.#options.onPeerConnected(peer)
  }

  #onDown(peer: PeerId, end: LinkEnd): void {
    this.admission.forget(peer)
    this.#broadcaster.forget(peer)
    this.#peerLog.info(peer, 'a peer is gone', { end })
    this.#options.onPeerDisconnected(peer)
    if (end === 'message-too-large') this.admission.refuse(peer, end)
    if (end === 'silent' || end === 'too-slow' || end === 'failed')
      abortAll(this.#links.connections(peer), end)
  }

  /** An exception here is a bug of ours that a peer's message triggered: the connection with the peer is aborted, as elsewhere. */
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
    await this.#notes.note(peer)
    // A feeler has done its work.
    if (this.#outbound.endFeeler(peer))
      for (const connection of this.#links.connections(peer).filter(isOutbound)) closeConnection(connection)
  }

  /** The peers to which we have been connected for longest are dialled first at the next start. */
  async #saveBook(): Promise<void> {
    const { addressBook } = this.#options
    addressBook.setAnchors(
      this.#outbound
        .longestKept()
        .filter(peer => this.admission.isConfirmed(peer) && this.#redialer.isChosen(peer)),
    )
    await addressBook.save()
  }

  #leaveMute(): void {
    const connections = this.#network.getConnections()
    const connected = new Set(connections.map(({ remotePeer }) => remotePeer.toString()))
    for (const peer of this.admission.leaveMute(connected)) this.#options.addressBook.noteFailure(peer)
  }
}
