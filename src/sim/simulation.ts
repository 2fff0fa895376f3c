// One run of a whole network in virtual time, from one seed.
//
// Two phases, as in TigerBeetle's simulator: first safety, with every fault of the plan, while nodes mine and
// clients pay; then liveness: faults end, and all nodes must come to one head that holds every acknowledged
// transfer. Whatever rule breaks ends the run and names itself; the same seed replays it to the byte.

import type { Address } from '../chain/address.ts'
import { type Hex, toHex } from '../chain/bytes.ts'
import { workOfTarget } from '../chain/compact.ts'
import { type Genesis, parseGenesis } from '../chain/genesis.ts'
import { sha256 } from '../chain/hash.ts'
import { addressOfSecretKey, type RecoverSender } from '../chain/signature.ts'
import type { Identity } from '../finality/committee.ts'
import type { Effect, Input, PeerId, SubmitResult } from '../replica/effects.ts'
import type { OutgoingMessage } from '../replica/messages.ts'
import { drawFaults, type FaultKind, type FaultPlan, NO_FAULTS } from './faults.ts'
import { NaiveChain } from './naive-chain.ts'
import { Network } from './network.ts'
import { Oracle } from './oracle.ts'
import { Random } from './random.ts'
import { Schedule } from './schedule.ts'
import { SimNode, type World } from './sim-node.ts'
import { Trace } from './trace.ts'
import { Violation } from './violation.ts'
import { createClients, type PlannedTransfer, Workload } from './workload.ts'

/** What to simulate. */
export interface SimulationOptions {
  readonly seed: number
  /** The JSON of a genesis file; work that is hard is made easy. */
  readonly genesis: unknown
  readonly nodes: number
  readonly faults: ReadonlySet<FaultKind>
  /** Height at which the first phase ends. */
  readonly blocks: number
  /** Transfers handed in during the first phase. */
  readonly transfers: number
  readonly recoverSender: RecoverSender
  /** Signs and checks votes. */
  readonly signatures: Pick<Identity, 'recover' | 'sign'>
  /** Called now and then with the height reached. */
  readonly onProgress?: (height: number) => void
}

/** How a run ended. */
export type Verdict = 'PASS' | 'SAFETY' | 'LIVENESS' | 'EXCUSED'

/** What a run was. */
export interface SimulationResult {
  readonly verdict: Verdict
  /** The broken rule and what broke it; null for a pass. */
  readonly reason: string | null
  readonly traceHash: Hex
  readonly seed: number
  readonly events: number
  readonly simulatedMs: number
  readonly headHeight: number
  readonly finalHeight: number
  readonly messages: Readonly<Record<string, number>>
  readonly bytes: number
  readonly lostMessages: number
  readonly transfers: number
  /** Transfers of which two nodes acknowledged two versions; the chain holds one of each. */
  readonly doubleSpends: number
  readonly crashes: number
  /** Crashes of a node that was just starting again. */
  readonly startCrashes: number
  readonly reorganisations: number
  readonly deepestReorganisation: number
  /** The last lines of the trace. */
  readonly recent: readonly string[]
}

const CLIENTS = 12
const CLIENT_BALANCE = '1000000'
/** Hashes per block that a simulation still does for real, and the targets that take the place of harder ones. */
const WORK_MAX = 1_024n
const EASY_WORK = { bits: '0x2007ffff', easiestBits: '0x207fffff' }
/** Milliseconds after which a client that got no answer, or a refusal that may pass, tries again. */
const RETRY_MS = 3_000
/** Milliseconds until peers notice that a node is gone, and until two reconnect. */
const NOTICE_MS = 50
const RECONNECT_MS = 1_000
/** Milliseconds of phase two: first with mining, then quiet. */
const HEAL_MS = 60_000
const QUIET_MS = 30_000
/** Effects within which a planned crash happens. */
const CRASH_WITHIN_EFFECTS = 12

/** Runs one simulation to its end. */
export function simulate(options: SimulationOptions): SimulationResult {
  return new Simulation(options).run()
}

class Simulation implements World {
  readonly genesis: Genesis
  readonly recoverSender: RecoverSender
  readonly schedule = new Schedule()
  readonly trace = new Trace(40)
  readonly epochMs: number
  readonly #options: SimulationOptions
  readonly #random: Random
  readonly #plan: FaultPlan
  readonly #network: Network
  readonly #chain: NaiveChain
  readonly #oracle: Oracle
  readonly #nodes: SimNode[] = []
  readonly #links = new Set<string>()
  readonly #workload: Workload
  readonly #blockTimeMs: number
  /** Transfers handed in and not answered yet, by token. */
  readonly #unanswered = new Map<string, { transfer: PlannedTransfer; raw: Uint8Array }>()
  readonly #acknowledged: PlannedTransfer[] = []
  #submitted = 0
  #tokens = 0
  #events = 0
  #isHealing = false
  #alarm: string | null = null

  constructor(options: SimulationOptions) {
    this.#options = options
    this.#random = new Random(`quorate/${options.seed}`)
    const clients = createClients(CLIENTS)
    this.genesis = prepareGenesis(
      options.genesis,
      clients.map(client => client.address),
      options.nodes,
    )
    this.recoverSender = options.recoverSender
    this.epochMs = (this.genesis.header.header.time + 3_600) * 1000
    this.#blockTimeMs = this.genesis.work.blockTimeSeconds * 1000
    this.#plan = drawFaults(options.faults, this.#random.stream('faults'), this.#blockTimeMs)
    const deliver = (from: PeerId, to: PeerId, bytes: Uint8Array): void => {
      if (this.#links.has(linkOf(from, to))) this.#node(to).receive(from, bytes)
    }
    this.#network = new Network({
      schedule: this.schedule,
      random: this.#random.stream('network'),
      faults: this.#plan,
      deliver,
    })
    this.#chain = new NaiveChain(this.genesis, this.recoverSender)
    this.#oracle = new Oracle(this.#chain)
    this.#createNodes()
    const miners = this.#nodes.map(node => node.beneficiary)
    this.#workload = new Workload(
      clients,
      miners,
      this.genesis.blocks.chainId,
      this.#random.stream('workload'),
    )
  }

  run(): SimulationResult {
    try {
      this.#runSafety()
      this.#runLiveness()
    } catch (error) {
      if (error instanceof Violation)
        return this.#result(error.rule === 'L1' ? 'LIVENESS' : 'SAFETY', `${error.rule}: ${error.message}`)
      // An assertion of the code under test, or a throw where none may be: that is a finding too.
      return this.#result('SAFETY', error instanceof Error ? (error.stack ?? error.message) : String(error))
    }
    return this.#result('PASS', null)
  }

  // ---- the two phases

  #runSafety(): void {
    const { blocks, transfers } = this.#options
    for (const node of this.#nodes) this.#startNode(node)
    this.#planTransfers(transfers === 0 ? Number.POSITIVE_INFINITY : (blocks * this.#blockTimeMs) / transfers)
    this.#planPartitions(this.#random.stream('partitions'))
    this.#planCrashes(this.#random.stream('crashes'))
    const budgetMs = blocks * this.#blockTimeMs * 20 + 600_000
    let reported = 0
    while (this.#height() < blocks || this.#submitted < transfers) {
      this.#advance()
      if (this.schedule.nowMs > budgetMs)
        throw new Violation('L1', `height ${this.#height()} of ${blocks} after ${budgetMs} ms`)
      if (this.#height() <= reported) continue
      reported = this.#height()
      this.#options.onProgress?.(reported)
    }
  }

  #runLiveness(): void {
    this.#isHealing = true
    this.#network.faults = NO_FAULTS
    this.#network.heal()
    this.#runFor(HEAL_MS)
    for (let attempt = 0; attempt < 10; attempt++) {
      for (const node of this.#nodes) node.input({ type: 'mining', beneficiary: null, blocks: null })
      this.#runFor(QUIET_MS)
      if (this.#alarm !== null || this.#headsAgree()) break
      // Two heads with the same work: only another block can decide between them.
      const miner = this.#nodes[attempt % this.#nodes.length]!
      miner.input({ type: 'mining', beneficiary: miner.beneficiary, blocks: 1 })
      this.#runFor(this.#blockTimeMs * this.#nodes.length * 3)
    }
    if (this.#alarm !== null) return
    if (!this.#headsAgree()) throw new Violation('L1', 'the healed nodes do not agree on a head')
    this.#checkAcknowledged()
  }

  #checkAcknowledged(): void {
    const head = this.#nodes[0]!.replica!.tree.head.chained.id
    for (const { sender, nonce } of this.#acknowledged) {
      if (this.#chain.spender(head, sender, nonce) === null) {
        throw new Violation(
          'L1',
          `a transfer of ${sender} with nonce ${nonce} was acknowledged and is in no block`,
        )
      }
    }
    if (this.#unanswered.size > 0)
      throw new Violation('L1', `${this.#unanswered.size} transfers got no answer`)
  }

  // ---- what happens to the nodes

  #createNodes(): void {
    const { nodes } = this.#options
    const hashesPerMs = Number(workOfTarget(this.genesis.work.firstTarget)) / this.#blockTimeMs
    const clocks = this.#random.stream('clocks')
    for (let index = 0; index < nodes; index++) {
      const id = `n${index + 1}`
      const beneficiary: Address = toHex(
        sha256(new TextEncoder().encode(`quorate simulated miner ${id}`)).subarray(12),
      )
      const limit = this.#plan.clockOffsetMaxMs
      const clockOffsetMs = clocks.between(-limit, limit)
      const random = this.#random.stream(id)
      const identity = {
        ...this.#options.signatures,
        peer: id,
        secretKey: validatorKey(index),
        mayForgetVotes: false,
        lie: null,
      }
      const hashrate = hashesPerMs / nodes
      this.#nodes.push(new SimNode(this, { id, beneficiary, identity, random, hashrate, clockOffsetMs }))
    }
  }

  #startNode(node: SimNode): void {
    node.start()
    for (const other of this.#nodes) if (other !== node) this.#connect(node, other)
    node.input({ type: 'mining', beneficiary: node.beneficiary, blocks: null })
  }

  #connect(a: SimNode, b: SimNode): void {
    if (!a.isUp || !b.isUp || this.#links.has(linkOf(a.id, b.id))) return
    this.#links.add(linkOf(a.id, b.id))
    a.input({ type: 'peer-connected', peer: b.id })
    b.input({ type: 'peer-connected', peer: a.id })
  }

  #planTransfers(everyMs: number): void {
    const clock = this.#random.stream('arrivals')
    const next = (): void => {
      if (this.#submitted >= this.#options.transfers) return
      this.#submitted += 1
      const transfer = this.#workload.next()
      this.#submit(transfer, transfer.raw, clock)
      if (transfer.rival !== null) this.#submit(transfer, transfer.rival, clock)
      this.schedule.after(clock.exponential(everyMs), next)
    }
    if (Number.isFinite(everyMs)) this.schedule.after(clock.exponential(everyMs), next)
  }

  /** Hands a transfer to some node; without an answer, or with one that may change, again later. */
  #submit(transfer: PlannedTransfer, raw: Uint8Array, random: Random): void {
    const token = `t${this.#tokens++}`
    this.#unanswered.set(token, { transfer, raw })
    random.pick(this.#nodes).input({ type: 'submit', raw, token })
    this.schedule.after(RETRY_MS, () => {
      if (this.#unanswered.delete(token)) this.#submit(transfer, raw, random)
    })
  }

  #planPartitions(random: Random): void {
    const { partitionEveryMs, partitionMeanMs } = this.#plan
    if (partitionEveryMs === null) return
    this.schedule.after(random.exponential(partitionEveryMs), () => {
      if (this.#isHealing) return
      const order = random.shuffle(this.#nodes)
      const size = random.integer(1, order.length - 1)
      this.#network.cut(new Map(order.map((node, index) => [node.id, index < size ? 1 : 2])))
      this.trace.add(this.schedule.nowMs, '-', `! cut ${order.map(node => node.id).join(' ')} after ${size}`)
      const lengthMs = Math.min(random.exponential(partitionMeanMs), 3 * partitionMeanMs)
      this.schedule.after(lengthMs, () => {
        this.#network.heal()
        this.#planPartitions(random)
      })
    })
  }

  #planCrashes(random: Random): void {
    const { crashEveryMs } = this.#plan
    if (crashEveryMs === null) return
    this.schedule.after(random.exponential(crashEveryMs), () => {
      if (this.#isHealing) return
      random.pick(this.#nodes).planCrash(random.integer(0, CRASH_WITHIN_EFFECTS))
      this.#planCrashes(random)
    })
  }

  // ---- the world of a node

  send(from: SimNode, to: PeerId, message: OutgoingMessage): void {
    this.#network.send(from.id, [to], message)
  }

  broadcast(from: SimNode, message: OutgoingMessage): void {
    const others = this.#nodes.filter(node => node !== from).map(node => node.id)
    this.#network.send(from.id, others, message)
  }

  disconnect(from: SimNode, peer: PeerId): void {
    const other = this.#node(peer)
    if (!this.#links.delete(linkOf(from.id, peer))) return
    // Not from within the step that asked for it.
    this.schedule.after(0, () => from.input({ type: 'peer-disconnected', peer }))
    this.schedule.after(NOTICE_MS, () => other.input({ type: 'peer-disconnected', peer: from.id }))
    this.schedule.after(RECONNECT_MS, () => this.#connect(from, other))
  }

  reply(_from: SimNode, token: string, result: SubmitResult): void {
    const waiting = this.#unanswered.get(token)
    if (waiting === undefined) return
    if ('id' in result) this.#acknowledged.push(waiting.transfer)
    // These two mean that the nonce is taken care of; anything else may change, and the client tries again.
    const isSettled =
      'id' in result || result.rejection === 'tx-nonce-too-low' || result.rejection === 'tx-already-known'
    const isOutbid = 'rejection' in result && result.rejection === 'tx-replacement-underpriced'
    if (isSettled || isOutbid) this.#unanswered.delete(token)
  }

  afterStep(node: SimNode, input: Input): void {
    if (input.type === 'start') this.#oracle.afterStart(node)
    else this.#oracle.afterStep(node)
  }

  beforeEffect(node: SimNode, effect: Effect): void {
    // Only by work alone may a branch below the last final block be right, and what meets it has to be excused.
    const mayBeWrong = this.genesis.finality.mode === 'longest-chain'
    if (effect.type === 'alarm' && mayBeWrong) this.#alarm = `${node.id}: ${effect.text}`
    this.#oracle.beforeEffect(node, effect)
  }

  crashed(node: SimNode): void {
    for (const other of this.#nodes) {
      if (!this.#links.delete(linkOf(node.id, other.id))) continue
      this.schedule.after(NOTICE_MS, () => other.input({ type: 'peer-disconnected', peer: node.id }))
    }
    const downMs =
      NOTICE_MS * 2 +
      this.#random.stream(`down ${node.id} ${node.crashes}`).exponential(this.#plan.downMeanMs)
    this.schedule.after(downMs, () => this.#startNode(node))
  }

  // ---- small words

  #advance(): void {
    if (!this.schedule.advance()) throw new Violation('L1', 'nothing is left to happen')
    this.#events += 1
  }

  #runFor(ms: number): void {
    const endMs = this.schedule.nowMs + ms
    while (this.schedule.nowMs < endMs) this.#advance()
  }

  #height(): number {
    return Math.max(...this.#nodes.map(node => node.replica?.tree.head.chained.height ?? 0))
  }

  #headsAgree(): boolean {
    const heads = new Set(this.#nodes.map(node => node.replica?.tree.head.chained.id))
    return heads.size === 1
  }

  #node(id: PeerId): SimNode {
    return this.#nodes.find(node => node.id === id)!
  }

  #result(verdict: Verdict, reason: string | null): SimulationResult {
    const up = this.#nodes.filter(node => node.isUp)
    const isExcused = verdict === 'PASS' && this.#alarm !== null
    return {
      verdict: isExcused ? 'EXCUSED' : verdict,
      reason: isExcused ? this.#alarm : reason,
      traceHash: this.trace.finish(),
      seed: this.#options.seed,
      events: this.#events,
      simulatedMs: Math.round(this.schedule.nowMs),
      headHeight: this.#height(),
      finalHeight: Math.min(...up.map(node => node.replica!.tree.base.chained.height)),
      messages: Object.fromEntries([...this.#network.messages].sort(([a], [b]) => (a < b ? -1 : 1))),
      bytes: this.#network.bytes,
      lostMessages: this.#network.lost,
      transfers: this.#acknowledged.length,
      doubleSpends: this.#acknowledged.length - new Set(this.#acknowledged).size,
      crashes: this.#nodes.reduce((sum, node) => sum + node.crashes, 0),
      startCrashes: this.#nodes.reduce((sum, node) => sum + node.startCrashes, 0),
      reorganisations: this.#oracle.reorganisations.count,
      deepestReorganisation: this.#oracle.reorganisations.deepest,
      recent: this.trace.recent(),
    }
  }
}

/** The key of a node's validator, the same in every run. */
function validatorKey(index: number): Uint8Array {
  return sha256(new TextEncoder().encode(`quorate simulated validator ${index}`))
}

function linkOf(a: PeerId, b: PeerId): string {
  return a < b ? `${a}-${b}` : `${b}-${a}`
}

/** The network of a genesis file as it is simulated: with the clients' accounts, and with work that is soon done. */
function prepareGenesis(file: unknown, addresses: readonly Address[], nodes: number): Genesis {
  const settings = file as {
    accounts?: Record<string, string>
    work?: Record<string, unknown>
    finality?: Record<string, unknown>
  }
  const accounts = Object.fromEntries(addresses.map(address => [address, CLIENT_BALANCE]))
  const validators = Array.from({ length: nodes }, (_, index) => ({
    name: `n${index + 1}`,
    address: addressOfSecretKey(validatorKey(index)),
  }))
  const finality =
    settings.finality?.validators === undefined ? settings.finality : { ...settings.finality, validators }
  const funded = { ...settings, accounts: { ...settings.accounts, ...accounts }, finality }
  const genesis = parseGenesis(funded)
  if (workOfTarget(genesis.work.firstTarget) <= WORK_MAX) return genesis
  return parseGenesis({ ...funded, work: { ...settings.work, ...EASY_WORK } })
}
