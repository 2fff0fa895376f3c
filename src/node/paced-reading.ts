// Reading at the pace that is paid for: bytes that can't be paid yet wait here, and meanwhile the socket is not read.
//
// What costs much is read in slices, each in a turn of the event loop of its own, so that no piece blocks the loop for
// long. A slice costs no more than a connection can pay alone, so each goes on, if slowly.

import { OWN_MS, type WireBudget } from './wire-budget.ts'

/** Milliseconds that one slice may cost. */
export const SLICE_MS = OWN_MS.burst

/** What a connection does to be read at a pace. */
export interface PacedConnection {
  readonly budget: WireBudget
  /** Takes bytes in; they follow each other in the order in which they came. */
  read(bytes: Uint8Array): void
  /** Stops reading the socket until `resume`. What was read already may still come. */
  pause(): void
  resume(): void
  /** Calls back, in another turn. */
  after(ms: number, retry: () => void): void
  /** Milliseconds of a clock that never steps back. */
  now(): number
}

/** The bytes of one connection that wait to be read. */
export class PacedReading {
  readonly #connection: PacedConnection
  readonly #waiting: { readonly bytes: Uint8Array; readonly priceMs: number }[] = []
  #isEnded = false

  constructor(connection: PacedConnection) {
    this.#connection = connection
  }

  /** Whether anything waits. */
  get isWaiting(): boolean {
    return this.#waiting.length > 0
  }

  /** Reads what came as soon as its price can be paid. */
  push(bytes: Uint8Array, priceMs: number): void {
    const isFirst = !this.isWaiting
    const slices = Math.max(1, Math.min(bytes.length, Math.ceil(priceMs / SLICE_MS)))
    const size = Math.ceil(bytes.length / slices)
    for (let start = 0; start < bytes.length; start += size)
      this.#waiting.push({ bytes: bytes.subarray(start, start + size), priceMs: priceMs / slices })
    if (isFirst && this.isWaiting) this.#readNext()
  }

  /** Nothing more is read: the connection has ended. */
  end(): void {
    this.#isEnded = true
    this.#waiting.length = 0
  }

  /** Reads one slice if it can be paid, and comes back for the others. */
  #readNext(): void {
    const waitMs = this.#connection.budget.pay(this.#waiting[0]!.priceMs, this.#connection.now())
    if (waitMs === 0) this.#connection.read(this.#waiting.shift()!.bytes)
    if (!this.isWaiting) return
    this.#connection.pause()
    this.#connection.after(waitMs, () => this.#retry())
  }

  #retry(): void {
    if (this.#isEnded) return
    this.#readNext()
    if (!this.isWaiting && !this.#isEnded) this.#connection.resume()
  }
}
