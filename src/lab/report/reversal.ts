// How safe a block is under so many others: the rates at which races that were run reversed it, beside the exact formula
// and Nakamoto's.

import type { RaceRow, RaceTable } from '../attack/double-spend.ts'
import type { Interval } from '../compare/interval.ts'
import { type Chart, type Figure, sized, tellApart } from './figure.ts'

/** The attacker's shares of all hashes, and the confirmations that are waited for. */
export const SHARES = [0.1, 0.2, 0.3, 0.4]
export const DEPTHS = [1, 2, 3, 4, 6, 8, 10]

/** What came out at one setting, and how it is drawn. */
type NamedRow = Omit<RaceRow, 'interval'> & Interval & { readonly name: string }

/** The figure of a table of races. */
export function reversalFigure({ rows, seed, agreement }: RaceTable): Figure {
  const races = rows[0]!.races
  const named = rows.map(({ interval, ...row }) => ({ ...row, ...interval, name: `q = ${row.share}` }))
  const inside = rows.filter(({ isInside }) => isInside).length
  const unseen = named.filter(({ reversed }) => reversed === 0).length
  return {
    id: 'reversal',
    heading: 'How safe is a block under so many others?',
    finding: `Of ${rows.length} measured rates ${inside} have the exact formula within their 95 % interval (of twenty, nineteen should); a right formula would do worse as a table with a probability of ${percent(agreement.probability)}.`,
    method: `The probability that a miner with the share q of all hashes reverses a payment after so many confirmations. Points with their 95 % intervals are ${races} races each of real headers under the fork choice of a node; lines are the exact formula (Rosenfeld; Grunspan and Pérez-Marco), dashes Nakamoto’s, which takes the attacker’s progress for a Poisson variable: a little too careful at few confirmations, too hopeful at many.${unseen === 0 ? '' : ` Where none of the races succeeded (${unseen} times) there is no point.`}`,
    command: `quorate attack double-spend --share ${SHARES.join(',')} --confirmations ${DEPTHS[0]}..${DEPTHS.at(-1)} --races ${races} --seed ${seed}`,
    label:
      'Probability of reversal against confirmations on a logarithmic scale: falling lines, one for each share of an attacker, with measured points on them.',
    draw: width => drawRaces(named, width),
    numbers: {
      heads: ['q', 'confirmations', 'measured', '95 % interval', 'exact', 'Nakamoto'],
      rows: rows.map(({ share, confirmations, measured, interval, exact, nakamoto }) => [
        String(share),
        String(confirmations),
        percent(measured),
        `${percent(interval.low)} to ${percent(interval.high)}`,
        percent(exact),
        percent(nakamoto),
      ]),
    },
  }
}

/** An axis of powers of ten. */
function probability(field: string) {
  const powers = [1e-4, 1e-3, 1e-2, 1e-1, 1]
  return {
    field,
    type: 'quantitative' as const,
    scale: { type: 'log' as const, domain: [1e-4, 1] },
    title: 'probability that it is reversed',
    axis: { format: '~%', values: powers },
  }
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(3))} %`
}

/** Confirmations from left to right, the probability of reversal from below to above. */
function drawRaces(named: readonly NamedRow[], width: number): Chart {
  const names = [...new Set(named.map(({ name }) => name))]
  // Nothing seen is a point at no height, which a scale of powers has no place for.
  const seen = named.filter(({ reversed }) => reversed > 0)

  const { color, shape } = tellApart(names, width)
  return {
    ...sized(width, 380),
    encoding: {
      x: {
        field: 'confirmations',
        type: 'quantitative',
        title: 'confirmations',
        axis: { values: DEPTHS },
      },
      color,
    },
    layer: [
      {
        data: { values: [...named] },
        mark: { type: 'line', clip: true },
        encoding: { y: probability('exact') },
      },
      {
        data: { values: [...named] },
        mark: { type: 'line', clip: true, strokeDash: [4, 4], strokeWidth: 1.2 },
        encoding: { y: probability('nakamoto') },
      },
      {
        data: { values: seen },
        mark: { type: 'rule', clip: true },
        encoding: { y: probability('low'), y2: { field: 'high' } },
      },
      {
        data: { values: seen },
        mark: { type: 'point', filled: true, size: 50, opacity: 1 },
        encoding: { y: probability('measured'), shape },
      },
    ],
  }
}
