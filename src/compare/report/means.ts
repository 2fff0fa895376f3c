// Figures of means over an axis: one panel for each thing that was measured, one line for each kind of finality, and the
// 95 % interval of each mean over the seeds.

import type { MeanInterval } from '../sweep/mean.ts'
import { METRICS, type Unit } from '../sweep/metrics.ts'
import { showMean } from '../sweep/report.ts'
import type { SweepPoint, SweepResult } from '../sweep/sweep.ts'
import { sweepCommand } from './command.ts'
import { type Figure, tellApart, type View } from './figure.ts'

/** Pixels beside a panel that its axis takes, and its height. */
const MARGIN = 96
const HEIGHT = 200

/** One thing that was measured, and how it is drawn. */
export interface Panel {
  readonly title: string
  /** By its name in ../sweep/metrics.ts. */
  readonly metric: string
  /** What a unit of the picture is, in units of the metric. */
  readonly by: number
}

/** What is drawn over which axis, besides what the sweep itself knows. */
export type MeansParts = Pick<Figure, 'id' | 'heading' | 'finding' | 'method' | 'label'> & {
  readonly xTitle: string
  readonly panels: readonly Panel[]
}

/** The names of the contenders, in their order. */
export function contendersOf({ points }: SweepResult): string[] {
  return [...new Set(points.map(({ contender }) => contender))]
}

/** What came out for a contender at a value. */
export function pointOf({ points }: SweepResult, name: string, value: SweepPoint['value']): SweepPoint {
  const point = points.find(point => point.contender === name && point.value === value)
  if (point === undefined) throw new RangeError(`there is no point for ${name} at ${value}`)
  return point
}

/** A mean by the name of what was measured; null when it did not happen. */
export function meanOf({ metrics }: SweepPoint, metric: string): MeanInterval | null {
  return metrics[metric] ?? null
}

/** What was measured, with its interval, in words. */
export function sayMetric({ seeds }: SweepResult, point: SweepPoint, metric: string): string {
  return showMean(meanOf(point, metric), unitOf(metric), seeds.length)
}

/** What was measured, alone. */
export function sayMeanAlone(point: SweepPoint, metric: string): string {
  const found = meanOf(point, metric)
  if (found === null) return 'nothing'
  // Nought is said as such, without a point.
  return showMean({ ...found, halfWidth: found.mean === 0 ? 0 : null }, unitOf(metric), found.runs)
}

function unitOf(metric: string): Unit {
  const found = METRICS.find(({ name }) => name === metric)
  if (found === undefined) throw new RangeError(`nothing is measured that is called ${metric}`)
  return found.unit
}

/** The figure of these panels. */
export function meansFigure(sweep: SweepResult, parts: MeansParts): Figure {
  const { values } = sweep
  const { xTitle, panels, ...figure } = parts
  const names = contendersOf(sweep)
  return {
    ...figure,
    command: sweepCommand(sweep),
    draw: width => ({ vconcat: panels.map(panel => drawPanel(sweep, { panel, xTitle, width })) }),
    numbers: {
      heads: [xTitle, ...panels.flatMap(({ title }) => names.map(name => `${title}, ${name}`))],
      rows: values.map(value => [
        String(value),
        ...panels.flatMap(({ metric }) =>
          names.map(name => sayMetric(sweep, pointOf(sweep, name, value), metric)),
        ),
      ]),
    },
  }
}

function drawPanel(
  sweep: SweepResult,
  { panel, xTitle, width }: { readonly panel: Panel; readonly xTitle: string; readonly width: number },
): View {
  const { title, metric, by } = panel
  const rows = sweep.points.flatMap(point => {
    const found = meanOf(point, metric)
    if (found === null) return []
    const half = found.halfWidth ?? 0
    const [mean, low, high] = [found.mean, Math.max(0, found.mean - half), found.mean + half].map(y => y / by)
    return [{ name: point.contender, value: point.value, mean, low, high }]
  })
  return {
    title,
    width: width - MARGIN,
    height: HEIGHT,
    data: { values: rows },
    layer: [
      {
        mark: { type: 'rule', strokeDash: [1, 0], opacity: 0.5 },
        encoding: { y: { field: 'low', type: 'quantitative' }, y2: { field: 'high' } },
      },
      {
        mark: { type: 'line', point: { size: 60, filled: true } },
        encoding: {
          y: { field: 'mean', type: 'quantitative', title: null, axis: { tickCount: 5 } },
          ...tellApart(contendersOf(sweep), width),
        },
      },
    ],
    encoding: {
      x: {
        field: 'value',
        type: 'quantitative',
        scale: { type: 'log', nice: false },
        title: xTitle,
        axis: { values: sweep.values.map(Number), format: '~g' },
      },
      color: tellApart(contendersOf(sweep), width).color,
    },
  }
}
