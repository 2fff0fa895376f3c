// Somebody who attacks: a target, strangers that come back under new names when they are sent away, and what it cost.
// An attack goes on until its signal ends it; nothing that the target does to it is an error.

import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import { Stranger, type StrangerOptions, type Target } from './stranger.ts'

/** What an attack cost its attacker so far. */
export interface Cost {
  /** Connections that came about, and attempts that did not. */
  readonly connections: number
  readonly refusals: number
  readonly bytesSent: number
  readonly bytesReceived: number
}

/** Milliseconds until a stranger that was not let in tries again. */
const RETRY_MS = 100
/** Messages between looks at the clock and the network: an attacker that never pauses would read nothing. */
const FLOOD_SLICE = 16

/** One attacker of one target. */
export class Attacker {
  readonly target: Target
  readonly signal: AbortSignal
  readonly #strangers = new Set<Stranger>()
  readonly #ended = { connections: 0, refusals: 0, bytesSent: 0, bytesReceived: 0 }

  constructor(target: Target, signal: AbortSignal) {
    this.target = target
    this.signal = signal
  }

  get isOver(): boolean {
    return this.signal.aborted
  }

  get cost(): Cost {
    const cost = { ...this.#ended }
    for (const { sentBytes, receivedBytes } of this.#strangers) {
      cost.bytesSent += sentBytes
      cost.bytesReceived += receivedBytes
    }
    return cost
  }

  /** Counts what went over connections that are no strangers'. */
  spend(cost: Partial<Cost>): void {
    for (const [name, value] of Object.entries(cost) as [keyof Cost, number][]) this.#ended[name] += value
  }

  /** Has a stranger in the node that does this, and another one as soon as it was sent away or is done. */
  async persist(act: (stranger: Stranger) => Promise<void>, options: StrangerOptions = {}): Promise<void> {
    while (!this.isOver) {
      const stranger = await Stranger.connect(this.target, options).catch(() => null)
      if (stranger === null) {
        this.#ended.refusals += 1
        await this.pause(RETRY_MS)
        continue
      }
      this.#ended.connections += 1
      this.#strangers.add(stranger)
      // A stream that is closed under its hands is how an attack on a good node ends.
      const acting = stranger
        .greet(options.claim)
        .then(() => act(stranger))
        .catch(() => this.pause(RETRY_MS))
      await Promise.race([acting, stranger.closed, this.#over()])
      await stranger.close()
      this.#strangers.delete(stranger)
      this.#ended.bytesSent += stranger.sentBytes
      this.#ended.bytesReceived += stranger.receivedBytes
    }
  }

  /** Sends what `next` makes, again and again, as fast as the node takes it. */
  async flood(stranger: Stranger, next: (count: number) => Uint8Array): Promise<void> {
    for (let count = 0; !this.isOver; count++) {
      await stranger.send(next(count))
      if (count % FLOOD_SLICE === FLOOD_SLICE - 1) await setImmediate()
    }
  }

  /** Sends what `next` makes, so many in a second. */
  async trickle(
    stranger: Stranger,
    perSecond: number,
    next: (count: number) => Uint8Array | Promise<Uint8Array>,
  ): Promise<void> {
    for (let count = 0; !this.isOver; count++) {
      await stranger.send(await next(count))
      await this.pause(1_000 / perSecond)
    }
  }

  /** Waits, or until the attack is over. */
  async pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.signal }).catch(() => {})
  }

  #over(): Promise<void> {
    return new Promise(resolve => {
      if (this.isOver) resolve()
      else this.signal.addEventListener('abort', () => resolve(), { once: true })
    })
  }
}
