// Draws what goes wrong between nodes: partitions of every kind, and links that are closed. Loss, delay and damage of
// single messages are drawn by the network itself (network.ts).

import type { PeerId } from '../../replica/effects.ts'
import type { SimNode } from '../cluster/sim-node.ts'
import type { Random } from '../virtual/random.ts'
import type { Draw } from './draw.ts'

/** Share of the cuts that isolate the proposer. */
const ISOLATION_RATE = 0.25
/** Milliseconds that a single link is closed on average, and within which those of one swizzle are closed. */
const CLOG_MEAN_MS = 4_000
const SWIZZLE_MS = 3_000
/** Milliseconds that a network which flaps is cut, or whole, at a time. */
const FLAP_MS = [50, 500] as const

/** The faults of links that one seed brings about. */
export class LinkFaultDraw {
  readonly #draw: Draw

  constructor(draw: Draw) {
    this.#draw = draw
  }

  /** Draws from now on. */
  start(): void {
    const draw = this.#draw
    const { plan, random } = draw.options
    this.#planPartitions(random.stream('partitions'))
    draw.repeat(random.stream('mutes'), plan.muteEveryMs, stream => this.#mute(stream))
    draw.repeat(random.stream('clogs'), plan.clogEveryMs, stream => this.#swizzle(stream))
    draw.repeat(random.stream('bridges'), plan.bridgeEveryMs, stream => this.#bridge(stream))
    draw.repeat(random.stream('rings'), plan.ringEveryMs, stream => this.#ring(stream))
    draw.repeat(random.stream('flaps'), plan.flapEveryMs, stream => this.#flap(stream))
  }

  /** Cuts come one after the other. */
  #planPartitions(random: Random): void {
    const draw = this.#draw
    const { partitionEveryMs } = draw.options.plan
    if (partitionEveryMs === null) return
    draw.after(random.exponential(partitionEveryMs), () => {
      const side = this.#drawSide(random)
      const forMs = draw.partitionMs(random)
      draw.happen({ type: 'cut', side, forMs })
      draw.after(forMs, () => this.#planPartitions(random))
    })
  }

  /** The nodes of one side; sometimes the proposer alone. */
  #drawSide(random: Random): PeerId[] {
    const { nodes, options } = this.#draw
    const order = random.shuffle(nodes)
    const proposer = options.isAgreed && random.chance(ISOLATION_RATE) ? this.#proposer() : null
    const size = proposer === null ? random.integer(1, order.length - 1) : 1
    if (proposer !== null) order.sort((a, b) => Number(b === proposer) - Number(a === proposer))
    return order.slice(0, size).map(({ id }) => id)
  }

  /** The node whose turn it is to propose, as the first honest one that is up sees it. */
  #proposer(): SimNode | null {
    const { nodes, options } = this.#draw
    const witness = nodes.find(node => options.roster.isHonest(node) && node.isUp)
    const report = witness?.replica?.finality.report(0)
    return report?.proposer == null ? null : nodes[report.proposer]!
  }

  /** Two sides that only one node reaches both of: two quorums may overlap in it alone. */
  #bridge(random: Random): void {
    const [bridge, ...others] = random.shuffle(this.#draw.nodes)
    const forMs = this.#draw.partitionMs(random)
    if (bridge === undefined || others.length < 2) return
    const side = others.slice(0, random.integer(1, others.length - 1))
    this.#draw.happen({ type: 'bridge', side: side.map(({ id }) => id), node: bridge.id, forMs })
  }

  #mute(random: Random): void {
    const { nodes } = this.#draw
    if (nodes.length === 1) return
    const side = random.shuffle(nodes).slice(0, random.integer(1, nodes.length - 1))
    const forMs = this.#draw.partitionMs(random)
    this.#draw.happen({ type: 'mute', side: side.map(({ id }) => id), forMs })
  }

  /** Majorities that all differ, where there are enough nodes for that. */
  #ring(random: Random): void {
    const ring = random.shuffle(this.#draw.nodes).map(({ id }) => id)
    const forMs = this.#draw.partitionMs(random)
    if (ring.length > 3) this.#draw.happen({ type: 'ring', ring, forMs })
  }

  /** The same cut again and again, for as long as a partition lasts. */
  #flap(random: Random): void {
    const draw = this.#draw
    if (draw.nodes.length === 1) return
    const side = this.#drawSide(random)
    const endMs = draw.options.schedule.nowMs + draw.partitionMs(random)
    const cutAgain = (): void => {
      const [forMs, wholeMs] = [random.between(...FLAP_MS), random.between(...FLAP_MS)]
      draw.happen({ type: 'cut', side, forMs })
      if (draw.options.schedule.nowMs < endMs) draw.after(forMs + wholeMs, cutAgain)
    }
    cutAgain()
  }

  /** Links of some nodes are closed one by one, and opened in another order (FoundationDB's swizzle-clogging). */
  #swizzle(random: Random): void {
    const draw = this.#draw
    const some = random.shuffle(draw.nodes).slice(0, random.integer(2, Math.max(2, draw.nodes.length)))
    for (const from of some)
      for (const to of some) {
        const waitMs = random.between(0, SWIZZLE_MS)
        const forMs = Math.min(random.exponential(CLOG_MEAN_MS), 3 * CLOG_MEAN_MS)
        if (from === to || random.chance(0.5)) continue
        draw.after(waitMs, () => draw.happen({ type: 'clog', from: from.id, to: to.id, forMs }))
      }
  }
}
