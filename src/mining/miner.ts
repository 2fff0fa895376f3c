/**
 * The miner: one job at a time, searched by worker threads, so that the event loop of the caller never searches. A
 * new job replaces the running one at once; what the threads still say about an old job is dropped here, so a
 * replaced or stopped job is never reported.
 *
 * Threads start with the first job and never keep the process alive. One that crashes is reported; the others search
 * the job again from the start, and its place is filled when the next job comes.
 */
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { Hashrate } from './hashrate.ts'
import {
  endJob,
  newProgress,
  type Progress,
  type ThreadAnswer,
  type ThreadJob,
  type ThreadSetup,
} from './job.ts'
import { assertNonceSearch, NONCE_COUNT } from './nonce-search.ts'

/** A header to find a nonce for. */
export interface MiningJob {
  /** Any name; the report carries it. */
  readonly id: string
  /** 80 bytes; the nonce in it (bytes 76 to 79) is ignored. */
  readonly header: Uint8Array
  /** SHA-256d of the header, as a little-endian integer, must be at most this: at least 0, below 2^256. */
  readonly target: bigint
  /** Which nonces to try, at least one; all 2^32 unless given. */
  readonly nonceRange?: { readonly first: number; readonly count: number }
}

/** How to mine, and callbacks. Each job is reported once at most, by `onFound` or `onExhausted`. */
export interface MinerOptions {
  /** How many threads; one less than the machine's cores, and at least one, unless given. */
  readonly threads?: number
  /** The share of time that each thread searches, above 0 and at most 1, which is the default. */
  readonly throttle?: number
  /** Other code for the threads, for tests. */
  readonly workerUrl?: URL
  /** A nonce was found that makes the header meet the target. */
  onFound(report: { readonly id: string; readonly nonce: number }): void
  /** No nonce of the range makes the header meet the target. */
  onExhausted(report: { readonly id: string }): void
  /** A thread crashed. With none left the job is dropped; the next job starts new threads. */
  onError(error: Error): void
}

interface RunningJob {
  readonly job: MiningJob
  readonly number: number
  readonly progress: Progress
}

const SAMPLE_INTERVAL_MS = 1000
const WORKER_URL = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url)

/** Searches nonces in worker threads, one job at a time. */
export class Miner {
  readonly #options: MinerOptions
  readonly #threadCount: number
  readonly #setup: ThreadSetup
  readonly #threads = new Set<Worker>()
  readonly #hashrate = new Hashrate()
  #running: RunningJob | null = null
  #jobCount = 0
  #sampler: NodeJS.Timeout | null = null
  #isClosed = false

  /** A miner that has started nothing yet. Throws a RangeError for a number of threads or a throttle out of range. */
  constructor(options: MinerOptions) {
    const { threads = Math.max(1, availableParallelism() - 1), throttle = 1 } = options
    if (!Number.isInteger(threads) || threads < 1)
      throw new RangeError(`threads is ${threads}, not 1 or more`)
    if (!(throttle > 0 && throttle <= 1))
      throw new RangeError(`throttle is ${throttle}, not above 0 and up to 1`)
    this.#options = options
    this.#threadCount = threads
    this.#setup = { throttle, hashes: new BigInt64Array(new SharedArrayBuffer(8)) }
  }

  /** Searches this job instead of the running one. Throws a RangeError for a malformed job. */
  mine(job: MiningJob): void {
    if (this.#isClosed) throw new Error('the miner is closed')
    const { first: firstNonce, count } = job.nonceRange ?? { first: 0, count: NONCE_COUNT }
    assertNonceSearch({ header: job.header, target: job.target, firstNonce, count })
    if (count === 0) throw new RangeError('the nonce range is empty')
    this.stop()
    this.#startThreads()
    this.#begin({ ...job, header: Uint8Array.from(job.header) })
  }

  /** Ends the running job, if there is one, unreported. */
  stop(): void {
    if (this.#running !== null) endJob(this.#running.progress)
    this.#running = null
  }

  /** Ends the running job unreported, and all threads; resolves when they are gone. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.stop()
    if (this.#sampler !== null) clearInterval(this.#sampler)
    const threads = [...this.#threads]
    this.#threads.clear()
    await Promise.all(threads.map(thread => thread.terminate()))
  }

  /** Hashes per second of all threads together, over the last ten seconds or since the first job if that is later. */
  hashrate(): number {
    return this.#hashrate.perSecond(this.hashes(), performance.now())
  }

  /** Hashes of all threads together since the miner was made. */
  hashes(): number {
    return Number(Atomics.load(this.#setup.hashes, 0))
  }

  #begin(job: MiningJob): void {
    const { header, target, nonceRange } = job
    const { first: firstNonce, count } = nonceRange ?? { first: 0, count: NONCE_COUNT }
    const number = ++this.#jobCount
    const progress = newProgress()
    this.#running = { job, number, progress }
    const message: ThreadJob = { number, header, target, firstNonce, count, progress }
    for (const thread of this.#threads) thread.postMessage(message)
  }

  #onAnswer(answer: ThreadAnswer): void {
    if (this.#running === null || this.#running.number !== answer.number) return
    const { id } = this.#running.job
    this.#running = null
    if (answer.nonce === null) this.#options.onExhausted({ id })
    else this.#options.onFound({ id, nonce: answer.nonce })
  }

  #startThreads(): void {
    if (this.#sampler === null) {
      this.#hashrate.record(this.hashes(), performance.now())
      const sample = () => this.#hashrate.record(this.hashes(), performance.now())
      this.#sampler = setInterval(sample, SAMPLE_INTERVAL_MS).unref()
    }
    while (this.#threads.size < this.#threadCount) this.#startThread()
  }

  #startThread(): void {
    // Flags of the process (--input-type, --test, --inspect) are not for its threads.
    const options = { workerData: this.#setup, execArgv: [] }
    const thread = new Worker(this.#options.workerUrl ?? WORKER_URL, options)
    thread.on('message', (answer: ThreadAnswer) => this.#onAnswer(answer))
    thread.once('error', cause => this.#onCrash(thread, cause))
    thread.once('exit', code => this.#onCrash(thread, new Error(`exit code ${code}`)))
    // Last, because listening to messages undoes it.
    thread.unref()
    this.#threads.add(thread)
  }

  /** Told twice of a thread that throws (error, then exit), and of one that `close` ends; only the first time counts. */
  #onCrash(thread: Worker, cause: unknown): void {
    if (!this.#threads.delete(thread)) return
    const running = this.#running
    // The slices that the thread had taken are lost with it, so the others search the range again.
    this.stop()
    if (running !== null && this.#threads.size > 0) this.#begin(running.job)
    this.#options.onError(new Error('a mining thread crashed', { cause }))
  }
}
