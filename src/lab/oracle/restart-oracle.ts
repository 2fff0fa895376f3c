// S6, nothing goes back: a node that starts again has at least the work, the branch and the final block that were durable
// on its disk. And S9 of the disk: it holds the final chain and what is above it, and no block that was dropped.

import type { BlockId } from '../../chain/header.ts'
import { KEYS } from '../../replica/records.ts'
import type { SimNode } from '../cluster/sim-node.ts'
import type { FinalBlock } from './final-oracle.ts'
import type { NaiveChain } from './naive-chain.ts'
import { Violation } from './violation.ts'

/** What a node has shown, and so must have on disk. */
interface Durable {
  headId: BlockId | null
  work: bigint
  finalHeight: number
}

/** The restarts of one run. */
export class RestartOracle {
  readonly #chain: NaiveChain
  readonly #durable = new Map<SimNode, Durable>()

  constructor(chain: NaiveChain) {
    this.#chain = chain
  }

  /** The node is held to nothing that it showed before. */
  forget(node: SimNode): void {
    this.#durable.delete(node)
  }

  /** A node shows that it follows this block. */
  onHead(node: SimNode, id: BlockId): void {
    const durable = this.#durableOf(node)
    durable.headId = id
    durable.work = this.#chain.workOf(id)
  }

  /** A node shows that this block is final: it must be above the last one. */
  onFinal(node: SimNode, { height }: FinalBlock): void {
    const durable = this.#durableOf(node)
    if (height <= durable.finalHeight)
      throw new Violation('C7', `${node.id} finalises ${height} after ${durable.finalHeight}`)
    durable.finalHeight = height
  }

  /** Looks at what a node came back with. */
  afterStart(node: SimNode): void {
    const durable = this.#durableOf(node)
    const { tree } = node.replica!
    const head = tree.head.chained
    // The batch that made a block of another branch final may be the last that became durable.
    const isLeft = durable.headId !== null && !tree.has(durable.headId)
    const isForced = isLeft && tree.base.chained.height > durable.finalHeight
    if (head.work < durable.work && !isForced)
      throw new Violation('S6', `${node.id} came back with less work than it had on disk`)
    const isOther = durable.headId !== null && head.id !== durable.headId
    if (head.work === durable.work && isOther && !isForced)
      throw new Violation('S6', `${node.id} came back on another branch than it followed`)
    if (tree.base.chained.height < durable.finalHeight)
      throw new Violation('S6', `${node.id} came back with an older final block`)
  }

  /** Looks at the blocks that the disk of a node holds. */
  checkDisk(node: SimNode): void {
    const { tree, view } = node.replica!
    for (const key of node.disk.keys(KEYS.blocks)) {
      const id = key.slice(KEYS.blocks.length) as BlockId
      if (!tree.has(id) && view.mainHeight(id) === null)
        throw new Violation('S9', `${node.id} keeps block ${id}, which it has given up`)
    }
  }

  #durableOf(node: SimNode): Durable {
    const durable = this.#durable.get(node)
    if (durable !== undefined) return durable
    const fresh = { headId: null, work: 0n, finalHeight: 0 }
    this.#durable.set(node, fresh)
    return fresh
  }
}
