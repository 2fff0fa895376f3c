// The availability of each kind of finality under each fault, as a field of squares: the greener, the more was final in
// time; and what was final and then reversed, in figures.

import { wrapWords } from '../compare/table.ts'
import type { MeanInterval } from '../sweep/mean.ts'
import { showMean } from '../sweep/report.ts'
import type { Availability, AvailabilityCell } from './availability.ts'
import { type Chart, type Figure, isNarrow, sayEach, sized } from './figure.ts'

const ROW_HEIGHT = 44

/** The figure of what was measured. */
export function availabilityFigure(measured: Availability): Figure {
  const { faults, cells, seeds, nodes, rate, withinMs, faultMs } = measured
  const saysOf = (cell: AvailabilityCell): string => faults.find(({ name }) => name === cell.fault)!.says
  const halved = cells.filter(({ fault }) => fault === 'cut-in-half')
  const said = halved.map(({ variant, available, reversed }) => {
    const taken = reversed === 0 ? 'nothing is reversed' : `${reversed} transfers are reversed`
    return `with ${variant} ${percent(available.mean)} become final in time and ${taken}`
  })
  return {
    id: 'availability',
    heading: 'What goes on while something is broken?',
    finding: `While the network is cut in half, ${sayEach(said)}.`,
    method: `Of the transfers submitted while the fault lasted, and early enough for ${withinMs / 1_000} s to pass before its end, the share that was final on some node within that time and was never taken back; below it, how many transfers, double spends included, had been final on some node and are on no chain in the end, all seeds together. ${nodes} nodes with the block times of the default, ${rate} transfers a second, faults of ${faultMs / 1_000} s, ${seeds.length} seeds; loss lasts for the whole run. Clients leave a node that is dead and not one that is cut off: a quarter of them pay at the node that is. Where the network is cut some pay twice, once on each side. A message that is lost is lost: real links send it again.`,
    command: null,
    label:
      'A field of squares, a row for each fault and a column for each kind of finality, with the share of transfers that became final in time.',
    draw: width => drawField(measured, width),
    numbers: {
      heads: ['fault', '', 'final in time', 'nothing final for', 'final again after', 'reversed'],
      rows: cells.map(cell => [
        saysOf(cell),
        cell.variant,
        `${sayShare(cell.available)} of ${cell.submitted}`,
        showMean(cell.finalPauseMs, 'ms', seeds.length),
        showMean(cell.recoveredMs, 'ms', seeds.length),
        String(cell.reversed),
      ]),
    },
  }
}

/** A share and its 95 % interval, which can't be wider than all that there is. */
function sayShare({ mean, halfWidth }: MeanInterval): string {
  if (halfWidth === null || halfWidth === 0) return percent(mean)
  return `${percent(mean)} (${percent(Math.max(0, mean - halfWidth))} to ${percent(Math.min(1, mean + halfWidth))})`
}

function drawField({ variants, faults, cells }: Availability, width: number): Chart {
  // On a phone words stand below each other, and what was reversed is a number alone.
  const wrap = (says: string): string => (isNarrow(width) ? wrapWords(says, 14).join('\n') : says)
  const sayReversed = (count: number): string => (isNarrow(width) ? `−${count}` : `${count} reversed`)
  const says = new Map(faults.map(({ name, says }) => [name, wrap(says)]))
  const values = cells.map(({ variant, fault, available, reversed }) => ({
    variant,
    fault: says.get(fault),
    share: available.mean,
    said: percent(available.mean),
    reversed: reversed === 0 ? '' : sayReversed(reversed),
  }))
  const plain = { title: null, domain: false, ticks: false, labelLimit: 0 }
  return {
    ...sized(width, ROW_HEIGHT * faults.length + 40),
    data: { values },
    encoding: {
      x: {
        field: 'variant',
        type: 'nominal',
        sort: [...variants],
        axis: {
          ...plain,
          orient: 'top',
          labelAngle: 0,
          // A name of two words stands in two lines, which go down from where one would stand.
          ...(isNarrow(width) ? { labelExpr: "split(datum.label, '-')", labelPadding: 18 } : {}),
        },
      },
      y: {
        field: 'fault',
        type: 'nominal',
        sort: [...says.values()],
        axis: { ...plain, labelExpr: "split(datum.label, '\\n')" },
      },
    },
    layer: [
      {
        mark: { type: 'rect', stroke: 'white', strokeWidth: 2 },
        encoding: {
          color: {
            field: 'share',
            type: 'quantitative',
            legend: null,
            scale: { domain: [0, 1], range: ['#fdba74', '#fef9c3', '#86efac'] },
          },
        },
      },
      {
        mark: { type: 'text', fontSize: 12, dy: { expr: "datum.reversed === '' ? 0 : -7" } },
        encoding: { text: { field: 'said' } },
      },
      {
        mark: { type: 'text', fontSize: 11, dy: 9, color: '#9a3412' },
        encoding: { text: { field: 'reversed' } },
      },
    ],
  }
}

function percent(share: number): string {
  return `${Math.floor(share * 100)} %`
}
