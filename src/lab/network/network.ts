// The wires between simulated nodes: messages travel as bytes, late, twice, out of order or never, as the plan
// of the run says. Links are two one-way channels; a partition closes some of them for a while.

import type { PeerId } from '../../replica/effects.ts'
import { encodeMessage } from '../../replica/message-codec.ts'
import type { MessageType, OutgoingMessage } from '../../replica/messages.ts'
import type { FaultPlan } from '../faults/fault-plan.ts'
import type { Apart } from '../faults/partition.ts'
import type { Random } from '../virtual/random.ts'
import type { Schedule } from '../virtual/schedule.ts'
import type { Tag } from './costs.ts'
import type { LinkModel } from './link-model.ts'

/** Milliseconds by which a message in the long tail is later than others. */
const TAIL_MS = 10_000
/** Milliseconds after which a message that comes once more does so at most. */
const REPLAY_MAX_MS = 60_000

/** Delivers the bytes of a message to its receiver, with what is known of it. */
type Deliver = (from: PeerId, to: PeerId, bytes: Uint8Array, tag: Tag | null) => void

/** Every message of one run. */
export class Network {
  /** Messages sent, by type, and their bytes. */
  readonly messages = new Map<MessageType, number>()
  bytes = 0
  /** Messages that never arrived: by chance, because of a partition, or because their link was full. */
  lost = 0
  /** Connections that ended because a message arrived damaged. */
  broken = 0
  faults: FaultPlan
  readonly #schedule: Schedule
  readonly #random: Random
  readonly #replays: Random
  readonly #damages: Random
  readonly #deliver: Deliver
  readonly #onDamage: (from: PeerId, to: PeerId) => void
  /** Distances, narrow links and the model of the network; null for none of these. */
  readonly #linkModel: LinkModel | null
  /** When the last message on a link arrives: without reordering the next can't be earlier. */
  readonly #lastArrival = new Map<string, number>()
  /** The partitions that hold now. */
  readonly #partitions = new Set<Apart>()
  /** Links that are closed, how often, and what waits there. */
  readonly #clogged = new Map<string, { times: number; readonly waiting: (() => void)[] }>()
  /** Messages on their way on each link. */
  readonly #inFlight = new Map<string, number>()

  constructor(options: {
    schedule: Schedule
    random: Random
    faults: FaultPlan
    deliver: Deliver
    /** A message arrived damaged: the receiver can only end the connection. */
    onDamage?: (from: PeerId, to: PeerId) => void
    linkModel?: LinkModel | null
  }) {
    this.#schedule = options.schedule
    this.#random = options.random
    this.#replays = options.random.stream('replays')
    this.#damages = options.random.stream('damages')
    this.faults = options.faults
    this.#deliver = options.deliver
    this.#onDamage = options.onDamage ?? (() => {})
    this.#linkModel = options.linkModel ?? null
  }

  /** Parts the network until the function that this returns is called. */
  part(apart: Apart): () => void {
    this.#partitions.add(apart)
    return () => this.#partitions.delete(apart)
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

  /** Ends every partition and opens every link. */
  heal(): void {
    this.#partitions.clear()
    for (const link of [...this.#clogged.keys()]) this.#open(link)
  }

  /** Sends one message to each of the receivers, and says how many bytes it has. */
  send(from: PeerId, to: readonly PeerId[], message: OutgoingMessage, tag: Tag | null = null): number {
    const bytes = encodeMessage(message)
    this.messages.set(message.type, (this.messages.get(message.type) ?? 0) + to.length)
    this.bytes += bytes.length * to.length
    this.sendBytes(from, to, bytes, tag)
    return bytes.length
  }

  /** Sends bytes that need not be a message, and counts them nowhere. */
  sendBytes(from: PeerId, to: readonly PeerId[], bytes: Uint8Array, tag: Tag | null = null): void {
    for (const receiver of to) {
      this.#replayLater(from, receiver, bytes, tag)
      this.#transmit(from, receiver, bytes, tag)
      if (this.#random.chance(this.faults.duplicateRate)) this.#transmit(from, receiver, bytes, tag)
    }
  }

  /** An attacker has recorded the message and replays it long afterwards, past all that was sent since. */
  #replayLater(from: PeerId, to: PeerId, bytes: Uint8Array, tag: Tag | null): void {
    if (!this.#replays.chance(this.faults.replayRate)) return
    const delayMs = this.#replays.between(0, REPLAY_MAX_MS)
    this.#schedule.after(delayMs, () => {
      if (!this.#isCut(from, to)) this.#deliver(from, to, bytes, tag)
    })
  }

  #transmit(from: PeerId, to: PeerId, bytes: Uint8Array, tag: Tag | null): void {
    const { lossRate, delayMinMs, delayMeanMs, tailRate, damageRate } = this.faults
    // Drawn always, so that a lost message does not shift the numbers of the others.
    const isDropped = this.#random.chance(lossRate)
    const delayMs =
      delayMinMs + this.#random.exponential(delayMeanMs) + (this.#random.chance(tailRate) ? TAIL_MS : 0)
    const isDamaged = this.#damages.chance(damageRate)
    const { nowMs } = this.#schedule
    const link = `${from}>${to}`
    const isLost = isDropped || this.#isCut(from, to) || this.#isFull(link)
    const own = isLost ? null : delayMs
    const packet = { from, to, bytes: bytes.length, tag, nowMs, delayMs, isLost }
    const delay = this.#linkModel === null ? own : this.#linkModel.delayOf(packet)
    if (delay === null) {
      this.lost += 1
      return
    }
    const arrive = (): void => (isDamaged ? this.#break(from, to) : this.#deliver(from, to, bytes, tag))
    this.#inFlight.set(link, (this.#inFlight.get(link) ?? 0) + 1)
    const closed = this.#clogged.get(link)
    if (closed === undefined) return this.#travel(link, delay, arrive)
    closed.waiting.push(() => this.#travel(link, delay, arrive))
  }

  #travel(link: string, delayMs: number, arrive: () => void): void {
    const { nowMs } = this.#schedule
    const earliest = this.faults.mayReorder ? 0 : (this.#lastArrival.get(link) ?? 0)
    const arrival = Math.max(earliest, nowMs + delayMs)
    this.#lastArrival.set(link, arrival)
    this.#schedule.after(arrival - nowMs, () => {
      this.#inFlight.set(link, this.#inFlight.get(link)! - 1)
      arrive()
    })
  }

  /** The frames of a transport are sealed: a damaged one is noticed, and nothing after it can be read. */
  #break(from: PeerId, to: PeerId): void {
    this.broken += 1
    this.#onDamage(from, to)
  }

  #isCut(from: PeerId, to: PeerId): boolean {
    for (const apart of this.#partitions) if (apart(from, to)) return true
    return false
  }

  #isFull(link: string): boolean {
    const { linkCapacity } = this.faults
    return linkCapacity !== null && (this.#inFlight.get(link) ?? 0) >= linkCapacity
  }

  #open(link: string): void {
    const closed = this.#clogged.get(link)
    this.#clogged.delete(link)
    for (const leave of closed?.waiting ?? []) leave()
  }
}
