// What theory says, as formulas: for agreement what each protocol's paper says of its costs, which its entry of the
// catalogue has; for work those of Nakamoto's section 11 and its successors. They are written from the papers and share
// nothing with the code that they judge.

import { PBFT_PATTERNS } from '../../consensus/catalogue.ts'
import type { LogTheory } from '../../consensus/kit.ts'

/** Every formula that the code is held against. */
export interface Theory {
  readonly allToAll: LogTheory
  readonly leaderCollected: LogTheory
  /** The members that may lie among n, and those whom any two quorums then have in common at least. */
  readonly liars: (n: number) => number
  readonly shared: (n: number) => number
  /** For each share of an attacker: the confirmations below a risk of 0.1 % as Nakamoto's paper prints them. */
  readonly nakamoto: readonly (readonly [share: number, confirmations: number])[]
  /** The probability that an attacker with this share reverses a block z deep. */
  readonly reversal: (share: number, z: number) => number
  /** The share of heights with two blocks, where a block takes this part of the interval to each of n miners. */
  readonly contested: (n: number, ratio: number) => number
  /** Blocks between the head and the last final one at most, where validators vote for one `depth` below the head. */
  readonly lag: (depth: number, interval: number) => number
}

/** What the papers say. */
export const THEORY: Theory = {
  allToAll: PBFT_PATTERNS.get('all-to-all')!.theory,
  leaderCollected: PBFT_PATTERNS.get('leader-collected')!.theory,
  // n ≥ 3f + 1, solved for the greatest f by trying: no division that could be the code's own.
  liars: n => {
    let f = 0
    while (3 * (f + 1) + 1 <= n) f += 1
    return f
  },
  shared: n => THEORY.liars(n) + 1,
  nakamoto: [
    [0.1, 5],
    [0.15, 8],
    [0.2, 11],
    [0.25, 15],
    [0.3, 24],
    [0.35, 41],
    [0.4, 89],
    [0.45, 340],
  ],
  reversal: regularizedBeta,
  contested: (n, ratio) => 1 - Math.exp(-ratio * (1 - 1 / n)),
  lag: (depth, interval) => depth + interval + 1,
}

/**
 * C. Grunspan and R. Pérez-Marco, "Double spend races" (2018), theorem 1: I(4pq; z, 1/2), the regularized incomplete
 * beta function. By its recurrence from z = 1: I(x; a + 1, b) = I(x; a, b) − x^a (1 − x)^b / (a B(a, b)).
 */
function regularizedBeta(share: number, z: number): number {
  if (z === 0 || share >= 0.5) return 1
  const x = 4 * share * (1 - share)
  const root = Math.sqrt(1 - x)
  let value = 1 - root
  let term = (x * root) / 2
  for (let a = 1; a < z; a++) {
    value -= term
    term *= (x * (a + 0.5)) / (a + 1)
  }
  return value
}
