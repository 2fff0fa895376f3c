// Performs what a replica's steps want done, in the order in which they want it.
//
// One loop: all steps that have come are taken, what they persist is written in one synced batch, and then what
// they want said is said, step by step. So nothing leaves before every persist that stands before it is durable,
// and many steps share one wait for the disk. A batch that can't be written ends it all: no later effect is done.
//
// Timers alone are set and cleared at once. They reach nobody outside, and one that the replica has cleared must
// not fire while the disk is waited for.

import type { Effect, Write } from '../replica/effects.ts'
import type { Timers } from './timers.ts'

/** Where records are kept. */
export interface DurableStore {
  /** Takes writes in, for reads to see at once and for the next flush to write. */
  stage(writes: readonly Write[]): void
  /** Writes all that is staged as one atomic batch; resolves when it is durable. One call at a time. */
  flush(): Promise<void>
}

/** Effects on the store and the timers, which the performer does itself. */
type InwardEffect = Extract<Effect, { readonly type: 'persist' | 'set-timer' | 'clear-timer' }>

/** The effects that a performer passes on. */
export type OutwardEffect = Exclude<Effect, InwardEffect | { readonly type: 'relay' }>

/** What a performer is given. */
export interface PerformerOptions {
  readonly store: DurableStore
  readonly timers: Pick<Timers<Extract<Effect, { type: 'set-timer' }>['name']>, 'set' | 'clear'>
  /** Does one effect, now and without waiting. */
  perform(effect: OutwardEffect): void
  /** The store failed, or `perform` threw; nothing is performed any more. */
  onFault(error: unknown): void
}

interface Job {
  readonly effects: readonly Effect[]
  relay(): void
  /** Says whether all effects were performed. */
  settle(isPerformed: boolean): void
}

/** The one who performs. */
export class Performer {
  readonly #options: PerformerOptions
  #jobs: Job[] = []
  #isRunning = false
  #run: Promise<void> = Promise.resolve()
  #isStopped = false

  constructor(options: PerformerOptions) {
    this.#options = options
  }

  /**
   * Performs the effects of one step, after those of all earlier calls. `relay` passes on the message that the
   * step took in. Resolves to true when all is done, and to false when it will not be, because the performer was
   * stopped or failed.
   */
  perform(effects: readonly Effect[], relay: () => void = () => {}): Promise<boolean> {
    if (this.#isStopped) return Promise.resolve(false)
    for (const effect of effects) this.#performInward(effect)
    return new Promise(settle => {
      this.#jobs.push({ effects, relay, settle })
      if (!this.#isRunning) this.#run = this.#performJobs()
    })
  }

  /** Performs all that has come so far and then nothing more. */
  async stop(): Promise<void> {
    while (this.#isRunning) await this.#run
    this.#isStopped = true
  }

  /** Runs without waiting until there is something to write. */
  async #performJobs(): Promise<void> {
    let jobs: Job[] = []
    this.#isRunning = true
    try {
      while (this.#jobs.length > 0) {
        jobs = this.#jobs
        this.#jobs = []
        if (jobs.some(({ effects }) => effects.some(({ type }) => type === 'persist')))
          await this.#options.store.flush()
        for (const job of jobs) this.#performJob(job)
      }
    } catch (error) {
      this.#isStopped = true
      for (const job of [...jobs, ...this.#jobs.splice(0)]) job.settle(false)
      this.#options.onFault(error)
    } finally {
      this.#isRunning = false
    }
  }

  #performInward(effect: Effect): void {
    if (effect.type === 'persist') this.#options.store.stage(effect.writes)
    else if (effect.type === 'set-timer') this.#options.timers.set(effect.name, effect.delayMs)
    else if (effect.type === 'clear-timer') this.#options.timers.clear(effect.name)
  }

  #performJob(job: Job): void {
    for (const effect of job.effects) {
      if (effect.type === 'relay') job.relay()
      else if (!isInward(effect)) this.#options.perform(effect)
    }
    job.settle(true)
  }
}

function isInward(effect: Effect): effect is InwardEffect {
  return effect.type === 'persist' || effect.type === 'set-timer' || effect.type === 'clear-timer'
}
