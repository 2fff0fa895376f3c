// Percentiles by nearest rank: the smallest value that so many percent of all values do not exceed. No interpolation,
// so that each figure is one that was really measured.

/** What a list of times or sizes comes to. */
export interface Percentiles {
  readonly p50: number
  readonly p95: number
  readonly p99: number
}

/** The percentiles of these values, in any order; null of none. */
export function percentiles(values: readonly number[]): Percentiles | null {
  if (values.length === 0) return null
  const sorted = values.toSorted((a, b) => a - b)
  const at = (percent: number): number => sorted[Math.ceil((percent / 100) * sorted.length) - 1]!
  return { p50: at(50), p95: at(95), p99: at(99) }
}

/** The longest time between two of these moments, the beginning and the end counted as such; from 0 up. */
export function longestPause(beginning: number, end: number, moments: readonly number[]): number {
  const within = moments.filter(moment => moment > beginning && moment < end).toSorted((a, b) => a - b)
  let [longest, last] = [0, beginning]
  for (const moment of [...within, end]) {
    longest = Math.max(longest, moment - last)
    last = moment
  }
  return longest
}
