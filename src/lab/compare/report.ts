// Measurements as a table for a terminal, as wide as it is: a column for each variant, rows in groups under a heading,
// and below it in words what a cut network did. For exact figures take the measurements themselves,
// which are plain data.

import type { Half, LeaderKilled, Measurement, NetworkCut, QuietPart } from './measurement.ts'
import type { Percentiles } from './percentiles.ts'
import { alignRows, wrapWords } from './table.ts'

/** A row: what it shows, and how. */
type Row<T> = readonly [label: string, show: (part: T) => string]

const NOTHING = '–'

const QUIET_ROWS: readonly Row<QuietPart>[] = [
  ['transfers final', ({ final, submitted }) => `${final} of ${submitted}`],
  ...percentileRows<QuietPart>('in a block after', ({ inclusionMs }) => inclusionMs),
  ...percentileRows<QuietPart>('final after', ({ finalityMs }) => finalityMs),
  ['final each second', ({ finalPerSecond }) => showNumber(finalPerSecond)],
  ['messages a transfer', ({ cost }) => showNumber(cost.messagesPerTransfer)],
  ['bytes a transfer', ({ cost }) => showNumber(cost.bytesPerTransfer)],
  ['messages a block', ({ cost }) => showNumber(cost.messagesPerBlock)],
  ['bytes a block', ({ cost }) => showNumber(cost.bytesPerBlock)],
  ['hashes a transfer', ({ cost }) => showNumber(cost.hashesPerTransfer)],
  ['signatures a transfer', ({ cost }) => showNumber(cost.signaturesPerTransfer)],
  [
    'blocks',
    ({ blocks, staleBlocks }) => (staleBlocks === 0 ? `${blocks}` : `${blocks}, ${staleBlocks} stale`),
  ],
  ['deepest reorg', ({ deepestReorganisation }) => showBlocks(deepestReorganisation)],
]

const KILLED_ROWS: readonly Row<LeaderKilled>[] = [
  ['killed', ({ node }) => `node ${node}`],
  ['no new block for', ({ blockPauseMs }) => showPause(blockPauseMs)],
  ['nothing final for', ({ finalityPauseMs }) => showPause(finalityPauseMs)],
  ['lost', ({ lost, acknowledged }) => `${lost} of ${acknowledged}`],
]

const CUT_ROWS: readonly Row<NetworkCut>[] = [
  ['first half', ({ halves }) => showHalf(halves[0])],
  ['second half', ({ halves }) => showHalf(halves[1])],
  ['forked', ({ isForked }) => (isForked ? 'yes' : 'no')],
  ['final, then reversed', ({ reversed }) => (reversed === 0 ? 'none' : showTransfers(reversed))],
  ['deepest reorg', ({ deepestReorganisation }) => showBlocks(deepestReorganisation)],
  ['one chain after', ({ isForked, oneChainAfterMs }) => (isForked ? showTime(oneChainAfterMs) : 'always')],
  ['final again after', cut => (wentOn(cut) ? 'did not stop' : showTime(cut.finalAgainAfterMs))],
]

/** The table, and what it says of the cut in words; lines are at most `columns` wide where their words allow it. */
export function showMeasurements(
  measurements: readonly Measurement[],
  { columns }: { readonly columns: number },
): string {
  const rows = [
    ['', ...measurements.map(({ variant }) => variant)],
    ['final means', ...measurements.map(({ finalMeans }) => finalMeans)],
    ...groupOf('Undisturbed', QUIET_ROWS, part(measurements, 'quiet')),
    ...groupOf('Leader killed, and started again', KILLED_ROWS, part(measurements, 'leaderKilled')),
    ...groupOf(cutHeading(measurements), CUT_ROWS, part(measurements, 'cut')),
  ]
  return [alignRows(rows, columns), ...describeCuts(measurements, columns)].join('\n\n')
}

function part<K extends 'quiet' | 'leaderKilled' | 'cut'>(
  measurements: readonly Measurement[],
  name: K,
): Measurement[K][] {
  return measurements.map(measurement => measurement[name])
}

/** A heading and its rows; nothing when no variant has this part. */
function groupOf<T>(heading: string, rows: readonly Row<T>[], parts: readonly (T | null)[]): string[][] {
  if (parts.every(part => part === null)) return []
  const lines = rows.map(([label, show]) => [
    `  ${label}`,
    ...parts.map(part => (part === null ? NOTHING : show(part))),
  ])
  return [[''], [heading], ...lines]
}

function percentileRows<T>(label: string, pick: (part: T) => Percentiles | null): Row<T>[] {
  const row = (label: string, percent: keyof Percentiles): Row<T> => [
    label,
    part => showPercentile(pick(part), percent),
  ]
  const indent = ' '.repeat(label.length)
  return [row(`${label}, p50`, 'p50'), row(`${indent}  p95`, 'p95'), row(`${indent}  p99`, 'p99')]
}

// ---- the cut

function cutHeading(measurements: readonly Measurement[]): string {
  const lasted = measurements.map(({ cut }) => cut?.lastedMs ?? 0)
  return `Network cut in half for ${showTime(Math.max(...lasted))}, every sender paying twice`
}

/** A sentence for each variant: where it stopped or forked, and what was reversed. */
function describeCuts(measurements: readonly Measurement[], columns: number): string[] {
  const sentences = measurements.flatMap(({ variant, cut }) =>
    cut === null ? [] : [wrapWords(`${variant} ${describeCut(cut)}`, columns).join('\n')],
  )
  return sentences.length === 0 ? [] : [['Cut in half:', ...sentences].join('\n')]
}

function describeCut(cut: NetworkCut): string {
  const { halves, isForked, reversed } = cut
  const outcome =
    reversed === 0
      ? 'nothing final was reversed'
      : `${showTransfers(reversed)} that had been final ${reversed === 1 ? 'was' : 'were'} reversed`
  const going = halves.filter(({ blocks }) => blocks > 0).length
  if (going === 0) return `stopped in both halves; it did not fork, and ${outcome}.`
  const where = going === 2 ? 'both halves' : 'one half'
  const forked = isForked ? ' and forked' : ''
  const trust = wentOn(cut) ? '' : ', but called nothing final'
  return `went on in ${where}${forked}${trust}; ${outcome}.`
}

/** Whether transfers became final in some half while the network was cut. */
function wentOn({ halves }: NetworkCut): boolean {
  return halves.some(({ final }) => final > 0)
}

function showHalf({ blocks, final }: Half): string {
  return blocks === 0 ? 'stopped' : `${showBlocks(blocks)}, ${final === 0 ? 'none' : final} final`
}

// ---- values

function showPercentile(times: Percentiles | null, percent: keyof Percentiles): string {
  if (times === null) return NOTHING
  // One unit for all three, so that they can be compared at a glance.
  return times.p99 < 1_000 ? `${times[percent].toFixed(0)} ms` : `${(times[percent] / 1_000).toFixed(2)} s`
}

function showTime(ms: number | null): string {
  if (ms === null) return 'never'
  return ms < 1_000 ? `${ms.toFixed(0)} ms` : `${(ms / 1_000).toFixed(1)} s`
}

function showPause(ms: number | null): string {
  return ms === null ? 'all the time' : showTime(ms)
}

/** Three digits or so, thousands as k and M. */
function showNumber(value: number | null): string {
  if (value === null) return NOTHING
  if (value >= 1e6) return `${(value / 1e6).toPrecision(3)} M`
  if (value >= 1e4) return `${(value / 1e3).toPrecision(3)} k`
  return value < 100 ? value.toFixed(value === 0 ? 0 : 1) : value.toFixed(0)
}

function showBlocks(count: number): string {
  return count === 0 ? 'none' : `${count} ${count === 1 ? 'block' : 'blocks'}`
}

/** So many transfers, in words. */
export function showTransfers(count: number): string {
  return `${count} ${count === 1 ? 'transfer' : 'transfers'}`
}
