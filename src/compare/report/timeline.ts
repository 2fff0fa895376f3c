// The timeline of one run, for drawing: every block that some node followed, who made it and when it was final, every
// vote that was cast, and what each node took for its head, while the network is whole, cut in half, and whole again.
//
// Everything is seen from inside the simulated nodes, as it happens: a vote when it leaves its node, a block when its
// maker has it, a final block when the first node holds the certificate durably, or so many blocks on top of it where
// there is none. Votes said again because they may be lost are left out.

import { fromHex, type Hex } from '../../chain/bytes.ts'
import type { Effect } from '../../replica/effects.ts'
import { chooseBackend } from '../../signatures/choose-backend.ts'
import { Schedule } from '../../sim/schedule.ts'
import type { Contender } from '../stage/contender.ts'
import { SimulatedNetwork } from '../stage/simulated-network.ts'
import { LATENCY_MS } from '../stage/simulated-stage.ts'
import { createAccounts, type SeededAccount, Workload } from '../stage/workload.ts'
import { assignLanes } from './lanes.ts'
import { type TimelineVote, VoteRecorder } from './votes.ts'

/** What is to be recorded. */
export interface TimelineOptions {
  readonly contender: Contender
  readonly seed: number
  /** Milliseconds that a message takes on average; as in one building when absent. */
  readonly latencyMs?: number
  /** How long the network is whole, cut, and whole again; 4, 9 and 4 seconds when absent. */
  readonly calmMs?: number
  readonly cutMs?: number
  readonly healedMs?: number
}

/** A run. Times are virtual milliseconds from the start of the recording, and ascend in each list. */
export interface Timeline {
  readonly contender: string
  readonly finalMeans: string
  readonly seed: number
  readonly nodes: number
  readonly latencyMs: number
  readonly lastedMs: number
  /** The genesis block first. */
  readonly blocks: readonly TimelineBlock[]
  /** Lanes in all, the one of the branch that survives included. */
  readonly lanes: number
  readonly votes: readonly TimelineVote[]
  readonly heads: readonly TimelineHead[]
  readonly faults: readonly TimelineFault[]
}

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

/** Something that was broken. */
export interface TimelineFault {
  readonly fromMs: number
  readonly toMs: number
  readonly says: string
}

const NODES = 4
const CALM_MS = 4_000
const CUT_MS = 9_000
const HEALED_MS = 4_000
const HALVES = [
  [0, 1],
  [2, 3],
] as const
/** Transfers handed in a second, to each node in turn. */
const RATE = 4
/** Milliseconds in which the nodes get to know each other before anything is recorded. */
const SETTLE_MS = 500
const ID_DIGITS = 8

/** Runs a network of this contender and records it. */
export async function recordTimeline(options: TimelineOptions): Promise<Timeline> {
  const { contender, seed, latencyMs = LATENCY_MS } = options
  const { calmMs = CALM_MS, cutMs = CUT_MS, healedMs = HEALED_MS } = options
  const lastedMs = calmMs + cutMs + healedMs
  const payers = createAccounts(seed, 'timeline', Math.floor((lastedMs * RATE) / 1_000))
  const schedule = new Schedule()
  const network: SimulatedNetwork = new SimulatedNetwork({
    contender,
    nodes: NODES,
    seed,
    funded: payers.map(({ address }) => address),
    latencyMs,
    isMining: false,
    backend: await chooseBackend(),
    schedule,
    afterStep: node => recorder.lookAt(node),
    onEffect: (node, effect) => recorder.onEffect(node, effect),
  })
  const recorder = new Recorder({ network, schedule, contender, seed })
  const runFor = (ms: number): void => {
    let isOver = false
    schedule.after(ms, () => {
      isOver = true
    })
    while (!isOver) schedule.advance()
  }
  network.start()
  runFor(SETTLE_MS)
  if (contender.isMined) network.mine(true)
  payIn({ network, schedule, payers, seed })
  runFor(calmMs)
  network.cut(HALVES)
  runFor(cutMs)
  network.heal()
  runFor(healedMs)
  return {
    contender: contender.name,
    finalMeans: contender.finalMeans,
    seed,
    nodes: NODES,
    latencyMs,
    lastedMs,
    ...recorder.result(),
    faults: [{ fromMs: calmMs, toMs: calmMs + cutMs, says: `cut ${showHalves(HALVES)}` }],
  }
}

/** Plans the transfers, one for each payer, evenly from now on. */
function payIn({
  network,
  schedule,
  payers,
  seed,
}: {
  readonly network: SimulatedNetwork
  readonly schedule: Schedule
  readonly payers: readonly SeededAccount[]
  readonly seed: number
}): void {
  const transfers = new Workload(payers, seed).plan(payers.length)
  for (const [index, { raw }] of transfers.entries())
    schedule.after((index * 1_000) / RATE, () => network.submit(index % NODES, fromHex(raw), () => {}))
}

function showHalves(halves: readonly (readonly number[])[]): string {
  return halves.map(half => half.map(node => `n${node + 1}`).join(' ')).join(' | ')
}

/** A block as it is noted while the network runs. */
interface Noted {
  readonly id: Hex
  readonly parent: Hex
  readonly height: number
  readonly by: number | null
  readonly firstSeenMs: number
  finalMs: number | null
}

/** Notes what the nodes show. */
class Recorder {
  readonly #network: SimulatedNetwork
  readonly #schedule: Schedule
  readonly #contender: Contender
  /** The node that makes blocks for each account: a miner's own, or the validator's. */
  readonly #makers: ReadonlyMap<string, number>
  readonly #blocks = new Map<Hex, Noted>()
  /** When a block that nobody follows yet was first proposed. */
  readonly #proposedMs = new Map<Hex, number>()
  readonly #votes: VoteRecorder
  readonly #heads: TimelineHead[] = []

  constructor({
    network,
    schedule,
    contender,
    seed,
  }: {
    readonly network: SimulatedNetwork
    readonly schedule: Schedule
    readonly contender: Contender
    readonly seed: number
  }) {
    this.#network = network
    this.#schedule = schedule
    this.#contender = contender
    const validators = createAccounts(seed, 'validator', NODES)
    this.#makers = new Map(
      validators.flatMap(({ address }, index) => [
        [address, index] as const,
        [`0x${String(index + 1).padStart(40, '0')}`, index] as const,
      ]),
    )
    this.#votes = new VoteRecorder(shorten)
  }

  /** Notes the blocks on the way to a node's head that nobody followed before. */
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
        if (this.#contender.final.type === 'certificate') this.#finalise(effect.id)
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

  result(): Pick<Timeline, 'blocks' | 'lanes' | 'votes' | 'heads'> {
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
    const { final } = this.#contender
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
    for (let node = 0; node < NODES; node++) {
      let block = this.#blocks.get(this.#network.replica(node)!.tree.head.chained.id)
      for (; block !== undefined && !kept.has(block.id); block = this.#blocks.get(block.parent))
        kept.add(block.id)
    }
    return kept
  }

  /** To a tenth of a millisecond; what happens before the recording begins counts as its beginning. */
  get #nowMs(): number {
    return Math.max(0, Math.round((this.#schedule.nowMs - SETTLE_MS) * 10) / 10)
  }
}

/** Bitcoin's ids begin with zeros where there is work; the end of one tells it from every other. */
function shorten(id: Hex): string {
  return id.slice(-ID_DIGITS)
}
