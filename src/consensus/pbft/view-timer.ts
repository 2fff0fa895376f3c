// How long a replica waits for progress before it leaves a view (Castro and Liskov, sections 4.4 and 4.5.2): twice as
// long for each view that fails after f others in a row, for f may fail because of their leaders. The timeout does not
// fall back at a decision, or a network whose delay is greater than the base timeout would lose a view, and double the
// timeout again, for every decision. It halves after a round of decisions each of which took less than a quarter of it:
// then half of it is still twice what they took.
//
// No clock is read. The timer fires first after a part of the timeout (a 256th), and again each time twice as much is over:
// how often it fired before a decision came says how long that took, to a factor of two.

import type { Snapshot } from '../process.ts'
import { faultsTolerated } from '../quorum.ts'
import { snapshotOf } from '../snapshot.ts'

/** The timer that ends a view without progress. */
export const PROGRESS = 'progress'

/** Milliseconds of a timeout at most, whatever the base is: a day, which no network needs and every timer can hold. */
const TIMEOUT_MS_MAX = 86_400_000

/** Times that the timer fires until the timeout is over, each after twice as long as the last; and until a decision is slow. */
const RUNGS = 9
const SLOW_RUNG = 7

/** Quick decisions that a slow one undoes: not all, or a few slow members would keep the timeout up for good. */
const SLOW_PRICE = 2

/** The effects of a timer. */
export type TimerEffect =
  | { readonly type: 'set-timer'; readonly name: string; readonly delayMs: number }
  | { readonly type: 'clear-timer'; readonly name: string }

/** The progress timer of one replica. */
export class ViewTimer {
  readonly #baseMs: number
  /** Members: as many quick decisions halve the timeout. */
  readonly #round: number
  /** Views that may fail in a row before the timeout doubles. */
  readonly #failuresFree: number
  readonly #emit: (effect: TimerEffect) => void
  /** Doublings of the base timeout. */
  #doublings = 0
  /** Views that failed since the last decision. */
  #failures = 0
  #quick = 0
  #isTimed = false
  #rung = 0

  constructor(baseMs: number, n: number, emit: (effect: TimerEffect) => void) {
    this.#baseMs = baseMs
    this.#round = n
    this.#failuresFree = Math.max(1, faultsTolerated(n))
    this.#emit = emit
  }

  get timeoutMs(): number {
    return Math.min(this.#baseMs * 2 ** this.#doublings, Math.max(this.#baseMs, TIMEOUT_MS_MAX))
  }

  /** Views that failed in a row. */
  get failures(): number {
    return this.#failures
  }

  /** Whether there is something that it waits for. */
  get isTimed(): boolean {
    return this.#isTimed
  }

  /** How often the timer fired since the wait began: 0 before a 256th of the timeout, 8 after half of it. */
  get rung(): number {
    return this.#rung
  }

  /** Whether a quarter of the timeout is over. */
  get isSlow(): boolean {
    return this.#rung >= SLOW_RUNG
  }

  /** All of it (see `Process`). */
  get snapshot(): Snapshot {
    return snapshotOf({
      ...{ doublings: this.#doublings, failures: this.#failures, quick: this.#quick },
      ...{ isTimed: this.#isTimed, rung: this.#rung },
    })
  }

  /** Runs the timer while there is something to wait for; one that runs is left running. */
  watch(isWaiting: boolean): void {
    if (!isWaiting) return this.stop()
    if (this.#isTimed) return
    this.#isTimed = true
    this.#emit({ type: 'set-timer', name: PROGRESS, delayMs: this.#untilRung(1) })
  }

  stop(): void {
    this.#rung = 0
    if (!this.#isTimed) return
    this.#isTimed = false
    this.#emit({ type: 'clear-timer', name: PROGRESS })
  }

  /** The timer fired: whether the whole timeout is over, and not only a part of it. */
  onTimeout(): boolean {
    if (this.#rung === RUNGS - 1 || !this.#isTimed) {
      this.#isTimed = false
      this.#rung = 0
      return true
    }
    this.#rung += 1
    if (this.#rung === SLOW_RUNG) this.#quick = Math.max(0, this.#quick - SLOW_PRICE)
    const delayMs = this.#untilRung(this.#rung + 1) - this.#untilRung(this.#rung)
    this.#emit({ type: 'set-timer', name: PROGRESS, delayMs })
    return false
  }

  /** A view failed. f in a row after a decision may have failed for their leaders alone; more, for want of time. */
  fail(): void {
    this.#failures += 1
    this.#quick = 0
    if (this.#failures > this.#failuresFree && this.timeoutMs < TIMEOUT_MS_MAX) this.#doublings += 1
    this.stop()
  }

  /** Something was decided; `isOurs` when we voted for it in our view, so that its time says how fast the view is. */
  succeed(isOurs: boolean): void {
    this.#failures = 0
    if (isOurs && this.#isTimed && !this.isSlow) this.#quick += 1
    if (this.#quick >= this.#round) {
      this.#quick = 0
      this.#doublings = Math.max(0, this.#doublings - 1)
    }
    this.stop()
  }

  /** Milliseconds from the beginning of a wait until the timer has fired so often. */
  #untilRung(rung: number): number {
    return Math.ceil(this.timeoutMs / 2 ** (RUNGS - rung))
  }
}
