// All valid blocks above the last final one (the base), each with the state after it, which shares all that did not change
// with its parent's state. No block is ever undone: a reorganisation moves the head to another block.
//
//     base ── b1 ── b2 ── b3      head: the tip that the finality layer prefers
//               └── c2 ── c3      a branch, kept until the base passes its fork
//
// Only executed, valid blocks are in the tree, so each of them may become the head. The main chain has no bound: without
// finality it grows for as long as blocks are mined, and nothing costs more work. Side blocks may cost next to nothing where
// the target has eased: the caller bounds them (`evict`).

import type { Block } from '../chain/block.ts'
import type { BlockId } from '../chain/header.ts'
import type { ChainedHeader } from '../chain/header-chain.ts'
import type { TransactionId } from '../chain/transaction.ts'
import { Heap } from '../collections/heap.ts'
import type { Execution } from '../execution/block-execution.ts'

/** A block in the tree. */
export interface TreeBlock {
  readonly chained: ChainedHeader
  readonly block: Block
  readonly execution: Execution
  /** A number that grows with each block: ties in work go to the earlier. */
  readonly arrival: number
  /** When this node received it: milliseconds since 1970, or 0 for one loaded from disk. */
  readonly seenMs: number
}

/** How the head moved: blocks that were left and blocks that were joined, each list from the oldest. */
export interface HeadMove {
  readonly left: readonly TreeBlock[]
  readonly joined: readonly TreeBlock[]
}

/** The unfinal part of the chain, in memory. */
export class BlockTree {
  readonly #blocks = new Map<BlockId, TreeBlock>()
  /** The way from the base to the head, base first: the block at height h stands at h - base height. */
  #mainChain: TreeBlock[]
  /** Which block of the main chain holds a transaction. */
  readonly #including = new Map<TransactionId, { block: TreeBlock; index: number }>()
  /** The blocks without children. */
  readonly #tips = new Set<TreeBlock>()
  /** How many children a block has that has any. */
  readonly #childCounts = new Map<BlockId, number>()
  #evictedCount = 0

  constructor(base: TreeBlock) {
    this.#blocks.set(base.chained.id, base)
    this.#tips.add(base)
    this.#mainChain = [base]
  }

  get base(): TreeBlock {
    return this.#mainChain[0]!
  }

  get head(): TreeBlock {
    return this.#mainChain.at(-1)!
  }

  get size(): number {
    return this.#blocks.size
  }

  /** Blocks that are not on the way from the base to the head. */
  get sideSize(): number {
    return this.#blocks.size - this.#mainChain.length
  }

  /** Blocks that were evicted so far. */
  get evictedCount(): number {
    return this.#evictedCount
  }

  get(id: BlockId): TreeBlock | undefined {
    return this.#blocks.get(id)
  }

  has(id: BlockId): boolean {
    return this.#blocks.has(id)
  }

  /** Every block, in the order in which they came. */
  blocks(): Iterable<TreeBlock> {
    return this.#blocks.values()
  }

  /** The block of the main chain at this height, if it is in the tree. */
  atHeight(height: number): TreeBlock | undefined {
    return this.#mainChain[height - this.base.chained.height]
  }

  /** Whether the block is on the way from the base to the head. */
  isOnMainChain(entry: TreeBlock): boolean {
    return this.atHeight(entry.chained.height) === entry
  }

  /** The blocks without children: the head and the ends of all branches. */
  tips(): Iterable<TreeBlock> {
    return this.#tips.values()
  }

  /** The block of the main chain above the base that holds this transaction. */
  including(id: TransactionId): { block: TreeBlock; index: number } | undefined {
    return this.#including.get(id)
  }

  /** The block itself and all above it, in the order in which they came. */
  descendants(of: TreeBlock): TreeBlock[] {
    const inside = new Set([of.chained.id])
    const found = [of]
    for (const entry of this.#blocks.values()) {
      if (!inside.has(entry.chained.header.previous)) continue
      inside.add(entry.chained.id)
      found.push(entry)
    }
    return found
  }

  /** Adds an executed block whose parent is in the tree. */
  add(entry: TreeBlock): void {
    const { previous } = entry.chained.header
    const parent = this.#blocks.get(previous)
    if (parent === undefined) throw new Error(`${entry.chained.id} has no parent here`)
    this.#blocks.set(entry.chained.id, entry)
    this.#tips.delete(parent)
    this.#tips.add(entry)
    this.#childCounts.set(previous, (this.#childCounts.get(previous) ?? 0) + 1)
  }

  /** Removes a side block and its descendants; returns them, in the order in which they came. */
  drop(of: TreeBlock): TreeBlock[] {
    const dropped = this.descendants(of)
    if (dropped.some(entry => this.isOnMainChain(entry)))
      throw new Error(`${of.chained.id} is not on a branch`)
    for (const entry of dropped.toReversed()) this.#removeTip(entry)
    return dropped
  }

  /** The side tip that is evicted first, of those that are not kept. */
  lightestSideTip(isKept: (entry: TreeBlock) => boolean): TreeBlock | null {
    let lightest: TreeBlock | null = null
    for (const tip of this.#tips) {
      if (lightest !== null && !isEvictedBefore(tip, lightest)) continue
      if (!this.isOnMainChain(tip) && !isKept(tip)) lightest = tip
    }
    return lightest
  }

  /**
   * Evicts side blocks until there are at most so many, always the tip with the least cumulative work, so that a branch
   * shrinks from its end. A kept block stays with its ancestors, even if there are too many then. Returns the evicted blocks,
   * in that order.
   */
  evict(sideBlocksMax: number, isKept: (entry: TreeBlock) => boolean): TreeBlock[] {
    const evicted: TreeBlock[] = []
    if (this.sideSize <= sideBlocksMax) return evicted
    const candidates = new Heap<TreeBlock>(isEvictedBefore)
    const consider = (tip: TreeBlock): void => {
      if (!this.isOnMainChain(tip) && !isKept(tip)) candidates.push(tip)
    }
    for (const tip of this.#tips) consider(tip)
    while (this.sideSize > sideBlocksMax) {
      const tip = candidates.pop()
      if (tip === undefined) break
      const parent = this.#removeTip(tip)
      evicted.push(tip)
      if (this.#tips.has(parent)) consider(parent)
    }
    this.#evictedCount += evicted.length
    return evicted
  }

  #removeTip(tip: TreeBlock): TreeBlock {
    const { id, header } = tip.chained
    const parent = this.#blocks.get(header.previous)!
    this.#blocks.delete(id)
    this.#tips.delete(tip)
    const siblings = this.#childCounts.get(header.previous)! - 1
    if (siblings > 0) {
      this.#childCounts.set(header.previous, siblings)
    } else {
      this.#childCounts.delete(header.previous)
      this.#tips.add(parent)
    }
    return parent
  }

  /** Makes a block of the tree the head. */
  moveHead(to: TreeBlock): HeadMove {
    const joined: TreeBlock[] = []
    let fork = to
    while (!this.isOnMainChain(fork)) {
      joined.push(fork)
      fork = this.#blocks.get(fork.chained.header.previous)!
    }
    joined.reverse()
    const left = this.#mainChain.splice(fork.chained.height - this.base.chained.height + 1)
    for (const entry of left) for (const tx of entry.block.transactions) this.#including.delete(tx.id)
    for (const block of joined) {
      this.#mainChain.push(block)
      for (const [index, tx] of block.block.transactions.entries())
        this.#including.set(tx.id, { block, index })
    }
    return { left, joined }
  }

  /**
   * Makes a block of the main chain the base. Returns the blocks that became final, from the oldest, and those
   * that were dropped because they do not descend from it.
   */
  moveBase(to: TreeBlock): { final: TreeBlock[]; dropped: TreeBlock[] } {
    if (!this.isOnMainChain(to)) throw new Error(`${to.chained.id} is not on the main chain`)
    const passed = this.#mainChain.splice(0, to.chained.height - this.base.chained.height)
    const final = [...passed.slice(1), to]
    for (const entry of final) for (const tx of entry.block.transactions) this.#including.delete(tx.id)
    // Parents come before children in the map, so one pass finds all descendants of what is removed.
    const gone = new Set<BlockId>(passed.map(entry => entry.chained.id))
    const dropped: TreeBlock[] = []
    for (const entry of this.#blocks.values()) {
      const { id, header } = entry.chained
      if (id === to.chained.id || gone.has(id) || !gone.has(header.previous)) continue
      gone.add(id)
      dropped.push(entry)
    }
    for (const entry of dropped) this.#tips.delete(entry)
    for (const id of gone) {
      this.#blocks.delete(id)
      this.#childCounts.delete(id)
    }
    return { final, dropped }
  }
}

/** The least cumulative work goes first; of equals the one that came later. */
function isEvictedBefore(a: TreeBlock, b: TreeBlock): boolean {
  if (a.chained.work !== b.chained.work) return a.chained.work < b.chained.work
  return a.arrival > b.arrival
}
