// The wires between simulated nodes: messages travel as bytes, late, twice, out of order or never, as the plan
// of the run says. Links are two one-way channels; a partition cuts those between its sides.

import type { PeerId } from '../replica/effects.ts'
import { encodeMessage, type MessageType, type OutgoingMessage } from '../replica/messages.ts'
import type { Tag } from './costs.ts'
import type { FaultPlan } from './faults.ts'
import type { Random } from './random.ts'
import type { Schedule } from './schedule.ts'

/** Milliseconds by which a message in the long tail is later than others. */
const TAIL_MS = 10_000

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
  readonly #deliver: Deliver
  /** When the last message on a link arrives: without reordering the next can't be earlier. */
  readonly #lastArrival = new Map<string, number>()
  /** The side of each node while the network is cut. */
  #sides = new Map<PeerId, number>()

  constructor(options: {
    schedule: Schedule
    random: Random
    faults: FaultPlan
    deliver: Deliver
  }) {
    this.#schedule = options.schedule
    this.#random = options.random
    this.faults = options.faults
    this.#deliver = options.deliver
  }

  /** Cuts the network: nodes reach only those of the same side. */
  cut(sides: Map<PeerId, number>): void {
    this.#sides = sides
  }

  heal(): void {
    this.#sides = new Map()
  }

  /** Sends one message to each of the receivers, and says how many bytes it has. */
  send(from: PeerId, to: readonly PeerId[], message: OutgoingMessage, tag: Tag | null = null): number {
    const bytes = encodeMessage(message)
    this.messages.set(message.type, (this.messages.get(message.type) ?? 0) + to.length)
    this.bytes += bytes.length * to.length
    for (const receiver of to) {
      this.#transmit(from, receiver, bytes, tag)
      if (this.#random.chance(this.faults.duplicateRate)) this.#transmit(from, receiver, bytes, tag)
    }
    return bytes.length
  }

  #transmit(from: PeerId, to: PeerId, bytes: Uint8Array, tag: Tag | null): void {
    const { lossRate, delayMinMs, delayMeanMs, tailRate, mayReorder } = this.faults
    // Drawn always, so that a lost message does not shift the numbers of the others.
    const isLost = this.#random.chance(lossRate)
    const delay =
      delayMinMs + this.#random.exponential(delayMeanMs) + (this.#random.chance(tailRate) ? TAIL_MS : 0)
    if (isLost || this.#sides.get(from) !== this.#sides.get(to)) {
      this.lost += 1
      return
    }
    const link = `${from}>${to}`
    const earliest = mayReorder ? 0 : (this.#lastArrival.get(link) ?? 0)
    const arrival = Math.max(earliest, this.#schedule.nowMs + delay)
    this.#lastArrival.set(link, arrival)
    this.#schedule.after(arrival - this.#schedule.nowMs, () => this.#deliver(from, to, bytes, tag))
  }
}
