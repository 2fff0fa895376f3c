// All that one run is made of: the nodes in their world, the network between them, what goes wrong, the clients and the
// oracles. The phases let it happen (safety-phase.ts, liveness-phase.ts); the words in which they speak of it are here.

import type { Address } from '../../chain/address.ts'
import { workOfTarget } from '../../chain/compact.ts'
import { sha256 } from '../../chain/hash.ts'
import { toHex } from '../../encoding/bytes.ts'
import type { Genesis } from '../../execution/genesis.ts'
import type { PeerId } from '../../replica/effects.ts'
import { lyingFinality } from '../adversary/byzantine/lying-finality.ts'
import { LyingMiner } from '../adversary/lying-miner.ts'
import { LyingPeer } from '../adversary/lying-peer.ts'
import type { Roster } from '../adversary/roster.ts'
import { Clients } from '../clients/clients.ts'
import { HostileClients } from '../clients/hostile-clients.ts'
import { Workload } from '../clients/workload.ts'
import { SimNode } from '../cluster/sim-node.ts'
import { validatorKey } from '../cluster/simulated-genesis.ts'
import { isPoolSmall } from '../cluster/small-limits.ts'
import { FaultInjector } from '../faults/fault-injector.ts'
import type { FaultPlan } from '../faults/fault-plan.ts'
import { LinkModel } from '../network/link-model.ts'
import { Network } from '../network/network.ts'
import type { NetworkModel } from '../network/network-model.ts'
import { QuorumWatch } from '../network/quorum-watch.ts'
import { NaiveChain } from '../oracle/naive-chain.ts'
import { Oracle } from '../oracle/oracle.ts'
import { Violation } from '../oracle/violation.ts'
import { Strangers } from '../strangers/strangers.ts'
import { Schedule } from '../virtual/schedule.ts'
import { Trace } from '../virtual/trace.ts'
import { Agreement } from './agreement.ts'
import { drawSetup, type Setup } from './setup.ts'
import { SimulatedWorld } from './simulated-world.ts'
import type { SimulationOptions } from './simulation-options.ts'

/** Last lines of the trace that are kept for people. */
const RECENT_LINES = 40

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
  readonly network: Network
  readonly faults: FaultInjector
  readonly chain: NaiveChain
  readonly oracle: Oracle
  /** Null where nothing is agreed on. */
  readonly agreement: Agreement | null
  readonly world: SimulatedWorld
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
  /** Events that happened. */
  events = 0

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
    this.network = new Network({
      schedule,
      random: random.stream('network'),
      faults: plan,
      linkModel: this.linkModel,
      deliver: (from, to, bytes, tag) => this.world.deliver(from, to, bytes, tag),
      onDamage: (from, to) => this.world.breakLink(from, to),
    })
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
    this.lyingMiner = createLyingMiner(setup, options)
    this.lyingPeer =
      roster.lyingPeer === null ? null : new LyingPeer(roster.lyingPeer, random.stream('peer lies'))
    this.strangers = createStrangers(setup, this.schedule, this.network)
    this.world = new SimulatedWorld({
      genesis,
      recoverSender: options.recoverSender,
      schedule,
      trace,
      epochMs: setup.epochMs,
      network: this.network,
      faults: this.faults,
      roster,
      oracle: this.oracle,
      agreement: this.agreement,
      lyingMiner: this.lyingMiner,
      lyingPeer: this.lyingPeer,
      strangers: this.strangers,
      onReply: (token, result) => {
        this.clients.onReply(token, result)
        this.hostile?.onReply(token, result)
      },
    })
    this.nodes = createNodes(setup, this.world)
    this.honest = this.nodes.filter(node => roster.isOwed(node))
    // Nobody knows of a twin, and nobody pays through a node that keeps its chain to itself.
    const known = this.nodes.filter(node => !roster.isTwin(node) && node.id !== roster.lyingPeer)
    this.clients = this.#createClients(setup, known)
    this.hostile = createHostile(setup, this.schedule, known)
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

  /** Lets the next event happen. */
  advance(): void {
    if (!this.schedule.advance()) throw new Violation('L1', 'nothing is left to happen')
    this.events += 1
  }

  /** Lets so much virtual time pass, to the moment: not until something happens by chance. */
  runFor(ms: number): void {
    const endMs = this.schedule.nowMs + ms
    this.schedule.after(ms, () => {})
    while (this.schedule.nowMs < endMs) this.advance()
  }

  /** From now on a node that lost its disk is held to nothing that it said or stored before. */
  #onDiskLoss(node: SimNode): void {
    this.oracle.forget(node)
    this.agreement?.oracle.forget(node)
    this.clients.forgive(node)
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

/** Those without a key that mean harm, where there are such. */
function createStrangers(
  { random, genesis, plan }: Setup,
  schedule: Schedule,
  network: Network,
): Strangers | null {
  if (plan.strangers === 0) return null
  return new Strangers({
    count: plan.strangers,
    genesis,
    schedule,
    network,
    random: random.stream('strangers'),
  })
}

/** The nodes of a roster, which share the hashrate that the genesis file asks for; none is started yet. */
function createNodes(setup: Setup, world: SimulatedWorld): SimNode[] {
  const { random, genesis, blockTimeMs, plan, roster, signatures } = setup
  const clocks = random.stream('clocks')
  const drifts = random.stream('drifts')
  const miners = roster.parts.filter(({ isTwin }) => !isTwin).length
  const hashesPerMs = Number(workOfTarget(genesis.work.firstTarget)) / blockTimeMs
  const limit = plan.clockOffsetMaxMs
  return roster.parts.map(part => {
    const { id, index, isTwin } = part
    const lie = roster.lieOf(part)
    const node = new SimNode(world, {
      id,
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
    world.add(node)
    return node
  })
}

function beneficiaryOf(id: PeerId): Address {
  return toHex(sha256(new TextEncoder().encode(`quorate simulated miner ${id}`)).subarray(12))
}
