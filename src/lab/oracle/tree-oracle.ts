// C8, the most work is followed, unless another block became final; and every block of a node's tree is judged by the
// naive chain (C1 to C5, C9) and has the state that it claims (C5).

import type { BlockId } from '../../chain/header.ts'
import type { SimNode } from '../cluster/sim-node.ts'
import type { FinalOracle } from './final-oracle.ts'
import type { NaiveChain } from './naive-chain.ts'
import { Violation } from './violation.ts'

/** What was seen of a node's tree. */
interface Seen {
  /** Blocks below this arrival were checked. */
  arrival: number
  headId: BlockId | null
  headWork: bigint
  /** The last final block: when it moves, work does not count. */
  baseId: BlockId | null
  size: number
  /** Blocks that the tree has evicted in this life of the node. */
  evicted: number
}

/** The block trees of one run. */
export class TreeOracle {
  /** How often a node left a branch for one with no more work, because that one became final. */
  forcedReorganisations = 0
  /** Blocks beside the main chain that nodes evicted. */
  evictedBlocks = 0
  readonly #chain: NaiveChain
  readonly #final: FinalOracle
  readonly #seen = new Map<SimNode, Seen>()

  constructor(chain: NaiveChain, final: FinalOracle) {
    this.#chain = chain
    this.#final = final
  }

  /** Nothing is known of the node any more. */
  forget(node: SimNode): void {
    this.#seen.delete(node)
  }

  /** The node starts again: all of its tree is to be checked. */
  restart(node: SimNode): void {
    const seen = this.#seenOf(node)
    seen.arrival = 0
    seen.evicted = 0
    seen.headId = null
    seen.headWork = -1n
  }

  /** Looks at the tree after a step, and returns whether anything in it has changed. */
  afterStep(node: SimNode): boolean {
    const { tree, finality } = node.replica!
    const seen = this.#seenOf(node)
    const head = tree.head.chained
    const isForced = !finality.followsWork || tree.base.chained.id !== seen.baseId
    seen.baseId = tree.base.chained.id
    if (head.id !== seen.headId && head.work <= seen.headWork) {
      if (!isForced)
        throw new Violation('C8', `${node.id} leaves its head for ${head.id}, which has no more work`)
      if (finality.followsWork) this.forcedReorganisations += 1
    }
    // A block may have come in the place of another: the tree is as large as before then.
    const evicted = tree.evictedCount - seen.evicted
    this.evictedBlocks += evicted
    seen.evicted = tree.evictedCount
    if (head.id === seen.headId && tree.size === seen.size && evicted === 0) return false
    seen.headId = head.id
    seen.headWork = head.work
    seen.size = tree.size
    this.#checkTree(node, seen)
    return true
  }

  #checkTree(node: SimNode, seen: Seen): void {
    const { tree, finality } = node.replica!
    const head = tree.head.chained
    for (const entry of tree.blocks()) {
      const { id, work } = entry.chained
      if (work > head.work && finality.followsWork)
        throw new Violation('C8', `${node.id} follows ${head.id}, but ${id} has more work`)
      if (entry.arrival < seen.arrival) continue
      seen.arrival = entry.arrival + 1
      this.#final.checkTime(node, entry)
      this.#chain.check(entry)
      if (entry.execution.state.root() !== entry.block.coinbase.stateRoot)
        throw new Violation('C5', `${node.id} has another state after block ${id} than the block says`)
    }
  }

  #seenOf(node: SimNode): Seen {
    const seen = this.#seen.get(node)
    if (seen !== undefined) return seen
    const fresh = { arrival: 0, headId: null, headWork: -1n, baseId: null, size: 0, evicted: 0 }
    this.#seen.set(node, fresh)
    return fresh
  }
}
