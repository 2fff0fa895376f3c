// Serves the requests of peers so that none blocks the node: one at a time, with the event loop free before each. A peer
// that has cost much waits until its share of the node's time allows for more, and so do the peers of its address. Of
// those whose turn it is, the peer that owes least is served first, so that a stranger with endless requests is overtaken
// by all others. Links are read one message at a time (peer-link.ts), so a peer that waits holds up only itself.
//
// The price of a request is its cost: milliseconds of the event loop, and the bytes of the answer. So every kind of
// request has the right price.

import { setImmediate, setTimeout } from 'node:timers/promises'
import { BoundedMap } from '../collections/bounded-map.ts'
import { type Credit, Debt, MS_PER_BYTE } from '../defence/debt.ts'
import type { PeerId } from '../replica/effects.ts'

/**
 * What one peer, the peers of one address, and all together may cost of the node's time: a peer that changes its identity
 * gains nothing, and two that change it leave something for the others.
 */
const PEER_CREDIT: Credit = { share: 0.15, burstMs: 250 }
const GROUP_CREDIT: Credit = { share: 0.2, burstMs: 250 }
const ALL_CREDIT: Credit = { share: 0.3, burstMs: 250 }
/** For hellos, by which peers prove that they speak for validators: 250 a second. */
const HELLO_CREDIT: Credit = { share: 0.05, burstMs: 250 }
/** Hellos that may wait at once: what their share serves in a second. One more waits as any other request does. */
const WAITING_HELLOS_MAX = 256
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

/** A request whose turn comes. */
interface Ticket {
  readonly debts: readonly Debt[]
  /** Returns the bytes of the answer. */
  readonly work: () => number
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** The requests of all peers of one node. */
export class RequestQueue {
  readonly #time: Time
  readonly #all = new Debt(ALL_CREDIT)
  readonly #hellos = new Debt(HELLO_CREDIT)
  readonly #peers = new BoundedMap<PeerId, Debt>(DEBTORS_MAX)
  readonly #groups = new BoundedMap<string, Debt>(DEBTORS_MAX)
  readonly #waiting = new Set<PeerId>()
  readonly #stop = new AbortController()
  /** In the order in which they came. */
  #tickets: Ticket[] = []
  #isServing = false
  #lastHello: Promise<void> = Promise.resolve()
  #waitingHellos = 0

  constructor(time: Time = REAL_TIME) {
    this.#time = time
  }

  /**
   * Does the work for a peer of a group of addresses when its turn has come; `work` returns the bytes of its answer. A peer
   * has one request here: a second one, over another link, is dropped. Resolves when it is done, or will not be.
   */
  async serve(peer: PeerId, group: string, work: () => number): Promise<void> {
    if (this.#waiting.has(peer)) return
    this.#waiting.add(peer)
    try {
      const debts = this.#debtsOf(peer, group)
      await this.#payOff(debts)
      await new Promise<void>((resolve, reject) => {
        this.#tickets.push({ debts, work, resolve, reject })
        void this.#serveTickets()
      })
    } finally {
      this.#waiting.delete(peer)
    }
  }

  /**
   * Charges a peer for useless bytes, and for the milliseconds that they took; resolves when they are paid off. The share of
   * all peers together is not charged, so that the requests of others do not wait for it.
   */
  async charge(peer: PeerId, group: string, bytes: number, spentMs = 0): Promise<void> {
    const debts = this.#debtsOf(peer, group)
    for (const debt of debts) debt.add(spentMs + bytes * MS_PER_BYTE, this.#time.now())
    await this.#payOff(debts)
  }

  /**
   * Does the work for a hello, by which a peer may prove that it speaks for a validator: in the order in which they come, in a
   * share of their own, so that nothing else that strangers ask for delays it.
   */
  async serveHello(peer: PeerId, group: string, work: () => number): Promise<void> {
    if (this.#waitingHellos >= WAITING_HELLOS_MAX) return this.serve(peer, group, work)
    this.#waitingHellos += 1
    const turn = this.#lastHello.then(async () => {
      await this.#pause(this.#hellos.waitMs(this.#time.now()))
      await setImmediate()
      if (!this.#stop.signal.aborted)
        this.#do(work, [this.#hellos, debtOf(this.#groups, group, GROUP_CREDIT)])
    })
    this.#lastHello = turn.catch(() => {}).finally(() => (this.#waitingHellos -= 1))
    return turn
  }

  /** Drops what waits. */
  close(): void {
    this.#stop.abort()
  }

  /** One after the other, the peer that owes least first; a debt shrinks while its peer waits. */
  async #serveTickets(): Promise<void> {
    if (this.#isServing) return
    this.#isServing = true
    while (this.#tickets.length > 0) {
      await this.#pause(this.#all.waitMs(this.#time.now()))
      await setImmediate()
      const { debts, work, resolve, reject } = this.#takeNext()
      try {
        if (!this.#stop.signal.aborted) this.#do(work, [...debts, this.#all])
        resolve()
      } catch (error) {
        reject(error)
      }
    }
    this.#isServing = false
  }

  #takeNext(): Ticket {
    const nowMs = this.#time.now()
    const owed = this.#tickets.map(({ debts }) => Math.max(...debts.map(debt => debt.leftMs(nowMs))))
    const [next] = this.#tickets.splice(owed.indexOf(Math.min(...owed)), 1)
    return next!
  }

  #do(work: () => number, debtors: readonly Debt[]): void {
    const beganMs = this.#time.now()
    const bytes = work()
    const nowMs = this.#time.now()
    for (const debtor of debtors) debtor.add(nowMs - beganMs + bytes * MS_PER_BYTE, nowMs)
  }

  #debtsOf(peer: PeerId, group: string): readonly Debt[] {
    return [debtOf(this.#peers, peer, PEER_CREDIT), debtOf(this.#groups, group, GROUP_CREDIT)]
  }

  async #payOff(debts: readonly Debt[]): Promise<void> {
    const nowMs = this.#time.now()
    await this.#pause(Math.max(...debts.map(debt => debt.waitMs(nowMs))))
  }

  async #pause(ms: number): Promise<void> {
    if (ms === 0) return
    const { signal } = this.#stop
    await this.#time.sleep(ms, signal).catch(error => {
      if (!signal.aborted) throw error
    })
  }
}

/** The debt of a debtor, from now on among those that are remembered. */
function debtOf<K>(debts: BoundedMap<K, Debt>, debtor: K, credit: Credit): Debt {
  const debt = debts.get(debtor) ?? new Debt(credit)
  debts.set(debtor, debt)
  return debt
}
