// Which views the honest nodes have been in. The names are those of docs/invariants.md: S6 no node goes back to an earlier
// one, not even through a crash; L3 asks how many were left.

import type { PeerId } from '../../replica/effects.ts'
import type { Roster } from '../adversary/roster.ts'
import type { SimNode } from '../cluster/sim-node.ts'
import { Violation } from './violation.ts'

/** The views of one committee's nodes. */
export class ViewOracle {
  readonly #roster: Roster
  /** The highest view of anything that a node sent: it may never be below that again. */
  readonly #views = new Map<PeerId, number>()

  constructor(roster: Roster) {
    this.#roster = roster
  }

  /** The highest view of any honest node. */
  get highest(): number {
    return Math.max(0, ...this.#views.values())
  }

  /** A node speaks of a view as its own. */
  note(node: SimNode, view: number): void {
    this.#views.set(node.id, Math.max(this.#viewOf(node), view))
  }

  /** A node's disk was put back. */
  rollBack(node: SimNode): void {
    this.#views.delete(node.id)
  }

  /** Looks at an honest node that has just started again in this view. */
  afterStart(node: SimNode, view: number): void {
    const known = this.#viewOf(node)
    if (view < known)
      throw new Violation('S6', `${node.id} came back in view ${view}, and it was in ${known}`)
  }

  /** Looks at an honest node that writes down that it is in this view. */
  onRecord(node: SimNode, view: number): void {
    if (view < this.#viewOf(node) && !this.#roster.hasForgotten(node))
      throw new Violation('S6', `${node.id} goes back to view ${view}`)
  }

  #viewOf(node: SimNode): number {
    return this.#views.get(node.id) ?? 0
  }
}
