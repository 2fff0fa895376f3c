// What theory says of a reversal by work: section 11's table by the formulas that a wallet shows, and races of real
// headers, judged by the fork choice that a node uses, beside the exact formula.

import { confirmationsBelow, exactReversal, nakamotoReversal } from '../../finality/reversal.ts'
import { type RaceRow, runRaces } from '../attack/double-spend.ts'
import { judgeCounts } from '../compare/interval.ts'
import { type Claim, type ClaimGroup, claimEqual, showShare } from './claim.ts'
import type { Theory } from './formulas.ts'

const RISK = 0.001
const CONFIRMATIONS_MAX = 10_000
/** The races: shares of an attacker, and confirmations that the merchant waits for. */
const SHARES = [0.1, 0.3]
const DEPTHS = [1, 2, 3, 4, 5, 6]
/** A right formula is called wrong in one run of a thousand. */
const PROBABILITY_MIN = 0.001
/** A formula and its twin are sums of other terms, which round differently. */
const ROUNDING = 1e-9

/** The formulas of the code. */
export interface ReversalCode {
  readonly exact: (share: number, z: number) => number
  readonly nakamoto: (share: number, z: number) => number
}

/** One line of races. */
export type Races = Pick<RaceRow, 'share' | 'confirmations' | 'races' | 'reversed' | 'interval'>

/** Settings of the races. */
export const RACE_SETTINGS = SHARES.flatMap(share => DEPTHS.map(confirmations => ({ share, confirmations })))

/** Races so many times at each setting. */
export function raceForTheory(
  races: number,
  seed: number,
  onProgress: (done: number) => void,
): readonly Races[] {
  return runRaces({ settings: RACE_SETTINGS, races, replayed: 0, seed, onProgress }).rows
}

/** Holds the races, and the formulas of the code, against theory. */
export function judgeReversal(
  theory: Theory,
  races: readonly Races[],
  code: ReversalCode = { exact: exactReversal, nakamoto: nakamotoReversal },
): ClaimGroup {
  const shares = theory.nakamoto.map(([share]) => share)
  const below = (reversal: ReversalCode['exact'], share: number): number | null =>
    confirmationsBelow(reversal, share, { risk: RISK, max: CONFIRMATIONS_MAX })
  return {
    name: 'Reversal by work',
    source:
      'S. Nakamoto, "Bitcoin" (2008), section 11; M. Rosenfeld, "Analysis of hashrate-based double-spending" (2014), section 3; C. Grunspan, R. Pérez-Marco, "Double spend races" (2018), theorem 1',
    claims: [
      claimEqual(`confirmations for P < 0.1 % by Nakamoto, q = ${shares.join(', ')}`, {
        formula: 'printed in section 11',
        expected: theory.nakamoto.map(([, confirmations]) => confirmations),
        measured: shares.map(share => below(code.nakamoto, share)),
      }),
      claimEqual('the same exactly', {
        formula: 'I(4pq; z, 1/2)',
        expected: shares.map(share => below(theory.reversal, share)),
        measured: shares.map(share => below(code.exact, share)),
      }),
      judgeTwin(theory, code),
      ...SHARES.map(share =>
        judgeRaces(
          theory,
          share,
          races.filter(row => row.share === share),
        ),
      ),
    ],
  }
}

/** Two forms of one probability, at every setting of the races. */
function judgeTwin(theory: Theory, { exact }: ReversalCode): Claim {
  const differences = RACE_SETTINGS.map(({ share, confirmations }) =>
    Math.abs(theory.reversal(share, confirmations) - exact(share, confirmations)),
  )
  const greatest = Math.max(...differences)
  return {
    says: 'the negative binomial sum is the incomplete beta function',
    expected: `within ${ROUNDING} for q = ${SHARES.join(', ')}, z = ${DEPTHS.join(', ')}`,
    measured: `within ${greatest.toExponential(0)}`,
    isTrue: greatest <= ROUNDING,
  }
}

function judgeRaces(theory: Theory, share: number, rows: readonly Races[]): Claim {
  const expected = rows.map(({ confirmations }) => theory.reversal(share, confirmations))
  const { probability } = judgeCounts(
    rows.map(({ reversed, races }, index) => ({
      count: reversed,
      trials: races,
      expected: expected[index]!,
    })),
  )
  const measured = rows.map(
    ({ reversed, races, interval: { low, high } }) =>
      `${showShare(reversed / races)} (${showShare(low)} to ${showShare(high)})`,
  )
  return {
    says: `races of real headers, q = ${share}, z = ${DEPTHS.join(', ')}, ${rows[0]?.races ?? 0} each`,
    expected: `I(4pq; z, 1/2): ${expected.map(showShare).join(', ')}`,
    measured: `${measured.join(', ')}; so far off by chance: ${showShare(probability)}`,
    isTrue: rows.length > 0 && probability > PROBABILITY_MIN,
  }
}
