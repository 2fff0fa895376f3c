// Throughput against latency: how many transfers become final each second, and how long each takes, as the load grows up
// to a burst of all at once.

import type { SweepResult } from '../sweep/sweep.ts'
import { sweepCommand } from './command.ts'
import { type Chart, type Figure, sayEach, sized, tellApart } from './figure.ts'
import { meanOf, pointOf, sayMetric, variantsOf } from './means.ts'

/** What came out at one load. */
interface LoadRow {
  readonly name: string
  readonly perSecond: number
  readonly seconds: number
}

/** The figure of a sweep over the load. */
export function loadFigure(sweep: SweepResult): Figure {
  const { values, settings } = sweep
  const names = variantsOf(sweep)
  const rows = sweep.points.flatMap(point => {
    const perSecond = meanOf(point, 'final_per_second')
    const median = meanOf(point, 'finality_p50_ms')
    if (perSecond === null || median === null) return []
    return [{ name: point.variant, perSecond: perSecond.mean, seconds: median.mean / 1_000 }]
  })
  const last = values.at(-1)!
  const atLast = names.map(name => {
    const point = pointOf(sweep, name, last)
    return `${sayMetric(sweep, point, 'final_per_second')} with ${name}`
  })
  return {
    id: 'load',
    heading: 'How does it behave under load?',
    finding: `Of ${settings.transfers} transfers submitted ${last === 'max' ? 'at once' : `at ${last} a second`} so many became final a second, until the last one was: ${sayEach(atLast)}.`,
    method: `Each point is one load, of ${values.join(', ')} transfers a second; “max” submits all at once, and the larger such a burst is, the more of it is final each second. Nothing is full here: simulated nodes compute in no time, and a block holds some 1,400 transfers. It is how long a load takes to become final, not the most that a chain carries; what a machine carries is measured with --live. Both coordinates are means over the seeds.`,
    command: sweepCommand(sweep),
    label:
      'Median seconds until a transfer is final against the transfers that become final each second: a line for each kind of finality, a point for each load.',
    draw: width => drawLoads(rows, names, width),
    numbers: {
      heads: ['submitted each second', ...names.flatMap(name => [`${name}: final each second`, 'median'])],
      rows: values.map(value => [
        String(value),
        ...names.flatMap(name => {
          const point = pointOf(sweep, name, value)
          return [sayMetric(sweep, point, 'final_per_second'), sayMetric(sweep, point, 'finality_p50_ms')]
        }),
      ]),
    },
  }
}

/** Throughput from left to right, latency from below to above. */
function drawLoads(rows: readonly LoadRow[], names: readonly string[], width: number): Chart {
  return {
    ...sized(width, 320),
    data: { values: [...rows] },
    mark: { type: 'line', point: { size: 60, filled: true } },
    encoding: {
      x: {
        field: 'perSecond',
        type: 'quantitative',
        scale: { type: 'log' },
        title: 'transfers that become final each second',
        axis: { format: '~s', tickCount: 5 },
      },
      y: {
        field: 'seconds',
        type: 'quantitative',
        scale: { type: 'log' },
        title: 'seconds until final, median',
        axis: { format: '~g', tickCount: 5 },
      },
      order: { field: 'perSecond' },
      ...tellApart(names, width),
    },
  }
}
