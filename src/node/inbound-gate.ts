// The door: which connections that others open to us are let in, how far, and who makes room for them.
//
// A connection is pending until Noise and the multiplexer are agreed on, and takes one of the inbound places from then on.
// Silence costs a stranger nothing, so pending ones are few for each address, and when there are too many in all the oldest
// of the group that has most makes room: a stranger pushes out itself. Places are limited for each address and provider
// group; when all are taken, inbound-slots.ts says who makes room. Peers that a person gave, and peers that proved to be
// validators, are not limited. Loopback addresses are not counted one by one unless an option says so: many nodes of one
// machine are nobody's attack, and behind a local proxy everybody has that address.

import { createHmac, randomBytes } from 'node:crypto'
import type { Connection, ConnectionGater, MultiaddrConnection } from '@libp2p/interface'
import type { PeerId } from '../replica/effects.ts'
import { type FaultLog, guarded } from './guarded.ts'
import { chooseEvicted, greatestGroup, type InboundPeer } from './inbound-slots.ts'
import { type Place, placeOfMultiaddr } from './network-group.ts'
import { TokenBuckets, type TokenRate } from './token-buckets.ts'

/** Connections that others may have opened to us. */
export const INBOUND_CONNECTIONS_MAX = 48
/** Of them, those of one address: some nodes of a household or an office. */
export const INBOUND_PER_ADDRESS_MAX = 8
/** And those of one provider group: half, so that there is always room for another. */
export const INBOUND_PER_GROUP_MAX = 24
/** Connections whose handshake is under way: each may cost a socket and some kilobytes. */
export const PENDING_MAX = 64
/** And those of one address. */
export const PENDING_PER_ADDRESS_MAX = 8
/** Milliseconds for Noise and the multiplexer: some six round trips. */
export const UPGRADE_TIMEOUT_MS = 6_000

/** Connections to one peer: one of each side's, where both dial at once. */
const CONNECTIONS_PER_PEER_MAX = 2
/** Handshakes a second of one address, each of which costs us some milliseconds, and how many at once after a pause. */
const HANDSHAKES: TokenRate = { burst: 20, perSecond: 10 }
/** Where addresses are not limited: all nodes of a machine may start together. */
const EXEMPT_HANDSHAKES: TokenRate = { burst: 150, perSecond: 50 }
/** Addresses of which it is remembered how many handshakes they began. */
const ADDRESSES_MAX = 4_096

/** What the door must know of peers. */
export interface Doorkeeper {
  isDenied(peer: PeerId): boolean
  /** A person gave it, or it proved to speak for a validator. */
  isPrivileged(peer: PeerId): boolean
  /** A person gave an address with this host. */
  isExpectedAt(address: string): boolean
  /** How the peer has behaved. */
  standing(peer: PeerId): Pick<InboundPeer, 'isGreeted' | 'blockMs' | 'transactionsMs'>
  /** All connections, of both directions. */
  connections(): readonly Connection[]
}

const CLOSED: Doorkeeper = {
  isDenied: () => true,
  isPrivileged: () => false,
  isExpectedAt: () => false,
  standing: () => ({
    isGreeted: false,
    blockMs: Number.NEGATIVE_INFINITY,
    transactionsMs: Number.NEGATIVE_INFINITY,
  }),
  connections: () => [],
}

/** One connection that others opened. */
interface Inbound {
  readonly socket: MultiaddrConnection
  readonly place: Place
  readonly group: string
  readonly sinceMs: number
}

type Admitted = Inbound & { readonly peer: PeerId }

/** The door of one node, for libp2p to ask. */
export class InboundGate implements ConnectionGater {
  #keeper: Doorkeeper = CLOSED
  readonly #limitLoopback: boolean
  readonly #log: FaultLog
  readonly #pending = new Map<MultiaddrConnection, Inbound>()
  readonly #admitted = new Map<MultiaddrConnection, Admitted>()
  readonly #handshakes = new TokenBuckets<string>(ADDRESSES_MAX)
  readonly #secret = randomBytes(32)

  constructor(limitLoopback: boolean, log: FaultLog) {
    this.#limitLoopback = limitLoopback
    this.#log = log
  }

  /** Lets peers in from now on; until then nobody may connect or be dialled. */
  open(keeper: Doorkeeper): void {
    this.#keeper = keeper
  }

  denyDialPeer = (peer: { toString(): string }): boolean => this.#keeper.isDenied(peer.toString())

  denyOutboundEncryptedConnection = (peer: { toString(): string }): boolean =>
    this.#keeper.isDenied(peer.toString())

  /** Somebody has connected and said nothing yet. */
  denyInboundConnection = (socket: MultiaddrConnection): boolean => {
    const place = placeOfMultiaddr(socket.remoteAddr)
    const isLimited = this.#isLimited(place)
    const sinceMs = performance.now()
    if (!this.#handshakes.take(place.address, isLimited ? HANDSHAKES : EXEMPT_HANDSHAKES, sinceMs))
      return true
    const ofAddress = openOf(this.#pending).filter(other => other.place.address === place.address)
    if (isLimited && ofAddress.length >= PENDING_PER_ADDRESS_MAX)
      abort(ofAddress[0], 'others of its address came')
    this.#track(this.#pending, { socket, place, group: place.group, sinceMs })
    const all = openOf(this.#pending)
    if (all.length > PENDING_MAX) abort(greatestGroup(all)[0], 'others came before it had shaken hands')
    return socket.status !== 'open'
  }

  /** It has proved which peer it is. */
  denyInboundEncryptedConnection = (peer: { toString(): string }): boolean => {
    const id = peer.toString()
    const own = this.#keeper.connections().filter(other => other.remotePeer.toString() === id)
    return this.#keeper.isDenied(id) || own.length >= CONNECTIONS_PER_PEER_MAX
  }

  /** It is about to take a place. */
  denyInboundUpgradedConnection = (peer: { toString(): string }, socket: MultiaddrConnection): boolean => {
    const pending = this.#pending.get(socket)
    this.#pending.delete(socket)
    if (pending === undefined || socket.status !== 'open') return true
    const newcomer = { ...pending, peer: peer.toString(), sinceMs: performance.now() }
    if (!this.#makeRoom(newcomer)) return true
    this.#track(this.#admitted, newcomer)
    return false
  }

  /** Whether there is a place for it, once those have gone that make room. */
  #makeRoom({ peer, place, group }: Admitted): boolean {
    const isPrivileged = this.#keeper.isPrivileged(peer)
    const all = openOf(this.#admitted)
    if (this.#isLimited(place) && !isPrivileged) {
      const counted = all.filter(other => !this.#keeper.isPrivileged(other.peer))
      const ofAddress = counted.filter(other => other.place.address === place.address)
      if (ofAddress.length >= INBOUND_PER_ADDRESS_MAX) return false
      const ofGroup = counted.filter(other => other.group === group)
      if (ofGroup.length >= INBOUND_PER_GROUP_MAX) return this.#evict(ofGroup)
    }
    // Privileged peers are as few as were given and as there are validators.
    return all.length < INBOUND_CONNECTIONS_MAX || this.#evict(all) || isPrivileged
  }

  /** Ends the connection of one of these peers; false when all of them are protected. */
  #evict(peers: readonly Admitted[]): boolean {
    const candidates = peers.map(inbound => ({
      ...inbound,
      ...this.#keeper.standing(inbound.peer),
      isPrivileged: this.#keeper.isPrivileged(inbound.peer),
      groupRank: this.#rank(inbound.group),
    }))
    const evicted = chooseEvicted(candidates)
    abort(evicted, 'another peer takes its place')
    return evicted !== null
  }

  #isLimited({ address, reach }: Place): boolean {
    if (this.#keeper.isExpectedAt(address)) return false
    return reach !== 'loopback' || this.#limitLoopback
  }

  #track<Kind extends Inbound>(where: Map<MultiaddrConnection, Kind>, inbound: Kind): void {
    where.set(inbound.socket, inbound)
    const forget = () => where.delete(inbound.socket)
    inbound.socket.addEventListener('close', guarded(this.#log, 'giving a place back', forget))
  }

  #rank(group: string): number {
    return createHmac('sha256', this.#secret).update(group).digest().readUInt32LE()
  }
}

/** The oldest first. An aborted one may not have told of its end yet. */
function openOf<Kind extends Inbound>(connections: ReadonlyMap<MultiaddrConnection, Kind>): Kind[] {
  return [...connections.values()].filter(({ socket }) => socket.status === 'open')
}

function abort(inbound: Inbound | null | undefined, reason: string): void {
  inbound?.socket.abort(new Error(reason))
}
