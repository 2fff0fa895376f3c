// The wires between simulated nodes: messages travel as bytes, late, twice, out of order or never, as the plan
// of the run says. Links are two one-way channels; a partition cuts those between its sides.

import type { PeerId } from '../replica/effects.ts'
import { encodeMessage, type MessageType, type OutgoingMessage } from '../replica/messages.ts'
import type { Tag } from './costs.ts'
import type { Course } from './course.ts'
import type { FaultPlan } from './faults.ts'
import type { Random } from './random.ts'
import type { Schedule } from './schedule.ts'

/** Milliseconds by which a message in the long tail is later than others. */
const TAIL_MS = 10_000
/** Milliseconds after which a message that comes once more does so at most. */
const REPLAY_MAX_MS = 60_000

/** Hands the bytes of a message to its receiver, with what is known of it. */
type Deliver = (from: PeerId, to: PeerId, bytes: Uint8Array, tag: Tag | null) => void

/** Every message of one run. */
export class Network {
  /** Messages sent, by type, and their bytes. */
  readonly messages = new Map<MessageType, number>()
  bytes = 0
  /** Messages that never arrived, by chance or because of a partition. */
  lost = 0
  faults: FaultPlan
  readonly #schedule: Schedule
  readonly #random: Random
  readonly #replays: Random
  readonly #deliver: Deliver
  /** Distances, narrow links and the model of the network; null for none of these. */
  readonly #course: Course | null
  /** When the last message on a link arrives: without reordering the next can't be earlier. */
  readonly #lastArrival = new Map<string, number>()
  /** The side of each node while the network is cut. */
  #sides = new Map<PeerId, number>()
  /** Who is on both sides; null for nobody. */
  #bridge: PeerId | null = null
  /** Those whom only those hear who are among them. */
  #muted: ReadonlySet<PeerId> = new Set()
  /** Links that are closed, how often, and what waits there. */
  readonly #clogged = new Map<string, { times: number; readonly waiting: (() => void)[] }>()

  constructor(options: {
    schedule: Schedule
    random: Random
    faults: FaultPlan
    deliver: Deliver
    course?: Course | null
  }) {
    this.#schedule = options.schedule
    this.#random = options.random
    this.#replays = options.random.stream('replays')
    this.faults = options.faults
    this.#deliver = options.deliver
    this.#course = options.course ?? null
  }

  /** Cuts the network: nodes reach only those of the same side, and all reach one, who reaches all, if there is a bridge. */
  cut(sides: Map<PeerId, number>, bridge: PeerId | null = null): void {
    this.#sides = sides
    this.#bridge = bridge
  }

  /** From now on what these say to others is lost, but not what others say to them. */
  mute(nodes: ReadonlySet<PeerId>): void {
    this.#muted = nodes
  }

  /** Closes a link in one direction: what is sent there waits. */
  clog(from: PeerId, to: PeerId): void {
    const link = `${from}>${to}`
    const closed = this.#clogged.get(link) ?? { times: 0, waiting: [] }
    closed.times += 1
    this.#clogged.set(link, closed)
  }

  /** Opens a link again, once for each time that it was closed. */
  unclog(from: PeerId, to: PeerId): void {
    const closed = this.#clogged.get(`${from}>${to}`)
    if (closed === undefined) return
    closed.times -= 1
    if (closed.times === 0) this.#open(`${from}>${to}`)
  }

  /** Ends every cut and opens every link. */
  heal(): void {
    this.#sides = new Map()
    this.#bridge = null
    this.#muted = new Set()
    for (const link of [...this.#clogged.keys()]) this.#open(link)
  }

  /** Sends one message to each of the receivers, and says how many bytes it has. */
  send(from: PeerId, to: readonly PeerId[], message: OutgoingMessage, tag: Tag | null = null): number {
    const bytes = encodeMessage(message)
    this.messages.set(message.type, (this.messages.get(message.type) ?? 0) + to.length)
    this.bytes += bytes.length * to.length
    for (const receiver of to) {
      this.#replayLater(from, receiver, bytes, tag)
      this.#transmit(from, receiver, bytes, tag)
      if (this.#random.chance(this.faults.duplicateRate)) this.#transmit(from, receiver, bytes, tag)
    }
    return bytes.length
  }

  /** Somebody has kept the message and says it again, long after, past all that was said since. */
  #replayLater(from: PeerId, to: PeerId, bytes: Uint8Array, tag: Tag | null): void {
    if (!this.#replays.chance(this.faults.replayRate)) return
    const delayMs = this.#replays.between(0, REPLAY_MAX_MS)
    this.#schedule.after(delayMs, () => {
      if (!this.#isCut(from, to)) this.#deliver(from, to, bytes, tag)
    })
  }

  #transmit(from: PeerId, to: PeerId, bytes: Uint8Array, tag: Tag | null): void {
    const { lossRate, delayMinMs, delayMeanMs, tailRate } = this.faults
    // Drawn always, so that a lost message does not shift the numbers of the others.
    const isDropped = this.#random.chance(lossRate)
    const delayMs =
      delayMinMs + this.#random.exponential(delayMeanMs) + (this.#random.chance(tailRate) ? TAIL_MS : 0)
    const { nowMs } = this.#schedule
    const isLost = isDropped || this.#isCut(from, to)
    const own = isLost ? null : delayMs
    const parcel = { from, to, bytes: bytes.length, tag, nowMs, delayMs, isLost }
    const delay = this.#course === null ? own : this.#course.delayOf(parcel)
    if (delay === null) {
      this.lost += 1
      return
    }
    const link = `${from}>${to}`
    const closed = this.#clogged.get(link)
    if (closed === undefined) return this.#travel(link, delay, () => this.#deliver(from, to, bytes, tag))
    closed.waiting.push(() => this.#travel(link, delay, () => this.#deliver(from, to, bytes, tag)))
  }

  #travel(link: string, delayMs: number, arrive: () => void): void {
    const { nowMs } = this.#schedule
    const earliest = this.faults.mayReorder ? 0 : (this.#lastArrival.get(link) ?? 0)
    const arrival = Math.max(earliest, nowMs + delayMs)
    this.#lastArrival.set(link, arrival)
    this.#schedule.after(arrival - nowMs, arrive)
  }

  #isCut(from: PeerId, to: PeerId): boolean {
    const isBridged = from === this.#bridge || to === this.#bridge
    const isApart = !isBridged && this.#sides.get(from) !== this.#sides.get(to)
    return isApart || (this.#muted.has(from) && !this.#muted.has(to))
  }

  #open(link: string): void {
    const closed = this.#clogged.get(link)
    this.#clogged.delete(link)
    for (const leave of closed?.waiting ?? []) leave()
  }
}
