// A cluster of simulated nodes in virtual time: the nodes, the connections between them (links.ts), the network that carries
// their messages, and the submissions that wait for an answer. Simulation, comparison and attacks run on it; what they add
// comes from outside: an observer, an interceptor of what nodes send, and peers that are not nodes.
//
// Compare TigerBeetle's `src/testing/cluster.zig`.

import type { Genesis } from '../../execution/genesis.ts'
import type { PeerId, SubmitResult } from '../../replica/effects.ts'
import type { Message, OutgoingMessage } from '../../replica/messages.ts'
import type { FaultPlan } from '../faults/fault-plan.ts'
import type { Tag } from '../network/costs.ts'
import type { LinkModel } from '../network/link-model.ts'
import { Network } from '../network/network.ts'
import type { Random } from '../virtual/random.ts'
import type { Schedule } from '../virtual/schedule.ts'
import type { Trace } from '../virtual/trace.ts'
import { Links, type LinkTimes } from './links.ts'
import type { NodeObserver, SimHost } from './sim-host.ts'
import { SimNode, type SimNodeOptions } from './sim-node.ts'

/** A message as it leaves a node; `to` is null for a broadcast. */
export interface Departure {
  readonly to: PeerId | null
  readonly message: OutgoingMessage
  readonly tag: Tag | null
  /** Milliseconds until it leaves. */
  readonly delayMs: number
}

/** What leaves a node in place of a message, in this order. */
export type Intercept = (from: SimNode, departure: Departure) => readonly Departure[]

/** Peers that are not nodes of the cluster, and their connections. */
export interface OutsidePeers {
  /** Whether a name is one of theirs. */
  has(name: PeerId): boolean
  /** The names under which they are connected with a node. */
  namesAt(node: PeerId): PeerId[]
  isLinked(name: PeerId, node: PeerId): boolean
  receive(name: PeerId, bytes: Uint8Array): void
  disconnect(name: PeerId): void
  onCrash(node: SimNode): void
}

/** What a cluster is made of. */
export interface ClusterOptions {
  readonly genesis: Genesis
  readonly schedule: Schedule
  /** Milliseconds since 1970 at which virtual time starts. */
  readonly epochMs: number
  /** The chance of the network. */
  readonly random: Random
  /** What happens to messages. */
  readonly faults: FaultPlan
  readonly linkModel?: LinkModel | null
  readonly linkTimes: LinkTimes
  /** Whether messages to nodes that are not connected travel too, and are lost when they arrive. */
  readonly sendsUnlinked?: boolean
  /** Where inputs and effects are written down; nowhere unless given. */
  readonly trace?: Trace | null
  readonly intercept?: Intercept
  readonly outsidePeers?: OutsidePeers | null
  /** Whether a peer may send what can't be decoded; none may unless given. */
  readonly mayBeBlamed?: (peer: PeerId) => boolean
}

/** Receives the answer to a submission: null when the node went down before it answered. */
export type Answer = (result: SubmitResult | null) => void

/** The cluster of one run. */
export class Cluster implements SimHost {
  readonly genesis: Genesis
  readonly schedule: Schedule
  readonly trace: Trace | null
  readonly epochMs: number
  readonly network: Network
  readonly links: Links
  /** Set before the first node starts. */
  observer: NodeObserver = {}
  /** Events of the schedule that `advance` let happen. */
  events = 0
  readonly #options: ClusterOptions
  readonly #nodes = new Map<PeerId, SimNode>()
  /** Submissions that wait for an answer, by token. */
  readonly #submissions = new Map<string, { readonly node: SimNode; readonly answer: Answer }>()
  #tokens = 0

  constructor(options: ClusterOptions) {
    const { genesis, schedule, trace = null, epochMs, random, faults, linkModel = null } = options
    this.#options = options
    this.genesis = genesis
    this.schedule = schedule
    this.trace = trace
    this.epochMs = epochMs
    this.network = new Network({
      schedule,
      random,
      faults,
      linkModel,
      deliver: (from, to, bytes, tag) => this.#deliver(from, to, bytes, tag),
      onDamage: (from, to) => this.#breakLink(from, to),
    })
    this.links = new Links(schedule, options.linkTimes, this.#nodes)
  }

  /** Adds a node that is not started yet. */
  add(options: SimNodeOptions): SimNode {
    const node = new SimNode(this, options)
    this.#nodes.set(node.id, node)
    return node
  }

  /** The node of this name. Throws when there is none. */
  node(id: PeerId): SimNode {
    const node = this.#nodes.get(id)
    if (node === undefined) throw new Error(`there is no node ${id}`)
    return node
  }

  /** Starts a node and connects it with all that are up. */
  start(node: SimNode): void {
    node.start()
    for (const other of this.#nodes.values()) this.links.connect(node, other)
  }

  /** Connects each of these nodes with every other of them. */
  connectAll(ids: readonly PeerId[]): void {
    for (const [index, a] of ids.entries())
      for (const b of ids.slice(index + 1)) this.links.connect(this.node(a), this.node(b))
  }

  /** Submits a transaction to a node. */
  submit(id: PeerId, raw: Uint8Array, answer: Answer = () => {}): void {
    const node = this.node(id)
    if (!node.isUp) return answer(null)
    const token = `t${this.#tokens++}`
    this.#submissions.set(token, { node, answer })
    node.input({ type: 'submit', raw, token })
  }

  /** Lets the next event happen; false when there is none. */
  advance(): boolean {
    if (!this.schedule.advance()) return false
    this.events += 1
    return true
  }

  /** Lets so much virtual time pass, to the millisecond. */
  runFor(ms: number): void {
    const endMs = this.schedule.nowMs + ms
    this.runUntil(() => this.schedule.nowMs >= endMs, ms)
  }

  /** Lets time pass until the condition holds (true) or so many milliseconds are over (false). */
  runUntil(holds: () => boolean, forMs: number): boolean {
    let isOver = false
    this.schedule.after(forMs, () => {
      isOver = true
    })
    while (!holds()) if (isOver || !this.advance()) return false
    return true
  }

  // ---- what nodes ask for

  mayBeBlamed(peer: PeerId): boolean {
    return this.#options.mayBeBlamed?.(peer) ?? false
  }

  send(from: SimNode, to: PeerId, message: OutgoingMessage, tag: Tag | null): void {
    this.#depart(from, { to, message, tag, delayMs: 0 })
  }

  broadcast(from: SimNode, message: OutgoingMessage, tag: Tag | null): void {
    this.#depart(from, { to: null, message, tag, delayMs: 0 })
  }

  /** What an outside peer said is passed on to all others. What nodes broadcast reaches all of them anyway. */
  relay(from: SimNode, message: Message, source: PeerId): void {
    if (!this.#isOutside(source)) return
    const others = this.#peersOf(from).filter(id => id !== source)
    this.#transmit(from, others, message, null)
  }

  disconnect(from: SimNode, peer: PeerId): void {
    if (this.#isOutside(peer)) return this.#outsidePeers?.disconnect(peer)
    this.links.disconnect(from, this.node(peer))
  }

  reply(_from: SimNode, token: string, result: SubmitResult): void {
    const submission = this.#submissions.get(token)
    this.#submissions.delete(token)
    if (submission === undefined) this.observer.onReply?.(token, result)
    else submission.answer(result)
  }

  crashed(node: SimNode): void {
    this.observer.onCrash?.(node)
    this.#outsidePeers?.onCrash(node)
    this.links.drop(node)
    for (const [token, submission] of this.#submissions) {
      if (submission.node !== node) continue
      this.#submissions.delete(token)
      submission.answer(null)
    }
  }

  // ---- messages

  get #outsidePeers(): OutsidePeers | null {
    return this.#options.outsidePeers ?? null
  }

  #isOutside(peer: PeerId): boolean {
    return this.#outsidePeers?.has(peer) === true
  }

  /** The receivers of a broadcast. */
  #peersOf({ id }: SimNode): PeerId[] {
    const others = this.#options.sendsUnlinked
      ? [...this.#nodes.keys()].filter(other => other !== id)
      : this.links.of(id)
    return [...others, ...(this.#outsidePeers?.namesAt(id) ?? [])]
  }

  #depart(from: SimNode, departure: Departure): void {
    const { intercept } = this.#options
    const peers = departure.to === null ? this.#peersOf(from) : []
    for (const { to, message, tag, delayMs } of intercept?.(from, departure) ?? [departure]) {
      const receivers = to === null ? peers : [to]
      const leave = (): void => this.#transmit(from, receivers, message, tag)
      if (delayMs === 0) leave()
      else this.schedule.after(delayMs, leave)
    }
  }

  #transmit(from: SimNode, to: readonly PeerId[], message: OutgoingMessage, tag: Tag | null): void {
    const receivers = this.#options.sendsUnlinked ? to : to.filter(peer => this.#isLinked(from.id, peer))
    const bytes = this.network.send(from.id, receivers, message, tag)
    if (tag !== null) this.observer.onSent?.(from, tag, receivers.length, bytes)
  }

  /** Bytes come out of the network: they are lost when the two are no longer connected. */
  #deliver(from: PeerId, to: PeerId, bytes: Uint8Array, tag: Tag | null): void {
    if (this.#isOutside(to)) return this.#outsidePeers?.receive(to, bytes)
    if (!this.#isLinked(to, from)) return
    const node = this.node(to)
    if (tag !== null) this.observer.onReceived?.(node, tag)
    node.receive(from, bytes, tag)
  }

  #isLinked(node: PeerId, peer: PeerId): boolean {
    return this.#isOutside(peer)
      ? this.#outsidePeers?.isLinked(peer, node) === true
      : this.links.has(node, peer)
  }

  /** The receiver of damaged bytes ends the connection. */
  #breakLink(from: PeerId, to: PeerId): void {
    if (this.#isOutside(to)) return this.#outsidePeers?.disconnect(to)
    this.disconnect(this.node(to), from)
  }
}
