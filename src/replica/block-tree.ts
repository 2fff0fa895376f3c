// All valid blocks above the last final one (the base), each with the state after it as a layer that shares what
// its parent's state has. Nothing is ever undone: to reorganise is to follow another block.
//
//     base ── b1 ── b2 ── b3      head: the tip that the finality layer prefers
//               └── c2 ── c3      a branch, kept until the base passes its fork
//
// Only blocks that were executed and found right are in here, so every one of them may become the head.

import type { Block } from '../chain/block.ts'
import type { Execution } from '../chain/execution.ts'
import type { BlockId } from '../chain/header.ts'
import type { ChainedHeader } from '../chain/header-chain.ts'
import type { TransactionId } from '../chain/transaction.ts'

/** A block in the tree. */
export interface TreeBlock {
  readonly chained: ChainedHeader
  readonly block: Block
  readonly execution: Execution
  /** Which block of this node's life it was: ties in work go to the earlier. */
  readonly arrival: number
  /** When this node got it: milliseconds since 1970, or 0 for one that was on disk. */
  readonly seenMs: number
}

/** How the head moved: blocks that were left and blocks that were joined, each list from the oldest. */
export interface HeadMove {
  readonly left: readonly TreeBlock[]
  readonly joined: readonly TreeBlock[]
}

/** Blocks in the tree at most. Each one cost its work, so only a very long stall of finality gets there. */
export const TREE_BLOCKS_MAX = 20_000

/** The unfinal part of the chain, in memory. */
export class BlockTree {
  readonly #blocks = new Map<BlockId, TreeBlock>()
  /** The blocks without children. */
  readonly #tips = new Set<TreeBlock>()
  /** The way from the base to the head, base first: the block at height h stands at h - base height. */
  #mainChain: TreeBlock[]
  /** Which block of the main chain holds a transaction. */
  readonly #including = new Map<TransactionId, { block: TreeBlock; index: number }>()

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

  /** The blocks without children, in the order in which they came: the head and the ends of all branches. */
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
    const parent = this.#blocks.get(entry.chained.header.previous)
    if (parent === undefined) throw new Error(`${entry.chained.id} has no parent here`)
    this.#blocks.set(entry.chained.id, entry)
    this.#tips.delete(parent)
    this.#tips.add(entry)
  }

  /** Forgets a block beside the main chain and all above it; returns them, in the order in which they came. */
  drop(of: TreeBlock): TreeBlock[] {
    const dropped = this.descendants(of)
    if (dropped.some(entry => this.isOnMainChain(entry)))
      throw new Error(`${of.chained.id} is not on a branch`)
    for (const { chained } of dropped) this.#blocks.delete(chained.id)
    return dropped
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
    // Parents come before children in the map, so one pass finds all that hang on what goes.
    const gone = new Set<BlockId>(passed.map(entry => entry.chained.id))
    const dropped: TreeBlock[] = []
    for (const entry of this.#blocks.values()) {
      const { id, header } = entry.chained
      if (id === to.chained.id || gone.has(id) || !gone.has(header.previous)) continue
      gone.add(id)
      dropped.push(entry)
    }
    for (const id of gone) this.#blocks.delete(id)
    for (const entry of dropped) this.#tips.delete(entry)
    return { final, dropped }
  }
}
