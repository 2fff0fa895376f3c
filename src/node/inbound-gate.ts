// The gate: which inbound connections are admitted, how far, and which are evicted for them.
//
// A connection is pending until Noise and the multiplexer are negotiated, and takes one of the inbound places after that.
// Pending ones are limited per address; when there are too many in total, the oldest of the largest group is evicted, so
// that a crowd evicts its own. Silent ones and those in a handshake evict their own kind, so that connecting alone keeps
// no peer out. Handshakes that exceed the rate of their address, of their provider group or of all are refused before
// they cost anything. Places are limited per address and provider group; when all are taken, inbound-slots.ts chooses the
// peer to evict. Given peers and proven validators are not limited. Loopback addresses are not limited unless an option
// says so: many nodes of one machine are no attack, and behind a local proxy all clients have that address.

import { createHmac, randomBytes } from 'node:crypto'
import type { Connection, ConnectionGater, MessageStream, MultiaddrConnection } from '@libp2p/interface'
import { type FaultLog, guarded } from '../defence/guarded.ts'
import { type Place, placeOfMultiaddr } from '../defence/network-group.ts'
import { TokenBuckets } from '../defence/token-buckets.ts'
import type { PeerId } from '../replica/effects.ts'
import { chooseEvicted, greatestGroups, type InboundPeer } from './inbound-slots.ts'

/** Inbound connections at most. */
export const INBOUND_CONNECTIONS_MAX = 48
/** Of them, those of one address: some nodes of a home or an office. */
export const INBOUND_PER_ADDRESS_MAX = 8
/** And those of one provider group: half, so that there is always room for another. */
export const INBOUND_PER_GROUP_MAX = 24
/** Connections whose handshake is under way: each may cost a socket and some kilobytes. */
export const PENDING_MAX = 64
/** And those of one address. */
export const PENDING_PER_ADDRESS_MAX = 8
/** Milliseconds for Noise and the multiplexer: some six round trips. */
export const UPGRADE_TIMEOUT_MS = 6_000

/** Connections with one peer: one in each direction, where both dial at once. */
const CONNECTIONS_PER_PEER_MAX = 2
/** Handshakes of one address, each of which costs us some 3 ms. */
const HANDSHAKES_PER_ADDRESS = { perSecond: 10, burst: 20 }
/** And of one provider group, which may have any number of addresses: 6 % of a core. */
const HANDSHAKES_PER_GROUP = { perSecond: 20, burst: 40 }
/** Where addresses are not limited: all nodes of a machine may start together. */
const HANDSHAKES_EXEMPT = { perSecond: 50, burst: 150 }
/** Of all groups together: a fifth of a core. */
const HANDSHAKES_IN_ALL = { perSecond: 60, burst: 200 }
/** Those of each group that do not count among all: however busy others keep the gate, it opens to a group that comes rarely. */
const HANDSHAKES_APART = { perSecond: 0.2, burst: 2 }
/** How often newcomers of a group may evict members of other groups; beyond that rate they evict their own. */
const EVICTIONS_OF_OTHERS = { perSecond: 0.5, burst: 8 }

/** What the gate needs to know of peers. */
export interface PeerRegistry {
  isDenied(peer: PeerId): boolean
  /** Whether an operator gave it, or it has proved that it speaks for a validator. */
  isPrivileged(peer: PeerId): boolean
  /** Whether an operator gave an address with this host. */
  isExpectedAt(address: string): boolean
  /** How the peer has behaved. */
  standing(peer: PeerId): Pick<InboundPeer, 'isGreeted' | 'blockMs' | 'transactionsMs'>
  /** All connections, of both directions. */
  connections(): readonly Connection[]
}

const CLOSED: PeerRegistry = {
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

/** One inbound connection. */
interface Inbound {
  readonly socket: MultiaddrConnection
  readonly place: Place
  readonly group: string
  readonly sinceMs: number
}

type Admitted = Inbound & { readonly peer: PeerId }

/** One that has no place yet: it has asked for the handshake of Noise, or for nothing. */
type Pending = Inbound & { readonly isShaking: boolean }

/** The gate of one node, for libp2p to ask. */
export class InboundGate implements ConnectionGater {
  #peers: PeerRegistry = CLOSED
  readonly #limitLoopback: boolean
  readonly #log: FaultLog
  readonly #pending = new Map<MessageStream, Pending>()
  readonly #admitted = new Map<MessageStream, Admitted>()
  readonly #now: () => number
  readonly #ofAddress = new TokenBuckets(HANDSHAKES_PER_ADDRESS)
  readonly #ofGroup = new TokenBuckets(HANDSHAKES_PER_GROUP)
  readonly #ofExempt = new TokenBuckets(HANDSHAKES_EXEMPT)
  readonly #apart = new TokenBuckets(HANDSHAKES_APART)
  readonly #inAll = new TokenBuckets(HANDSHAKES_IN_ALL)
  readonly #evictions = new TokenBuckets(EVICTIONS_OF_OTHERS)
  readonly #secret = randomBytes(32)

  /** `now` gives milliseconds of a clock that never steps back. */
  constructor(limitLoopback: boolean, log: FaultLog, now: () => number = () => performance.now()) {
    this.#now = now
    this.#limitLoopback = limitLoopback
    this.#log = log
  }

  /** Admits peers from now on; until then no peer may connect or be dialled. */
  open(peers: PeerRegistry): void {
    this.#peers = peers
  }

  /** Whether an operator gave the peer, or it has proved that it speaks for a validator. */
  isPrivileged = (peer: PeerId): boolean => this.#peers.isPrivileged(peer)

  /** Whether the limits of one address hold where a connection comes from. */
  isLimited = ({ address, reach }: Place): boolean => {
    if (this.#peers.isExpectedAt(address)) return false
    return reach !== 'loopback' || this.#limitLoopback
  }

  denyDialPeer = (peer: { toString(): string }): boolean => this.#peers.isDenied(peer.toString())

  denyOutboundEncryptedConnection = (peer: { toString(): string }): boolean =>
    this.#peers.isDenied(peer.toString())

  /** A peer has connected and sent nothing yet. */
  denyInboundConnection = (socket: MultiaddrConnection): boolean => {
    const place = placeOfMultiaddr(socket.remoteAddr)
    const isLimited = this.isLimited(place)
    const ofAddress = openOf(this.#pending).filter(other => other.place.address === place.address)
    if (isLimited && ofAddress.length >= PENDING_PER_ADDRESS_MAX)
      abort(choosePending(ofAddress), 'others of its address came')
    const inbound = { socket, place, group: place.group, sinceMs: this.#now() }
    this.#track(this.#pending, { ...inbound, isShaking: false })
    const all = openOf(this.#pending)
    if (all.length > PENDING_MAX) abort(choosePending(all), 'others came before it had shaken hands')
    return socket.status !== 'open'
  }

  /** The peer begins the handshake of Noise, which costs much more than a connection. */
  mayShakeHands = (socket: MessageStream): boolean => {
    const pending = this.#pending.get(socket)
    if (pending === undefined || pending.isShaking || socket.status !== 'open') return false
    if (!this.#takeHandshake(pending.place, this.isLimited(pending.place), this.#now())) return false
    this.#pending.set(socket, { ...pending, isShaking: true })
    return true
  }

  /** The peer has proved its id. */
  denyInboundEncryptedConnection = (peer: { toString(): string }): boolean => {
    const id = peer.toString()
    const own = this.#peers.connections().filter(other => other.remotePeer.toString() === id)
    return this.#peers.isDenied(id) || own.length >= CONNECTIONS_PER_PEER_MAX
  }

  /** The connection is about to take a place. */
  denyInboundUpgradedConnection = (peer: { toString(): string }, socket: MultiaddrConnection): boolean => {
    const pending = this.#pending.get(socket)
    this.#pending.delete(socket)
    if (pending === undefined || socket.status !== 'open') return true
    const newcomer = { ...pending, peer: peer.toString(), sinceMs: this.#now() }
    if (!this.#makeRoom(newcomer)) return true
    this.#track(this.#admitted, newcomer)
    return false
  }

  /** Whether there is a place for it, after an eviction if need be. */
  #makeRoom({ peer, place, group }: Admitted): boolean {
    const isPrivileged = this.#peers.isPrivileged(peer)
    const all = openOf(this.#admitted)
    if (this.isLimited(place) && !isPrivileged) {
      const counted = all.filter(other => !this.#peers.isPrivileged(other.peer))
      const ofAddress = counted.filter(other => other.place.address === place.address)
      if (ofAddress.length >= INBOUND_PER_ADDRESS_MAX) return false
      const ofGroup = counted.filter(other => other.group === group)
      if (ofGroup.length >= INBOUND_PER_GROUP_MAX) return this.#evict(ofGroup)
    }
    if (all.length < INBOUND_CONNECTIONS_MAX) return true
    // Privileged peers are as few as were given and as there are validators.
    if (isPrivileged) return this.#evict(all) || isPrivileged
    const mayEvictOthers = this.#evictions.take(group, this.#now())
    return this.#evict(mayEvictOthers ? all : all.filter(other => other.group === group))
  }

  /** Ends the connection of one of these peers; false when all of them are protected. */
  #evict(peers: readonly Admitted[]): boolean {
    const candidates = peers.map(inbound => ({
      ...inbound,
      ...this.#peers.standing(inbound.peer),
      isPrivileged: this.#peers.isPrivileged(inbound.peer),
      groupRank: this.#rank(inbound.group),
    }))
    const evicted = chooseEvicted(candidates, this.#now())
    abort(evicted, 'another peer takes its place')
    return evicted !== null
  }

  /** Whether its address, its group and all together have begun so few handshakes that it may begin one. */
  #takeHandshake({ address, group }: Place, isLimited: boolean, nowMs: number): boolean {
    const [ofAddress, ofGroup] = isLimited
      ? [this.#ofAddress, this.#ofGroup]
      : [this.#ofExempt, this.#ofExempt]
    if (!ofAddress.take(`address ${address}`, nowMs)) return false
    // Strangers of the same provider must not keep out a peer that an operator gave.
    if (this.#peers.isExpectedAt(address)) return true
    if (!ofGroup.take(`group ${group}`, nowMs)) return false
    return this.#apart.take(group, nowMs) || this.#inAll.take('all', nowMs)
  }

  #track<Kind extends Inbound>(where: Map<MessageStream, Kind>, inbound: Kind): void {
    where.set(inbound.socket, inbound)
    const forget = () => where.delete(inbound.socket)
    inbound.socket.addEventListener('close', guarded(this.#log, 'freeing a place', forget))
  }

  #rank(group: string): number {
    return createHmac('sha256', this.#secret).update(group).digest().readUInt32LE()
  }
}

/** The oldest first. Aborted ones, whose close event may still be due, are left out. */
function openOf<Kind extends Inbound>(connections: ReadonlyMap<MessageStream, Kind>): Kind[] {
  return [...connections.values()].filter(({ socket }) => socket.status === 'open')
}

/** The oldest of the largest group, among those in a handshake or those that are silent, whichever are more. */
function choosePending(pending: readonly Pending[]): Pending | undefined {
  const shaking = pending.filter(({ isShaking }) => isShaking)
  const silent = pending.filter(({ isShaking }) => !isShaking)
  return greatestGroups(silent.length >= shaking.length ? silent : shaking)[0]
}

function abort(inbound: Inbound | null | undefined, reason: string): void {
  inbound?.socket.abort(new Error(reason))
}
