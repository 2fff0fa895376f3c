// Schedules clients' work on the event loop, so that no call, batch or client delays the node or the other clients.
//
// Work is done in steps, a few milliseconds of them per turn of the loop; then everything else has its turn, and then the
// next address. An address owes the cost of its steps (src/defence/debt.ts): a client that owes much waits until time has
// paid off some of it, and is refused when that would take too long. So every method has its price, and an address with
// many requests gets its share and no more. All remote addresses have a share together too, since there may be many; this
// machine has one of its own, since its programs are the operator's. Within an address the connection that has cost least
// comes first, every other time, so that a program with few calls does not wait behind those with many.

import { BoundedMap } from '../collections/bounded-map.ts'
import { type Credit, Debt, MS_PER_BYTE } from '../defence/debt.ts'
import { type Client, THIS_MACHINE } from './client-address.ts'

/** How much of the node's time clients may have. */
export interface TurnLimits {
  /** Milliseconds of work in one turn of the event loop, but for the last step of it. */
  readonly turnMs: number
  /** Milliseconds that a request waits for its address to pay off what it owes; then it is refused. */
  readonly waitMaxMs: number
  /** Requests of one address that may wait. */
  readonly waitingMax: number
  /** What one address of another machine may cost. */
  readonly addressCredit: Credit
  /** What all other machines may cost together. */
  readonly strangersCredit: Credit
  /** What programs on this machine may cost. */
  readonly localCredit: Credit
}

/** One step's turn. */
export interface Turn {
  /** When it should end. */
  readonly endMs: number
  /** Whether nothing more is to be done for this request, because its address owes too much. */
  readonly isRefused: boolean
  now(): number
  /** Adds what the step costs besides its own time. */
  charge(ms: number): void
}

/** Does some of a request's work. If it returns a promise, the work goes on when that has resolved or rejected. */
export type Step = (turn: Turn) => 'done' | 'more' | Promise<void>

/** Where turns take their time from. */
export interface SchedulerTime {
  /** Milliseconds of a clock that never steps back. */
  now(): number
  /** Calls back in another turn of the event loop. */
  soon(task: () => void): void
  /** Calls back after so many milliseconds. Returns what ends it. */
  later(ms: number, task: () => void): () => void
}

/** Addresses whose debts are remembered. One that was forgotten still has a part in what all strangers owe. */
const DEBTORS_MAX = 4_096

/** A connection that takes no more of the time than this owes nothing, and it owes about as much as this at most. */
const CONNECTION_CREDIT: Credit = { share: 0.05, burstMs: 1_000 }

/** What parsing a request's head and a refusal cost, and each header: measured 0.02 and 0.001, and rounded up. */
const HEAD_MS = 0.05
const HEADER_MS = 0.002

const REAL_TIME: SchedulerTime = {
  now: () => performance.now(),
  soon: task => void setImmediate(task),
  later: (ms, task) => {
    const timer = setTimeout(task, ms).unref()
    return () => clearTimeout(timer)
  },
}

interface Job {
  readonly step: Step
  /** What its address owes, and others with it. */
  readonly debts: readonly Debt[]
  /** What its connection owes: it says only which of the address's connections comes first. */
  readonly connectionDebt: Debt
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

interface Waiting {
  readonly job: Job
  /** Since when it waits for its turn. */
  readonly sinceMs: number
}

/** What waits of one address. */
interface Queue {
  /** In the order in which they came. */
  readonly waiting: Waiting[]
  turns: number
}

/** The turns of all clients of one server. */
export class ClientScheduler {
  readonly #limits: TurnLimits
  readonly #time: SchedulerTime
  readonly #strangers: Debt
  readonly #debts = new BoundedMap<string, Debt>(DEBTORS_MAX)
  /** By address, in the order in which they have their turns. */
  readonly #queues = new Map<string, Queue>()
  readonly #connectionDebts = new WeakMap<object, Debt>()
  /** Requests by address that wait for their turn or for something else. */
  readonly #counts = new Map<string, number>()
  #lastKey: string | null = null
  #spentMs = 0
  #isSoon = false
  #stopTimer: () => void = () => {}

  constructor(limits: TurnLimits, time: SchedulerTime = REAL_TIME) {
    this.#limits = limits
    this.#time = time
    this.#strangers = new Debt(limits.strangersCredit)
  }

  /** Whether it makes sense to read what a client asks: else it would be refused, or there is too much of it already. */
  mayAsk(client: Client): boolean {
    const { waitMaxMs, waitingMax } = this.#limits
    const isFull = (this.#counts.get(client.key) ?? 0) >= waitingMax
    return !isFull && waitMs(this.#debtsOf(client), this.#time.now()) <= waitMaxMs
  }

  /** Does a client's work step by step; resolves when it is done. Rejects with what a step throws. */
  async run(client: Client, step: Step, connection: object = client): Promise<void> {
    const { key } = client
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1)
    try {
      await new Promise<void>((resolve, reject) => {
        const debts = this.#debtsOf(client)
        this.#enqueue(key, { step, debts, connectionDebt: this.#debtOf(connection), resolve, reject })
        this.#work()
      })
    } finally {
      const left = this.#counts.get(key)! - 1
      if (left === 0) this.#counts.delete(key)
      else this.#counts.set(key, left)
    }
  }

  /** Whether a connection is worth the work of taking it: those of an address that goes on when it is refused are not. */
  mayConnect(client: Client): boolean {
    return waitMs(this.#debtsOf(client), this.#time.now()) <= 2 * this.#limits.waitMaxMs
  }

  /** Adds what a request costs before it is known what it asks: it is paid by refused ones too. */
  chargeHead(client: Client, headers: number): void {
    this.#charge(this.#debtsOf(client), HEAD_MS + headers * HEADER_MS)
  }

  /**
   * Calls back when what a client sends may be read on: its address has paid off what it owes. Returns what ends the wait,
   * or null where it owes so little that it need not wait.
   */
  whenPaid(client: Client, task: () => void): (() => void) | null {
    const ms = waitMs(this.#debtsOf(client), this.#time.now())
    return ms > 0 ? this.#time.later(Math.ceil(ms), task) : null
  }

  /** Adds what bytes cost that are read or sent. */
  chargeBytes(client: Client, bytes: number): void {
    this.#charge(this.#debtsOf(client), bytes * MS_PER_BYTE)
  }

  #enqueue(key: string, job: Job): void {
    const waiting = { job, sinceMs: this.#time.now() }
    const queue = this.#queues.get(key)
    if (queue === undefined) this.#queues.set(key, { waiting: [waiting], turns: 0 })
    else queue.waiting.push(waiting)
  }

  #work(): void {
    while (this.#spentMs < this.#limits.turnMs) {
      const key = this.#nextKey()
      if (key === null) break
      this.#workFor(key)
    }
    this.#goOn()
  }

  /** The address whose turn it is: the first that may spend, or whose request has waited for as long as it may. */
  #nextKey(): string | null {
    const nowMs = this.#time.now()
    const isReady = (queue: Queue | undefined): boolean =>
      queue !== undefined && this.#restMs(queue.waiting[0]!, nowMs) <= 0
    // Every other turn is for this machine: other addresses may be many.
    if (this.#lastKey !== THIS_MACHINE && isReady(this.#queues.get(THIS_MACHINE))) return THIS_MACHINE
    let own: string | null = null
    for (const [key, queue] of this.#queues) {
      if (!isReady(queue)) continue
      if (key !== THIS_MACHINE) return key
      own = key
    }
    return own
  }

  #workFor(key: string): void {
    const queue = this.#queues.get(key)!
    this.#lastKey = key
    const beganMs = this.#time.now()
    const job = takeNext(queue, beganMs)
    // Its next request has its turn after those of all others.
    this.#queues.delete(key)
    if (queue.waiting.length > 0) this.#queues.set(key, queue)
    let extraMs = 0
    const turn: Turn = {
      endMs: beganMs + this.#limits.turnMs - this.#spentMs,
      isRefused: waitMs(job.debts, beganMs) > 0,
      now: this.#time.now,
      charge: ms => {
        extraMs += ms
      },
    }
    this.#doStep(key, job, turn)
    const costMs = this.#time.now() - beganMs
    this.#spentMs += costMs
    this.#charge(job.debts, costMs + extraMs)
    // What it owed beyond its burst would keep it last long after it has become like others.
    if (job.connectionDebt.waitMs(beganMs) === 0) this.#charge([job.connectionDebt], costMs + extraMs)
  }

  #doStep(key: string, job: Job, turn: Turn): void {
    const resume = (): void => {
      this.#enqueue(key, job)
      this.#work()
    }
    try {
      const state = job.step(turn)
      if (state === 'done') job.resolve()
      else if (state === 'more') this.#enqueue(key, job)
      else state.then(resume, job.reject)
    } catch (error) {
      job.reject(error)
    }
  }

  /** Sees to what waits: in the next turn of the event loop, or when the first debt is paid off. */
  #goOn(): void {
    this.#stopTimer()
    this.#stopTimer = () => {}
    const nowMs = this.#time.now()
    const rests = [...this.#queues.values()].map(({ waiting }) => this.#restMs(waiting[0]!, nowMs))
    const restMs = Math.min(...rests)
    if (this.#spentMs > 0 || restMs <= 0) this.#workSoon()
    else if (rests.length > 0) this.#stopTimer = this.#time.later(Math.ceil(restMs), () => this.#work())
  }

  /** In its next turn the event loop has all its time again. */
  #workSoon(): void {
    if (this.#isSoon) return
    this.#isSoon = true
    this.#time.soon(() => {
      this.#isSoon = false
      this.#spentMs = 0
      this.#work()
    })
  }

  /** Milliseconds until a request is looked at: to be worked on, or to be refused. */
  #restMs({ job, sinceMs }: Waiting, nowMs: number): number {
    return Math.min(waitMs(job.debts, nowMs), sinceMs + this.#limits.waitMaxMs - nowMs)
  }

  #debtsOf({ key, isLocal }: Client): readonly Debt[] {
    const { localCredit, addressCredit } = this.#limits
    const debt = this.#debts.get(key) ?? new Debt(isLocal ? localCredit : addressCredit)
    this.#debts.set(key, debt)
    return isLocal ? [debt] : [debt, this.#strangers]
  }

  #debtOf(connection: object): Debt {
    const debt = this.#connectionDebts.get(connection) ?? new Debt(CONNECTION_CREDIT)
    this.#connectionDebts.set(connection, debt)
    return debt
  }

  #charge(debts: readonly Debt[], ms: number): void {
    const nowMs = this.#time.now()
    for (const debt of debts) debt.add(ms, nowMs)
  }
}

/**
 * Takes the job whose turn it is out of a queue: that of the connection that owes least, and every other time the one that
 * has waited longest, so that none waits without end. While their address owes too much it is the latter, to be refused.
 */
function takeNext(queue: Queue, nowMs: number): Job {
  const { waiting } = queue
  queue.turns += 1
  if (queue.turns % 2 === 0 || waitMs(waiting[0]!.job.debts, nowMs) > 0) return waiting.shift()!.job
  const owedMs = ({ job }: Waiting): number => job.connectionDebt.leftMs(nowMs)
  const least = waiting.reduce((least, other) => (owedMs(other) < owedMs(least) ? other : least))
  waiting.splice(waiting.indexOf(least), 1)
  return least.job
}

function waitMs(debts: readonly Debt[], nowMs: number): number {
  return Math.max(...debts.map(debt => debt.waitMs(nowMs)))
}
