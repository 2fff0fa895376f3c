// Keeps a node connected: dials the given addresses for as long as they are not connected, peers that announce themselves
// on the local network, and known peers while the node has few outbound connections.
//
// A dial succeeds only once the peer has said that it follows our network. After each failure the delay before the next
// attempt doubles, up to a minute, with jitter, so that nodes that stopped together do not retry together. Inbound
// connections never evict outbound ones, and known peers are chosen from different provider groups; peers announced on
// the local network do not count among them, since any host can announce any number. Every few minutes a known peer that
// was never reached is dialled for a moment (a feeler), to test what the book was told (Heilman et al. 2015,
// countermeasures 3 and 5). A given address that can not be reached is reported at once, and then ever more rarely.

import { BoundedMap } from '../collections/bounded-map.ts'
import type { GroupOf } from '../defence/network-group.ts'
import type { PeerId } from '../replica/effects.ts'
import { type AddressBook, KNOWN_PEERS_MAX, type KnownPeer } from './address-book.ts'
import { ANNOUNCED_MAX, AnnouncedPeers } from './announced-peers.ts'
import { type PeerAddress, printPeerAddress } from './peer-address.ts'

/** Connections of our own choice from the book, besides those to given and announced addresses. */
export const OUTBOUND_TARGET = 8
/** Addresses that a node keeps a connection to at most. */
export const GIVEN_MAX = 64
/** Milliseconds between two feelers, more or less. */
export const FEELER_MS = 2 * 60_000
/** Connections of our own choice to one provider group, and the limit where the book has no peer of another one. */
const PER_GROUP_MAX = 1
const PER_GROUP_ELSE_MAX = 2

/** Milliseconds before the second attempt; each further wait is twice as long. */
const FIRST_WAIT_MS = 1_000
const WAIT_MS_MAX = 60_000
const PARALLEL_DIALS_MAX = 8
/** And those of them to announced peers: what does not answer there holds up no others. */
const PARALLEL_ANNOUNCED_MAX = 4
/** Milliseconds before an unreachable address is reported again; each further interval is twice as long. */
const FIRST_SILENCE_MS = 5 * 60_000
const SILENCE_MS_MAX = 24 * 60 * 60_000

/** What the redialer needs of the network. */
export interface Dialer {
  /** Opens a connection; resolves to the peer that was reached. */
  dial(addresses: readonly PeerAddress[]): Promise<PeerId>
  /** Opens a connection that ends as soon as the peer has said that it follows our network. */
  openFeeler(peer: PeerId, addresses: readonly PeerAddress[]): Promise<PeerId>
  /** A given address can't be reached: called once for many attempts. */
  onUnreachable(address: string, error: unknown): void
  isConnected(peer: PeerId): boolean
  isDenied(peer: PeerId): boolean
  /** The connections that we opened and keep: the peer, and the group of its address. */
  outbound(): readonly { readonly peer: PeerId; readonly group: string }[]
}

/** A peer or address to be connected to, and the name under which attempts are remembered. */
interface Target {
  readonly name: string
  readonly addresses: readonly PeerAddress[]
  /** Its source: an operator, who is told when it can't be reached, the local network, or the address book. */
  readonly from: 'given' | 'announced' | 'book'
}

interface Attempts {
  /** The peer at the address, as far as it is known. */
  peer: PeerId | null
  failures: number
  nextMs: number
  isDialling: boolean
  /** When a failure is reported next, and the interval after that. */
  nextTellingMs: number
  silenceMs: number
}

const NO_FAILURES = {
  failures: 0,
  nextTellingMs: Number.NEGATIVE_INFINITY,
  silenceMs: FIRST_SILENCE_MS,
} satisfies Partial<Attempts>

/** Chooses and dials peers. Times are milliseconds of a monotonic clock. */
export class Redialer {
  readonly #dialer: Dialer
  readonly #book: AddressBook
  readonly #groupOf: GroupOf
  readonly #given = new Map<string, Target>()
  readonly #announced: AnnouncedPeers
  /** Apart from those of other targets, of which strangers can make ever new ones. */
  readonly #givenAttempts = new Map<string, Attempts>()
  readonly #attempts = new BoundedMap<string, Attempts>(ANNOUNCED_MAX + KNOWN_PEERS_MAX)
  /** Known peers that are being dialled, and the groups of their addresses. */
  readonly #choosing = new Map<string, string>()
  /** Known peers that were reached so, until the connection is lost. */
  #chosen = new Set<PeerId>()
  #nextFeelerMs: number | null = null
  #dialling = 0
  #diallingAnnounced = 0

  constructor(dialer: Dialer, book: AddressBook, groupOf: GroupOf) {
    this.#dialer = dialer
    this.#book = book
    this.#groupOf = groupOf
    this.#announced = new AnnouncedPeers(peer => dialer.isConnected(peer))
  }

  /** Keeps a connection to this address from now on. */
  give(address: PeerAddress): void {
    const name = printPeerAddress(address)
    if (this.#given.size < GIVEN_MAX) this.#given.set(name, { name, addresses: [address], from: 'given' })
  }

  /** Whether an operator gave the address of this peer, as far as the peer there is known. */
  isGiven(peer: PeerId): boolean {
    return this.#given
      .values()
      .some(
        ({ name, addresses: [address] }) => (address?.peer ?? this.#givenAttempts.get(name)?.peer) === peer,
      )
  }

  /** Whether an operator or this node chose the connection to this peer: it was not announced on the local network. */
  isChosen(peer: PeerId): boolean {
    return this.#chosen.has(peer) || this.isGiven(peer)
  }

  /** The addresses that an operator gave. */
  given(): PeerAddress[] {
    return [...this.#given.values()].flatMap(({ addresses }) => addresses)
  }

  /** Keeps a connection to a peer of the local network for as long as it makes itself known. */
  announce(peer: PeerId, addresses: readonly PeerAddress[], nowMs: number): void {
    this.#announced.add({ id: peer, addresses }, nowMs)
  }

  /** The peer follows our network: when it is lost it is dialled again without delay. */
  confirm(peer: PeerId): void {
    for (const attempts of [...this.#givenAttempts.values(), this.#attempts.get(peer)])
      if (attempts?.peer === peer) Object.assign(attempts, NO_FAILURES)
  }

  /** Dials the targets that are due. */
  tick(nowMs: number): void {
    const announced = this.#announced.current(nowMs).map(peer => this.#targetOf(peer, 'announced'))
    const given = this.#due([...this.#given.values()], nowMs).slice(0, this.#room())
    for (const target of given) this.#dial(target, nowMs)
    const room = Math.min(this.#room(), PARALLEL_ANNOUNCED_MAX - this.#diallingAnnounced)
    for (const target of this.#due(announced, nowMs).slice(0, room)) this.#dial(target, nowMs)
    const own = this.#own()
    this.#chosen = new Set(own.map(({ peer }) => peer))
    const missing = OUTBOUND_TARGET - own.length - this.#choosing.size
    if (missing > 0) this.#choose(missing, nowMs)
    this.#openFeeler(nowMs)
  }

  /** The connections of our own choice. */
  #own(): ReturnType<Dialer['outbound']> {
    return this.#dialer.outbound().filter(({ peer }) => this.#chosen.has(peer) && !this.isGiven(peer))
  }

  /** Dials known peers of different groups. */
  #choose(count: number, nowMs: number): void {
    const known = this.#book.peers().map(peer => this.#targetOf(peer, 'book'))
    const due = this.#due(known, nowMs)
    const chosen = this.#diverse(due, PER_GROUP_MAX, count)
    // Few are better than none, but not so that one group is all that we see.
    if (chosen.length === 0) chosen.push(...this.#diverse(due, PER_GROUP_ELSE_MAX, count))
    for (const target of chosen) {
      this.#choosing.set(target.name, this.#groupOfTarget(target))
      this.#dial(target, nowMs)
    }
  }

  /** Of these the first, so that no group has more connections of our own choice than this. */
  #diverse(targets: readonly Target[], perGroupMax: number, count: number): Target[] {
    const own = this.#own()
    const counts = new Map<string, number>()
    const add = (group: string) => counts.set(group, (counts.get(group) ?? 0) + 1)
    for (const group of [...own.map(({ group }) => group), ...this.#choosing.values()]) add(group)
    const chosen: Target[] = []
    for (const target of targets) {
      if (chosen.length >= Math.min(count, this.#room())) break
      const group = this.#groupOfTarget(target)
      if ((counts.get(group) ?? 0) >= perGroupMax) continue
      add(group)
      chosen.push(target)
    }
    return chosen
  }

  /** How many dials may begin now. */
  #room(): number {
    return Math.max(0, PARALLEL_DIALS_MAX - this.#dialling)
  }

  /** Now and then tests a peer of the book whose address was only reported. */
  #openFeeler(nowMs: number): void {
    const isFirst = this.#nextFeelerMs === null
    if (!isFirst && nowMs < this.#nextFeelerMs!) return
    this.#nextFeelerMs = nowMs + FEELER_MS * (0.75 + Math.random() / 2)
    if (isFirst) return
    const untested = this.#book.untested().map(peer => this.#targetOf(peer, 'book'))
    const [target] = this.#due(untested, nowMs)
    if (target === undefined) return
    this.#dial(target, nowMs, () => this.#dialer.openFeeler(target.name, target.addresses))
  }

  #groupOfTarget({ addresses }: Target): string {
    return this.#groupOf(addresses[0]!)
  }

  /** A peer whose id is known. */
  #targetOf({ id, addresses }: Pick<KnownPeer, 'id' | 'addresses'>, from: Target['from']): Target {
    this.#attemptsOf(id).peer = id
    return { name: id, addresses, from }
  }

  /** The targets that are due, those that failed least first. */
  #due(targets: readonly Target[], nowMs: number): Target[] {
    return targets
      .filter(target => this.#isDue(this.#attemptsOf(target.name), nowMs))
      .sort((a, b) => this.#attemptsOf(a.name).failures - this.#attemptsOf(b.name).failures)
  }

  #attemptsOf(name: string): Attempts {
    const store = this.#given.has(name) ? this.#givenAttempts : this.#attempts
    const known = store.get(name)
    if (known !== undefined) return known
    const fresh = { peer: null, nextMs: Number.NEGATIVE_INFINITY, isDialling: false, ...NO_FAILURES }
    store.set(name, fresh)
    return fresh
  }

  #isDue({ peer, nextMs, isDialling }: Attempts, nowMs: number): boolean {
    if (isDialling || nextMs > nowMs) return false
    return peer === null || !(this.#dialer.isConnected(peer) || this.#dialer.isDenied(peer))
  }

  #dial(target: Target, nowMs: number, open = () => this.#dialer.dial(target.addresses)): void {
    const attempts = this.#attemptsOf(target.name)
    const wait = Math.min(WAIT_MS_MAX, FIRST_WAIT_MS * 2 ** attempts.failures)
    attempts.nextMs = nowMs + wait * (0.75 + Math.random() / 2)
    attempts.failures += 1
    attempts.isDialling = true
    this.#dialling += 1
    if (target.from === 'announced') this.#diallingAnnounced += 1
    const end = (peer: PeerId | null) => {
      if (target.from === 'announced') this.#diallingAnnounced -= 1
      if (peer !== null && this.#choosing.has(target.name)) this.#chosen.add(peer)
      attempts.peer = peer ?? attempts.peer
      attempts.isDialling = false
      this.#dialling -= 1
      this.#choosing.delete(target.name)
    }
    open().then(end, (error: unknown) => {
      // The next attempt comes later.
      end(null)
      this.#onFailure(target, attempts, nowMs, error)
    })
  }

  #onFailure({ name, from }: Target, attempts: Attempts, nowMs: number, error: unknown): void {
    // If no peer can be reached, our own network is down.
    if (from === 'book' && this.#dialer.outbound().length > 0) this.#book.noteFailure(name)
    if (from !== 'given' || attempts.nextTellingMs > nowMs) return
    attempts.nextTellingMs = nowMs + attempts.silenceMs
    attempts.silenceMs = Math.min(SILENCE_MS_MAX, 2 * attempts.silenceMs)
    this.#dialer.onUnreachable(name, error)
  }
}
