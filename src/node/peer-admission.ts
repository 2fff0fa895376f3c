// Which peers may be connected: temporary bans, the handshake deadline, and the privileges of given peers and validators.
//
// A peer that breaks a rule is banned for a while (deny-list.ts); one that follows another network, too. A connected peer
// that does not say in time that it follows our network is disconnected, since it takes the place of another.

import type { Logger } from 'pino'
import type { PeerId } from '../replica/effects.ts'
import { type Rejection, verdictOn } from '../replica/verdict.ts'
import { DenyList } from './deny-list.ts'
import { abortAll, closeConnection, type PeerLinks } from './peer-links.ts'
import type { PeerLog } from './peer-log.ts'
import { PeerStandings, type Standing } from './peer-standings.ts'

/** Ticks within which a connected peer must have said that it follows our network. */
const HANDSHAKE_TICKS_MAX = 20

/** What admission must know of peers. */
export interface AdmissionOptions {
  /** Whether the node may have a connection with this peer. */
  mayConnect(peer: PeerId): boolean
  /** Whether a linked peer has proved that it speaks for a validator. */
  isValidator(peer: PeerId): boolean
  /** Whether an operator gave the address of this peer. */
  isGiven(peer: PeerId): boolean
  readonly links: PeerLinks
  readonly log: Logger
  readonly peerLog: PeerLog
}

/** The admission of peers to one node. */
export class PeerAdmission {
  readonly #options: AdmissionOptions
  readonly #denied = new DenyList()
  readonly #standings = new PeerStandings()
  /** The linked peers that have said that they follow our network. */
  readonly #confirmed = new Set<PeerId>()
  /** For each connected peer that has not said so: for how many ticks. */
  readonly #mute = new Map<PeerId, number>()

  constructor(options: AdmissionOptions) {
    this.#options = options
  }

  /** Whether the node may not have a connection with this peer. */
  isDenied(peer: PeerId): boolean {
    return !this.#options.mayConnect(peer) || this.#denied.has(peer, performance.now())
  }

  /** Whether limits do not hold for the peer: an operator gave it, or it is or was a validator. */
  isPrivileged(peer: PeerId): boolean {
    return this.#standings.isValidator(peer) || this.#options.isValidator(peer) || this.#options.isGiven(peer)
  }

  /** Whether a linked peer has said that it follows our network. */
  isConfirmed(peer: PeerId): boolean {
    return this.#confirmed.has(peer)
  }

  /** How the peer has behaved since it was linked. */
  standing(peer: PeerId): Standing {
    return this.#standings.standing(peer)
  }

  /** The peer has said that it follows our network. */
  confirm(peer: PeerId): void {
    this.#confirmed.add(peer)
    this.#standings.confirm(peer)
  }

  /** The peer sent something new: it is not the first to make room for others. */
  credit(peer: PeerId, what: 'block' | 'transactions'): void {
    this.#standings.credit(peer, what, performance.now())
  }

  /** Closes the connections with a peer in peace; bans a peer of another network for a while. */
  disconnect(peer: PeerId, reason: Rejection): void {
    const { links, peerLog } = this.#options
    peerLog.info(peer, 'a peer is disconnected', { reason })
    if (reason === 'peer-other-network') this.#denied.deny(peer, reason, performance.now())
    links.get(peer)?.end('left')
    for (const connection of links.connections(peer)) closeConnection(connection)
  }

  /** A peer's message was refused. If the peer is to blame it is disconnected, and banned for a while. */
  refuse(peer: PeerId, reason: Rejection): void {
    const { links, log, peerLog } = this.#options
    if (verdictOn(reason) === 'ignore') {
      log.debug({ peer, reason }, 'a message is refused')
      return
    }
    const isNews = this.#denied.deny(peer, reason, performance.now())
    if (isNews) peerLog.warn(peer, 'a peer broke the rules and is denied for a while', { reason })
    abortAll(links.connections(peer), reason)
  }

  /** Aborts all connections with a peer, without telling it. */
  abortConnections(peer: PeerId): void {
    abortAll(this.#options.links.connections(peer), 'ended by the node')
  }

  /** The link to the peer has ended. */
  forget(peer: PeerId): void {
    this.#confirmed.delete(peer)
    this.#standings.forget(peer)
  }

  /** Remembers the linked validators: the finality layer knows them only while they are linked. */
  noteValidators(): void {
    for (const { peer } of this.#options.links.all())
      if (this.#options.isValidator(peer)) this.#standings.noteValidator(peer)
  }

  /** Counts a tick for each unconfirmed peer, and disconnects those whose time is over. Returns those. */
  leaveMute(connected: ReadonlySet<PeerId>): PeerId[] {
    for (const peer of this.#mute.keys())
      if (!connected.has(peer) || this.#confirmed.has(peer)) this.#mute.delete(peer)
    const left: PeerId[] = []
    for (const peer of connected) {
      if (this.#confirmed.has(peer)) continue
      const ticks = (this.#mute.get(peer) ?? 0) + 1
      this.#mute.set(peer, ticks)
      if (ticks < HANDSHAKE_TICKS_MAX) continue
      abortAll(this.#options.links.connections(peer), 'it does not say which network it follows')
      left.push(peer)
    }
    return left
  }
}
