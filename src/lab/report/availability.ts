// How available each kind of finality is under each fault: of the transfers that clients submit while the fault lasts,
// the share that is final within a stated patience and stays final to the end (S. Gilbert and N. Lynch, "Brewer's
// conjecture", 2002: what goes on on both sides of a cut can't be consistent, and what is consistent can't go on).
//
// Every transfer has a payer of its own, so that none waits for another one's nonce. While the network is cut others
// spend twice, once on each side: they count for what is reversed, and not for what is available.

import type { Address } from '../../chain/address.ts'
import type { Hex } from '../../encoding/bytes.ts'
import { longestPause } from '../compare/percentiles.ts'
import { LATENCY_MS, onSimulatedStage } from '../stage/simulated-stage.ts'
import type { Stage } from '../stage/stage.ts'
import { type Submitted, submitAll } from '../stage/submit-all.ts'
import type { Variant } from '../stage/variant.ts'
import { createAccounts, type PlannedTransfer, Workload } from '../stage/workload.ts'
import { type MeanInterval, meanInterval } from '../sweep/mean.ts'
import { type Broken, FAULTS, type Fault, type FaultName } from './faults.ts'

/** What is to be measured. */
export interface AvailabilityOptions {
  readonly variants: readonly Variant[]
  /** The first of the seeds, and how many there are. */
  readonly seed: number
  readonly repeat: number
  /** All when absent. */
  readonly faults?: readonly FaultName[] | undefined
  /** Milliseconds that a message takes on average; as in one building when absent. */
  readonly latencyMs?: number
  /** Reports progress, once for each run. */
  readonly onProgress: (word: string) => void
}

/** All that came out, and what makes the same come out again. Times are in milliseconds. */
export interface Availability {
  readonly nodes: number
  readonly latencyMs: number
  readonly seeds: readonly number[]
  /** Transfers submitted a second. */
  readonly rate: number
  /** A transfer is available when it is final so long after it was submitted, and stays final. */
  readonly withinMs: number
  /** How long the fault lasts. Counted are the transfers whose patience runs out before it ends. */
  readonly faultMs: number
  readonly variants: readonly string[]
  readonly faults: readonly { readonly name: FaultName; readonly says: string }[]
  /** One for each variant and fault, in the order of both, the faults of one variant together. */
  readonly cells: readonly AvailabilityCell[]
}

/** One variant under one fault, over all seeds. */
export interface AvailabilityCell {
  readonly variant: string
  readonly fault: FaultName
  /** Transfers counted, in all runs together. */
  readonly submitted: number
  /** Share of them that was available, 0 to 1. */
  readonly available: MeanInterval
  /** Longest time during the fault in which no transfer was final for the first time on any node. */
  readonly finalPauseMs: MeanInterval
  /** Transfers that a node called final and that are on the chain no more in the end, in all runs together. */
  readonly reversed: number
  /** Transfers whose final block a node left, those that came back in another block too, in all runs together. */
  readonly takenBack: number
  /**
   * From the end of the fault until a transfer that was submitted after it was final, for good: also where finality
   * never stopped, and then simply what it takes. Null where the fault does not end, or nothing was final again.
   */
  readonly recoveredMs: MeanInterval | null
}

/** Nodes of each network: the fewest that tolerate a fault. */
const NODES = 4
const RATE = 20
/** Pairs of transfers that can't both be on one chain, each second of a cut. */
const PAIRS_RATE = 5
/** Milliseconds before the fault, of it, and after it, all under load. */
const CALM_MS = 4_000
const FAULT_MS = 20_000
const AFTER_MS = 4_000
/**
 * Undisturbed, the slowest is the longest chain: six blocks of 400 ms until a transfer is final, on average. Four times
 * that, so that half of the miners still have twice the time they need.
 */
const WITHIN_MS = 10_000
/** How long the run waits for all transfers in the end. */
const SETTLE_MS = 30_000
const LOOK_MS = 100

/** Runs in all, for progress. */
export function countAvailabilityRuns({
  variants,
  repeat,
  faults,
}: Pick<AvailabilityOptions, 'variants' | 'repeat' | 'faults'>): number {
  return variants.length * repeat * (faults ?? FAULTS).length
}

/** Measures every variant under every fault with every seed, one after the other. */
export async function measureAvailability(options: AvailabilityOptions): Promise<Availability> {
  const { variants, seed, repeat, latencyMs = LATENCY_MS, onProgress } = options
  const faults = FAULTS.filter(({ name }) => options.faults?.includes(name) ?? true)
  const seeds = Array.from({ length: repeat }, (_, index) => seed + index)
  const loads = seeds.map(planLoad)
  const cells: AvailabilityCell[] = []
  for (const variant of variants) {
    for (const fault of faults) {
      const runs: RunFigures[] = []
      for (const [index, seed] of seeds.entries()) {
        onProgress(`${variant.name}, seed ${seed}: ${fault.says}`)
        const load = loads[index]!
        const withStage = onSimulatedStage({ latencyMs, lossRate: fault.lossRate })
        const parts = { variant, nodes: NODES, seed, funded: load.funded }
        runs.push(await withStage(parts, stage => measureRun(stage, fault, load)))
      }
      cells.push({ variant: variant.name, fault: fault.name, ...summarize(runs) })
    }
  }
  return {
    nodes: NODES,
    latencyMs,
    seeds,
    rate: RATE,
    withinMs: WITHIN_MS,
    faultMs: FAULT_MS,
    variants: variants.map(({ name }) => name),
    faults: faults.map(({ name, says }) => ({ name, says })),
    cells,
  }
}

/** The transfers of before, during and after the fault, and the pairs of double spends. */
interface Load {
  readonly funded: readonly Address[]
  readonly calm: readonly PlannedTransfer[]
  readonly during: readonly PlannedTransfer[]
  readonly pairs: readonly PlannedTransfer[]
  readonly after: readonly PlannedTransfer[]
}

/** The same for every variant and fault. */
function planLoad(seed: number): Load {
  const funded: Address[] = []
  const plan = (purpose: string, perSecond: number, ms: number, isDouble = false): PlannedTransfer[] => {
    const count = (perSecond * ms) / 1_000
    const payers = createAccounts(seed, `availability ${purpose}`, count)
    funded.push(...payers.map(({ address }) => address))
    return new Workload(payers, seed).plan(count, { isDouble })
  }
  const calm = plan('calm', RATE, CALM_MS)
  const during = plan('during', RATE, FAULT_MS)
  const pairs = plan('pairs', PAIRS_RATE, FAULT_MS, true)
  const after = plan('after', RATE, AFTER_MS)
  return { funded, calm, during, pairs, after }
}

/** What one run came to. */
interface RunFigures {
  readonly submitted: number
  readonly available: number
  readonly finalPauseMs: number
  readonly reversed: number
  readonly takenBack: number
  readonly recoveredMs: number | null
}

function summarize(runs: readonly RunFigures[]): Omit<AvailabilityCell, 'variant' | 'fault'> {
  const recovered = runs.map(({ recoveredMs }) => recoveredMs).filter(ms => ms !== null)
  const sum = (pick: (run: RunFigures) => number): number => runs.reduce((sum, run) => sum + pick(run), 0)
  return {
    submitted: sum(({ submitted }) => submitted),
    available: meanInterval(runs.map(({ available }) => available)),
    finalPauseMs: meanInterval(runs.map(({ finalPauseMs }) => finalPauseMs)),
    reversed: sum(({ reversed }) => reversed),
    takenBack: sum(({ takenBack }) => takenBack),
    recoveredMs: recovered.length === 0 ? null : meanInterval(recovered),
  }
}

/** One run: calm, the fault, and what comes after it. */
async function measureRun(stage: Stage, fault: Fault, load: Load): Promise<RunFigures> {
  const { timeline } = stage
  const nodes = stage.nodes()
  const calm = await submitAll(stage, load.calm, { nodes, rate: RATE })
  const broken = await fault.begin(stage)
  const beginMs = stage.nowMs()
  const [during] = await Promise.all([
    submitAll(stage, load.during, { nodes: broken.desks, rate: RATE }),
    submitPairs(stage, load.pairs, broken),
    stage.sleep(FAULT_MS),
  ])
  const endMs = stage.nowMs()
  await broken.end()
  const after = await submitAll(stage, load.after, { nodes, rate: RATE })
  await settle(stage, [...calm, ...during, ...after])

  const firstFinals = [...calm, ...during]
    .map(({ id }) => timeline.earliest(nodes, id)?.finalMs ?? null)
    .filter(ms => ms !== null)
  const kept = keptTransfers(stage)
  const takenBack = timeline.takenBack()
  const finalMs = ({ id }: Submitted): number =>
    kept.has(id) && !takenBack.has(id)
      ? (timeline.earliest(nodes, id)?.finalMs ?? Number.POSITIVE_INFINITY)
      : Number.POSITIVE_INFINITY
  const counted = during.filter(({ submittedMs }) => submittedMs + WITHIN_MS < beginMs + FAULT_MS)
  const available = counted.filter(handed => finalMs(handed) <= handed.submittedMs + WITHIN_MS)
  const finalAgainMs = Math.min(...after.map(finalMs))
  return {
    submitted: counted.length,
    available: available.length / counted.length,
    finalPauseMs: longestPause(beginMs, endMs, firstFinals),
    reversed: [...timeline.everFinal()].filter(id => !kept.has(id)).length,
    takenBack: takenBack.size,
    recoveredMs: fault.lossRate === 0 && Number.isFinite(finalAgainMs) ? finalAgainMs - endMs : null,
  }
}

/** Where the network is cut, each pair at the same time: one transfer on each side. */
async function submitPairs(
  stage: Stage,
  pairs: readonly PlannedTransfer[],
  { sides }: Broken,
): Promise<void> {
  if (sides === null) return
  const rivals = pairs.map(({ sender, rival }) => ({ sender, ...rival! }))
  await Promise.all([
    submitAll(stage, pairs, { nodes: sides[0], rate: PAIRS_RATE }),
    submitAll(stage, rivals, { nodes: sides[1], rate: PAIRS_RATE }),
  ])
}

/** Waits until all nodes follow one chain and all of these are final on it, or patience ends. */
async function settle(stage: Stage, handed: readonly Submitted[]): Promise<void> {
  const { timeline } = stage
  const nodes = stage.nodes()
  const deadlineMs = stage.nowMs() + SETTLE_MS
  const isFinal = ({ id }: Submitted): boolean =>
    nodes.every(node => timeline.sighting(node, id)?.finalMs != null)
  while (stage.nowMs() < deadlineMs && !(timeline.isOneChain(nodes) && handed.every(isFinal)))
    await stage.sleep(LOOK_MS)
}

/** The transfers on the longest chain: a node that is behind has not reversed what it does not know yet. */
function keptTransfers(stage: Stage): Set<Hex> {
  const { timeline } = stage
  const nodes = stage.nodes()
  const height = Math.max(...nodes.map(node => timeline.height(node)))
  return timeline.transfersOn(nodes.find(node => timeline.height(node) === height)!)
}
