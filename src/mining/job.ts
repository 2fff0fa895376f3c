/**
 * Messages between a miner and its threads. A job is sent to every thread; one of them answers for all. They share
 * `progress`: how many slices of the nonce range are taken, how many are searched, and whether the job is over.
 *
 * A job is ended once, atomically: by the thread that finds a nonce, the thread that finishes the last slice, or the miner
 * that replaces the job. So a job is answered at most once.
 */

/** What every thread of a miner is given at its start. */
export interface ThreadSetup {
  /** The share of time to search, above 0 and at most 1; the thread sleeps for the rest. */
  readonly throttle: number
  /** Shared, one element: hashes computed by all threads of the miner so far. */
  readonly hashes: BigInt64Array<SharedArrayBuffer>
}

/** A job as every thread gets it: a nonce search, to be shared with the others. */
export interface ThreadJob {
  /** Counts jobs; the answer carries it. */
  readonly number: number
  readonly header: Uint8Array
  readonly target: bigint
  readonly firstNonce: number
  readonly count: number
  readonly progress: Progress
}

/** How a job ended: with a nonce that meets the target, or with null because none in the range does. */
export interface ThreadAnswer {
  readonly number: number
  readonly nonce: number | null
}

/** Shared by all threads, one for each job: elements OVER, TAKEN and DONE. */
export type Progress = Int32Array<SharedArrayBuffer>

/** How many consecutive nonces a slice has; the last one of a range may have fewer. */
export const SLICE_NONCES = 2 ** 14

const OVER = 0
const TAKEN = 1
const DONE = 2

/** The progress of a job that begins. */
export function newProgress(): Progress {
  return new Int32Array(new SharedArrayBuffer(3 * Int32Array.BYTES_PER_ELEMENT))
}

/** Whether the job has not ended yet. */
export function isRunning(progress: Progress): boolean {
  return Atomics.load(progress, OVER) === 0
}

/** Ends the job and wakes the threads that rest; true for the one caller that was first. */
export function endJob(progress: Progress): boolean {
  const isFirst = Atomics.compareExchange(progress, OVER, 0, 1) === 0
  Atomics.notify(progress, OVER)
  return isFirst
}

/** Sleeps for so many milliseconds, or until the job is ended. Not for the main thread. */
export function restWhileRunning(progress: Progress, timeMs: number): void {
  Atomics.wait(progress, OVER, 0, timeMs)
}

/** Takes the next so many slices for the caller alone; returns the index of the first, which may be past the last. */
export function takeSlices(progress: Progress, count: number): number {
  return Atomics.add(progress, TAKEN, count)
}

/** Notes that so many slices hold no nonce; returns how many are known to hold none. */
export function finishSlices(progress: Progress, count: number): number {
  return Atomics.add(progress, DONE, count) + count
}
