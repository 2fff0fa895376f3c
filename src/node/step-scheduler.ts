// Work in steps, a few per turn of the event loop, since a large message takes long to decode and would delay all else.
// Small work is done at once. The rest of larger work waits in a queue per peer, and the queues are served in rotation, one
// turn each: many peers with large messages take no more of a turn than one, and a peer that sends much delays only itself.

import { setImmediate } from 'node:timers/promises'
import type { Steps } from '../chain/steps.ts'
import type { PeerId } from '../replica/effects.ts'

/** Milliseconds of one turn that may be spent before others have theirs. */
const TURN_MS = 4

/** The clock and the turns of a scheduler. */
export interface SchedulerTime {
  /** Milliseconds of a clock that never steps back. */
  now(): number
  /** Resolves in the next turn of the event loop. */
  nextTurn(): Promise<unknown>
}

/** Unfinished work: does one more turn of it; true when it has finished or thrown. */
type Job = () => boolean

/** What work came to. */
export interface Done<T> {
  readonly value: T
  /** Milliseconds of the event loop that it took. */
  readonly spentMs: number
}

/** The turns that the work of one node takes. */
export class StepScheduler {
  readonly #time: SchedulerTime
  /** What waits, of each peer in the order in which it came; the peer whose turn is next stands first. */
  readonly #queues = new Map<PeerId, Job[]>()
  #isWorking = false

  constructor(time: SchedulerTime = { now: () => performance.now(), nextTurn: setImmediate }) {
    this.#time = time
  }

  /** The result of work for a peer. Rejects with what it throws. */
  async run<T>(peer: PeerId, steps: Steps<T>): Promise<Done<T>> {
    const first = this.#turn(steps)
    if (first.step.done === true) return { value: first.step.value, spentMs: first.spentMs }
    let { spentMs } = first
    return new Promise((resolve, reject) => {
      const turn = (): boolean => {
        try {
          const next = this.#turn(steps)
          spentMs += next.spentMs
          if (next.step.done !== true) return false
          resolve({ value: next.step.value, spentMs })
        } catch (error) {
          reject(error)
        }
        return true
      }
      const queue = this.#queues.get(peer)
      if (queue === undefined) this.#queues.set(peer, [turn])
      else queue.push(turn)
      if (!this.#isWorking) void this.#work()
    })
  }

  async #work(): Promise<void> {
    this.#isWorking = true
    while (this.#queues.size > 0) {
      await this.#time.nextTurn()
      const [peer, queue] = [...this.#queues][0]!
      this.#queues.delete(peer)
      if (queue[0]!()) queue.shift()
      if (queue.length > 0) this.#queues.set(peer, queue)
    }
    this.#isWorking = false
  }

  #turn<T>(steps: Steps<T>): { readonly step: IteratorResult<void, T>; readonly spentMs: number } {
    const beganMs = this.#time.now()
    for (;;) {
      const step = steps.next()
      const spentMs = this.#time.now() - beganMs
      if (step.done === true || spentMs >= TURN_MS) return { step, spentMs }
    }
  }
}
