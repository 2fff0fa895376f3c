// What the attacks came to, as text for people: tables, and under each in words how it was measured and what it says.
// A table as a whole agrees with its theory or not; a single interval may miss by chance.

import type { Interval } from '../compare/interval.ts'
import { alignRows, wrapWords } from '../compare/table.ts'
import { type Variant, variantNamed } from '../stage/variant.ts'
import type { RaceTable } from './double-spend.ts'
import type { NetworkRaceRow } from './double-spend-network.ts'
import { FORGONE } from './double-spend-race.ts'
import type { EclipseRow } from './eclipse.ts'
import type { SelfishTable } from './selfish-mining.ts'
import type { TimeWarpTable } from './time-warp.ts'

/** A table agrees with its theory unless one as far off comes up less often than this. */
export const DOUBT = 0.001

/** Confirmations that bring the probability of reversal below a risk, by both formulas. */
export interface ConfirmationRow {
  readonly share: number
  readonly nakamoto: number | null
  readonly exact: number | null
}

/** The races against the longest chain. */
export function showRaces(table: RaceTable, columns: number): string {
  const { rows, agreement, seed } = table
  const inside = rows.filter(row => row.isInside).length
  const head = ['q', 'z', 'measured', '95 % interval', 'exact', 'Nakamoto', 'exact inside']
  const cells = rows.map(row => [
    percent(row.share),
    String(row.confirmations),
    percent(row.measured),
    showInterval(row.interval),
    percent(row.exact),
    percent(row.nakamoto),
    row.isInside ? 'yes' : 'NO',
  ])
  const replayed = rows.reduce((sum, row) => sum + row.replayed, 0)
  const agreed = rows.reduce((sum, row) => sum + row.agreed, 0)
  return [
    alignRows([head, ...cells], columns),
    '',
    ...say(
      columns,
      `${rows[0]!.races} races a row, seed ${seed}: real headers, and the fork choice of a node. ${replayed} of them were run again between whole replicas with blocks, state and mempool: ${agreed} ended the same way. The attacker gives up where he forgoes less than ${FORGONE} successes in all races of a row.`,
      `${inside} of ${rows.length} intervals hold the exact figure; one in twenty misses by chance. So the table is judged as one: chi-square ${agreement.chiSquare.toFixed(1)} with ${agreement.cells} degrees of freedom, and a right formula does worse with a probability of ${agreement.probability.toFixed(3)}: ${verdict(agreement.probability)}.`,
    ),
  ].join('\n')
}

/** The confirmations that are enough. */
export function showConfirmations(rows: readonly ConfirmationRow[], risk: number, columns: number): string {
  const cell = (count: number | null): string => (count === null ? 'none' : String(count))
  return [
    `Confirmations for P(reversal) < ${percent(risk)}`,
    alignRows(
      [
        ['q', ...rows.map(({ share }) => percent(share))],
        ['Nakamoto', ...rows.map(({ nakamoto }) => cell(nakamoto))],
        ['exact', ...rows.map(({ exact }) => cell(exact))],
      ],
      Math.max(columns, 140),
    ),
  ].join('\n')
}

/** The races against whole networks. */
export function showNetworkRaces(rows: readonly NetworkRaceRow[], columns: number): string {
  const head = ['q', 'races', 'merchant delivered', 'rival branch shown', 'refused', 'reversed']
  const cells = rows.map(row =>
    [percent(row.share), row.races, row.delivered, row.shown, row.refused, row.reversed].map(String),
  )
  const words = wordsOnRaces(variantNamed(rows[0]!.mode))
  return [alignRows([head, ...cells], columns), '', ...say(columns, words)].join('\n')
}

function wordsOnRaces({ isMined, hasValidators }: Variant): string {
  if (!hasValidators)
    return 'The merchant delivers after his confirmations. A branch is shown when it holds more work.'
  if (isMined)
    return 'The merchant delivers when his payment is final. A branch is shown when it holds more work than his: it leaves the chain below a final block, and is refused whatever its work.'
  return 'No block is mined, so there is no race: a block counts only with the signatures of n − f validators. What is shown is a block with the rival that no validator signed.'
}

/** Selfish mining. */
export function showSelfish({ rows, seed, probability }: SelfishTable, columns: number): string {
  const head = ['gamma', 'alpha', 'revenue', '95 % interval', 'formula', 'inside', 'it pays']
  const cells = rows.map(row => [
    String(row.gamma),
    percent(row.alpha),
    percent(row.revenue),
    showInterval(row.interval),
    percent(row.theory),
    row.isInside ? 'yes' : 'NO',
    row.revenue > row.alpha ? 'yes' : 'no',
  ])
  const gammas = [...new Set(rows.map(row => row.gamma))]
  const thresholds = gammas.map(gamma => {
    const { threshold } = rows.find(row => row.gamma === gamma)!
    return `${percent(threshold)} for gamma ${gamma}`
  })
  return [
    alignRows([head, ...cells], columns),
    '',
    ...say(
      columns,
      `Blocks found for each row: ${rows[0]!.blocks}, seed ${seed}: real headers, the fork choice of a node, intervals from 20 batches. It pays above (1 − gamma)/(3 − 2 gamma): ${thresholds.join(', ')}.`,
      `A right formula does worse as a table with a probability of ${probability.toFixed(3)}: ${verdict(probability)}.`,
    ),
  ].join('\n')
}

/** Time-warping. */
export function showTimeWarp({ days, rows }: TimeWarpTable, columns: number): string {
  const words = { asert: 'ASERT, this chain', 'retarget-2016': 'a retarget every 2,016 blocks' }
  const head = ['times', 'blocks due', 'made', 'made/due', 'bound']
  const sections = (['asert', 'retarget-2016'] as const).flatMap(rule => [
    [words[rule]],
    ...rows
      .filter(row => row.rule === rule)
      .map(row => [
        `  ${row.strategy}`,
        String(row.due),
        String(row.mined),
        (row.mined / row.due).toFixed(3),
        row.bound === null ? 'none' : String(Math.floor(row.bound)),
      ]),
  ])
  return [
    alignRows([head, ...sections], columns),
    '',
    ...say(
      columns,
      `${days} days, a miner of all blocks with the hashes that the schedule is made for, ten minutes a block, two hours of future. Under ASERT no choice of times gains more than the two hours; the retarget is left where ten times the blocks are made.`,
    ),
  ].join('\n')
}

/** Eclipses. */
export function showEclipse(rows: readonly EclipseRow[], columns: number): string {
  const { confirmations, runs, share } = rows[0]!
  const line = (label: string, cell: (row: EclipseRow) => string): string[] => [label, ...rows.map(cell)]
  const of = (count: number): string => `${count} of ${runs}`
  return [
    alignRows(
      [
        line('', row => row.mode),
        line(`saw ${confirmations} confirmations`, row => of(row.confirmed)),
        line('  after', row =>
          row.confirmedSeconds === null ? 'never' : `${row.confirmedSeconds.toFixed(1)} s`,
        ),
        line('  by theory, z T/q', row =>
          row.expectedSeconds === null
            ? 'never'
            : `${row.expectedSeconds.toFixed(1)} s ± ${(1.96 * row.expectedError!).toFixed(1)}`,
        ),
        line('blocks the victim saw', row => row.victimBlocks.toFixed(1)),
        line('blocks the others made', row => row.honestBlocks.toFixed(1)),
        line('became final for the victim', row => row.victimFinal.toFixed(1)),
        line('  for the others', row => row.honestFinal.toFixed(1)),
        line('called the payment final', row => of(row.calledFinal)),
        line('payment gone when it met them', row => of(row.reversed)),
        line('agrees with the others then', row => of(row.recovered)),
      ],
      columns,
    ),
    '',
    ...say(
      columns,
      `All peers of the victim are the attacker's, who has ${percent(share)} of all hashes; with all of them a block takes one second. What the victim can notice: blocks come as slowly as the attacker finds them, and no certificate comes. What is final stays what it was: it is never guessed. Where the payment is not gone afterwards, the attacker was lucky: his branch held more work than that of the others, nothing in theirs was final yet, and all follow his.`,
    ),
  ].join('\n')
}

function verdict(probability: number): string {
  return probability >= DOUBT ? 'it agrees' : 'it does NOT agree'
}

function showInterval({ low, high }: Interval): string {
  return `${percent(low, '')}…${percent(high)}`
}

/** A share as a percentage with three digits that count. Its sign stays with it when a cell is broken into lines. */
function percent(share: number, sign = '\u00a0%'): string {
  const value = Number((share * 100).toPrecision(3))
  return `${value > 0 && value < 0.001 ? value.toExponential(1) : value}${sign}`
}

function say(columns: number, ...paragraphs: readonly string[]): string[] {
  return paragraphs.flatMap(text => wrapWords(text, Math.min(columns, 100)))
}
