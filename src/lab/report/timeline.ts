// The timeline of one run, for drawing: every block that some node followed, its maker and when it was final, every
// vote that was cast, and what each node took for its head, while the network is whole, cut in half, and whole again.
//
// Everything is seen from inside the simulated nodes, as it happens: a vote when it leaves its node, a block when its
// maker has it, a final block when the first node holds the certificate durably, or so many blocks on top of it where
// there is none. Votes that are retransmitted are left out.

import { fromHex } from '../../encoding/bytes.ts'
import { chooseBackend } from '../../signatures/choose-backend.ts'
import { SimulatedNetwork } from '../stage/simulated-network.ts'
import { LATENCY_MS } from '../stage/simulated-stage.ts'
import type { Variant } from '../stage/variant.ts'
import { createAccounts, type SeededAccount, Workload } from '../stage/workload.ts'
import { Schedule } from '../virtual/schedule.ts'
import { type Recorded, Recorder } from './recorder.ts'

/** What is to be recorded. */
export interface TimelineOptions {
  readonly variant: Variant
  readonly seed: number
  /** Milliseconds that a message takes on average; as in one building when absent. */
  readonly latencyMs?: number
}

/** A run. Times are virtual milliseconds from the start of the recording, and ascend in each list. */
export interface Timeline extends Recorded {
  readonly variant: string
  readonly finalMeans: string
  readonly seed: number
  readonly nodes: number
  readonly latencyMs: number
  readonly lastedMs: number
  readonly faults: readonly TimelineFault[]
}

/** Something that was broken. */
export interface TimelineFault {
  readonly fromMs: number
  readonly toMs: number
  readonly says: string
}

const NODES = 4
const CALM_MS = 4_000
const CUT_MS = 9_000
const HEALED_MS = 4_000
const LASTED_MS = CALM_MS + CUT_MS + HEALED_MS
const HALVES = [
  [0, 1],
  [2, 3],
] as const
/** Transfers submitted a second, to each node in turn. */
const RATE = 4
/** Milliseconds in which the nodes get to know each other before anything is recorded. */
const SETTLE_MS = 500

/** Runs a network of this variant and records it. */
export async function recordTimeline(options: TimelineOptions): Promise<Timeline> {
  const { variant, seed, latencyMs = LATENCY_MS } = options
  const payers = createAccounts(seed, 'timeline', Math.floor((LASTED_MS * RATE) / 1_000))
  const schedule = new Schedule()
  const network: SimulatedNetwork = new SimulatedNetwork({
    variant,
    nodes: NODES,
    seed,
    funded: payers.map(({ address }) => address),
    latencyMs,
    isMining: false,
    backend: await chooseBackend(),
    schedule,
    afterStep: node => recorder.lookAt(node),
    onEffect: (node, effect) => recorder.onEffect(node, effect),
  })
  const recorder = new Recorder({ network, schedule, variant, seed, nodes: NODES, beginMs: SETTLE_MS })
  network.start()
  network.cluster.runFor(SETTLE_MS)
  if (variant.isMined) network.mine(true)
  payIn({ network, schedule, payers, seed })
  network.cluster.runFor(CALM_MS)
  network.cut(HALVES)
  network.cluster.runFor(CUT_MS)
  network.heal()
  network.cluster.runFor(HEALED_MS)
  return {
    variant: variant.name,
    finalMeans: variant.finalMeans,
    seed,
    nodes: NODES,
    latencyMs,
    lastedMs: LASTED_MS,
    ...recorder.result(),
    faults: [{ fromMs: CALM_MS, toMs: CALM_MS + CUT_MS, says: `cut ${showHalves(HALVES)}` }],
  }
}

/** Plans the transfers, one for each payer, evenly from now on. */
function payIn({
  network,
  schedule,
  payers,
  seed,
}: {
  readonly network: SimulatedNetwork
  readonly schedule: Schedule
  readonly payers: readonly SeededAccount[]
  readonly seed: number
}): void {
  const transfers = new Workload(payers, seed).plan(payers.length)
  for (const [index, { raw }] of transfers.entries())
    schedule.after((index * 1_000) / RATE, () => network.submit(index % NODES, fromHex(raw), () => {}))
}

function showHalves(halves: readonly (readonly number[])[]): string {
  return halves.map(half => half.map(node => `n${node + 1}`).join(' ')).join(' | ')
}
