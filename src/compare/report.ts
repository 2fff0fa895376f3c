// Measurements as a table for a terminal: a column for each contender, rows in groups under a heading. Whoever wants
// the figures exactly takes the measurements themselves, which are plain data.

import type { Half, LeaderKilled, Measurement, NetworkCut, QuietPart } from './measurement.ts'
import type { Percentiles } from './percentiles.ts'

/** A row: what it shows, and how. */
type Row<T> = readonly [label: string, show: (part: T) => string]

/** Characters in a line of a cell at most; longer ones go on below. */
const CELL_WIDTH_MAX = 21
const NOTHING = '–'

const QUIET_ROWS: readonly Row<QuietPart>[] = [
  ['transfers final', ({ final, handedIn }) => `${final} of ${handedIn}`],
  ['in a block after', ({ inclusionMs }) => showPercentiles(inclusionMs)],
  ['final after', ({ finalityMs }) => showPercentiles(finalityMs)],
  ['final transfers a second', ({ finalPerSecond }) => showNumber(finalPerSecond)],
  ['messages per transfer', ({ cost }) => showNumber(cost.messagesPerTransfer)],
  ['bytes per transfer', ({ cost }) => showNumber(cost.bytesPerTransfer)],
  ['messages per block', ({ cost }) => showNumber(cost.messagesPerBlock)],
  ['bytes per block', ({ cost }) => showNumber(cost.bytesPerBlock)],
  ['hashes per transfer', ({ cost }) => showNumber(cost.hashesPerTransfer)],
  ['signatures per transfer', ({ cost }) => showNumber(cost.signaturesPerTransfer)],
  ['blocks, stale', ({ blocks, staleBlocks }) => `${blocks}, ${staleBlocks}`],
  ['deepest reorganisation', ({ deepestReorganisation }) => showBlocks(deepestReorganisation)],
]

const KILLED_ROWS: readonly Row<LeaderKilled>[] = [
  ['killed', ({ node }) => `node ${node}`],
  ['no new block for', ({ blockPauseMs }) => showTime(blockPauseMs)],
  ['nothing final for', ({ finalityPauseMs }) => showTime(finalityPauseMs)],
  ['acknowledged and lost', ({ lost, acknowledged }) => `${lost} of ${acknowledged}`],
]

const CUT_ROWS: readonly Row<NetworkCut>[] = [
  ['cut for', ({ lastedMs }) => showTime(lastedMs)],
  ['first half', ({ halves }) => showHalf(halves[0])],
  ['second half', ({ halves }) => showHalf(halves[1])],
  ['forked', ({ isForked }) => (isForked ? 'yes' : 'no')],
  ['one chain again after', ({ oneChainAfterMs }) => showTime(oneChainAfterMs)],
  ['final again after', ({ finalAgainAfterMs }) => showTime(finalAgainAfterMs)],
  ['final transfers reversed', ({ reversed }) => String(reversed)],
  ['deepest reorganisation', ({ deepestReorganisation }) => showBlocks(deepestReorganisation)],
]

/** The table. */
export function showMeasurements(measurements: readonly Measurement[]): string {
  const head = ['', ...measurements.map(({ contender }) => contender)]
  const means = ['final means', ...measurements.map(({ finalMeans }) => finalMeans)]
  return alignCells([
    head,
    means,
    ...groupOf(
      'Undisturbed (times: p50 / p95 / p99)',
      QUIET_ROWS,
      measurements.map(({ quiet }) => quiet),
    ),
    ...groupOf(
      'Leader killed',
      KILLED_ROWS,
      measurements.map(({ leaderKilled }) => leaderKilled),
    ),
    ...groupOf(
      'Network cut in half, every sender paying twice',
      CUT_ROWS,
      measurements.map(({ cut }) => cut),
    ),
  ])
}

/** A heading and its rows; nothing when no contender has this part. */
function groupOf<T>(heading: string, rows: readonly Row<T>[], parts: readonly (T | null)[]): string[][] {
  if (parts.every(part => part === null)) return []
  const lines = rows.map(([label, show]) => [
    `  ${label}`,
    ...parts.map(part => (part === null ? NOTHING : show(part))),
  ])
  return [[''], [heading], ...lines]
}

/** Cells in columns, those that are too long on several lines. A row of one cell is a heading and makes no column wider. */
function alignCells(rows: readonly (readonly string[])[]): string {
  const lines = rows.flatMap(wrapRow)
  const full = lines.filter(line => line.length > 1)
  const widths = full[0]!.map((_, column) => Math.max(...full.map(line => [...line[column]!].length)))
  return lines
    .map(line =>
      line.map((cell, column) => (line.length === 1 ? cell : pad(cell, widths[column]!))).join('   '),
    )
    .map(line => line.trimEnd())
    .join('\n')
}

function wrapRow(row: readonly string[]): string[][] {
  const [label = '', ...cells] = row
  if (cells.length === 0) return [[label]]
  const wrapped = cells.map(wrapCell)
  const height = Math.max(...wrapped.map(cell => cell.length))
  return Array.from({ length: height }, (_, line) => [
    line === 0 ? label : '',
    ...wrapped.map(cell => cell[line] ?? ''),
  ])
}

function wrapCell(text: string): string[] {
  const lines: string[] = ['']
  for (const word of text.split(' ')) {
    const last = lines.at(-1)!
    if (last === '') lines[lines.length - 1] = word
    else if (last.length + 1 + word.length <= CELL_WIDTH_MAX) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}

function pad(cell: string, width: number): string {
  return cell + ' '.repeat(width - [...cell].length)
}

function showPercentiles(times: Percentiles | null): string {
  if (times === null) return NOTHING
  const unit = times.p99 < 1_000 ? 'ms' : 's'
  const show = (ms: number): string => (unit === 'ms' ? ms.toFixed(0) : (ms / 1_000).toFixed(2))
  return `${show(times.p50)} / ${show(times.p95)} / ${show(times.p99)} ${unit}`
}

function showTime(ms: number | null): string {
  if (ms === null) return 'never'
  return ms < 1_000 ? `${ms.toFixed(0)} ms` : `${(ms / 1_000).toFixed(1)} s`
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

function showHalf({ blocks, final }: Half): string {
  return blocks === 0 ? 'stopped' : `${showBlocks(blocks)}, ${final === 0 ? 'nothing' : final} final`
}
