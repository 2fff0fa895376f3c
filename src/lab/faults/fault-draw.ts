// Draws faults from the seed while a run goes on: when each comes, which nodes it hits and for how long. The plan says how
// often (see fault-plan.ts). Every kind has a random stream of its own, so that one does not shift the others.

import type { SimNode } from '../cluster/sim-node.ts'
import { Draw, type DrawOptions } from './draw.ts'
import { LinkFaultDraw } from './link-fault-draw.ts'
import { NodeFaultDraw } from './node-fault-draw.ts'

/** The faults that one seed brings about. */
export class FaultDraw {
  readonly #draw: Draw
  readonly #links: LinkFaultDraw
  readonly #nodes: NodeFaultDraw

  constructor(options: DrawOptions) {
    this.#draw = new Draw(options)
    this.#links = new LinkFaultDraw(this.#draw)
    this.#nodes = new NodeFaultDraw(this.#draw)
  }

  /** Draws from now on; `withinMs` is how long the run takes if hardly anything goes wrong. */
  start(nodes: readonly SimNode[], withinMs: number): void {
    this.#draw.nodes = nodes
    this.#links.start()
    this.#nodes.start(withinMs)
  }

  /** A node sent a vote: its first has number 1. */
  afterVote(node: SimNode, vote: number): void {
    this.#nodes.afterVote(node, vote)
  }
}
