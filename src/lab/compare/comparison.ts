// A comparison: one contender after the other on stages of one kind, so that they do not take the machine from each
// other, and what it was made with, to be read with the figures.

import type { Contender } from '../stage/contender.ts'
import type { Rate } from '../stage/workload.ts'
import { PARTS } from './experiment.ts'
import type { CompareSettings, Measurement } from './measurement.ts'
import { showMeasurements, showTransfers } from './report.ts'
import { type StageKind, stageData } from './stage-kinds.ts'
import { wrapWords } from './table.ts'

/** Everything that came out, and what makes the same come out again. */
export interface Comparison {
  readonly stage: { readonly name: string } & Readonly<Record<string, number | string>>
  readonly settings: CompareSettings
  readonly contenders: readonly Measurement[]
}

/** What is to be compared, and how. */
export interface ComparisonOptions {
  readonly contenders: readonly Contender[]
  readonly settings: CompareSettings
  readonly stage: StageKind
  /** Hears how many steps of how many are done, and in a few words what happens now. */
  readonly onProgress: (done: number, word: string) => void
}

/** Steps in all, for who shows progress. */
export function countSteps({
  contenders,
  settings,
}: Pick<ComparisonOptions, 'contenders' | 'settings'>): number {
  return contenders.length * (settings.hasFaults ? PARTS.length : PARTS.length - 2)
}

/** Runs them all. */
export async function compare(options: ComparisonOptions): Promise<Comparison> {
  const { contenders, settings, stage, onProgress } = options
  const measurements: Measurement[] = []
  let done = 0
  for (const contender of contenders) {
    const onPart = (word: string): void => onProgress(done++, `${contender.name}: ${word}`)
    measurements.push(await stage.run(contender, settings, onPart))
  }
  return { stage: stageData(stage, settings), settings, contenders: measurements }
}

/** What it was made with, the table, and what the cut did in words, in lines of so many characters. */
export function showComparison(
  { settings, contenders }: Comparison,
  { stage, columns }: { readonly stage: StageKind; readonly columns: number },
): string {
  const { nodes, transfers, rate, seed } = settings
  const made = `${nodes} ${stage.means(settings)}. ${showTransfers(transfers)}, ${showRate(rate)}, seed ${seed}.`
  return `${wrapWords(made, columns).join('\n')}\n\n${showMeasurements(contenders, { columns })}`
}

/** How fast transfers are handed in, in words. */
export function showRate(rate: Rate): string {
  return rate === 'max' ? 'all at once' : `${rate} a second`
}
