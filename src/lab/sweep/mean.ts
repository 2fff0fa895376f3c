// A mean of few runs with its 95 % interval: Student, "The probable error of a mean" (1908). Runs of different seeds are
// independent of each other, which is all that it asks for besides a distribution that is roughly normal.

/** A mean and how far it can be trusted. */
export interface MeanInterval {
  readonly mean: number
  /** Half of the 95 % interval; null for a single run, of which nothing is known. */
  readonly halfWidth: number | null
  /** Runs in which there was something to be measured. */
  readonly runs: number
}

/** Student's 97.5 % quantile for 1, 2, … degrees of freedom; beyond them it is the next lower one's, which is wider. */
const STUDENT = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131,
  2.12, 2.11, 2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042,
]

/** The mean of one value for each run, at least one. */
export function meanInterval(values: readonly number[]): MeanInterval {
  const runs = values.length
  if (runs === 0) throw new RangeError('there is no mean of no runs')
  const mean = values.reduce((sum, value) => sum + value, 0) / runs
  if (runs === 1) return { mean, halfWidth: null, runs }
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (runs - 1)
  const factor = STUDENT[Math.min(runs - 1, STUDENT.length) - 1]!
  return { mean, halfWidth: factor * Math.sqrt(variance / runs), runs }
}
