// The world that the nodes of a run live in: which of them are connected, how what they say gets from one to the other,
// who notices when one is gone, and the oracles, which see all of it.

import type { RecoverSender } from '../../chain/signature.ts'
import type { Genesis } from '../../execution/genesis.ts'
import { modeOf } from '../../finality/registry.ts'
import type { Effect, Input, PeerId, SubmitResult, Write } from '../../replica/effects.ts'
import type { Message, OutgoingMessage } from '../../replica/messages.ts'
import type { Rejection } from '../../replica/verdict.ts'
import type { LyingMiner, ToldLie } from '../adversary/lying-miner.ts'
import type { LyingPeer } from '../adversary/lying-peer.ts'
import type { Roster } from '../adversary/roster.ts'
import { secretFork } from '../adversary/secret-fork.ts'
import type { SimNode, World } from '../cluster/sim-node.ts'
import type { FaultInjector } from '../faults/fault-injector.ts'
import { decisionIn, type Tag } from '../network/costs.ts'
import type { Network } from '../network/network.ts'
import type { Oracle } from '../oracle/oracle.ts'
import { isStranger } from '../strangers/stranger-name.ts'
import type { Strangers } from '../strangers/strangers.ts'
import type { Schedule } from '../virtual/schedule.ts'
import type { Trace } from '../virtual/trace.ts'
import type { Agreement } from './agreement.ts'

/** Milliseconds until peers notice that a node is gone, and until two reconnect. */
const NOTICE_MS = 50
const RECONNECT_MS = 1_000

/** What a world is made of. */
export interface SimulatedWorldOptions {
  readonly genesis: Genesis
  readonly recoverSender: RecoverSender
  readonly schedule: Schedule
  readonly trace: Trace
  readonly epochMs: number
  readonly network: Network
  readonly faults: FaultInjector
  readonly roster: Roster
  readonly oracle: Oracle
  readonly agreement: Agreement | null
  /** Null where no miner lies. */
  readonly lyingMiner: LyingMiner | null
  /** Null where no peer lies. */
  readonly lyingPeer: LyingPeer | null
  /** Null where there are none. */
  readonly strangers: Strangers | null
  /** Hands an answer to the client that waits for it. */
  readonly onReply: (token: string, result: SubmitResult) => void
}

/** The world of one run. */
export class SimulatedWorld implements World {
  readonly genesis: Genesis
  readonly recoverSender: RecoverSender
  readonly schedule: Schedule
  readonly trace: Trace
  readonly epochMs: number
  /** The last alarm of an honest node where work alone decides: it excuses what comes of it. */
  alarm: string | null = null
  readonly #options: SimulatedWorldOptions
  readonly #nodes = new Map<PeerId, SimNode>()
  /** The pairs that are connected. */
  readonly #links = new Set<string>()

  constructor(options: SimulatedWorldOptions) {
    this.genesis = options.genesis
    this.recoverSender = options.recoverSender
    this.schedule = options.schedule
    this.trace = options.trace
    this.epochMs = options.epochMs
    this.#options = options
  }

  /** A node that is not started yet becomes part of the world. */
  add(node: SimNode): void {
    this.#nodes.set(node.id, node)
  }

  /** Starts a node and connects it to all that are up; all but twins mine. */
  start(node: SimNode): void {
    node.start()
    for (const other of this.#nodes.values()) if (other !== node) this.#connect(node, other)
    if (!this.#options.roster.isTwin(node))
      node.input({ type: 'mining', beneficiary: node.beneficiary, blocks: null })
  }

  /** Bytes come out of the network; they are lost when the two are no longer connected. */
  deliver(from: PeerId, to: PeerId, bytes: Uint8Array, tag: Tag | null): void {
    const { strangers } = this.#options
    if (isStranger(to)) return strangers?.receive(to, bytes)
    const isLinked = isStranger(from)
      ? strangers?.isLinked(from, to) === true
      : this.#links.has(linkOf(from, to))
    if (!isLinked) return
    if (tag !== null) this.#options.agreement?.costs.received(to, tag)
    this.#node(to).receive(from, bytes, tag)
  }

  send(from: SimNode, to: PeerId, message: OutgoingMessage, tag: Tag | null): void {
    const { lyingPeer } = this.#options
    const told = lyingPeer?.id === from.id ? lyingPeer.twist(message) : message
    if (told !== null) this.#send(from, [to], told, tag)
  }

  broadcast(from: SimNode, message: OutgoingMessage, tag: Tag | null): void {
    const others = this.#othersThan(from)
    const lies = this.#liesBeside(from, message)
    for (const lie of lies) if (lie.isFirst) this.#lie(from, others, lie)
    const withheldMs = this.#withheldMs(from, message)
    if (withheldMs === 0) this.#send(from, others, message, tag)
    else this.schedule.after(withheldMs, () => this.#send(from, others, message, tag))
    for (const lie of lies) if (!lie.isFirst) this.#lie(from, others, lie)
  }

  mayBeBlamed(peer: PeerId): boolean {
    return this.#options.roster.mayBeBlamed(peer)
  }

  get isScreened(): boolean {
    return this.#options.strangers !== null
  }

  refuse(node: SimNode, from: PeerId, reason: Rejection): void {
    this.beforeEffect(node, { type: 'reject', from, reason }, null)
  }

  /** What a stranger said goes on to all as if the node said it. What nodes say reaches all of them anyway. */
  relay(from: SimNode, message: Message, source: PeerId): void {
    if (!isStranger(source)) return
    const others = this.#othersThan(from).filter(id => id !== source)
    this.#send(from, others, message, null)
  }

  disconnect(from: SimNode, peer: PeerId): void {
    if (isStranger(peer)) return this.#options.strangers?.disconnect(peer)
    const other = this.#node(peer)
    if (!this.#links.delete(linkOf(from.id, peer))) return
    // Not from within the step that asked for it.
    this.schedule.after(0, () => from.input({ type: 'peer-disconnected', peer }))
    this.schedule.after(NOTICE_MS, () => other.input({ type: 'peer-disconnected', peer: from.id }))
    this.schedule.after(RECONNECT_MS, () => this.#connect(from, other))
  }

  /** The receiver of damaged bytes ends the connection. */
  breakLink(from: PeerId, to: PeerId): void {
    if (isStranger(to)) return this.#options.strangers?.disconnect(to)
    this.disconnect(this.#node(to), from)
  }

  reply(_from: SimNode, token: string, result: SubmitResult): void {
    this.#options.onReply(token, result)
  }

  tag(node: SimNode, effect: Effect, cause: Tag | null): Tag | null {
    const { agreement, roster } = this.#options
    if (agreement === null) return null
    const sequence = roster.isHonest(node) ? decisionIn(effect) : null
    if (sequence !== null) agreement.costs.decided(node.id, sequence)
    if (sequence !== null && cause?.isAnswer === true) agreement.pulled += 1
    return agreement.costs.tag(node.id, effect, cause)
  }

  afterStep(node: SimNode, input: Input, effects: readonly Effect[]): void {
    const { agreement, roster, oracle } = this.#options
    if (!roster.isHonest(node)) return
    if (input.type === 'start') {
      oracle.afterStart(node)
      this.alarm ??= oracle.fork
      agreement?.oracle.afterStart(node)
    } else {
      oracle.afterStep(node)
    }
    if (input.type === 'message' && input.message.type === 'block')
      oracle.afterBlock(node, input.message.block.id, effects)
    agreement?.oracle.afterStep(node, input, effects)
  }

  beforeEffect(node: SimNode, effect: Effect, tag: Tag | null): void {
    const { agreement, roster, oracle, strangers } = this.#options
    agreement?.oracle.beforeEffect(node, effect, tag)
    if (effect.type === 'head') this.#mineInSecret(node)
    if (effect.type === 'reject') strangers?.onRefused(effect.from, node, effect.reason)
    if (!roster.isHonest(node)) return
    // Only by work alone may a branch below the last final block be right, and what meets it has to be excused.
    const mayBeWrong = !modeOf(this.genesis).hasValidators
    // A clock that looks wrong is no such branch: its node follows late, and must catch up like any other.
    const isOfBranch = effect.type === 'alarm' && !effect.text.startsWith('the clock of this node')
    if (isOfBranch && mayBeWrong) this.alarm = `${node.id}: ${effect.text}`
    oracle.beforeEffect(node, effect)
    this.alarm ??= oracle.fork
  }

  onDurable(node: SimNode, batch: readonly Write[]): void {
    const { agreement, roster } = this.#options
    if (roster.isHonest(node)) agreement?.oracle.onDurable(node, batch)
  }

  crashed(node: SimNode): void {
    const { faults, strangers } = this.#options
    faults.afterCrash(node)
    strangers?.onCrash(node)
    for (const other of this.#nodes.values()) {
      if (!this.#links.delete(linkOf(node.id, other.id))) continue
      this.schedule.after(NOTICE_MS, () => other.input({ type: 'peer-disconnected', peer: node.id }))
    }
    this.schedule.after(NOTICE_MS * 2 + faults.downMs(node), () => this.start(node))
  }

  /** All that a node is connected with, or would be were nothing down. */
  #othersThan(node: SimNode): PeerId[] {
    const others = [...this.#nodes.keys()].filter(id => id !== node.id)
    return [...others, ...(this.#options.strangers?.namesAt(node.id) ?? [])]
  }

  #connect(a: SimNode, b: SimNode): void {
    if (!a.isUp || !b.isUp || this.#links.has(linkOf(a.id, b.id))) return
    this.#links.add(linkOf(a.id, b.id))
    a.input({ type: 'peer-connected', peer: b.id })
    b.input({ type: 'peer-connected', peer: a.id })
  }

  #send(from: SimNode, to: readonly PeerId[], message: OutgoingMessage, tag: Tag | null): void {
    const { agreement, faults, network } = this.#options
    const bytes = network.send(from.id, to, message, tag)
    if (tag === null) return
    agreement?.costs.sent(tag, to.length, bytes)
    faults.afterSend(from, tag)
  }

  /** What a lying miner sends beside a block of its own. */
  #liesBeside(from: SimNode, message: OutgoingMessage): ToldLie[] {
    const { lyingMiner } = this.#options
    if (lyingMiner === null || message.type !== 'block' || from.id !== lyingMiner.id) return []
    const parent = from.replica?.tree.get(message.block.header.previous)
    const nowSeconds = Math.floor((this.epochMs + this.schedule.nowMs) / 1000)
    return parent === undefined ? [] : lyingMiner.tell(message.block, parent, nowSeconds)
  }

  /** Milliseconds for which a lying miner keeps an honest block back, as long as anything goes wrong. */
  #withheldMs(from: SimNode, message: OutgoingMessage): number {
    const { lyingMiner, faults } = this.#options
    const mayWithhold = lyingMiner?.id === from.id && message.type === 'block' && faults.endedAtMs === null
    return mayWithhold ? lyingMiner.withheldMs() : 0
  }

  /** Gives an undercutting validator a side branch of its own, where blocks are mined. */
  #mineInSecret(node: SimNode): void {
    const { roster } = this.#options
    const member = roster.memberOf(node)
    if (member === null || roster.liars.get(member) !== 'undercut' || !this.genesis.work.isProved) return
    // Not from within the step that moved the head.
    this.schedule.after(0, () => {
      const block = secretFork(node)
      if (block !== null) node.input({ type: 'message', from: node.id, message: { type: 'block', block } })
    })
  }

  #lie(from: SimNode, to: readonly PeerId[], lie: ToldLie): void {
    this.trace.add(this.schedule.nowMs, from.id, `! lie: ${lie.name}, as ${lie.block.id}`)
    this.#options.lyingMiner?.count(lie)
    this.#send(from, to, { type: 'block', block: lie.block }, null)
  }

  #node(id: PeerId): SimNode {
    return this.#nodes.get(id)!
  }
}

function linkOf(a: PeerId, b: PeerId): string {
  return a < b ? `${a}-${b}` : `${b}-${a}`
}
