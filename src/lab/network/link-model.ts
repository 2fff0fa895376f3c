// The link model delays each message: by the time that chance gave it, the distance, the queue of a narrow link, and what
// the model of the network allows. Its random stream is its own, so that it shifts no other run.

import type { PeerId } from '../../replica/effects.ts'
import type { Random } from '../virtual/random.ts'
import { JITTER, type LatencyTable, oneWayMs } from './latency-table.ts'
import type { NetworkModel } from './network-model.ts'
import type { Packet } from './packet.ts'
import type { QuorumWatch } from './quorum-watch.ts'

/** What a link model is made of. */
export interface LinkModelOptions {
  readonly model: NetworkModel | null
  readonly latency: LatencyTable | null
  /** Bytes a second on each link in each direction; null for as many as there are. */
  readonly bandwidth: number | null
  /** The place of a node in the roster. */
  readonly placeOf: (node: PeerId) => number
  /** Tells what would complete a quorum, for the adversary that starves; null where nothing is agreed on. */
  readonly quorums: QuorumWatch | null
  readonly random: Random
}

/** Before GST: share of messages that never arrive, and how many times Δ the others take on average. */
const UNSTABLE_LOSS = 0.3
const UNSTABLE_DELTAS = 5
/** By chance alone: share of messages that are late by so many Δ. */
const STRAGGLERS = 0.02
const STRAGGLER_DELTAS = 100

/** The delays of one run's messages. */
export class LinkModel {
  readonly #options: LinkModelOptions
  /** When each link has sent what it was given. */
  readonly #freeAt = new Map<string, number>()

  constructor(options: LinkModelOptions) {
    this.#options = options
  }

  /** Milliseconds that a message takes, or null when it never arrives. */
  delayOf(packet: Packet): number | null {
    const ownMs = packet.delayMs + this.#distanceMs(packet)
    // Drawn for every message alike.
    const [luck, patience] = [this.#options.random.next(), this.#options.random.exponential(1)]
    const { model } = this.#options
    if (model === null) return packet.isLost ? null : ownMs + this.#queueMs(packet)
    const { deltaMs } = model
    switch (model.model) {
      case 'synchronous':
        return Math.min(ownMs + this.#queueMs(packet), deltaMs)
      case 'partial': {
        const toStableMs = model.gstMs - packet.nowMs
        if (toStableMs <= 0) return Math.min(ownMs + this.#queueMs(packet), deltaMs)
        if (packet.isLost || luck < UNSTABLE_LOSS) return null
        // What is still on its way at GST is there a Δ later.
        return Math.min(ownMs + patience * UNSTABLE_DELTAS * deltaMs, toStableMs + deltaMs)
      }
      case 'asynchronous': {
        const heldMs = model.scheduler === 'starving' ? (this.#options.quorums?.holdMs(packet) ?? 0) : 0
        const lateMs = luck < STRAGGLERS ? STRAGGLER_DELTAS * deltaMs : 0
        const chanceMs = model.scheduler === 'random' ? patience * deltaMs + lateMs : 0
        return ownMs + this.#queueMs(packet) + heldMs + chanceMs
      }
    }
  }

  /** Milliseconds that the last message on the fullest link has to wait until it leaves. */
  backlogMs(nowMs: number): number {
    return Math.max(0, ...[...this.#freeAt.values()].map(freeAtMs => freeAtMs - nowMs))
  }

  #distanceMs({ from, to }: Packet): number {
    const { latency, placeOf, random } = this.#options
    if (latency === null) return 0
    const wayMs = oneWayMs(latency, placeOf(from), placeOf(to))
    return wayMs + random.exponential(wayMs * JITTER)
  }

  /** A link sends one message after the other. */
  #queueMs({ from, to, bytes, nowMs }: Packet): number {
    const { bandwidth } = this.#options
    if (bandwidth === null) return 0
    const link = `${from}>${to}`
    const endMs = Math.max(nowMs, this.#freeAt.get(link) ?? 0) + (bytes * 1000) / bandwidth
    this.#freeAt.set(link, endMs)
    return endMs - nowMs
  }
}
