// What the seed and the options of a run decide before anything happens: how many nodes there are, which of them lie, the
// plan of faults, and the genesis file.

import type { Address } from '../../chain/address.ts'
import type { Genesis } from '../../execution/genesis.ts'
import type { Identity } from '../../finality/identity.ts'
import { type RecoverSigner, referenceRecover, referenceSign } from '../../finality/signing.ts'
import type { ReplicaLimits } from '../../replica/limits.ts'
import { drawLiars, drawLyingMiner, drawLyingPeer } from '../adversary/adversary.ts'
import { Roster } from '../adversary/roster.ts'
import { HOSTILITIES } from '../clients/hostilities.ts'
import { type Client, createClients } from '../clients/workload.ts'
import { prepareGenesis } from '../cluster/simulated-genesis.ts'
import { limitsOf } from '../cluster/small-limits.ts'
import { drawFaults, type FaultPlan, LOCKSTEP, NO_FAULTS } from '../faults/fault-plan.ts'
import { type LatencyTable, latencyTable, longestWayMs } from '../network/latency-table.ts'
import { drawModel, type NetworkModel, withinModel } from '../network/network-model.ts'
import { Random } from '../virtual/random.ts'
import type { SimulationOptions } from './simulation-options.ts'

const CLIENTS = 12
/** Seconds between the genesis block and the start of virtual time. */
const AGE_SECONDS = 3_600
const YOUNG_SECONDS = 2
/** Followers besides the validators, at most, where their number is drawn. */
const FOLLOWERS_MAX = 2

/** What a run starts from. */
export interface Setup {
  /** The stream of the whole run: every other is one of its branches. */
  readonly random: Random
  readonly genesis: Genesis
  /** The JSON that it comes from. */
  readonly genesisFile: unknown
  /** Milliseconds since 1970 at which virtual time starts. */
  readonly epochMs: number
  readonly blockTimeMs: number
  readonly plan: FaultPlan
  /** What is left of the plan when the faults end. */
  readonly healedPlan: FaultPlan
  /** What the network promises; null when it promises nothing until the faults end. */
  readonly model: NetworkModel | null
  readonly latency: LatencyTable | null
  readonly roster: Roster
  readonly clients: readonly Client[]
  /** An account for each kind of attack; none where no client means harm. */
  readonly hostile: readonly Client[]
  /** What each node holds, serves and requests at most. */
  readonly limits: ReplicaLimits
  readonly signatures: Pick<Identity, 'recover' | 'sign'>
  /** Whether validators agree on what is final. */
  readonly isAgreed: boolean
  /** Whether the run is for counting: all takes the same time, and nothing is retransmitted. */
  readonly isCounted: boolean
}

/** Draws a run from its seed. */
export function drawSetup(options: SimulationOptions): Setup {
  const random = new Random(`quorate/${options.seed}`)
  const { nodes, validators } = drawSize(options, random.stream('size'))
  const isHostile = options.hostileClients === true
  const accounts = createClients(CLIENTS + (isHostile ? HOSTILITIES.length : 0))
  const [clients, hostile] = [accounts.slice(0, CLIENTS), accounts.slice(CLIENTS)]
  const request = options.network ?? null
  const isPlain =
    options.faults.size === 0 &&
    (options.adversary ?? null) === null &&
    options.lyingMiner !== true &&
    options.lyingPeer !== true &&
    !isHostile &&
    request === null
  const { genesis, file: genesisFile } = prepareGenesis(options.genesis, {
    clients: accounts.map(client => client.address),
    validators,
    pattern: options.pattern ?? null,
    isPatient: isPlain,
    timerScale: options.timerScale ?? 1,
    blockTransactionsMax: options.blockTransactionsMax ?? null,
    blockBytesMax: options.blockBytesMax ?? null,
    halvingBlocks: options.halvingBlocks ?? null,
    depth: options.depth ?? null,
  })
  const blockTimeMs = genesis.work.blockTimeSeconds * 1000
  const isAgreed = genesis.finality.validators !== undefined
  const isCounted = isAgreed && isPlain
  const adversary = isAgreed ? (options.adversary ?? null) : null
  const liars = drawLiars(adversary, validators, random.stream('liars'))
  const mayLie = options.lyingMiner === true && genesis.work.isProved
  const lyingMiner = mayLie ? drawLyingMiner(nodes, liars, random.stream('lying miner')) : null
  const voters = isAgreed ? validators : 0
  const lyingPeer =
    options.lyingPeer === true
      ? drawLyingPeer(nodes, { voters, lyingMiner }, random.stream('lying peer'))
      : null
  const latency = options.latency == null ? null : latencyTable(options.latency)
  const leastMs = latency === null ? 0 : longestWayMs(latency)
  const bounds = { plannedMs: options.blocks * blockTimeMs, leastMs }
  const model = request === null ? null : drawModel(request, random.stream('model'), bounds)
  const fit = (plan: FaultPlan): FaultPlan => fitPlan(plan, { model, latency })
  const drawn = drawFaults(options.faults, random.stream('faults'), blockTimeMs)
  // What is counted must not begin with a heartbeat that is due before the nodes know each other.
  const ageSeconds = isCounted ? YOUNG_SECONDS : AGE_SECONDS
  return {
    random,
    genesis,
    genesisFile,
    epochMs: (genesis.header.header.time + ageSeconds) * 1000,
    blockTimeMs,
    plan: options.script?.plan ?? fit(isCounted ? LOCKSTEP : drawn),
    healedPlan: fit(isCounted ? LOCKSTEP : NO_FAULTS),
    model,
    latency,
    roster: new Roster({
      nodes,
      validators,
      liars,
      mayForgetVotes: options.mayForgetVotes ?? false,
      lyingMiner,
      lyingPeer,
    }),
    clients,
    hostile,
    limits: limitsOf(options.limits ?? {}),
    signatures: signaturesOf(options),
    isAgreed,
    isCounted,
  }
}

/** A plan as the model and the distances leave it: where distances are given, they are what a message takes. */
function fitPlan(plan: FaultPlan, { model, latency }: Pick<Setup, 'model' | 'latency'>): FaultPlan {
  const isQuick = plan.delayMinMs + plan.delayMeanMs <= LOCKSTEP.delayMinMs
  const distant = latency !== null && isQuick ? { ...plan, delayMinMs: 0, delayMeanMs: 0 } : plan
  return model === null ? distant : withinModel(distant, model)
}

/** Nodes without twins, and how many of them are validators. */
function drawSize(options: SimulationOptions, random: Random): { nodes: number; validators: number } {
  if (options.validators === 'any') {
    const validators = random.integer(1, 10)
    return { nodes: validators + random.integer(0, FOLLOWERS_MAX), validators }
  }
  const validators = options.validators ?? options.nodes
  return { nodes: Math.max(options.nodes, validators), validators }
}

function signaturesOf({ signatures }: SimulationOptions): Pick<Identity, 'recover' | 'sign'> {
  return {
    recover: rememberSigners(signatures?.recover ?? referenceRecover),
    sign: signatures?.sign ?? referenceSign,
  }
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
