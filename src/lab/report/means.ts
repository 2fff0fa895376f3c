// Figures of means over an axis: one panel for each thing that was measured, one line through the means of each kind of
// finality, and a dot for each seed. The intervals of the means stand in the table.

import type { MeanInterval } from '../sweep/mean.ts'
import { METRICS, type Metric } from '../sweep/metrics.ts'
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

/** The names of the variants, in their order. */
export function variantsOf({ points }: SweepResult): string[] {
  return [...new Set(points.map(({ variant }) => variant))]
}

/** What came out for a variant at a value. */
export function pointOf({ points }: SweepResult, name: string, value: SweepPoint['value']): SweepPoint {
  const point = points.find(point => point.variant === name && point.value === value)
  if (point === undefined) throw new RangeError(`there is no point for ${name} at ${value}`)
  return point
}

/** A mean by the name of what was measured; null when it did not happen. */
export function meanOf({ metrics }: SweepPoint, metric: string): MeanInterval | null {
  return metrics[metric] ?? null
}

/** What was measured, with its interval, in words. */
export function sayMetric({ seeds }: SweepResult, point: SweepPoint, metric: string): string {
  return showMean(meanOf(point, metric), metricNamed(metric).unit, seeds.length)
}

/** What was measured, alone. */
export function sayMeanAlone(point: SweepPoint, metric: string): string {
  const found = meanOf(point, metric)
  if (found === null) return 'never'
  // Nought is said as such, without a point.
  return showMean({ ...found, halfWidth: found.mean === 0 ? 0 : null }, metricNamed(metric).unit, found.runs)
}

function metricNamed(name: string): Metric {
  const found = METRICS.find(metric => metric.name === name)
  if (found === undefined) throw new RangeError(`nothing is measured that is called ${name}`)
  return found
}

/** The figure of these panels. */
export function meansFigure(sweep: SweepResult, parts: MeansParts): Figure {
  const { values } = sweep
  const { xTitle, panels, ...figure } = parts
  const names = variantsOf(sweep)
  return {
    ...figure,
    method: `${figure.method} A dot is one seed, a line goes through the means of all.`,
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
  const { pick } = metricNamed(metric)
  const { color, shape, strokeDash } = tellApart(variantsOf(sweep), width)
  const means = sweep.points.flatMap(point => {
    const found = meanOf(point, metric)
    return found === null ? [] : [{ name: point.variant, value: point.value, y: found.mean / by }]
  })
  const runs = sweep.points.flatMap(({ variant: name, value, measurements }) =>
    measurements.flatMap(measurement => {
      const found = pick(measurement)
      return found === null ? [] : [{ name, value, y: found / by }]
    }),
  )
  return {
    title,
    width: width - MARGIN,
    height: HEIGHT,
    layer: [
      { data: { values: runs }, mark: { type: 'circle', size: 22, opacity: 0.45 } },
      {
        data: { values: means },
        mark: { type: 'line', point: { size: 60, filled: true } },
        encoding: { shape, strokeDash },
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
      y: { field: 'y', type: 'quantitative', title: null, axis: { tickCount: 5 } },
      color,
    },
  }
}
