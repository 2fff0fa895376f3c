// All that one run is made of: the cluster, its faults, the clients and the oracles. The phases run it (safety-phase.ts,
// liveness-phase.ts).

import type { Address } from '../../chain/address.ts'
import { workOfTarget } from '../../chain/compact.ts'
import { sha256 } from '../../chain/hash.ts'
import { toHex } from '../../encoding/bytes.ts'
import type { Genesis } from '../../execution/genesis.ts'
import type { PeerId } from '../../replica/effects.ts'
import { lyingFinality } from '../adversary/byzantine/lying-finality.ts'
import { createInterceptor } from '../adversary/interceptor.ts'
import { LyingMiner } from '../adversary/lying-miner.ts'
import { LyingPeer } from '../adversary/lying-peer.ts'
import type { Roster } from '../adversary/roster.ts'
import { Clients } from '../clients/clients.ts'
import { HostileClients } from '../clients/hostile-clients.ts'
import { Workload } from '../clients/workload.ts'
import { Cluster } from '../cluster/cluster.ts'
import type { SimNode } from '../cluster/sim-node.ts'
import { validatorKey } from '../cluster/simulated-genesis.ts'
import { isPoolSmall } from '../cluster/small-limits.ts'
import { FaultInjector } from '../faults/fault-injector.ts'
import type { FaultPlan } from '../faults/fault-plan.ts'
import { LinkModel } from '../network/link-model.ts'
import type { Network } from '../network/network.ts'
import type { NetworkModel } from '../network/network-model.ts'
import { QuorumWatch } from '../network/quorum-watch.ts'
import { NaiveChain } from '../oracle/naive-chain.ts'
import { Oracle } from '../oracle/oracle.ts'
import { Violation } from '../oracle/violation.ts'
import { Strangers, type StrangersOptions } from '../strangers/strangers.ts'
import { Schedule } from '../virtual/schedule.ts'
import { Trace } from '../virtual/trace.ts'
import { Agreement } from './agreement.ts'
import { RunObserver } from './run-observer.ts'
import { drawSetup, type Setup } from './setup.ts'
import type { SimulationOptions } from './simulation-options.ts'

/** Last lines of the trace that are kept for people. */
const RECENT_LINES = 40
/** How long connections take to end and to come up again. */
const LINK_TIMES = { ownNoticeMs: 0, noticeMs: 50, reconnectMs: 1_000 }

/** One run. */
export class Run {
  readonly options: SimulationOptions
  readonly genesis: Genesis
  readonly blockTimeMs: number
  readonly plan: FaultPlan
  /** What the network promises; null when it promises nothing until the faults end. */
  readonly model: NetworkModel | null
  readonly roster: Roster
  readonly schedule = new Schedule()
  readonly trace = new Trace(RECENT_LINES)
  /** What distances, narrow links and the model do with messages; null where they do nothing. */
  readonly linkModel: LinkModel | null
  readonly cluster: Cluster
  readonly faults: FaultInjector
  readonly chain: NaiveChain
  readonly oracle: Oracle
  /** Null where nothing is agreed on. */
  readonly agreement: Agreement | null
  readonly observer: RunObserver
  /** Null where no miner lies. */
  readonly lyingMiner: LyingMiner | null
  /** Null where no peer lies. */
  readonly lyingPeer: LyingPeer | null
  /** Null where there are none. */
  readonly strangers: Strangers | null
  /** Every node, in the order of the roster. */
  readonly nodes: readonly SimNode[]
  readonly honest: readonly SimNode[]
  readonly clients: Clients
  /** Null where no client means harm. */
  readonly hostile: HostileClients | null
  constructor(options: SimulationOptions) {
    const setup = drawSetup(options)
    const { schedule, trace } = this
    const { random, genesis, plan, roster, isAgreed } = setup
    this.options = options
    this.genesis = genesis
    this.blockTimeMs = setup.blockTimeMs
    this.plan = plan
    this.model = setup.model
    this.roster = roster
    this.linkModel = createLinkModel(setup, options)
    this.lyingMiner = createLyingMiner(setup, options)
    this.lyingPeer =
      roster.lyingPeer === null ? null : new LyingPeer(roster.lyingPeer, random.stream('peer lies'))
    this.strangers = createStrangers(setup, schedule, (from, to, bytes) =>
      this.network.sendBytes(from, [to], bytes),
    )
    this.cluster = this.#createCluster(setup)
    const { healedPlan } = setup
    this.faults = new FaultInjector({
      plan,
      healedPlan,
      events: options.script?.events ?? null,
      onDiskLoss: this.#onDiskLoss.bind(this),
      onVotesLost: node => this.agreement?.oracle.loseVotes(node),
      random,
      schedule,
      trace,
      network: this.network,
      roster,
      isAgreed,
    })
    this.chain = new NaiveChain(genesis, options.recoverSender)
    this.oracle = new Oracle(this.chain, roster.mayBeBlamed.bind(roster), setup.limits.pool)
    this.agreement = isAgreed ? new Agreement(setup, this.chain) : null
    this.observer = new RunObserver({
      genesis,
      schedule,
      faults: this.faults,
      roster,
      oracle: this.oracle,
      agreement: this.agreement,
      strangers: this.strangers,
      onReply: (token, result) => {
        this.clients.onReply(token, result)
        this.hostile?.onReply(token, result)
      },
      restart: (node, downMs) => schedule.after(LINK_TIMES.noticeMs * 2 + downMs, () => this.start(node)),
    })
    this.cluster.observer = this.observer
    this.nodes = createNodes(setup, options, this.cluster)
    this.honest = this.nodes.filter(node => roster.isOwed(node))
    // Clients do not know twins, and do not pay through a node that keeps its chain to itself.
    const known = this.nodes.filter(node => !roster.isTwin(node) && node.id !== roster.lyingPeer)
    this.clients = this.#createClients(setup, known)
    this.hostile = createHostile(setup, this.schedule, known)
  }

  get network(): Network {
    return this.cluster.network
  }

  /** The greatest height of an honest node's head. */
  get height(): number {
    return Math.max(...this.honest.map(node => node.replica?.tree.head.chained.height ?? 0))
  }

  /** Whether all honest nodes have one head. */
  get headsAgree(): boolean {
    const heads = new Set(this.honest.map(node => node.replica?.tree.head.chained.id))
    return heads.size === 1
  }

  /** Starts a node; all but twins mine. */
  start(node: SimNode): void {
    this.cluster.start(node)
    if (!this.roster.isTwin(node)) node.startMining()
  }

  /** Lets the next event happen. */
  advance(): void {
    if (!this.cluster.advance()) throw new Violation('L1', 'nothing is left to happen')
  }

  /** A node that lost its disk is no longer held to what it sent or stored before. */
  #onDiskLoss(node: SimNode): void {
    this.oracle.forget(node)
    this.agreement?.oracle.forget(node)
    this.clients.forgive(node)
  }

  #createCluster({ random, genesis, epochMs, roster }: Setup): Cluster {
    const { schedule, trace, plan, linkModel, lyingMiner, lyingPeer, strangers } = this
    return new Cluster({
      genesis,
      schedule,
      trace,
      epochMs,
      random: random.stream('network'),
      faults: plan,
      linkModel,
      linkTimes: LINK_TIMES,
      sendsUnlinked: true,
      intercept: createInterceptor({
        lyingMiner,
        lyingPeer,
        mayWithhold: () => this.faults.endedAtMs === null,
        schedule,
        epochMs,
        trace,
      }),
      outsidePeers: strangers,
      mayBeBlamed: roster.mayBeBlamed.bind(roster),
    })
  }

  #createClients({ random, genesis, clients, hostile }: Setup, nodes: readonly SimNode[]): Clients {
    const isSmall = isPoolSmall(this.options.limits ?? {})
    const prices = isSmall ? random.stream('prices') : null
    const miners = this.nodes.map(node => node.beneficiary)
    return new Clients({
      schedule: this.schedule,
      workload: new Workload(clients, miners, genesis.blocks.chainId, random.stream('workload'), prices),
      nodes,
      transfers: this.options.transfers,
      isWatchful: isSmall || hostile.length > 0,
      random: random.stream('arrivals'),
    })
  }
}

/** What distances, narrow links and the model do with messages; null where they do nothing. */
function createLinkModel(setup: Setup, { bandwidth = null }: SimulationOptions): LinkModel | null {
  const { random, genesis, roster, model, latency, isAgreed } = setup
  if (model === null && latency === null && bandwidth === null) return null
  const n = roster.validators
  const timeoutMs = isAgreed ? (genesis.finality.timeoutMs as number) : 0
  return new LinkModel({
    model,
    latency,
    bandwidth,
    placeOf: roster.placeOf.bind(roster),
    quorums: isAgreed ? new QuorumWatch(n - Math.floor((n - 1) / 3), timeoutMs) : null,
    // The name is part of the seed: another name would give other runs.
    random: random.stream('course'),
  })
}

/** The one that sends the lies of the run; it has the key of the first client. */
function createLyingMiner(
  { genesis, roster, clients, random }: Setup,
  { recoverSender }: SimulationOptions,
): LyingMiner | null {
  const { lyingMiner: id } = roster
  const client = clients[0]!
  return id === null
    ? null
    : new LyingMiner({ id, genesis, recoverSender, client, random: random.stream('lies') })
}

/** The clients that mean harm, where there are such. */
function createHostile(
  { random, genesis, hostile }: Setup,
  schedule: Schedule,
  nodes: readonly SimNode[],
): HostileClients | null {
  if (hostile.length === 0) return null
  const { chainId, gasLimit: blockGas } = genesis.blocks
  const attacks = random.stream('hostile')
  return new HostileClients({ schedule, nodes, accounts: hostile, chainId, blockGas, random: attacks })
}

/** The hostile peers without a key; null where the plan has none. */
function createStrangers(
  { random, genesis, plan }: Setup,
  schedule: Schedule,
  send: StrangersOptions['send'],
): Strangers | null {
  const { strangers: count } = plan
  return count === 0
    ? null
    : new Strangers({ count, genesis, schedule, send, random: random.stream('strangers') })
}

/** The nodes of a roster, which share the hashrate that the genesis file asks for; none is started yet. */
function createNodes(setup: Setup, { recoverSender }: SimulationOptions, cluster: Cluster): SimNode[] {
  const { random, genesis, blockTimeMs, plan, roster, signatures } = setup
  const clocks = random.stream('clocks')
  const drifts = random.stream('drifts')
  const miners = roster.parts.filter(({ isTwin }) => !isTwin).length
  const hashesPerMs = Number(workOfTarget(genesis.work.firstTarget)) / blockTimeMs
  const limit = plan.clockOffsetMaxMs
  return roster.parts.map(part => {
    const { id, index, isTwin } = part
    const lie = roster.lieOf(part)
    const node = cluster.add({
      id,
      recoverSender,
      beneficiary: beneficiaryOf(id),
      identity: {
        ...signatures,
        peer: id,
        secretKey: index < roster.validators ? validatorKey(index) : null,
        mayForgetVotes: roster.mayForgetVotes,
      },
      ...(lie === null ? {} : { createFinality: lyingFinality(lie) }),
      random: random.stream(id),
      hashrate: isTwin ? 0 : hashesPerMs / miners,
      clockOffsetMs: clocks.between(-limit, limit),
      clockDrift: drifts.between(-plan.clockDriftMaxPpm, plan.clockDriftMaxPpm) / 1_000_000,
      isPunctual: setup.isCounted,
      keepsUnsynced: plan.keepsUnsynced,
      limits: setup.limits,
    })
    node.syncMeanMs = plan.syncMeanMs
    node.stepMs = random.stream(`cpu ${id}`).between(0, plan.stepMaxMs)
    return node
  })
}

function beneficiaryOf(id: PeerId): Address {
  return toHex(sha256(new TextEncoder().encode(`quorate simulated miner ${id}`)).subarray(12))
}
