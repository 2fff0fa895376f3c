// Serves what peers ask for, so that no question holds the node up: one at a time, whoever asks, with the event loop free
// before each; and a peer that has cost much waits until its share of the node's time allows for more. Links are read one
// message at a time (peer-link.ts), so a peer that waits holds up nobody but itself.
//
// The price of a request is what it cost: milliseconds of the event loop, and the bytes of the answer. So no kind of
// request is without a price, and none has a wrong one.

import { setImmediate, setTimeout } from 'node:timers/promises'
import { BoundedMap } from '../replica/bounded-map.ts'
import type { PeerId } from '../replica/effects.ts'
import { type Credit, Debt, MS_PER_BYTE } from './debt.ts'

/** What one peer, and all together, may cost of the node's time. */
const PEER_CREDIT: Credit = { share: 0.15, burstMs: 250 }
const ALL_CREDIT: Credit = { share: 0.3, burstMs: 250 }
/** Peers whose debts are remembered, also while they are not connected. */
const DEBTORS_MAX = 1_024

/** Where a queue takes its time from. */
export interface Time {
  /** Milliseconds of a clock that never steps back. */
  now(): number
  /** Resolves after so many milliseconds; rejects when the signal is aborted before. */
  sleep(ms: number, signal: AbortSignal): Promise<void>
}

const REAL_TIME: Time = {
  now: () => performance.now(),
  sleep: (ms, signal) => setTimeout(ms, undefined, { signal, ref: false }),
}

/** The requests of all peers of one node. */
export class RequestQueue {
  readonly #time: Time
  readonly #all = new Debt(ALL_CREDIT)
  readonly #debts = new BoundedMap<PeerId, Debt>(DEBTORS_MAX)
  readonly #waiting = new Set<PeerId>()
  readonly #stop = new AbortController()
  #last: Promise<void> = Promise.resolve()

  constructor(time: Time = REAL_TIME) {
    this.#time = time
  }

  /**
   * Does the work for a peer when its turn has come; `work` returns the bytes of its answer. A peer has one request here:
   * a second one, over another link, is dropped. Resolves when it is done, or will not be.
   */
  async serve(peer: PeerId, work: () => number): Promise<void> {
    if (this.#waiting.has(peer)) return
    this.#waiting.add(peer)
    try {
      const debt = this.#debts.get(peer) ?? new Debt(PEER_CREDIT)
      this.#debts.set(peer, debt)
      await this.#pause(debt.waitMs(this.#time.now()))
      await this.#inTurn(async () => {
        await this.#pause(this.#all.waitMs(this.#time.now()))
        await setImmediate()
        if (this.#stop.signal.aborted) return
        const beganMs = this.#time.now()
        const bytes = work()
        const nowMs = this.#time.now()
        for (const debtor of [debt, this.#all]) debtor.add(nowMs - beganMs + bytes * MS_PER_BYTE, nowMs)
      })
    } finally {
      this.#waiting.delete(peer)
    }
  }

  /** Drops what waits. */
  close(): void {
    this.#stop.abort()
  }

  /** One after the other, in the order in which they came. */
  async #inTurn(task: () => Promise<void>): Promise<void> {
    const turn = this.#last.then(task)
    this.#last = turn.catch(() => {})
    return turn
  }

  async #pause(ms: number): Promise<void> {
    if (ms === 0) return
    const { signal } = this.#stop
    await this.#time.sleep(ms, signal).catch(error => {
      if (!signal.aborted) throw error
    })
  }
}
