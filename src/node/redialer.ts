// Keeps a node connected: dials the addresses that it was given for as long as they are not connected, and known
// peers while it has few connections of its own choice.
//
// A dial counts as a success only once the peer has said that it follows our network. After each failure the wait
// for the next attempt doubles, up to a minute, with a random part so that nodes that fell together don't rise
// together. Connections that we opened can't be pushed out by those that others open to us (Heilman et al. 2015).

import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { BoundedMap } from '../replica/bounded-map.ts'
import type { PeerId } from '../replica/effects.ts'
import { type AddressBook, KNOWN_PEERS_MAX } from './address-book.ts'

/** An address that can't be one. */
export class InvalidAddress extends Error {
  override name = 'InvalidAddress'
}

/** Connections that we open ourselves, besides those to given addresses. */
export const OUTBOUND_TARGET = 8
/** Addresses that a node keeps a connection to at most, and peers that the local network announced. */
export const GIVEN_MAX = 64

/** Milliseconds before the second attempt; each further wait is twice as long. */
const FIRST_WAIT_MS = 1_000
const WAIT_MS_MAX = 60_000
const PARALLEL_DIALS_MAX = 8

/** What the redialer needs of the network. */
export interface Dialer {
  /** Opens a connection; resolves to the peer that was reached. */
  dial(addresses: readonly Multiaddr[]): Promise<PeerId>
  isConnected(peer: PeerId): boolean
  isDenied(peer: PeerId): boolean
  /** How many connections we opened. */
  outboundCount(): number
}

/** Somebody to be connected to, under a name by which attempts are remembered. */
interface Target {
  readonly name: string
  readonly addresses: readonly string[]
}

interface Attempts {
  /** Who is there, as far as we know. */
  peer: PeerId | null
  failures: number
  nextMs: number
  isDialling: boolean
}

/** The one who dials. The hour is given in milliseconds of a clock that never steps back. */
export class Redialer {
  readonly #dialer: Dialer
  readonly #book: AddressBook
  readonly #given = new Map<string, Target>()
  readonly #attempts = new BoundedMap<string, Attempts>(GIVEN_MAX + KNOWN_PEERS_MAX)
  #dialling = 0

  constructor(dialer: Dialer, book: AddressBook) {
    this.#dialer = dialer
    this.#book = book
  }

  /** Keeps a connection to this address from now on. Throws `InvalidAddress`. */
  give(address: string): void {
    if (!isAddress(address)) {
      const given = JSON.stringify(address.slice(0, 100))
      throw new InvalidAddress(`${given} is not an address such as /ip4/192.0.2.1/tcp/30303`)
    }
    this.#keep({ name: address, addresses: [address] })
  }

  /** Keeps a connection to a peer of the local network that made itself known. */
  announce(peer: PeerId, addresses: readonly Multiaddr[]): void {
    this.#keep({ name: peer, addresses: addresses.map(address => address.toString()) })
    this.#attemptsOf(peer).peer = peer
  }

  /** The peer follows our network: when it is lost it is dialled again without delay. */
  confirm(peer: PeerId): void {
    for (const name of [...this.#given.keys(), peer]) {
      const attempts = this.#attempts.get(name)
      if (attempts?.peer === peer) attempts.failures = 0
    }
  }

  /** Dials whomever should be dialled now. */
  tick(nowMs: number): void {
    for (const target of this.#due([...this.#given.values()], nowMs)) this.#dial(target, nowMs)
    const missing = OUTBOUND_TARGET - this.#dialer.outboundCount() - this.#dialling
    if (missing <= 0) return
    const known = this.#book.peers().map(({ id, addresses }) => {
      this.#attemptsOf(id).peer = id
      return { name: id, addresses }
    })
    for (const target of this.#due(known, nowMs).slice(0, missing)) this.#dial(target, nowMs)
  }

  /** Those whose time has come and for whom there is room, who failed least first. */
  #due(targets: readonly Target[], nowMs: number): Target[] {
    return targets
      .filter(target => this.#isDue(this.#attemptsOf(target.name), nowMs))
      .sort((a, b) => this.#attemptsOf(a.name).failures - this.#attemptsOf(b.name).failures)
      .slice(0, PARALLEL_DIALS_MAX - this.#dialling)
  }

  #keep(target: Target): void {
    if (this.#given.size < GIVEN_MAX) this.#given.set(target.name, target)
  }

  #attemptsOf(name: string): Attempts {
    const known = this.#attempts.get(name)
    if (known !== undefined) return known
    const fresh = { peer: null, failures: 0, nextMs: Number.NEGATIVE_INFINITY, isDialling: false }
    this.#attempts.set(name, fresh)
    return fresh
  }

  #isDue({ peer, nextMs, isDialling }: Attempts, nowMs: number): boolean {
    if (isDialling || nextMs > nowMs) return false
    return peer === null || !(this.#dialer.isConnected(peer) || this.#dialer.isDenied(peer))
  }

  #dial({ name, addresses }: Target, nowMs: number): void {
    const attempts = this.#attemptsOf(name)
    const wait = Math.min(WAIT_MS_MAX, FIRST_WAIT_MS * 2 ** attempts.failures)
    attempts.nextMs = nowMs + wait * (0.75 + Math.random() / 2)
    attempts.failures += 1
    attempts.isDialling = true
    this.#dialling += 1
    const dialled = this.#dialer.dial(addresses.map(address => multiaddr(address)))
    const end = (peer: PeerId | null) => {
      attempts.peer = peer ?? attempts.peer
      attempts.isDialling = false
      this.#dialling -= 1
    }
    // Nobody there, or nobody for us: the next attempt comes later.
    dialled.then(end, () => end(null))
  }
}

/** Whether this is a multiaddr over TCP, as `tcp` alone is dialled. */
function isAddress(text: string): boolean {
  try {
    return multiaddr(text)
      .getComponents()
      .some(({ name }) => name === 'tcp')
  } catch {
    return false
  }
}
