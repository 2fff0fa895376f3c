// Notes what the nodes of a running network show, for a timeline: blocks as they are made, left and final, votes as they
// leave their nodes, and the heads that nodes follow.

import type { Hex } from '../../encoding/bytes.ts'
import { protocolOf } from '../../finality/protocol.ts'
import type { Effect } from '../../replica/effects.ts'
import type { SimulatedNetwork } from '../stage/simulated-network.ts'
import type { Variant } from '../stage/variant.ts'
import { createAccounts } from '../stage/workload.ts'
import type { Schedule } from '../virtual/schedule.ts'
import { assignLanes } from './lanes.ts'
import { type TimelineVote, VoteRecorder } from './votes.ts'

/** A block that some node followed. Ids are the first digits of the real ones. */
export interface TimelineBlock {
  readonly id: string
  /** Null of the genesis block. */
  readonly parent: string | null
  readonly height: number
  /** Index of the node that made it; null of the genesis block. */
  readonly by: number | null
  /** When its maker had it. */
  readonly firstSeenMs: number
  /** When the first node called it final; null when none did before the end. */
  readonly finalMs: number | null
  /** Whether it is on no node's chain in the end. */
  readonly isStale: boolean
  /** Where to draw it: 0 for the branch that survives. */
  readonly lane: number
}

/** A node follows another block. */
export interface TimelineHead {
  readonly node: number
  readonly ms: number
  readonly block: string
  readonly height: number
  /** Blocks of its chain that it left for that. */
  readonly depth: number
}

/** All that a recorder notes. Times ascend in each list. */
export interface Recorded {
  /** The genesis block first. */
  readonly blocks: readonly TimelineBlock[]
  /** Lanes in all, the one of the branch that survives included. */
  readonly lanes: number
  readonly votes: readonly TimelineVote[]
  readonly heads: readonly TimelineHead[]
}

const ID_DIGITS = 8

/** A block as it is noted while the network runs. */
interface Noted {
  readonly id: Hex
  readonly parent: Hex
  readonly height: number
  readonly by: number | null
  readonly firstSeenMs: number
  finalMs: number | null
}

/** The recorder of one run. */
export class Recorder {
  readonly #network: SimulatedNetwork
  readonly #schedule: Schedule
  readonly #variant: Variant
  /** The node that makes blocks for each account: a miner's own, or the validator's. */
  readonly #makers: ReadonlyMap<string, number>
  readonly #blocks = new Map<Hex, Noted>()
  /** When a block that no node follows yet was first proposed. */
  readonly #proposedMs = new Map<Hex, number>()
  readonly #votes: VoteRecorder
  readonly #nodes: number
  readonly #beginMs: number
  readonly #heads: TimelineHead[] = []

  constructor({
    network,
    schedule,
    variant,
    seed,
    nodes,
    beginMs,
  }: {
    readonly network: SimulatedNetwork
    readonly schedule: Schedule
    readonly variant: Variant
    /** Names the validators' keys. */
    readonly seed: number
    readonly nodes: number
    /** When the recording begins, by the schedule. */
    readonly beginMs: number
  }) {
    this.#network = network
    this.#schedule = schedule
    this.#variant = variant
    this.#nodes = nodes
    this.#beginMs = beginMs
    const validators = createAccounts(seed, 'validator', nodes)
    this.#makers = new Map(
      validators.flatMap(({ address }, index) => [
        [address, index] as const,
        [`0x${String(index + 1).padStart(40, '0')}`, index] as const,
      ]),
    )
    this.#votes = new VoteRecorder(protocolOf(network.genesis), shorten)
  }

  /** Notes the blocks on the way to a node's head that no node followed before. */
  lookAt(node: number): void {
    const { tree, view } = this.#network.replica(node)!
    const fresh: Noted[] = []
    for (let id: Hex = tree.head.chained.id; !this.#blocks.has(id); id = fresh.at(-1)!.parent) {
      const { block, height } = view.block(id)!
      const isGenesis = height === 0
      fresh.push({
        id,
        parent: block.header.previous,
        height,
        by: isGenesis ? null : this.#makers.get(block.coinbase.beneficiary)!,
        firstSeenMs: this.#proposedMs.get(id) ?? this.#nowMs,
        finalMs: isGenesis ? this.#nowMs : null,
      })
      if (isGenesis) break
    }
    for (const block of fresh.toReversed()) this.#blocks.set(block.id, block)
  }

  onEffect(node: number, effect: Effect): void {
    switch (effect.type) {
      case 'head':
        this.#onHead(node, effect)
        break
      case 'final':
        if (this.#variant.final.type === 'certificate') this.#finalise(effect.id)
        break
      case 'send':
      case 'broadcast': {
        const { message } = effect
        if (message.type !== 'finality') break
        if (message.block !== null && !this.#proposedMs.has(message.block.id))
          this.#proposedMs.set(message.block.id, this.#nowMs)
        this.#votes.note({ node, ms: this.#nowMs, body: message.body, isToAll: effect.type === 'broadcast' })
        break
      }
      case 'persist':
      case 'relay':
      case 'reject':
      case 'disconnect':
      case 'set-timer':
      case 'clear-timer':
      case 'mine':
      case 'stop-mining':
      case 'reply':
      case 'alarm':
        break
    }
  }

  result(): Recorded {
    const kept = this.#kept()
    const blocks = [...this.#blocks.values()]
      .map(({ id, parent, height, by, firstSeenMs, finalMs }) => ({
        id: shorten(id),
        parent: height === 0 ? null : shorten(parent),
        height,
        by,
        firstSeenMs,
        finalMs,
        isStale: !kept.has(id),
      }))
      .toSorted((a, b) => a.firstSeenMs - b.firstSeenMs || a.height - b.height)
    const lanes = assignLanes(blocks)
    return {
      blocks: blocks.map(block => ({ ...block, lane: lanes.get(block.id)! })),
      lanes: 1 + Math.max(...lanes.values()),
      votes: this.#votes.votes,
      heads: this.#heads,
    }
  }

  #onHead(node: number, { id, height, reorganised }: Extract<Effect, { type: 'head' }>): void {
    // A branch that was left for good in the very step in which it came is never followed.
    if (!this.#blocks.has(id)) return
    this.#heads.push({ node, ms: this.#nowMs, block: shorten(id), height, depth: reorganised })
    const { final } = this.#variant
    if (final.type !== 'depth') return
    let block = this.#blocks.get(id)
    for (let above = final.blocks - 1; above > 0 && block !== undefined; above--)
      block = this.#blocks.get(block.parent)
    if (block !== undefined) this.#finalise(block.id)
  }

  /** A block is final, and so are all before it. */
  #finalise(id: Hex): void {
    for (let block = this.#blocks.get(id); block?.finalMs === null; block = this.#blocks.get(block.parent))
      block.finalMs = this.#nowMs
  }

  /** The blocks that are on some node's chain now. */
  #kept(): Set<Hex> {
    const kept = new Set<Hex>()
    for (let node = 0; node < this.#nodes; node++) {
      let block = this.#blocks.get(this.#network.replica(node)!.tree.head.chained.id)
      for (; block !== undefined && !kept.has(block.id); block = this.#blocks.get(block.parent))
        kept.add(block.id)
    }
    return kept
  }

  /** To a tenth of a millisecond; what happens before the recording begins counts as its beginning. */
  get #nowMs(): number {
    return Math.max(0, Math.round((this.#schedule.nowMs - this.#beginMs) * 10) / 10)
  }
}

/** Bitcoin's ids begin with zeros where there is work; the end of one tells it from every other. */
function shorten(id: Hex): string {
  return id.slice(-ID_DIGITS)
}
