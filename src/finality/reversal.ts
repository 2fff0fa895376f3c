// How likely a block is to be reversed by a miner with share q of all hashes that began a branch of its own just
// below it, once z blocks (it and those on top) have been mined by the others.
//
// Exact: M. Rosenfeld, "Analysis of hashrate-based double-spending" (2014), section 3; C. Grunspan and
// R. Pérez-Marco, "Double spend races" (2018), theorem 1: the attacker's blocks by then are negative binomial.
// Nakamoto: "Bitcoin" (2008), section 11, which puts a Poisson distribution in its place and errs low.
// Both count a tie as success. These figures are shown to people and decide no rule, so they are floats.

/** The probability of reversal by the exact formula, for an attacker's share q in [0, 1] and z >= 0 blocks. */
export function exactReversal(q: number, z: number): number {
  assertRange(q, z)
  if (q >= 0.5 || z === 0) return q === 0 && z > 0 ? 0 : 1
  if (q === 0) return 0
  const p = 1 - q
  // NB(k) = C(k + z - 1, k) p^z q^k: the attacker found k blocks while the others found z.
  return sumOverProgress(
    z,
    z * Math.log(p),
    k => Math.log(q) + Math.log((k + z) / (k + 1)),
    k => (k >= z ? 0 : (z - k) * Math.log(q / p)),
  )
}

/** The probability of reversal by Nakamoto's formula, for an attacker's share q in [0, 1] and z >= 0 blocks. */
export function nakamotoReversal(q: number, z: number): number {
  assertRange(q, z)
  if (q >= 0.5 || z === 0) return q === 0 && z > 0 ? 0 : 1
  if (q === 0) return 0
  const p = 1 - q
  const lambda = (z * q) / p
  return sumOverProgress(
    z,
    -lambda,
    k => Math.log(lambda / (k + 1)),
    k => (k >= z ? 0 : (z - k) * Math.log(q / p)),
  )
}

/**
 * The least number of confirmations at which a formula of a reversal's probability is below `risk`; null when it takes
 * more than `max`, as it does against half of all hashes.
 */
export function confirmationsBelow(
  reversal: (q: number, z: number) => number,
  q: number,
  { risk, max }: { risk: number; max: number },
): number | null {
  if (!(risk > 0)) throw new RangeError(`a risk is above 0, got ${risk}`)
  if (q >= 0.5 && risk <= 1) return null
  // The formulas fall with every block: double until it is enough, then halve.
  let enough = 1
  while (reversal(q, enough) >= risk) {
    if (enough >= max) return null
    enough = Math.min(max, enough * 2)
  }
  let tooFew = Math.floor(enough / 2)
  while (enough - tooFew > 1) {
    const middle = (enough + tooFew) >> 1
    if (reversal(q, middle) < risk) enough = middle
    else tooFew = middle
  }
  return enough
}

/**
 * The sum over k of P(attacker has k blocks) * P(it catches up from there), in logarithms so that neither tiny
 * starts nor long tails are lost. `logFirst` is ln P(0), `logRatio(k)` is ln P(k + 1) / P(k).
 */
function sumOverProgress(
  z: number,
  logFirst: number,
  logRatio: (k: number) => number,
  logCatchUp: (k: number) => number,
): number {
  let sum = 0
  let logTerm = logFirst
  for (let k = 0; ; k++) {
    const term = Math.exp(logTerm + logCatchUp(k))
    sum += term
    const ratio = logRatio(k)
    // Past the mode the tail shrinks at least geometrically; stop when it can't be seen any more.
    if (k > z && ratio < 0 && term <= sum * 1e-17) break
    logTerm += ratio
  }
  return Math.min(1, sum)
}

function assertRange(q: number, z: number): void {
  if (!(q >= 0 && q <= 1)) throw new RangeError(`the attacker's share must be from 0 to 1, got ${q}`)
  if (!Number.isSafeInteger(z) || z < 0)
    throw new RangeError(`confirmations must be a whole number, got ${z}`)
}
