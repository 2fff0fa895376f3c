// Median time past: a block's time must be above the median of the last eleven (Bitcoin's rule, named in BIP 113), so that
// a minority of miners can't turn time back, and with it the difficulty.

/** What the rule needs of a header. */
export interface RecentTimes {
  /** The times of this header and of up to ten before it, oldest first, in seconds. */
  readonly recentTimes: readonly number[]
}

const MEDIAN_TIME_SPAN = 11

/** Seconds that the time of a child must exceed: the median of the last eleven times. */
export function medianTimePast(parent: RecentTimes): number {
  const sorted = parent.recentTimes.toSorted((a, b) => a - b)
  return sorted[sorted.length >> 1]!
}

/** The recent times of a child with this time. */
export function nextRecentTimes(parent: RecentTimes, time: number): readonly number[] {
  return [...parent.recentTimes, time].slice(-MEDIAN_TIME_SPAN)
}
