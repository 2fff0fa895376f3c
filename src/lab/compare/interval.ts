// How far a measured share can be trusted, and whether a whole table agrees with its theory.
//
// Wilson's interval: E. B. Wilson, "Probable inference" (1927); unlike the textbook's it holds where the count is nearly
// zero. Pearson's chi-square judges a table as one: of twenty honest 95 % intervals one misses by chance.

/** A share with its 95 % interval. */
export interface Interval {
  readonly low: number
  readonly high: number
}

/** Standard deviations that hold 95 % of a normal distribution. */
const Z_95 = 1.959963984540054
/** Student's factor in its place for a mean of 20 batches. */
const T_95_OF_20 = 2.093024054408263

/** Batches that `batchError` expects. */
export const BATCHES = 20

/** Wilson's 95 % interval for `count` of `trials`. */
export function wilsonInterval(count: number, trials: number): Interval {
  const share = count / trials
  const z2 = Z_95 ** 2 / trials
  const centre = (share + z2 / 2) / (1 + z2)
  const half = (Math.sqrt((share * (1 - share)) / trials + z2 / (4 * trials)) * Z_95) / (1 + z2)
  return { low: count === 0 ? 0 : centre - half, high: count === trials ? 1 : centre + half }
}

/** How far a mean can be off that is measured in 20 batches with these means: half of its 95 % interval. */
export function batchError(means: readonly number[]): { standardError: number; halfWidth: number } {
  if (means.length !== BATCHES) throw new RangeError(`expected ${BATCHES} batches, got ${means.length}`)
  const mean = means.reduce((sum, value) => sum + value, 0) / BATCHES
  const variance = means.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (BATCHES - 1)
  const standardError = Math.sqrt(variance / BATCHES)
  return { standardError, halfWidth: T_95_OF_20 * standardError }
}

/** What a table of counts says of its theory. */
export interface Agreement {
  readonly chiSquare: number
  readonly cells: number
  /** The probability of a table as far off as this one, or further, if the theory is right. */
  readonly probability: number
}

/** The least that a cell must expect of either outcome for chi-square to hold. */
const EXPECTED_MIN = 5

/** Counts against expected shares, by Pearson's chi-square; rows that expect too little are one cell together. */
export function judgeCounts(
  rows: readonly { readonly count: number; readonly trials: number; readonly expected: number }[],
): Agreement {
  const cells: { count: number; mean: number; variance: number }[] = []
  const rest = { count: 0, mean: 0, variance: 0 }
  for (const { count, trials, expected } of rows) {
    const [mean, variance] = [trials * expected, trials * expected * (1 - expected)]
    if (variance >= EXPECTED_MIN) cells.push({ count, mean, variance })
    else {
      rest.count += count
      rest.mean += mean
      rest.variance += variance
    }
  }
  // Less than that together says nothing: a single chance success would weigh as much as a broken row.
  if (rest.variance >= 1) cells.push(rest)
  const chiSquare = cells.reduce((sum, { count, mean, variance }) => sum + (count - mean) ** 2 / variance, 0)
  return { chiSquare, cells: cells.length, probability: chiSquareTail(chiSquare, cells.length) }
}

/** The probability that chi-square with so many degrees of freedom is at least `x`. */
export function chiSquareTail(x: number, freedom: number): number {
  if (x <= 0 || freedom === 0) return 1
  const a = freedom / 2
  const h = x / 2
  // ln of the gamma function of a + 1, up from that of 1 or of 1/2.
  let logGamma = freedom % 2 === 0 ? 0 : Math.log(Math.PI) / 2
  for (let n = freedom % 2 === 0 ? 1 : 0.5; n <= a; n++) logGamma += Math.log(n)
  const logFactor = a * Math.log(h) - h - logGamma
  return h < a + 1
    ? 1 - Math.exp(logFactor) * lowerSeries(a, h)
    : a * Math.exp(logFactor) * upperFraction(a, h)
}

/** 1 + h/(a + 1) + h²/((a + 1)(a + 2)) + … */
function lowerSeries(a: number, h: number): number {
  let term = 1
  let sum = 1
  for (let n = 1; term > sum * 1e-17; n++) {
    term *= h / (a + n)
    sum += term
  }
  return sum
}

/** 1/(h + 1 - a - 1(1 - a)/(h + 3 - a - …)), by Lentz's method: where the series would be one less almost one. */
function upperFraction(a: number, h: number): number {
  let b = h + 1 - a
  let c = Number.MAX_VALUE
  let d = 1 / b
  let fraction = d
  for (let n = 1; Math.abs(c * d - 1) > 1e-15 && n < 10_000; n++) {
    const numerator = -n * (n - a)
    b += 2
    d = 1 / (numerator * d + b)
    c = b + numerator / c
    fraction *= c * d
  }
  return fraction
}
