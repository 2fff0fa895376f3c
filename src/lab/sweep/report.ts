// A sweep as people read it, one table for each figure: a row for each variant, a column for each value; and as CSV,
// one line for each figure, for programs that draw it.

import { showRate } from '../compare/comparison.ts'
import type { StageKind } from '../compare/stage-kinds.ts'
import { alignRows, wrapWords } from '../compare/table.ts'
import type { MeanInterval } from './mean.ts'
import { METRICS, type Unit } from './metrics.ts'
import type { SweepPoint, SweepResult } from './sweep.ts'

const NOTHING = '–'

/** What it was made with, and the tables, in lines of so many characters. */
export function showSweep(
  result: SweepResult,
  { stage, columns }: { readonly stage: StageKind; readonly columns: number },
): string {
  const { axis, values, seeds, points, settings } = result
  const heads = axis === null ? ['mean'] : values.map(value => `${axis} ${value}`)
  const variants = [...new Set(points.map(({ variant }) => variant))]
  const groups = METRICS.filter(({ name }) => points.some(({ metrics }) => metrics[name] !== null)).map(
    ({ name, label, unit }) => [
      [''],
      [label],
      ...variants.map(variant => [
        `  ${variant}`,
        ...points
          .filter(point => point.variant === variant)
          .map(({ metrics }) => showMean(metrics[name] ?? null, unit, seeds.length)),
      ]),
    ],
  )
  const means = stage.name === 'live' || axis === null ? stage.means(settings) : 'simulated nodes'
  const made = describeSweep(result, means)
  return `${wrapWords(made, columns).join('\n')}\n\n${alignRows([['', ...heads], ...groups.flat()], columns)}`
}

/** What a sweep was made with, on nodes of which this is known. */
export function describeSweep({ settings, seeds }: SweepResult, means: string): string {
  const { nodes, transfers, rate, senders } = settings
  const order = senders === 'zipf' ? 'senders by Zipf’s law' : 'senders in turn'
  const sure =
    seeds.length === 1 ? 'one seed' : `${seeds.length} seeds from ${seeds[0]}, mean ± 95 % interval`
  return `${nodes} ${means}; ${transfers} transfers, ${showRate(rate)}, ${order}, unless swept; ${sure}.`
}

/** Lines of comma-separated values after a line of names; no value needs quotes. */
export function sweepCsv({ axis, points }: SweepResult): string {
  const head = ['variant', 'axis', 'value', 'metric', 'unit', 'mean', 'low', 'high', 'runs']
  return [head, ...points.flatMap(point => csvLines(axis ?? '', point))]
    .map(line => line.join(','))
    .join('\n')
}

function csvLines(axis: string, { variant, value, metrics }: SweepPoint): (string | number)[][] {
  return METRICS.map(({ name, unit }) => {
    const found = metrics[name] ?? null
    const half = found?.halfWidth ?? null
    return [
      variant,
      axis,
      value ?? '',
      name,
      unit,
      found?.mean ?? '',
      found === null || half === null || unit === 'runs' ? '' : Math.max(0, found.mean - half),
      found === null || half === null || unit === 'runs' ? '' : found.mean + half,
      found?.runs ?? 0,
    ]
  })
}

/** A mean with its interval, in a unit that both can be read in; some of so many seeds may have none. */
export function showMean(found: MeanInterval | null, unit: Unit, seeds: number): string {
  if (found === null) return NOTHING
  const { mean, halfWidth, runs } = found
  // Of a few runs that did or did not, a mean would say more than is known.
  if (unit === 'runs') return `${Math.round(mean * runs)} of ${runs}`
  if (mean === 0 && halfWidth === 0 && runs === seeds) return '0'
  // One scale for both, so that they can be compared at a glance.
  const scale = scaleOf(Math.max(Math.abs(mean), halfWidth ?? 0), unit)
  const figure = (value: number): string => (value / scale.by).toFixed(scale.digits)
  const sure = halfWidth === null ? '' : ` ± ${figure(halfWidth)}`
  const some = runs === seeds ? '' : ` (${runs} of ${seeds})`
  return `${figure(mean)}${sure}${scale.word}${some}`
}

function scaleOf(value: number, unit: Unit): { by: number; digits: number; word: string } {
  if (unit === 'ms')
    return value < 1_000 ? { by: 1, digits: 0, word: ' ms' } : { by: 1_000, digits: 2, word: ' s' }
  if (value >= 1e6) return { by: 1e6, digits: 2, word: ' M' }
  if (value >= 1e4) return { by: 1e3, digits: 1, word: ' k' }
  return { by: 1, digits: value < 100 ? 1 : 0, word: '' }
}
