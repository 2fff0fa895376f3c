// Keeps a node connected: dials the addresses that it was given for as long as they are not connected, and known
// peers while it has few connections of its own choice.
//
// A dial counts as a success only once the peer has said that it follows our network. After each failure the wait
// for the next attempt doubles, up to a minute, with a random part so that nodes that fell together don't rise
// together. Connections that we opened can't be pushed out by those that others open to us (Heilman et al. 2015).
//
// That an address which was given can't be reached is told at once and then ever more rarely.

import { BoundedMap } from '../replica/bounded-map.ts'
import type { PeerId } from '../replica/effects.ts'
import { type AddressBook, KNOWN_PEERS_MAX } from './address-book.ts'
import { type PeerAddress, printPeerAddress } from './peer-address.ts'

/** Connections that we open ourselves, besides those to given addresses. */
export const OUTBOUND_TARGET = 8
/** Addresses that a node keeps a connection to at most, and peers that the local network announced. */
export const GIVEN_MAX = 64

/** Milliseconds before the second attempt; each further wait is twice as long. */
const FIRST_WAIT_MS = 1_000
const WAIT_MS_MAX = 60_000
const PARALLEL_DIALS_MAX = 8
/** Milliseconds until it is told again that an address can't be reached; each further silence is twice as long. */
const FIRST_SILENCE_MS = 5 * 60_000
const SILENCE_MS_MAX = 24 * 60 * 60_000

/** What the redialer needs of the network. */
export interface Dialer {
  /** Opens a connection; resolves to the peer that was reached. */
  dial(addresses: readonly PeerAddress[]): Promise<PeerId>
  /** An address that was given can't be reached: told once for many attempts. */
  onUnreachable(address: string, error: unknown): void
  isConnected(peer: PeerId): boolean
  isDenied(peer: PeerId): boolean
  /** How many connections we opened. */
  outboundCount(): number
}

/** Somebody to be connected to, under a name by which attempts are remembered. */
interface Target {
  readonly name: string
  readonly addresses: readonly PeerAddress[]
  /** Whether a person gave it, who is told when it can't be reached. */
  readonly isGiven: boolean
}

interface Attempts {
  /** Who is there, as far as we know. */
  peer: PeerId | null
  failures: number
  nextMs: number
  isDialling: boolean
  /** When a failure is told next, and for how long none is after that. */
  nextTellingMs: number
  silenceMs: number
}

const NO_FAILURES = {
  failures: 0,
  nextTellingMs: Number.NEGATIVE_INFINITY,
  silenceMs: FIRST_SILENCE_MS,
} satisfies Partial<Attempts>

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

  /** Keeps a connection to this address from now on. */
  give(address: PeerAddress): void {
    this.#keep({ name: printPeerAddress(address), addresses: [address], isGiven: true })
  }

  /** Keeps a connection to a peer of the local network that made itself known. */
  announce(peer: PeerId, addresses: readonly PeerAddress[]): void {
    this.#keep({ name: peer, addresses, isGiven: false })
    this.#attemptsOf(peer).peer = peer
  }

  /** The peer follows our network: when it is lost it is dialled again without delay. */
  confirm(peer: PeerId): void {
    for (const name of [...this.#given.keys(), peer]) {
      const attempts = this.#attempts.get(name)
      if (attempts?.peer === peer) Object.assign(attempts, NO_FAILURES)
    }
  }

  /** Dials whomever should be dialled now. */
  tick(nowMs: number): void {
    for (const target of this.#due([...this.#given.values()], nowMs)) this.#dial(target, nowMs)
    const missing = OUTBOUND_TARGET - this.#dialer.outboundCount() - this.#dialling
    if (missing <= 0) return
    const known = this.#book.peers().map(({ id, addresses }) => {
      this.#attemptsOf(id).peer = id
      return { name: id, addresses, isGiven: false }
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
    const fresh = { peer: null, nextMs: Number.NEGATIVE_INFINITY, isDialling: false, ...NO_FAILURES }
    this.#attempts.set(name, fresh)
    return fresh
  }

  #isDue({ peer, nextMs, isDialling }: Attempts, nowMs: number): boolean {
    if (isDialling || nextMs > nowMs) return false
    return peer === null || !(this.#dialer.isConnected(peer) || this.#dialer.isDenied(peer))
  }

  #dial(target: Target, nowMs: number): void {
    const attempts = this.#attemptsOf(target.name)
    const wait = Math.min(WAIT_MS_MAX, FIRST_WAIT_MS * 2 ** attempts.failures)
    attempts.nextMs = nowMs + wait * (0.75 + Math.random() / 2)
    attempts.failures += 1
    attempts.isDialling = true
    this.#dialling += 1
    const end = (peer: PeerId | null) => {
      attempts.peer = peer ?? attempts.peer
      attempts.isDialling = false
      this.#dialling -= 1
    }
    this.#dialer.dial(target.addresses).then(end, (error: unknown) => {
      // The next attempt comes later.
      end(null)
      if (!target.isGiven || attempts.nextTellingMs > nowMs) return
      attempts.nextTellingMs = nowMs + attempts.silenceMs
      attempts.silenceMs = Math.min(SILENCE_MS_MAX, 2 * attempts.silenceMs)
      this.#dialer.onUnreachable(target.name, error)
    })
  }
}
