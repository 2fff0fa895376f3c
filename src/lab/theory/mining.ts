// What theory says of networks that mine, held against what was seen in simulated ones: how often two blocks are found
// at one height, how far finality may be behind the head, and what a cut does to each kind of finality.

import { judgeCounts, wilsonInterval } from '../compare/interval.ts'
import type { Measurement, NetworkCut } from '../compare/measurement.ts'
import { BLOCK_MS, type Variant, variantNamed } from '../stage/variant.ts'
import { type Claim, type ClaimGroup, showShare } from './claim.ts'
import type { Theory } from './formulas.ts'
import { type Forks, type Lags, NODES, ratioOf } from './network.ts'

/** A right formula is called wrong in one run of a thousand. */
const PROBABILITY_MIN = 0.001

/** Holds blocks found at one height against the delay at which they spread. */
export function judgeForks(theory: Theory, forks: readonly Forks[]): ClaimGroup {
  const rows = forks.map(one => ({
    ...one,
    ratio: ratioOf(one),
    expected: theory.contested(NODES, ratioOf(one)),
    interval: wilsonInterval(one.contested, one.heights),
  }))
  const { probability } = judgeCounts(
    rows.map(({ contested, heights, expected }) => ({ count: contested, trials: heights, expected })),
  )
  const ratios = rows.map(({ ratio }) => ratio.toFixed(3)).join(', ')
  const measured = rows.map(
    ({ contested, heights, stale, interval: { low, high } }) =>
      `${showShare(contested / heights)} (${showShare(low)} to ${showShare(high)}; ${stale} stale in ${heights})`,
  )
  return {
    name: 'Stale blocks',
    source:
      'C. Decker, R. Wattenhofer, "Information Propagation in the Bitcoin Network" (2013), the probability of a fork',
    claims: [
      {
        says: `heights with two blocks, ${NODES} miners, measured delay over interval D/T = ${ratios}`,
        expected: `1 − e^(−(1 − 1/n) D/T): ${rows.map(({ expected }) => showShare(expected)).join(', ')}`,
        measured: `${measured.join(', ')}; so far off by chance: ${showShare(probability)}`,
        isTrue: rows.length > 0 && probability > PROBABILITY_MIN,
      },
    ],
  }
}

/** Holds the hybrid mode against its specification. */
export function judgeLags(theory: Theory, lags: Lags): ClaimGroup {
  const { depth, interval, allUp, someDead, tooManyDead } = lags
  const limit = theory.lag(depth, interval)
  const judge = (nodes: string, seen: readonly number[]): Claim => ({
    says: `${nodes}: whenever a block becomes final, the head is at most so far above it`,
    expected: `d + interval + 1 = ${limit}`,
    measured: `${Math.max(...seen)} at most, ${(seen.reduce((sum, lag) => sum + lag, 0) / seen.length).toFixed(2)} on average, ${seen.length} times`,
    isTrue: seen.length > 0 && Math.max(...seen) <= limit,
  })
  return {
    name: 'Work proposes, votes finalize',
    source: `docs/finality.md, "How far final blocks lag"; ${NODES} nodes, a block in ${BLOCK_MS} ms, d = ${depth}, interval = ${interval}`,
    claims: [
      judge('all n up', allUp),
      judge('n − f up', someDead),
      {
        says: 'n − f − 1 up: mining goes on, and nothing becomes final',
        expected: 'more than 0 blocks mined, 0 final',
        measured: `${tooManyDead.mined} mined, ${tooManyDead.final} final`,
        isTrue: tooManyDead.mined > 0 && tooManyDead.final === 0,
      },
    ],
  }
}

/** What must be so of a cut; what else is seen is reported and not judged. */
interface CutClaim {
  readonly says: string
  readonly expected: string
  readonly isSo: (cut: NetworkCut) => boolean
}

/** What must be so of a cut where this variant runs. */
function claimOfCut({ name, isMined, hasValidators }: Variant): CutClaim {
  if (!hasValidators)
    return {
      says: `${name} goes on in both halves and forks; healed, it is one chain`,
      expected: 'blocks in both halves, forked, one chain later',
      isSo: cut => blocksOf(cut).every(blocks => blocks > 0) && cut.isForked && cut.oneChainAfterMs !== null,
    }
  if (isMined)
    return {
      says: `${name} mines on in both halves without finality, and reverses nothing final`,
      expected: 'blocks in both halves, 0 final, 0 reversed, final again later',
      isSo: cut => blocksOf(cut).every(blocks => blocks > 0) && isSafe(cut),
    }
  return {
    says: `${name} halts in both halves, never errs, and recovers when they are one`,
    expected: '0 blocks, not forked, 0 reversed, final again later',
    isSo: cut => blocksOf(cut).every(blocks => blocks === 0) && !cut.isForked && isSafe(cut),
  }
}

/** Holds what a cut in half did against what no protocol can have: to be available and of one mind in both halves. */
export function judgeCuts(measurements: readonly Pick<Measurement, 'variant' | 'cut'>[]): ClaimGroup {
  return {
    name: 'Cut in half: no half has n − f',
    source:
      'S. Gilbert, N. Lynch, "Brewer\'s Conjecture and the Feasibility of Consistent, Available, Partition-Tolerant Web Services" (2002), theorem 1; C. Dwork, N. Lynch, L. Stockmeyer (1988), section 4',
    claims: measurements.map(({ variant, cut }) => {
      const { says, expected, isSo } = claimOfCut(variantNamed(variant))
      return {
        says,
        expected,
        measured: cut === null ? 'no cut' : showCut(cut),
        isTrue: cut !== null && isSo(cut),
      }
    }),
  }
}

function isSafe({ halves, reversed, finalAgainAfterMs }: NetworkCut): boolean {
  return halves.every(({ final }) => final === 0) && reversed === 0 && finalAgainAfterMs !== null
}

function blocksOf({ halves }: NetworkCut): number[] {
  return halves.map(({ blocks }) => blocks)
}

function showCut(cut: NetworkCut): string {
  const { halves, isForked, reversed, finalAgainAfterMs } = cut
  const again =
    finalAgainAfterMs === null ? 'never final again' : `final again after ${Math.round(finalAgainAfterMs)} ms`
  return `blocks ${blocksOf(cut).join(' and ')}, final ${halves.map(({ final }) => final).join(' and ')}, ${isForked ? 'forked' : 'not forked'}, ${reversed} reversed, ${again}`
}
