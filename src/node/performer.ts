// Performs the effects of a replica's steps, in their order.
//
// One loop: it takes all steps that wait, writes what they persist in one synced batch, and then does their other
// effects, step by step. So no effect is visible before every persist that stands before it is durable, and many steps
// share one sync. When a batch can not be written, no later effect is done.
//
// Timers alone are set and cleared at once: they have no effect outside, and a timer that the replica has cleared must
// not fire while the disk is awaited.

import type { Effect, Write } from '../replica/effects.ts'
import type { Timers } from './timers.ts'

/** Where records are kept. */
export interface DurableStore {
  /** Stages writes: reads see them at once, and the next flush writes them. */
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
  /** Does one effect, synchronously. */
  perform(effect: OutwardEffect): void
  /** The store failed, or `perform` threw; nothing is performed any more. */
  onFault(error: unknown): void
}

interface Job {
  readonly effects: readonly Effect[]
  relay(): void
  /** Says whether all effects were performed. */
  finish(isPerformed: boolean): void
}

/** Performs effects. */
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
   * Performs the effects of one step, after those of all earlier calls. `relay` passes on the message of the step. Resolves
   * to true when all are performed, and to false when they will not be, because the performer was stopped or failed.
   */
  perform(effects: readonly Effect[], relay: () => void = () => {}): Promise<boolean> {
    if (this.#isStopped) return Promise.resolve(false)
    for (const effect of effects) this.#performInward(effect)
    return new Promise(finish => {
      this.#jobs.push({ effects, relay, finish })
      if (!this.#isRunning) this.#run = this.#performJobs()
    })
  }

  /** Performs all steps that wait, and then no more. */
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
      for (const job of [...jobs, ...this.#jobs.splice(0)]) job.finish(false)
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
    job.finish(true)
  }
}

function isInward(effect: Effect): effect is InwardEffect {
  return effect.type === 'persist' || effect.type === 'set-timer' || effect.type === 'clear-timer'
}
