// Swarm runs: every knob of a run drawn from its seed, so that no two runs of a batch are alike (A. Groce et al., "Swarm
// Testing", ISSTA 2012; the small limits are FoundationDB's BUGGIFY). A run that has only some of the faults, each as
// strong as chance has it, gets to places that a run with all of them never sees.

import { modeNamed } from '../../finality/registry.ts'
import { drawLimits } from '../cluster/small-limits.ts'
import { FAULT_KINDS, type FaultKind, RARE_FAULT_KINDS } from '../faults/fault-plan.ts'
import { LATENCY_TABLES } from '../network/latency-table.ts'
import { NETWORK_MODELS } from '../network/network-model.ts'
import { Random } from '../virtual/random.ts'
import type { SimulationOptions } from './simulation-options.ts'

/** What a swarm run draws. */
type Drawn = Pick<
  SimulationOptions,
  | 'genesis'
  | 'nodes'
  | 'validators'
  | 'pattern'
  | 'adversary'
  | 'lyingMiner'
  | 'lyingPeer'
  | 'faults'
  | 'network'
  | 'latency'
  | 'bandwidth'
  | 'timerScale'
  | 'blockTransactionsMax'
  | 'blockBytesMax'
  | 'halvingBlocks'
  | 'depth'
  | 'limits'
  | 'hostileClients'
  | 'blocks'
  | 'transfers'
>

const VALIDATORS_MAX = 7
const FOLLOWERS_MAX = 2
const MINERS_MAX = 7
/** Shares of the runs that have each of these. */
const FAULT_RATE = 0.5
const RARE_FAULT_RATE = 0.25
const LIARS_RATE = 0.5
const LYING_MINER_RATE = 0.2
const LYING_PEER_RATE = 0.2
const HOSTILE_RATE = 0.25
const MODEL_RATE = 0.4
const DISTANCE_RATE = 0.3
const NARROW_RATE = 0.2
const SCALED_RATE = 0.3
const SMALL_RATE = 0.25
/** Bytes of a small block: its transactions have about 120 each, and all else of it fits in 400. */
const BLOCK_BYTES = [1_000, 3_000] as const
const HALVING_BLOCKS = [2, 20] as const
const DEPTH = [8, 24] as const

/** What a seed asks for; `genesis` holds the file of each finality mode, by its name. */
export function drawSwarm(seed: number, genesis: ReadonlyMap<string, unknown>): Drawn {
  const random = new Random(`quorate/swarm/${seed}`)
  const name = random.stream('mode').pick([...genesis.keys()])
  const { hasValidators: isAgreed, isMined, protocols } = modeNamed(name)!
  const size = random.stream('size')
  const validators = size.integer(1, VALIDATORS_MAX)
  const followers = size.integer(0, FOLLOWERS_MAX)
  const wire = random.stream('wire')
  const [hasModel, model] = [wire.chance(MODEL_RATE), wire.pick(NETWORK_MODELS)]
  const [isFar, latency] = [wire.chance(DISTANCE_RATE), wire.pick(LATENCY_TABLES)]
  const [isNarrow, width] = [wire.chance(NARROW_RATE), wire.between(4, 6)]
  const limits = random.stream('limits')
  const [isScaled, scale] = [limits.chance(SCALED_RATE), limits.between(-1, 1)]
  const small = random.stream('small')
  const length = random.stream('length')
  return {
    genesis: genesis.get(name),
    nodes: isAgreed ? validators + followers : size.integer(1, MINERS_MAX),
    ...(isAgreed ? { validators } : {}),
    pattern: isAgreed ? random.stream('pattern').pick([...protocols.keys()]) : null,
    adversary: isAgreed && random.stream('liars').chance(LIARS_RATE) ? { role: 'all', count: null } : null,
    lyingMiner: isMined && random.stream('lying miner').chance(LYING_MINER_RATE),
    lyingPeer: random.stream('lying peer').chance(LYING_PEER_RATE),
    faults: drawKinds(random.stream('faults')),
    network: hasModel ? { model } : null,
    latency: isFar ? latency : null,
    bandwidth: isNarrow ? Math.round(10 ** width) : null,
    timerScale: isAgreed && isScaled ? 10 ** scale : 1,
    blockTransactionsMax: small.chance(SMALL_RATE) ? small.integer(1, 3) : null,
    blockBytesMax: drawOr(random.stream('bytes'), SMALL_RATE, BLOCK_BYTES),
    halvingBlocks: drawOr(random.stream('halving'), SMALL_RATE, HALVING_BLOCKS),
    depth: isAgreed ? null : drawOr(random.stream('depth'), SMALL_RATE, DEPTH),
    limits: drawLimits(random.stream('replica limits')),
    hostileClients: random.stream('hostile clients').chance(HOSTILE_RATE),
    blocks: length.integer(3, isAgreed ? 8 : 25),
    transfers: length.integer(4, 16),
  }
}

/** A number of this range in so many of the runs; null in all others. */
function drawOr(random: Random, rate: number, [min, max]: readonly [number, number]): number | null {
  return random.chance(rate) ? random.integer(min, max) : null
}

function drawKinds(random: Random): Set<FaultKind> {
  const common = FAULT_KINDS.filter(() => random.chance(FAULT_RATE))
  const rare = RARE_FAULT_KINDS.filter(() => random.chance(RARE_FAULT_RATE))
  return new Set<FaultKind>([...common, ...rare])
}
