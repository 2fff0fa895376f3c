// The network of one variant in virtual time: simulated nodes, each linked to every other, that can be killed and
// started again, and cut in two. One thread, and chance from one seed only: the same seed gives the same run.
//
// A broadcast reaches every linked peer directly, so nobody relays. Of a link that breaks, by a death or by the cut,
// both ends hear at once; what was on it is lost.

import type { Address } from '../../chain/address.ts'
import type { Transaction, TransactionId } from '../../chain/transaction.ts'
import { type Genesis, parseGenesis } from '../../execution/genesis.ts'
import type { Effect, Input, SubmitResult } from '../../replica/effects.ts'
import type { OutgoingMessage } from '../../replica/messages.ts'
import type { RecoveryBackend } from '../../signatures/backend.ts'
import { SenderCache } from '../../signatures/sender-cache.ts'
import { signerRecovery } from '../../signatures/signer-recovery.ts'
import { lyingFinality } from '../adversary/byzantine/lying-finality.ts'
import { SimNode, type World } from '../cluster/sim-node.ts'
import { NO_FAULTS } from '../faults/fault-plan.ts'
import { Network } from '../network/network.ts'
import { Random } from '../virtual/random.ts'
import type { Schedule } from '../virtual/schedule.ts'
import { Trace } from '../virtual/trace.ts'
import { PausableSchedule } from './pausable-schedule.ts'
import type { StageParts, TotalCounters } from './stage.ts'
import { BLOCK_MS, createGenesis } from './variant.ts'
import { createAccounts, type SeededAccount } from './workload.ts'

/** What a simulated network is made of. */
export interface SimulatedNetworkOptions extends StageParts {
  /** Milliseconds that a message takes on average: a third of that at least, the rest exponential. */
  readonly latencyMs: number
  /** Share of messages that never arrive; none when absent. */
  readonly lossRate?: number
  readonly backend: RecoveryBackend
  readonly schedule: Schedule
  /** After every step of a node, and before each effect; `node` is its index. */
  readonly afterStep: (node: number) => void
  readonly onEffect: (node: number, effect: Effect) => void
}

/** Hashes that a block takes on average: few, for each is made for real, while its time is virtual. */
export const HASHES_PER_BLOCK = 256
/** Milliseconds until a link that broke is up again, once it can be. */
export const RECONNECT_MS = 500
/** Milliseconds until the other end of a link that broke hears of it. */
const NOTICE_MS = 1
/** Second of the genesis block, and milliseconds from there to the start. */
const GENESIS_TIME = 1_700_000_000
const AGE_MS = 10_000

/** Answers a transfer that was handed in: null when the node ended before it did. */
type Answer = (result: SubmitResult | null) => void

/** One node, and what is counted of it. */
interface Place {
  readonly sim: SimNode
  /** The node's own: it stands still while the node is frozen. */
  readonly schedule: PausableSchedule
  /** Transactions whose sender this life of the node has recovered. */
  readonly senders: Set<TransactionId>
  readonly waiting: Map<string, Answer>
  /** Since when it mines; null while it does not. */
  miningSinceMs: number | null
}

/** A running network. */
export class SimulatedNetwork {
  readonly genesis: Genesis
  readonly #options: SimulatedNetworkOptions
  readonly #random: Random
  readonly #network: Network
  readonly #places: Place[]
  /** Hashes a millisecond of all nodes together. */
  readonly #hashrate: number
  readonly #links = new Set<string>()
  /** The half of each node while the network is cut; empty otherwise. */
  #halfOf = new Map<number, number>()
  #isMining: boolean
  #tokens = 0
  #signatures = 0
  #minedMs = 0

  constructor(options: SimulatedNetworkOptions) {
    const { variant, nodes, seed, funded, latencyMs, schedule, blockMs } = options
    this.#options = options
    this.#isMining = variant.isMined && options.isMining !== false
    this.#random = new Random(`quorate compare/${variant.name}/${seed}`)
    const validators = createAccounts(seed, 'validator', nodes)
    const named = validators.map(({ address }, index) => ({ name: nameOf(index), address }))
    const parts = { time: GENESIS_TIME, validators: named, funded, hashesPerBlock: HASHES_PER_BLOCK, blockMs }
    this.genesis = parseGenesis(createGenesis(variant, parts))
    this.#hashrate = HASHES_PER_BLOCK / (blockMs ?? BLOCK_MS)
    this.#network = new Network({
      schedule,
      random: this.#random.stream('network'),
      faults: {
        ...NO_FAULTS,
        lossRate: options.lossRate ?? 0,
        delayMinMs: latencyMs / 3,
        delayMeanMs: (latencyMs * 2) / 3,
      },
      deliver: (from, to, bytes) => {
        const [sender, receiver] = [indexOf(from), indexOf(to)]
        const { sim, schedule } = this.#places[receiver]!
        schedule.awake(() => {
          if (this.#links.has(linkOf(sender, receiver))) sim.receive(from, bytes)
        })
      },
    })
    const senders = new SenderCache(options.backend)
    this.#places = validators.map((validator, index) => this.#createPlace(index, validator, senders))
  }

  /** Starts all nodes but those that are kept out. */
  start(): void {
    const present = this.#places.length - (this.#options.keptOut ?? 0)
    for (let index = 0; index < present; index++) this.restart(index)
  }

  /** The replica of a running node, or null. */
  replica(index: number): SimNode['replica'] {
    return this.#places[index]!.sim.replica
  }

  /** The node whose turn it is to propose, as the first one that runs knows; null where nobody proposes. */
  proposer(): number | null {
    const nowMs = this.#epochMs + this.#options.schedule.nowMs
    const running = this.#places.find(({ sim }) => sim.isUp)
    // The validators are the nodes, in the same order.
    return running?.sim.replica?.finality.report(nowMs)?.proposer ?? null
  }

  /** The validators against which a node that runs has evidence. */
  convicted(): number[] {
    const nowMs = this.#epochMs + this.#options.schedule.nowMs
    const evidence = this.#places.flatMap(({ sim }) => sim.replica?.finality.report(nowMs)?.evidence ?? [])
    return [...new Set(evidence.map(({ validator }) => indexOf(validator.name)))].toSorted((a, b) => a - b)
  }

  /** Hands a transaction in; the answer comes when it is safely taken in, or with the node's end. */
  submit(index: number, raw: Uint8Array, answer: Answer): void {
    const { sim, waiting, schedule } = this.#places[index]!
    if (!sim.isUp) return answer(null)
    const token = `t${this.#tokens++}`
    waiting.set(token, answer)
    schedule.awake(() => sim.input({ type: 'submit', raw, token }))
  }

  kill(index: number): void {
    const { sim, schedule } = this.#places[index]!
    sim.crash()
    schedule.resume()
  }

  freeze(index: number): void {
    this.#places[index]!.schedule.pause()
  }

  thaw(index: number): void {
    this.#places[index]!.schedule.resume()
  }

  mine(isOn: boolean): void {
    this.#isMining = isOn
    for (const { sim, schedule } of this.#places) schedule.awake(() => this.#tellToMine(sim))
  }

  /** Starts a node that does not run, from what is on its disk. */
  restart(index: number): void {
    const { sim, senders } = this.#places[index]!
    senders.clear()
    sim.start()
    for (const other of this.#places.keys()) this.#connect(index, other)
    if (this.#isMining) this.#tellToMine(sim)
  }

  cut(halves: readonly (readonly number[])[]): void {
    this.#halfOf = new Map(halves.flatMap((half, number) => half.map(index => [index, number] as const)))
    this.#eachPair((a, b) => {
      if (this.#halfOf.get(a) !== this.#halfOf.get(b)) this.#disconnect(a, b)
    })
  }

  heal(): void {
    this.#halfOf = new Map()
    this.#eachPair((a, b) => this.#reconnectLater(a, b))
  }

  counters(): TotalCounters {
    const nowMs = this.#options.schedule.nowMs
    const running = this.#places.map(({ miningSinceMs }) => nowMs - (miningSinceMs ?? nowMs))
    const minedMs = running.reduce((sum, ms) => sum + ms, this.#minedMs)
    return {
      messages: [...this.#network.messages.values()].reduce((sum, count) => sum + count, 0),
      bytes: this.#network.bytes,
      hashes: (minedMs * this.#hashrate) / this.#places.length,
      signatures: this.#signatures,
    }
  }

  // ---- nodes

  get #epochMs(): number {
    return GENESIS_TIME * 1_000 + AGE_MS
  }

  #createPlace(index: number, { secretKey }: SeededAccount, cache: SenderCache): Place {
    const { backend, variant } = this.#options
    const senders = new Set<TransactionId>()
    const schedule = new PausableSchedule(this.#options.schedule)
    const role = this.#options.liars?.get(index)
    const recover = signerRecovery(backend)
    const recoverSender = (tx: Transaction): Address | null => {
      if (!senders.has(tx.id)) this.#signatures += 1
      senders.add(tx.id)
      return cache.recoverSender(tx)
    }
    const sim = new SimNode(this.#worldOf(index, schedule, recoverSender), {
      id: nameOf(index),
      beneficiary: `0x${String(index + 1).padStart(40, '0')}`,
      identity: {
        peer: nameOf(index),
        secretKey: variant.hasValidators ? secretKey : null,
        sign: (digest, secretKey) => backend.sign(digest, secretKey),
        recover: (digest, signature) => {
          this.#signatures += 1
          return recover(digest, signature)
        },
        mayForgetVotes: false,
      },
      ...(role === undefined ? {} : { createFinality: lyingFinality({ role, accomplices: [] }) }),
      random: this.#random.stream(nameOf(index)),
      hashrate: this.#hashrate / this.#options.nodes,
      clockOffsetMs: 0,
    })
    return { sim, schedule, senders, waiting: new Map(), miningSinceMs: null }
  }

  #tellToMine(sim: SimNode): void {
    sim.input({ type: 'mining', beneficiary: this.#isMining ? sim.beneficiary : null, blocks: null })
  }

  #worldOf(index: number, schedule: Schedule, recoverSender: World['recoverSender']): World {
    const others = (): number[] =>
      [...this.#places.keys()].filter(other => this.#links.has(linkOf(index, other)))
    return {
      genesis: this.genesis,
      recoverSender,
      schedule,
      trace: new Trace(1),
      epochMs: this.#epochMs,
      send: (from, to, message) => this.#send(from, [to], message),
      broadcast: (from, message) => this.#send(from, others().map(nameOf), message),
      disconnect: (_from, peer) => {
        this.#disconnect(index, indexOf(peer))
        this.#reconnectLater(index, indexOf(peer))
      },
      reply: (_from, token, result) => this.#answer(index, token, result),
      afterStep: (_node, input) => this.#afterStep(index, input),
      beforeEffect: (_node, effect) => this.#beforeEffect(index, effect),
      crashed: () => this.#crashed(index),
    }
  }

  #send(from: SimNode, to: readonly string[], message: OutgoingMessage): void {
    const linked = to.filter(peer => this.#links.has(linkOf(indexOf(from.id), indexOf(peer))))
    this.#network.send(from.id, linked, message)
  }

  #answer(index: number, token: string, result: SubmitResult): void {
    const { waiting } = this.#places[index]!
    const answer = waiting.get(token)
    waiting.delete(token)
    answer?.(result)
  }

  #afterStep(index: number, input: Input): void {
    // What was found ends the search, until there is a new template.
    if (input.type === 'mined') this.#stopMining(index)
    this.#options.afterStep(index)
  }

  #beforeEffect(index: number, effect: Effect): void {
    if (effect.type === 'mine') this.#places[index]!.miningSinceMs ??= this.#options.schedule.nowMs
    else if (effect.type === 'stop-mining') this.#stopMining(index)
    this.#options.onEffect(index, effect)
  }

  #stopMining(index: number): void {
    const place = this.#places[index]!
    const { nowMs } = this.#options.schedule
    this.#minedMs += nowMs - (place.miningSinceMs ?? nowMs)
    place.miningSinceMs = null
  }

  #crashed(index: number): void {
    this.#stopMining(index)
    for (const other of this.#places.keys()) this.#disconnect(index, other)
    const { waiting } = this.#places[index]!
    for (const answer of waiting.values()) answer(null)
    waiting.clear()
  }

  // ---- links

  #connect(a: number, b: number): void {
    const [first, second] = [this.#places[a]!.sim, this.#places[b]!.sim]
    const isAllowed = this.#halfOf.get(a) === this.#halfOf.get(b)
    if (a === b || !first.isUp || !second.isUp || !isAllowed || this.#links.has(linkOf(a, b))) return
    this.#links.add(linkOf(a, b))
    this.#tell(a, { type: 'peer-connected', peer: second.id })
    this.#tell(b, { type: 'peer-connected', peer: first.id })
  }

  #disconnect(a: number, b: number): void {
    if (!this.#links.delete(linkOf(a, b))) return
    // Not from within the step that asked for it.
    this.#options.schedule.after(NOTICE_MS, () => {
      this.#tell(a, { type: 'peer-disconnected', peer: nameOf(b) })
      this.#tell(b, { type: 'peer-disconnected', peer: nameOf(a) })
    })
  }

  #tell(index: number, input: Input): void {
    const { sim, schedule } = this.#places[index]!
    schedule.awake(() => sim.input(input))
  }

  #reconnectLater(a: number, b: number): void {
    this.#options.schedule.after(RECONNECT_MS, () => this.#connect(a, b))
  }

  #eachPair(action: (a: number, b: number) => void): void {
    for (const a of this.#places.keys()) for (let b = a + 1; b < this.#places.length; b++) action(a, b)
  }
}

function nameOf(index: number): string {
  return `node-${index + 1}`
}

function indexOf(name: string): number {
  return Number(name.slice('node-'.length)) - 1
}

function linkOf(a: number, b: number): string {
  return `${Math.min(a, b)}-${Math.max(a, b)}`
}
