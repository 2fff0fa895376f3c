// A sweep: the same comparison at several values of one thing, each with several seeds, so that every figure comes with
// the interval in which it can be trusted. A single value is a sweep too: then the seeds are all that is repeated.

import { PARTS, type RunVariant } from '../compare/experiment.ts'
import type { CompareSettings, Measurement } from '../compare/measurement.ts'
import { type StageKind, stageData } from '../compare/stage-kinds.ts'
import type { Variant } from '../stage/variant.ts'
import type { Rate } from '../stage/workload.ts'
import { type MeanInterval, meanInterval } from './mean.ts'
import { METRICS } from './metrics.ts'

/**
 * What can be swept. Latency is in milliseconds, loss in thousandths of the messages; cut is the seconds until a network
 * cut in half is whole again, which is what theory calls the global stabilization time; block is the block time in
 * milliseconds. A rate may be `max`, nothing else may.
 */
export const AXES = ['nodes', 'latency', 'rate', 'transfers', 'loss', 'cut', 'block'] as const

/** One of these. */
export type Axis = (typeof AXES)[number]

/** One axis, and its values in their order; without an axis, one point. */
export interface Sweep {
  readonly axis: Axis | null
  readonly values: readonly Rate[]
}

/** All that came out for one variant at one value. */
export interface SweepPoint {
  readonly variant: string
  /** Null without an axis. */
  readonly value: Rate | null
  /** By the names of metrics.ts; null for what did not happen under any seed. */
  readonly metrics: Readonly<Record<string, MeanInterval | null>>
  /** One for each seed, in their order. */
  readonly measurements: readonly Measurement[]
}

/** A whole sweep, and what makes the same come out again. */
export interface SweepResult {
  readonly stage: { readonly name: string } & Readonly<Record<string, number | string>>
  readonly settings: CompareSettings
  readonly axis: Axis | null
  readonly values: readonly Rate[]
  /** The first of them is that of the settings. */
  readonly seeds: readonly number[]
  readonly points: readonly SweepPoint[]
}

/** What is to be swept, and how. */
export interface SweepOptions {
  readonly variants: readonly Variant[]
  readonly settings: CompareSettings
  /** The stage where nothing of it is swept. */
  readonly stage: StageKind
  readonly sweep: Sweep
  readonly repeat: number
  /** Reports progress: how many steps of how many are done, and what is run now. */
  readonly onProgress: (done: number, word: string) => void
}

/** Steps in all, for progress. */
export function countSweepSteps({
  variants,
  settings,
  sweep,
  repeat,
}: Pick<SweepOptions, 'variants' | 'settings' | 'sweep' | 'repeat'>): number {
  const parts = settings.hasFaults ? PARTS.length : PARTS.length - 2
  return variants.length * Math.max(1, sweep.values.length) * repeat * parts
}

/** Runs every variant at every value with every seed, one after the other. */
export async function runSweep(options: SweepOptions): Promise<SweepResult> {
  const { variants, settings, stage, sweep, repeat, onProgress } = options
  const { axis, values } = sweep
  const seeds = Array.from({ length: repeat }, (_, index) => settings.seed + index)
  const points: SweepPoint[] = []
  let done = 0
  for (const value of axis === null ? [null] : values) {
    const run = axis === null || value === null ? stage.run : runAt(stage, axis, value)
    for (const variant of variants) {
      const measurements: Measurement[] = []
      for (const seed of seeds) {
        const where = value === null ? `seed ${seed}` : `${axis} ${value}, seed ${seed}`
        const onPart = (word: string): void => onProgress(done++, `${variant.name}, ${where}: ${word}`)
        const own = { ...settings, ...settingAt(axis, value), seed }
        measurements.push(await run(variant, own, onPart))
      }
      points.push({ variant: variant.name, value, metrics: summarize(measurements), measurements })
    }
  }
  return { stage: stageData(stage, settings), settings, axis, values, seeds, points }
}

/** The setting that an axis stands for; none where it is a property of the stage. */
function settingAt(axis: Axis | null, value: Rate | null): Partial<CompareSettings> {
  if (value === null) return {}
  if (axis === 'rate') return { rate: value }
  if (value === 'max') throw new RangeError(`${axis} can't be max, only a rate can`)
  switch (axis) {
    case 'nodes':
      return { nodes: value }
    case 'transfers':
      return { transfers: value }
    case 'cut':
      return { cutMs: value * 1_000 }
    case 'block':
      return { blockMs: value }
    case 'latency':
    case 'loss':
    case null:
      return {}
  }
}

/** The stage at one value of an axis. */
function runAt(stage: StageKind, axis: Axis, value: Rate): RunVariant {
  if (value === 'max') return stage.run
  if (axis === 'latency') return stage.runOver({ latencyMs: value })
  return axis === 'loss' ? stage.runOver({ lossRate: value / 1_000 }) : stage.run
}

function summarize(measurements: readonly Measurement[]): Record<string, MeanInterval | null> {
  return Object.fromEntries(
    METRICS.map(({ name, pick }) => {
      const values = measurements.map(pick).filter(value => value !== null)
      return [name, values.length === 0 ? null : meanInterval(values)]
    }),
  )
}
