// How long until a transfer is final: for each variant the share of the transfers that are final after so many seconds,
// while nothing is broken.

import type { SweepResult } from '../sweep/sweep.ts'
import { sweepCommand } from './command.ts'
import { type Chart, type Figure, sayEach, sayMs, sized, tellApart } from './figure.ts'

/** Shares that are drawn, in hundredths. */
const DRAWN = Array.from({ length: 100 }, (_, index) => index + 1)
/** Shares in the table. */
const TOLD = [1, 10, 25, 50, 75, 90, 95, 99, 100]

/** The share that is final so long after it was submitted. */
interface ShareRow {
  readonly name: string
  readonly share: number
  readonly seconds: number
}

/** The figure of a sweep without an axis. */
export function distributionFigure(sweep: SweepResult): Figure {
  const { points, seeds, settings } = sweep
  const found = points.map(({ variant, measurements }) => {
    const times = measurements.flatMap(({ quiet }) => quiet.finalityTimesMs).toSorted((a, b) => a - b)
    const submitted = measurements.reduce((sum, { quiet }) => sum + quiet.submitted, 0)
    const after = (percent: number): number | undefined => times[Math.ceil((percent / 100) * submitted) - 1]
    return { name: variant, means: measurements[0]!.finalMeans, after }
  })
  const names = found.map(({ name }) => name)
  const rows = found.flatMap(({ name, after }) =>
    DRAWN.flatMap(percent => {
      const ms = after(percent)
      return ms === undefined ? [] : [{ name, share: percent / 100, seconds: ms / 1_000 }]
    }),
  )
  const sayAfter = (ms: number | undefined): string => (ms === undefined ? 'never' : sayMs(ms))
  return {
    id: 'finality',
    heading: 'How long until a transfer is final?',
    finding: `Half of the transfers of all seeds together are final after ${sayEach(found.map(({ name, after }) => `${sayAfter(after(50))} with ${name}`))}.`,
    method: `The share of the transfers, ${settings.transfers} with each of ${seeds.length} seeds, that was final at the node that accepted it so long after it was submitted; nothing is broken. ${found
      .map(({ name, means }) => `Final with ${name}: ${means}.`)
      .join(' ')}`,
    command: sweepCommand(sweep),
    label:
      'Lines that rise from none to all of the transfers over the seconds until they are final, one for each kind of finality.',
    draw: width => drawShares(rows, names, width),
    numbers: {
      heads: ['share that is final', ...names],
      rows: TOLD.map(percent => [`${percent} %`, ...found.map(({ after }) => sayAfter(after(percent)))]),
    },
  }
}

/** Seconds from left to right, the share that is final by then from below to above. */
function drawShares(rows: readonly ShareRow[], names: readonly string[], width: number): Chart {
  return {
    ...sized(width, 300),
    data: { values: [...rows] },
    mark: { type: 'line', interpolate: 'step-after' },
    encoding: {
      x: {
        field: 'seconds',
        type: 'quantitative',
        scale: { type: 'log', nice: false },
        title: 'seconds since it was submitted',
        axis: { format: '~g', tickCount: 5 },
      },
      y: {
        field: 'share',
        type: 'quantitative',
        title: 'transfers that are final',
        axis: { format: '.0%' },
      },
      color: tellApart(names, width).color,
      strokeDash: tellApart(names, width).strokeDash,
    },
  }
}
