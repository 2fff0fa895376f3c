// How long a replica waits for progress before it leaves a view (Castro and Liskov, sections 4.4 and 4.5.2): twice as
// long for each view that fails in a row, and only a decision makes it short again, not the entry into a view.

import type { ProtocolTimer } from '../contract.ts'

/** Doublings of the timeout at most. */
const DOUBLINGS_MAX = 6

/** What wants timers set. */
export type TimerEffect =
  | { readonly type: 'set-timer'; readonly name: ProtocolTimer; readonly delayMs: number }
  | { readonly type: 'clear-timer'; readonly name: ProtocolTimer }

/** The progress timer of one replica. */
export class Patience {
  readonly #baseMs: number
  readonly #emit: (effect: TimerEffect) => void
  /** Views that failed in a row. */
  #failures = 0
  #isTimed = false

  constructor(baseMs: number, emit: (effect: TimerEffect) => void) {
    this.#baseMs = baseMs
    this.#emit = emit
  }

  get timeoutMs(): number {
    return this.#baseMs * 2 ** Math.min(this.#failures, DOUBLINGS_MAX)
  }

  /** Runs the timer while there is something to wait for; one that runs is left running. */
  watch(isWaiting: boolean): void {
    if (!isWaiting) return this.stop()
    if (this.#isTimed) return
    this.#isTimed = true
    this.#emit({ type: 'set-timer', name: 'progress', delayMs: this.timeoutMs })
  }

  stop(): void {
    if (!this.#isTimed) return
    this.#isTimed = false
    this.#emit({ type: 'clear-timer', name: 'progress' })
  }

  /** The timer fired. */
  onTimeout(): void {
    this.#isTimed = false
  }

  /** A view failed. */
  fail(): void {
    this.#failures += 1
    this.stop()
  }

  /** Something was decided. */
  succeed(): void {
    this.#failures = 0
    this.stop()
  }
}
