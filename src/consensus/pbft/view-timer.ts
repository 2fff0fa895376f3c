// How long a replica waits for progress before it leaves a view (Castro and Liskov, sections 4.4 and 4.5.2): twice as
// long for each view that fails. The timeout does not fall back at a decision, or a network whose delay is greater than
// the base timeout would lose a view, and double the timeout again, for every decision. It halves after a round of
// decisions each of which took less than a quarter of it: then half of it is still twice what they took.
//
// No clock is read. The timer fires first after a quarter of the timeout, and what is decided by then was quick.

import type { ProtocolTimer } from '../contract.ts'

/** Milliseconds of a timeout at most, whatever the base is: a day, which no network needs and every timer can hold. */
const TIMEOUT_MS_MAX = 86_400_000

/** The part of the timeout after which what is not decided is slow. */
const SLOW_PART = 4

/** What wants timers set. */
export type TimerEffect =
  | { readonly type: 'set-timer'; readonly name: ProtocolTimer; readonly delayMs: number }
  | { readonly type: 'clear-timer'; readonly name: ProtocolTimer }

/** The progress timer of one replica. */
export class ViewTimer {
  readonly #baseMs: number
  /** Quick decisions in a row that halve the timeout. */
  readonly #round: number
  readonly #emit: (effect: TimerEffect) => void
  /** Doublings of the base timeout. */
  #doublings = 0
  /** Views that failed since the last decision. */
  #failures = 0
  #quick = 0
  #isTimed = false
  #isSlow = false

  constructor(baseMs: number, round: number, emit: (effect: TimerEffect) => void) {
    this.#baseMs = baseMs
    this.#round = round
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

  /** Whether a quarter of the timeout is over. */
  get isSlow(): boolean {
    return this.#isSlow
  }

  /** Runs the timer while there is something to wait for; one that runs is left running. */
  watch(isWaiting: boolean): void {
    if (!isWaiting) return this.stop()
    if (this.#isTimed) return
    this.#isTimed = true
    this.#emit({ type: 'set-timer', name: 'progress', delayMs: this.#quarterMs })
  }

  stop(): void {
    this.#isSlow = false
    if (!this.#isTimed) return
    this.#isTimed = false
    this.#emit({ type: 'clear-timer', name: 'progress' })
  }

  /** The timer fired: whether the whole timeout is over, and not only a quarter of it. */
  onTimeout(): boolean {
    if (this.#isSlow || !this.#isTimed) {
      this.#isTimed = false
      this.#isSlow = false
      return true
    }
    this.#isSlow = true
    this.#quick = 0
    this.#emit({ type: 'set-timer', name: 'progress', delayMs: this.timeoutMs - this.#quarterMs })
    return false
  }

  /** A view failed. The first after a decision may have failed for its leader alone; more in a row, for want of time. */
  fail(): void {
    this.#failures += 1
    this.#quick = 0
    if (this.#failures > 1 && this.timeoutMs < TIMEOUT_MS_MAX) this.#doublings += 1
    this.stop()
  }

  /** Something was decided; `isOurs` when we voted for it in our view, so that its time says how fast the view is. */
  succeed(isOurs: boolean): void {
    this.#failures = 0
    if (isOurs && this.#isTimed && !this.#isSlow) this.#quick += 1
    if (this.#quick >= this.#round) {
      this.#quick = 0
      this.#doublings = Math.max(0, this.#doublings - 1)
    }
    this.stop()
  }

  get #quarterMs(): number {
    return Math.ceil(this.timeoutMs / SLOW_PART)
  }
}
