// A comparison: one variant after the other on stages of one kind, so that they do not take the machine from each
// other, and what it was made with, to be read with the figures.

import type { Variant } from '../stage/variant.ts'
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
  readonly variants: readonly Measurement[]
}

/** What is to be compared, and how. */
export interface ComparisonOptions {
  readonly variants: readonly Variant[]
  readonly settings: CompareSettings
  readonly stage: StageKind
  /** Reports progress: how many steps of how many are done, and what is run now. */
  readonly onProgress: (done: number, word: string) => void
}

/** Steps in all, for progress. */
export function countSteps({ variants, settings }: Pick<ComparisonOptions, 'variants' | 'settings'>): number {
  return variants.length * (settings.hasFaults ? PARTS.length : PARTS.length - 2)
}

/** Runs them all. */
export async function compare(options: ComparisonOptions): Promise<Comparison> {
  const { variants, settings, stage, onProgress } = options
  const measurements: Measurement[] = []
  let done = 0
  for (const variant of variants) {
    const onPart = (word: string): void => onProgress(done++, `${variant.name}: ${word}`)
    measurements.push(await stage.run(variant, settings, onPart))
  }
  return { stage: stageData(stage, settings), settings, variants: measurements }
}

/** What it was made with, the table, and what the cut did in words, in lines of so many characters. */
export function showComparison(
  { settings, variants }: Comparison,
  { stage, columns }: { readonly stage: StageKind; readonly columns: number },
): string {
  const { nodes, transfers, rate, seed } = settings
  const made = `${nodes} ${stage.means(settings)}. ${showTransfers(transfers)}, ${showRate(rate)}, seed ${seed}.`
  return `${wrapWords(made, columns).join('\n')}\n\n${showMeasurements(variants, { columns })}`
}

/** How fast transfers are submitted, in words. */
export function showRate(rate: Rate): string {
  return rate === 'max' ? 'all at once' : `${rate} a second`
}
