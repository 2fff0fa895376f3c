// One run of a whole network in virtual time, from one seed.
//
// Two phases, as in TigerBeetle's simulator: first safety, with every fault of the plan, while nodes mine and
// clients pay; then liveness: faults end, and all honest nodes must come to one head that holds every acknowledged
// transfer, and where validators agree, to one final block that does, in bounded time. Whatever rule breaks ends the
// run and names itself; the same seed replays it to the byte.

import type { Address } from '../chain/address.ts'
import { type Hex, toHex } from '../chain/bytes.ts'
import { workOfTarget } from '../chain/compact.ts'
import type { Genesis } from '../chain/genesis.ts'
import { sha256 } from '../chain/hash.ts'
import type { RecoverSender } from '../chain/signature.ts'
import type { Identity } from '../finality/identity.ts'
import { type RecoverSigner, referenceRecover, referenceSign } from '../finality/signing.ts'
import type { Effect, Input, PeerId, SubmitResult } from '../replica/effects.ts'
import type { OutgoingMessage } from '../replica/messages.ts'
import { KEYS } from '../replica/records.ts'
import { type Adversary, drawLiars, type LiarRole } from './adversary.ts'
import { AgreementOracle, type Cast } from './agreement-oracle.ts'
import { Clients } from './clients.ts'
import { Costs, decisionIn, type Tag } from './costs.ts'
import { drawFaults, type FaultKind, type FaultPlan, LOCKSTEP, NO_FAULTS } from './faults.ts'
import { NaiveChain } from './naive-chain.ts'
import { NaiveVotes } from './naive-votes.ts'
import { Network } from './network.ts'
import { Oracle } from './oracle.ts'
import { Random } from './random.ts'
import { Schedule } from './schedule.ts'
import { SimNode, type World } from './sim-node.ts'
import { prepareGenesis, validatorKey } from './simulated-genesis.ts'
import { Trace } from './trace.ts'
import { Violation } from './violation.ts'
import { createClients, Workload } from './workload.ts'

/** What to simulate. */
export interface SimulationOptions {
  readonly seed: number
  /** The JSON of a genesis file; work that is hard is made easy, and its validators are nodes of the run. */
  readonly genesis: unknown
  readonly nodes: number
  readonly faults: ReadonlySet<FaultKind>
  /** Height at which the first phase ends. */
  readonly blocks: number
  /** Transfers handed in during the first phase. */
  readonly transfers: number
  readonly recoverSender: RecoverSender
  /** Signs and checks votes; the reference unless given. */
  readonly signatures?: Pick<Identity, 'recover' | 'sign'>
  /** The first so many nodes are validators; `any` draws 1 to 10, and the number of nodes. All nodes unless given. */
  readonly validators?: number | 'any'
  /** How votes travel; as the genesis file says unless given. */
  readonly pattern?: string | null
  readonly adversary?: Adversary | null
  /** Lets validators whose votes are lost vote again: a fault that is planted on purpose. */
  readonly mayForgetVotes?: boolean
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
  /** Null where nothing is agreed on. */
  readonly agreement: AgreementResult | null
  /** The last lines of the trace. */
  readonly recent: readonly string[]
}

/** What became of an agreement among validators. */
export interface AgreementResult {
  readonly validators: number
  /** Validators that lied, by name, and how. */
  readonly liars: Readonly<Record<string, LiarRole>>
  readonly decisions: number
  /** Per decision, without what was said again or answered to those who were behind; null when there was none. */
  readonly messagesPerDecision: number | null
  readonly bytesPerDecision: number | null
  readonly delaysPerDecision: { readonly mean: number; readonly max: number } | null
  /** Messages of the finality layer by kind; and those about decisions that were said again or answered. */
  readonly finalityMessages: Readonly<Record<string, number>>
  readonly repeatedMessages: number
  /** Different certificates that honest nodes stored. */
  readonly certificates: number
  /** Views that honest validators asked for, and those that began with something prepared in an earlier one. */
  readonly viewChanges: number
  readonly reproposals: number
  /** Branches that were left for one with no more work, because that one became final. */
  readonly forcedReorganisations: number
  /** Certificates by which a node that was behind learned that a block is final. */
  readonly pulledCertificates: number
  /** Different proofs of lies that honest nodes stored, and the validators whom they, or two certificates, convict. */
  readonly evidenceStored: number
  readonly evidence: readonly string[]
  /** The greatest final height of an honest node when the faults ended. */
  readonly finalHeightAtHeal: number
  /** Milliseconds from then until every acknowledged transfer was final on all honest nodes; null when it was not. */
  readonly recoveryMs: number | null
}

const CLIENTS = 12
/** Seconds between the genesis block and the start of virtual time. */
const AGE_SECONDS = 3_600
const YOUNG_SECONDS = 2
/** Milliseconds until peers notice that a node is gone, and until two reconnect. */
const NOTICE_MS = 50
const RECONNECT_MS = 1_000
/** Milliseconds of faults at most, besides three block times for each block, where validators agree. */
const CHAOS_MS = 20_000
/** Milliseconds of phase two where work decides: first with mining, then quiet. */
const HEAL_MS = 60_000
const QUIET_MS = 30_000
/** Milliseconds of quiet where validators agree: long enough for every node to say once what it follows. */
const SHORT_QUIET_MS = 12_000
/** Effects within which a planned crash happens. */
const CRASH_WITHIN_EFFECTS = 12
/** Effects within which a node crashes that has just voted, and the messages that are votes. */
const CRASH_AFTER_VOTE = 2
const VOTE_KINDS: ReadonlySet<string> = new Set(['pre-prepare', 'prepare', 'commit', 'view-change'])
/** Share of the cuts that leave the one alone whose turn it is to propose. */
const ISOLATION_RATE = 0.25
/**
 * L1, where validators agree: every transfer is final so long after the faults end, (f + 1) · T0 · 2^k + sync. Patience
 * doubles six times, and what is left of the last wait before the end and the wait for the view that succeeds are
 * each as long again: k = 7.
 */
const DOUBLINGS = 7
const SYNC_MS = 60_000
/** L3: views that may be left after the end of faults for each decision that is made, besides f + 1. */
const VIEWS_SLACK = 3
/** Clocks are right within this when faults end, where validators agree: a vote depends on the hour. */
const HEALED_CLOCK_MS = 5_000
/** Followers besides the validators, at most, where their number is drawn. */
const FOLLOWERS_MAX = 2
/** Milliseconds between two looks whether all is final. */
const LOOK_MS = 250
const VOTES = `${KEYS.finality}vote/`

/** Runs one simulation to its end. */
export function simulate(options: SimulationOptions): SimulationResult {
  return new Simulation(options).run()
}

/** What there is only where validators agree. */
interface Agreement {
  readonly oracle: AgreementOracle
  readonly costs: Costs
  readonly timeoutMs: number
  readonly faultsTolerated: number
  readonly genesisFile: unknown
}

class Simulation implements World, Cast {
  readonly genesis: Genesis
  readonly recoverSender: RecoverSender
  readonly mayForgetVotes: boolean
  readonly schedule = new Schedule()
  readonly trace = new Trace(40)
  readonly epochMs: number
  readonly #options: SimulationOptions
  readonly #signatures: Pick<Identity, 'recover' | 'sign'>
  readonly #random: Random
  readonly #plan: FaultPlan
  readonly #voteCrashes: Random
  readonly #network: Network
  readonly #chain: NaiveChain
  readonly #oracle: Oracle
  readonly #agreement: Agreement | null
  readonly #validators: number
  readonly #liars: ReadonlyMap<number, LiarRole>
  readonly #nodes: SimNode[] = []
  readonly #honest: SimNode[]
  /** The members whose keys nodes have; a twin has that of its brother. */
  readonly #members = new Map<PeerId, number>()
  readonly #forgetful = new Set<SimNode>()
  readonly #links = new Set<string>()
  readonly #clients: Clients
  readonly #blockTimeMs: number
  #events = 0
  #isHealing = false
  #alarm: string | null = null
  #pulled = 0
  #finalAtHeal = 0
  #recoveryMs: number | null = null

  constructor(options: SimulationOptions) {
    this.#options = options
    this.#random = new Random(`quorate/${options.seed}`)
    this.#voteCrashes = this.#random.stream('vote crashes')
    const size = this.#random.stream('size')
    const { validators = options.nodes, signatures } = options
    this.#validators = validators === 'any' ? size.integer(1, 10) : validators
    const nodes =
      validators === 'any'
        ? this.#validators + size.integer(0, FOLLOWERS_MAX)
        : Math.max(options.nodes, this.#validators)
    const clients = createClients(CLIENTS)
    const addresses = clients.map(client => client.address)
    // Without faults and liars the run is for counting: all takes the same time, and nothing is said again.
    const isPlain = options.faults.size === 0 && (options.adversary ?? null) === null
    const prepared = prepareGenesis(options.genesis, {
      clients: addresses,
      validators: this.#validators,
      pattern: options.pattern ?? null,
      isPatient: isPlain,
    })
    this.genesis = prepared.genesis
    this.recoverSender = options.recoverSender
    this.mayForgetVotes = options.mayForgetVotes ?? false
    this.#signatures = {
      recover: rememberSigners(signatures?.recover ?? referenceRecover),
      sign: signatures?.sign ?? referenceSign,
    }
    this.#blockTimeMs = this.genesis.work.blockTimeSeconds * 1000
    const isAgreed = this.genesis.finality.validators !== undefined
    const isCounted = isAgreed && isPlain
    this.#plan = isCounted
      ? LOCKSTEP
      : drawFaults(options.faults, this.#random.stream('faults'), this.#blockTimeMs)
    // What is counted must not begin with a heartbeat that is due before the nodes know each other.
    const ageSeconds = isCounted ? YOUNG_SECONDS : AGE_SECONDS
    this.epochMs = (this.genesis.header.header.time + ageSeconds) * 1000
    this.#liars = drawLiars(
      isAgreed ? (options.adversary ?? null) : null,
      this.#validators,
      this.#random.stream('liars'),
    )
    this.#network = new Network({
      schedule: this.schedule,
      random: this.#random.stream('network'),
      faults: this.#plan,
      deliver: (from, to, bytes, tag) => this.#deliver(from, to, bytes, tag),
    })
    this.#chain = new NaiveChain(this.genesis, this.recoverSender)
    this.#createNodes(nodes, isCounted)
    this.#honest = this.#nodes.filter(node => this.isHonest(node))
    const liars = this.#nodes.filter(node => !this.isHonest(node)).map(({ id }) => id)
    this.#oracle = new Oracle(this.#chain, new Set(liars))
    this.#agreement = isAgreed ? this.#createAgreement(prepared.file) : null
    const miners = this.#nodes.map(node => node.beneficiary)
    this.#clients = new Clients({
      schedule: this.schedule,
      workload: new Workload(clients, miners, this.genesis.blocks.chainId, this.#random.stream('workload')),
      // Nobody knows of a twin.
      nodes: this.#nodes.slice(0, nodes),
      transfers: options.transfers,
      random: this.#random.stream('arrivals'),
    })
  }

  run(): SimulationResult {
    try {
      this.#runSafety()
      this.#heal()
      if (this.#agreement === null) this.#runLiveness()
      else this.#runAgreement(this.#agreement)
    } catch (error) {
      if (error instanceof Violation) {
        const isSafe = error.rule === 'L1' || error.rule === 'L3'
        return this.#result(isSafe ? 'LIVENESS' : 'SAFETY', `${error.rule}: ${error.message}`)
      }
      // An assertion of the code under test, or a throw where none may be: that is a finding too.
      return this.#result('SAFETY', error instanceof Error ? (error.stack ?? error.message) : String(error))
    }
    return this.#result('PASS', null)
  }

  // ---- the two phases

  #runSafety(): void {
    const { blocks, transfers } = this.#options
    for (const node of this.#nodes) this.#startNode(node)
    this.#clients.start(transfers === 0 ? Number.POSITIVE_INFINITY : (blocks * this.#blockTimeMs) / transfers)
    this.#planPartitions(this.#random.stream('partitions'))
    this.#planCrashes(this.#random.stream('crashes'))
    this.#planAmnesia(this.#random.stream('amnesia'))
    const isAgreed = this.#agreement !== null
    const budgetMs = isAgreed
      ? blocks * this.#blockTimeMs * 3 + CHAOS_MS
      : blocks * this.#blockTimeMs * 20 + 600_000
    let reported = 0
    while (this.#height() < blocks || this.#clients.submitted < transfers) {
      this.#advance()
      if (this.schedule.nowMs > budgetMs) {
        // Faults may keep validators from agreeing as long as they last.
        if (isAgreed) return
        throw new Violation('L1', `height ${this.#height()} of ${blocks} after ${budgetMs} ms`)
      }
      if (this.#height() <= reported) continue
      reported = this.#height()
      this.#options.onProgress?.(reported)
    }
  }

  #heal(): void {
    this.#isHealing = true
    this.#network.faults = this.#plan === LOCKSTEP ? LOCKSTEP : NO_FAULTS
    this.#network.heal()
    this.#finalAtHeal = Math.max(0, ...this.#honest.map(node => node.replica?.tree.base.chained.height ?? 0))
  }

  #runLiveness(): void {
    this.#runFor(HEAL_MS)
    this.#settleHeads(QUIET_MS)
    if (this.#alarm !== null) return
    if (!this.#headsAgree()) throw new Violation('L1', 'the healed nodes do not agree on a head')
    this.#checkAcknowledged()
  }

  /** Ends mining, and lets single blocks decide as long as there are two heads with the same work. */
  #settleHeads(quietMs: number): void {
    for (let attempt = 0; attempt < 10; attempt++) {
      for (const node of this.#nodes) node.input({ type: 'mining', beneficiary: null, blocks: null })
      this.#runFor(quietMs)
      if (this.#alarm !== null || this.#headsAgree()) return
      // Two heads with the same work: only another block can decide between them.
      const miner = this.#honest[attempt % this.#honest.length]!
      miner.input({ type: 'mining', beneficiary: miner.beneficiary, blocks: 1 })
      this.#runFor(this.#blockTimeMs * this.#nodes.length * 3)
    }
  }

  #checkAcknowledged(): void {
    const head = this.#nodes[0]!.replica!.tree.head.chained.id
    for (const { sender, nonce } of this.#clients.acknowledged) {
      if (this.#chain.spender(head, sender, nonce) === null) {
        throw new Violation(
          'L1',
          `a transfer of ${sender} with nonce ${nonce} was acknowledged and is in no block`,
        )
      }
    }
    if (this.#clients.unanswered > 0)
      throw new Violation('L1', `${this.#clients.unanswered} transfers got no answer`)
  }

  /** L1 to L3 where validators agree. */
  #runAgreement({ oracle, costs, timeoutMs, faultsTolerated, genesisFile }: Agreement): void {
    const limit = HEALED_CLOCK_MS / Math.max(HEALED_CLOCK_MS, this.#plan.clockOffsetMaxMs)
    for (const node of this.#nodes) node.clockOffsetMs *= limit
    const [view, decisions, startMs] = [oracle.view, costs.decisions, this.schedule.nowMs]
    const endMs = startMs + (faultsTolerated + 1) * timeoutMs * 2 ** DOUBLINGS + SYNC_MS
    for (let reason = this.#notFinal(); reason !== null; reason = this.#notFinal()) {
      if (this.schedule.nowMs >= endMs) throw new Violation('L1', reason)
      this.#runFor(LOOK_MS)
    }
    this.#recoveryMs = Math.round(this.schedule.nowMs - startMs)
    if (this.genesis.work.isProved) {
      this.#settleHeads(SHORT_QUIET_MS)
      if (!this.#headsAgree()) throw new Violation('L2', 'the healed nodes do not agree on a head')
      const reason = this.#notFinal()
      if (reason !== null) throw new Violation('L2', `after all was quiet: ${reason}`)
    }
    const viewsMax = (faultsTolerated + 1 + VIEWS_SLACK) * (costs.decisions - decisions + 1)
    if (oracle.view - view > viewsMax)
      throw new Violation('L3', `${oracle.view - view} views were left after the faults, not ${viewsMax}`)
    if (costs.decisions > decisions + 1) this.#checkPatience(timeoutMs * 2 ** (faultsTolerated + 1))
    oracle.verifyLast(this.#honest[0]!, genesisFile)
  }

  /** A decision makes patience short again, so that somebody's is: f liars in a row make it longer by f doublings. */
  #checkPatience(limitMs: number): void {
    const active = this.#honest
      .map(node => node.replica?.finality.report(0))
      .filter(report => report != null && report.self !== null && report.isActive)
    const leastMs = Math.min(...active.map(report => report!.timeoutMs))
    if (active.length > 0 && leastMs > limitMs)
      throw new Violation('L3', `after decisions validators wait ${leastMs} ms for the next, not ${limitMs}`)
  }

  /** Why not every acknowledged transfer is final on every honest node, or null. */
  #notFinal(): string | null {
    const [first, ...others] = this.#honest.map(node => node.replica?.tree.base ?? null)
    if (first == null || others.includes(null)) return 'a node is down'
    const { id, height } = first.chained
    const other = others.find(base => base!.chained.id !== id)
    if (other !== undefined) return `nodes have final blocks ${height} and ${other!.chained.height}`
    if (this.#clients.unanswered > 0) return `${this.#clients.unanswered} transfers got no answer`
    const lost = this.#clients.acknowledged.filter(
      ({ sender, nonce }) => this.#chain.spender(id, sender, nonce) === null,
    )
    return lost.length === 0
      ? null
      : `${lost.length} acknowledged transfers are not final at height ${height}`
  }

  // ---- what happens to the nodes

  #createNodes(nodes: number, isPunctual: boolean): void {
    const hashesPerMs = Number(workOfTarget(this.genesis.work.firstTarget)) / this.#blockTimeMs
    const clocks = this.#random.stream('clocks')
    const create = (id: PeerId, index: number, hashrate: number): void => {
      const beneficiary: Address = toHex(
        sha256(new TextEncoder().encode(`quorate simulated miner ${id}`)).subarray(12),
      )
      const limit = this.#plan.clockOffsetMaxMs
      const isMember = index < this.#validators
      if (isMember) this.#members.set(id, index)
      this.#nodes.push(
        new SimNode(this, {
          id,
          beneficiary,
          identity: {
            ...this.#signatures,
            peer: id,
            secretKey: isMember ? validatorKey(index) : null,
            mayForgetVotes: this.mayForgetVotes,
            lie: this.#lieOf(index),
          },
          random: this.#random.stream(id),
          hashrate,
          clockOffsetMs: clocks.between(-limit, limit),
          isPunctual,
          keepsUnsynced: this.#plan.keepsUnsynced,
        }),
      )
    }
    for (let index = 0; index < nodes; index++) create(`n${index + 1}`, index, hashesPerMs / nodes)
    for (const [index, role] of this.#liars) if (role === 'twins') create(`n${index + 1}-twin`, index, 0)
  }

  /** How its own code lies, together with all who lie in the same way; twins and the forgetful are honest code. */
  #lieOf(index: number): Identity['lie'] {
    const role = this.#liars.get(index)
    if (role === undefined || role === 'twins' || role === 'amnesia') return null
    const accomplices = [...this.#liars].filter(([other, its]) => other !== index && its === role)
    return { role, accomplices: accomplices.map(([other]) => other) }
  }

  #createAgreement(genesisFile: unknown): Agreement {
    const votes = new NaiveVotes(this.genesis, this.#signatures.recover)
    return {
      oracle: new AgreementOracle(this.genesis, votes, this),
      costs: new Costs(),
      timeoutMs: this.genesis.finality.timeoutMs as number,
      faultsTolerated: Math.floor((this.#validators - 1) / 3),
      genesisFile,
    }
  }

  #startNode(node: SimNode): void {
    node.start()
    for (const other of this.#nodes) if (other !== node) this.#connect(node, other)
    const isTwin = this.#nodes.indexOf(node) >= this.#nodes.length - this.#twins
    if (!isTwin) node.input({ type: 'mining', beneficiary: node.beneficiary, blocks: null })
  }

  get #twins(): number {
    return [...this.#liars.values()].filter(role => role === 'twins').length
  }

  #connect(a: SimNode, b: SimNode): void {
    if (!a.isUp || !b.isUp || this.#links.has(linkOf(a.id, b.id))) return
    this.#links.add(linkOf(a.id, b.id))
    a.input({ type: 'peer-connected', peer: b.id })
    b.input({ type: 'peer-connected', peer: a.id })
  }

  #deliver(from: PeerId, to: PeerId, bytes: Uint8Array, tag: Tag | null): void {
    if (!this.#links.has(linkOf(from, to))) return
    if (tag !== null) this.#agreement?.costs.received(to, tag)
    this.#node(to).receive(from, bytes, tag)
  }

  #planPartitions(random: Random): void {
    const { partitionEveryMs, partitionMeanMs } = this.#plan
    if (partitionEveryMs === null) return
    this.schedule.after(random.exponential(partitionEveryMs), () => {
      if (this.#isHealing) return
      const order = random.shuffle(this.#nodes)
      const proposer = this.#agreement !== null && random.chance(ISOLATION_RATE) ? this.#proposer() : null
      const size = proposer === null ? random.integer(1, order.length - 1) : 1
      if (proposer !== null) order.sort((a, b) => Number(b === proposer) - Number(a === proposer))
      this.#network.cut(new Map(order.map((node, index) => [node.id, index < size ? 1 : 2])))
      this.trace.add(this.schedule.nowMs, '-', `! cut ${order.map(node => node.id).join(' ')} after ${size}`)
      const lengthMs = Math.min(random.exponential(partitionMeanMs), 3 * partitionMeanMs)
      this.schedule.after(lengthMs, () => {
        this.#network.heal()
        this.#planPartitions(random)
      })
    })
  }

  /** The node whose turn it is to propose, as the first that is up sees it. */
  #proposer(): SimNode | null {
    const report = this.#honest.find(node => node.isUp)?.replica?.finality.report(0)
    return report == null ? null : this.#nodes[report.proposer]!
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

  /** Each forgetful validator crashes once at least, and comes back without its votes from then on. */
  #planAmnesia(random: Random): void {
    for (const [index, role] of this.#liars) {
      if (role !== 'amnesia') continue
      const atMs = random.between(0.1, 0.9) * this.#options.blocks * this.#blockTimeMs
      this.schedule.after(atMs, () => {
        const node = this.#nodes[index]!
        this.#forgetful.add(node)
        if (node.isUp) node.planCrash(random.integer(0, CRASH_WITHIN_EFFECTS))
        else node.disk.wipe(VOTES)
      })
    }
  }

  // ---- who is who

  memberOf(node: SimNode): number | null {
    return this.#members.get(node.id) ?? null
  }

  isHonest(node: SimNode): boolean {
    const member = this.memberOf(node)
    return member === null || this.isHonestMember(member)
  }

  isHonestMember(member: number): boolean {
    const role = this.#liars.get(member)
    return role === undefined || role === 'amnesia'
  }

  hasForgotten(node: SimNode): boolean {
    return this.#forgetful.has(node)
  }

  // ---- the world of a node

  send(from: SimNode, to: PeerId, message: OutgoingMessage, tag: Tag | null): void {
    this.#send(from, [to], message, tag)
  }

  broadcast(from: SimNode, message: OutgoingMessage, tag: Tag | null): void {
    const others = this.#nodes.filter(node => node !== from).map(node => node.id)
    this.#send(from, others, message, tag)
  }

  #send(from: SimNode, to: readonly PeerId[], message: OutgoingMessage, tag: Tag | null): void {
    const bytes = this.#network.send(from.id, to, message, tag)
    if (tag === null) return
    this.#agreement?.costs.sent(tag, to.length, bytes)
    const isVote = VOTE_KINDS.has(tag.kind) && !this.#isHealing
    if (isVote && this.#plan.voteCrashRate > 0 && this.#voteCrashes.chance(this.#plan.voteCrashRate))
      from.planCrash(this.#voteCrashes.integer(0, CRASH_AFTER_VOTE))
  }

  tag(node: SimNode, effect: Effect, cause: Tag | null): Tag | null {
    if (this.#agreement === null) return null
    const { costs } = this.#agreement
    const sequence = this.isHonest(node) ? decisionIn(effect) : null
    if (sequence !== null) costs.decided(node.id, sequence)
    if (sequence !== null && cause?.isAnswer === true) this.#pulled += 1
    return costs.tag(node.id, effect, cause)
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
    this.#clients.onReply(token, result)
  }

  afterStep(node: SimNode, input: Input): void {
    if (!this.isHonest(node)) return
    if (input.type === 'start') {
      this.#oracle.afterStart(node)
      this.#agreement?.oracle.afterStart(node)
    } else {
      this.#oracle.afterStep(node)
    }
    this.#agreement?.oracle.afterStep(node)
  }

  beforeEffect(node: SimNode, effect: Effect, tag: Tag | null): void {
    this.#agreement?.oracle.beforeEffect(node, effect, tag)
    if (!this.isHonest(node)) return
    // Only by work alone may a branch below the last final block be right, and what meets it has to be excused.
    const mayBeWrong = this.genesis.finality.mode === 'longest-chain'
    if (effect.type === 'alarm' && mayBeWrong) this.#alarm = `${node.id}: ${effect.text}`
    this.#oracle.beforeEffect(node, effect)
  }

  crashed(node: SimNode): void {
    if (this.#forgetful.has(node)) node.disk.wipe(VOTES)
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
    return Math.max(...this.#honest.map(node => node.replica?.tree.head.chained.height ?? 0))
  }

  #headsAgree(): boolean {
    const heads = new Set(this.#honest.map(node => node.replica?.tree.head.chained.id))
    return heads.size === 1
  }

  #node(id: PeerId): SimNode {
    return this.#nodes.find(node => node.id === id)!
  }

  #result(verdict: Verdict, reason: string | null): SimulationResult {
    const up = this.#honest.filter(node => node.isUp)
    const { acknowledged } = this.#clients
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
      messages: sorted(this.#network.messages),
      bytes: this.#network.bytes,
      lostMessages: this.#network.lost,
      transfers: acknowledged.length,
      doubleSpends: acknowledged.length - new Set(acknowledged).size,
      crashes: this.#nodes.reduce((sum, node) => sum + node.crashes, 0),
      startCrashes: this.#nodes.reduce((sum, node) => sum + node.startCrashes, 0),
      reorganisations: this.#oracle.reorganisations.count,
      deepestReorganisation: this.#oracle.reorganisations.deepest,
      agreement: this.#agreement === null ? null : this.#agreementResult(this.#agreement),
      recent: this.trace.recent(),
    }
  }

  #agreementResult({ oracle, costs }: Agreement): AgreementResult {
    const perDecision = costs.perDecision()
    const liars = [...this.#liars].sort(([a], [b]) => a - b)
    return {
      validators: this.#validators,
      liars: Object.fromEntries(liars.map(([index, role]) => [`n${index + 1}`, role])),
      decisions: costs.decisions,
      messagesPerDecision: perDecision?.messages ?? null,
      bytesPerDecision: perDecision?.bytes ?? null,
      delaysPerDecision: perDecision?.delays ?? null,
      finalityMessages: sorted(costs.kinds),
      repeatedMessages: costs.repeated,
      certificates: oracle.certificates,
      viewChanges: oracle.viewChanges.asked,
      reproposals: oracle.viewChanges.reproposing,
      forcedReorganisations: this.#oracle.forcedReorganisations,
      pulledCertificates: this.#pulled,
      evidenceStored: oracle.evidence,
      evidence: oracle.accused,
      finalHeightAtHeal: this.#finalAtHeal,
      recoveryMs: this.#recoveryMs,
    }
  }
}

function sorted(counts: ReadonlyMap<string, number>): Record<string, number> {
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Recovers each signature once for all nodes of a run: real nodes have a processor each. */
function rememberSigners(recover: RecoverSigner): RecoverSigner {
  const known = new Map<string, Address | null>()
  return (digest, signature) => {
    const key = String.fromCharCode(...digest, ...signature)
    const signer = known.get(key)
    if (signer !== undefined) return signer
    const found = recover(digest, signature)
    known.set(key, found)
    return found
  }
}

function linkOf(a: PeerId, b: PeerId): string {
  return a < b ? `${a}-${b}` : `${b}-${a}`
}
