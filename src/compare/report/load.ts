// Throughput against latency: what each kind of finality bears as the load grows, and where more load only makes it
// slower.

import type { SweepResult } from '../sweep/sweep.ts'
import { sweepCommand } from './command.ts'
import { type Figure, sayEach, sized, tellApart } from './figure.ts'
import { contendersOf, meanOf, pointOf, sayMetric } from './means.ts'

/** The figure of a sweep over the load. */
export function loadFigure(sweep: SweepResult): Figure {
  const { values, settings } = sweep
  const names = contendersOf(sweep)
  const rows = sweep.points.flatMap(point => {
    const perSecond = meanOf(point, 'final_per_second')
    const median = meanOf(point, 'finality_p50_ms')
    if (perSecond === null || median === null) return []
    return [{ name: point.contender, perSecond: perSecond.mean, seconds: median.mean / 1_000 }]
  })
  const most = names.map(name => {
    const reached = rows.filter(row => row.name === name).map(({ perSecond }) => perSecond)
    return `${Math.round(Math.max(0, ...reached))} with ${name}`
  })
  return {
    id: 'load',
    heading: 'How much does it carry, and how long does that take?',
    finding: `So many transfers a second became final at most: ${sayEach(most)}.`,
    method: `Each point is one load, of ${values.join(', ')} a second; “max” hands all ${settings.transfers} transfers in as fast as they are taken. Simulated nodes compute in no time: what limits them here is how often a block is made, how much it holds and how far messages go. What a machine bears is measured with --live.`,
    command: sweepCommand(sweep),
    label:
      'Median seconds until a transfer is final against the transfers that become final each second: a line for each kind of finality, a point for each load.',
    draw: width => ({
      ...sized(width, 320),
      data: { values: rows },
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
    }),
    numbers: {
      heads: ['handed in each second', ...names.flatMap(name => [`${name}: final each second`, 'median'])],
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
