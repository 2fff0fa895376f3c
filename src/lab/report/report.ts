// The whole report as data: every experiment that one page needs, run one after the other in the simulator from one seed.
// The page is made of it by layout.ts.

import { type RaceTable, runRaces } from '../attack/double-spend.ts'
import type { RaceSetting } from '../attack/double-spend-race.ts'
import type { CompareSettings, LoadSettings } from '../compare/measurement.ts'
import { simulatedStage } from '../compare/stage-kinds.ts'
import { VARIANTS } from '../stage/variant.ts'
import { countSweepSteps, runSweep, type Sweep, type SweepResult } from '../sweep/sweep.ts'
import { type CountedDecision, countDecisions } from '../theory/decisions.ts'
import { type Availability, countAvailabilityRuns, measureAvailability } from './availability.ts'
import type { FaultName } from './faults.ts'
import { COUNTED, SIZES } from './messages.ts'
import { DEPTHS, SHARES } from './reversal.ts'
import { recordTimeline, type Timeline } from './timeline.ts'

/** How much is run for it. */
export interface Effort {
  /** Seeds of each experiment. */
  readonly repeat: number
  /** Transfers of each load. */
  readonly loadTransfers: number
  /** Races of each share and depth. */
  readonly races: number
  /** Values of the sweeps: transfers a second, milliseconds, milliseconds, and seconds. */
  readonly rates: Sweep['values']
  readonly latencies: Sweep['values']
  readonly blockTimes: Sweep['values']
  readonly cuts: Sweep['values']
  /** Under which availability is measured; all when absent. */
  readonly faults?: readonly FaultName[]
}

/** What is to be reported. */
export interface ReportOptions {
  readonly settings: LoadSettings
  readonly latencyMs: number
  readonly effort: Effort
  /** Reports progress: how many steps of how many are done, and what is run now. */
  readonly onProgress: (done: number, word: string) => void
}

/** Everything that was measured. */
export interface Report {
  readonly settings: LoadSettings
  readonly latencyMs: number
  readonly comparison: SweepResult
  readonly load: SweepResult
  readonly delay: SweepResult
  readonly blockTime: SweepResult
  readonly stabilization: SweepResult
  readonly decisions: readonly CountedDecision[]
  readonly races: RaceTable
  readonly availability: Availability
  readonly timelines: readonly Timeline[]
}

/** What it takes for intervals that say something: some minutes. */
export const EFFORT: Effort = {
  repeat: 3,
  loadTransfers: 1_000,
  races: 1_000,
  rates: [25, 100, 400, 'max'],
  latencies: [1, 10, 50, 100, 300],
  blockTimes: [200, 400, 1_000, 2_000, 4_000],
  cuts: [2, 4, 8, 16, 32],
}

/** Steps in all, for progress. */
export function countReportSteps({ settings, effort }: Pick<ReportOptions, 'settings' | 'effort'>): number {
  const { repeat, faults } = effort
  const sweeps = Object.values(planSweeps(settings, effort)).map(plan =>
    countSweepSteps({ variants: VARIANTS, repeat, ...plan }),
  )
  const rest = [COUNTED.size * SIZES.length, settingsOfRaces().length, VARIANTS.length]
  return [...sweeps, ...rest].reduce(
    (sum, steps) => sum + steps,
    countAvailabilityRuns({ variants: VARIANTS, repeat, faults }),
  )
}

/** Runs all of it. */
export async function makeReport({
  settings,
  latencyMs,
  effort,
  onProgress,
}: ReportOptions): Promise<Report> {
  const stage = simulatedStage(latencyMs)
  const { seed } = settings
  const { repeat, races, faults } = effort
  let done = 0
  const onStep = (word: string): void => onProgress(done++, word)
  const sweep = (plan: SweepPlan): Promise<SweepResult> =>
    runSweep({ variants: VARIANTS, stage, repeat, ...plan, onProgress: (_, word) => onStep(word) })
  const plans = planSweeps(settings, effort)
  return {
    settings,
    latencyMs,
    comparison: await sweep(plans.comparison),
    load: await sweep(plans.load),
    delay: await sweep(plans.delay),
    blockTime: await sweep(plans.blockTime),
    stabilization: await sweep(plans.stabilization),
    decisions: await countDecisions({ seed, modes: [...COUNTED.keys()], sizes: SIZES }, onStep),
    races: raceAll({ seed, races, onStep }),
    availability: await measureAvailability({
      variants: VARIANTS,
      seed,
      repeat,
      faults,
      latencyMs,
      onProgress: onStep,
    }),
    timelines: await recordAll({ seed, latencyMs, onStep }),
  }
}

interface SweepPlan {
  readonly settings: CompareSettings
  readonly sweep: Sweep
}

type SweepName = 'comparison' | 'load' | 'delay' | 'blockTime' | 'stabilization'

function planSweeps(settings: LoadSettings, effort: Effort): Readonly<Record<SweepName, SweepPlan>> {
  const quiet = { ...settings, hasFaults: false }
  const broken = { ...settings, hasFaults: true }
  return {
    comparison: { settings: broken, sweep: { axis: null, values: [] } },
    load: {
      settings: { ...quiet, transfers: effort.loadTransfers },
      sweep: { axis: 'rate', values: effort.rates },
    },
    delay: { settings: quiet, sweep: { axis: 'latency', values: effort.latencies } },
    blockTime: { settings: quiet, sweep: { axis: 'block', values: effort.blockTimes } },
    stabilization: { settings: broken, sweep: { axis: 'cut', values: effort.cuts } },
  }
}

function settingsOfRaces(): RaceSetting[] {
  return SHARES.flatMap(share => DEPTHS.map(confirmations => ({ share, confirmations })))
}

/** The races of all settings. */
function raceAll({
  seed,
  races,
  onStep,
}: {
  readonly seed: number
  readonly races: number
  readonly onStep: (word: string) => void
}): RaceTable {
  return runRaces({
    settings: settingsOfRaces(),
    races,
    replayed: 0,
    seed,
    onProgress: done => {
      if (done % races === 0) onStep('double-spend races')
    },
  })
}

async function recordAll({
  seed,
  latencyMs,
  onStep,
}: {
  readonly seed: number
  readonly latencyMs: number
  readonly onStep: (word: string) => void
}): Promise<Timeline[]> {
  const timelines: Timeline[] = []
  for (const variant of VARIANTS) {
    onStep(`${variant.name}: a run to look at`)
    timelines.push(await recordTimeline({ variant, seed, latencyMs }))
  }
  return timelines
}
