// Theory, held against the code: every claim of books and papers that this program depends on, measured by running the
// very functions, replicas and networks that a node is made of, and judged. Chance comes from one seed only.

import type { Measurement } from '../compare/measurement.ts'
import { simulatedStage } from '../compare/stage-kinds.ts'
import { wrapWords } from '../compare/table.ts'
import { VARIANTS } from '../stage/variant.ts'
import { judgeAgreements, runAgreements } from './agreement.ts'
import type { ClaimGroup } from './claim.ts'
import { THEORY } from './formulas.ts'
import { judgeCuts, judgeForks, judgeLags } from './mining.ts'
import { type Forks, measureForks, measureLags } from './network.ts'
import { judgeQuorums } from './quorums.ts'
import { judgeReversal, RACE_SETTINGS, raceForTheory } from './reversal.ts'

/** Milliseconds that a message takes where blocks are counted that were found at one height. */
const LATENCIES_MS = [8, 20, 40]
/** Transfers that are submitted while nothing is cut, and their rate. */
const CUT_TRANSFERS = 20

/** How many runs of what is random. */
export interface Effort {
  /** Races at each setting of the double-spend race. */
  readonly races: number
  /** Heights that are mined at each delay. */
  readonly heights: number
  /** Runs of each committee with liars, or without a stable network. */
  readonly repeats: number
  /** Milliseconds of virtual time of each part of the hybrid run. */
  readonly partMs: number
}

/** What it takes to tell a right formula from one that is nearly right: about a minute. */
export const EFFORT: Effort = { races: 5_000, heights: 1_200, repeats: 4, partMs: 120_000 }

/** What is run. */
export interface TheoryOptions {
  readonly seed: number
  readonly effort: Effort
  /** Reports progress: how much is done, from 0 to 1, and what is run now. */
  readonly onProgress: (share: number, word: string) => void
}

/** All claims, and what makes the same come out again. */
export interface TheoryResult {
  readonly seed: number
  readonly effort: Effort
  readonly isTrue: boolean
  readonly groups: readonly ClaimGroup[]
}

/** What the parts take of the whole, roughly, in the order in which they are run. */
const SHARES = { agreements: 0.15, forks: 0.25, lags: 0.05, cuts: 0.05, races: 0.5 }

/** Runs and judges all of it. */
export async function runTheory({ seed, effort, onProgress }: TheoryOptions): Promise<TheoryResult> {
  let done = 0
  const end = (part: keyof typeof SHARES): void => {
    done += SHARES[part]
  }
  const agreements = await runAgreements({ seed, repeats: effort.repeats }, word => onProgress(done, word))
  end('agreements')
  const forks: Forks[] = []
  for (const latencyMs of LATENCIES_MS) {
    onProgress(done, `stale blocks at ${latencyMs} ms`)
    forks.push(await measureForks({ latencyMs, heights: effort.heights, seed }))
    done += SHARES.forks / LATENCIES_MS.length
  }
  onProgress(done, 'hybrid with dead validators')
  const lags = await measureLags({ seed, partMs: effort.partMs })
  end('lags')
  const cuts: Measurement[] = []
  for (const variant of VARIANTS) {
    onProgress(done, `${variant.name}, cut in half`)
    const settings = { nodes: 4, transfers: CUT_TRANSFERS, rate: CUT_TRANSFERS, seed, hasFaults: true }
    cuts.push(await simulatedStage().run(variant, settings, () => {}))
  }
  end('cuts')
  const total = effort.races * RACE_SETTINGS.length
  const raced = raceForTheory(effort.races, seed, count =>
    onProgress(done + (SHARES.races * count) / total, 'double-spend races'),
  )
  const groups = [
    judgeQuorums(THEORY),
    ...judgeAgreements(THEORY, agreements),
    judgeCuts(cuts),
    judgeReversal(THEORY, raced),
    judgeForks(THEORY, forks),
    judgeLags(THEORY, lags),
  ]
  return { seed, effort, isTrue: groups.every(isGroupTrue), groups }
}

/** The claims, each with what was expected and what was measured, in lines of so many characters. */
export function showTheory(
  { seed, groups }: TheoryResult,
  { columns }: { readonly columns: number },
): string {
  const claims = groups.flatMap(group => group.claims)
  const failed = claims.filter(({ isTrue }) => !isTrue).length
  const verdict = failed === 0 ? 'all hold' : `${failed} FAIL`
  return [
    ...groups.map(group => showGroup(group, columns)),
    `${claims.length} claims, seed ${seed}: ${verdict}`,
  ].join('\n\n')
}

function isGroupTrue({ claims }: ClaimGroup): boolean {
  return claims.every(({ isTrue }) => isTrue)
}

function showGroup({ name, source, claims }: ClaimGroup, columns: number): string {
  return [
    name,
    ...indent(source, '  ', columns),
    ...claims.flatMap(({ says, expected, measured, isTrue }) => [
      ...indent(says, isTrue ? '  holds  ' : '  FAILS  ', columns),
      ...indent(expected, '           expected  ', columns),
      ...indent(measured, '           measured  ', columns),
    ]),
  ].join('\n')
}

/** A text after a label, its further lines below its first. */
function indent(text: string, label: string, columns: number): string[] {
  const blank = ' '.repeat(label.length)
  return wrapWords(text, columns - label.length).map((line, index) => (index === 0 ? label : blank) + line)
}
