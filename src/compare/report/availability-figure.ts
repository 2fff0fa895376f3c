// The availability of each kind of finality under each fault, as a field of squares: the greener, the more was final in
// time; and what was final and then reversed, in figures.

import { wrapWords } from '../table.ts'
import type { Availability, AvailabilityCell } from './availability.ts'
import { type Chart, type Figure, isNarrow, sayEach, sayMs, sized } from './figure.ts'

const ROW_HEIGHT = 44

/** The figure of what was measured. */
export function availabilityFigure(measured: Availability): Figure {
  const { contenders, faults, cells, seeds, nodes, rate, withinMs, faultMs } = measured
  const saysOf = (cell: AvailabilityCell): string => faults.find(({ name }) => name === cell.fault)!.says
  const stopped = cells.filter(({ fault, available }) => fault === 'cut-in-half' && available.mean === 0)
  const reversing = contenders.flatMap(name => {
    const own = cells.filter(({ contender }) => contender === name)
    const reversed = own.reduce((sum, cell) => sum + cell.reversed, 0)
    return reversed === 0 ? [] : [`${name} took back ${reversed} transfers that it had called final`]
  })
  const findings = [
    stopped.length === 0
      ? ''
      : `cut in half, nothing is final with ${sayEach(stopped.map(({ contender }) => contender))}`,
    ...reversing,
  ].filter(text => text !== '')
  return {
    id: 'availability',
    heading: 'What goes on while something is broken?',
    finding: `Some go on and some are right: ${findings.join('; ')}.`,
    method: `Of the transfers handed in while the fault lasted, the share that was final within ${withinMs / 1_000} s and stayed final; below it, how many had been final on some node and were reversed in the end. ${nodes} nodes, ${rate} transfers a second, faults of ${faultMs / 1_000} s, ${seeds.length} seeds; where the network is cut some pay twice, once on each side. A message that is lost is lost: real links send it again.`,
    command: null,
    label:
      'A field of squares, a row for each fault and a column for each kind of finality, with the share of transfers that became final in time.',
    draw: width => drawField(measured, width),
    numbers: {
      heads: ['fault', '', 'final in time', 'nothing final for', 'final again after', 'reversed'],
      rows: cells.map(cell => [
        saysOf(cell),
        cell.contender,
        `${percent(cell.available.mean)} of ${cell.handedIn}`,
        sayMs(cell.finalPauseMs.mean),
        cell.recoveredMs === null ? '–' : sayMs(cell.recoveredMs.mean),
        String(cell.reversed),
      ]),
    },
  }
}

function drawField({ contenders, faults, cells }: Availability, width: number): Chart {
  // On a phone words stand below each other, and what was reversed is a number alone.
  const wrap = (says: string): string => (isNarrow(width) ? wrapWords(says, 14).join('\n') : says)
  const sayReversed = (count: number): string => (isNarrow(width) ? `−${count}` : `${count} reversed`)
  const says = new Map(faults.map(({ name, says }) => [name, wrap(says)]))
  const values = cells.map(({ contender, fault, available, reversed }) => ({
    contender,
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
        field: 'contender',
        type: 'nominal',
        sort: [...contenders],
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
