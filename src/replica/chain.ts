// The chain that a replica follows, and the branches beside it: how a block is connected, which block is the head, what
// becomes final, and which side blocks are evicted. The blocks themselves are in block-tree.ts.
//
// A block is sane alone (its decoder), then valid as a header in context, then executed on its parent's state. Only blocks
// that passed all three are in the tree. The finality layer says which tip is preferred; what is final overrides work.

import type { Block } from '../chain/block.ts'
import type { BlockHeader, BlockId } from '../chain/header.ts'
import { type ChainedHeader, chainHeader, isTimeTooNew } from '../chain/header-chain.ts'
import type { RecoverSender } from '../chain/signature.ts'
import { BoundedMap } from '../collections/bounded-map.ts'
import { type Execution, executeBlock } from '../execution/block-execution.ts'
import type { Genesis } from '../execution/genesis.ts'
import type { Finality, FinalityEffect } from '../finality/contract.ts'
import type { BlockTree, HeadMove, TreeBlock } from './block-tree.ts'
import { type Checkpoint, isBesideCheckpoint } from './checkpoint.ts'
import type { ReplicaOutbox } from './effects.ts'
import { writeCertificate, writeDropped, writeFinalised } from './finalise.ts'
import { encodeId, KEYS } from './records.ts'
import type { StartedTree } from './start.ts'
import type { Rejection } from './verdict.ts'

/** What the chain needs of its replica. */
export interface ChainHost {
  readonly genesis: Genesis
  readonly finality: Finality
  readonly checkpoint: Checkpoint | null
  readonly outbox: ReplicaOutbox
  readonly recoverSender: RecoverSender
  /** Side blocks that are kept at most, besides those that are needed. */
  readonly sideBlocksMax: number
  /** Milliseconds since 1970. */
  nowMs(): number
  /** Whether a branch that is being downloaded stands on this block. */
  isNeeded(id: BlockId): boolean
  /** The head has moved. */
  onHead(move: HeadMove): void
  /** A block was added to the tree. */
  onBlock(id: BlockId): void
  /** These blocks became final, oldest first; their writes are in the outbox. */
  onFinal(blocks: readonly TreeBlock[]): void
}

/** How a block is connected. */
export interface ConnectOptions {
  /**
   * Whether the block is connected even when there are too many side blocks: the finality layer asked for it, this node built
   * it, or it belongs to a branch whose headers hold more work than our head. All of these have another bound: a vote, or work.
   */
  readonly isNeeded: boolean
  /** Whether the block is decided. If so our clock has no say in it. */
  readonly isDecided?: boolean
  /** Its execution, for a block that was just built here. */
  readonly known?: Execution
}

/** Ids of blocks that are remembered as invalid. */
const INVALID_BLOCKS_MAX = 1_000
/**
 * Blocks that the finality layer asked for or voted for, each of which is kept with its ancestors. Whatever can still be
 * decided is among the newest: it is proposed again in every view.
 */
const HELD_BLOCKS_MAX = 64

/** The chain of one replica. */
export class Chain {
  readonly tree: BlockTree
  readonly #host: ChainHost
  readonly #invalid = new BoundedMap<BlockId, true>(INVALID_BLOCKS_MAX)
  readonly #held = new BoundedMap<BlockId, true>(HELD_BLOCKS_MAX)
  #arrivals: number
  /** The alarm about a chain without the checkpoint is raised once. */
  #hasToldOfCheckpoint = false

  constructor({ tree, arrivals }: StartedTree, host: ChainHost) {
    this.tree = tree
    this.#arrivals = arrivals
    this.#host = host
  }

  /** Whether the chain has reached the checkpoint. Nothing is mined before: it would be for another chain. */
  get isCheckpointReached(): boolean {
    const { checkpoint } = this.#host
    return checkpoint === null || this.tree.head.chained.height >= checkpoint.height
  }

  /** Chooses the head of a tree that was loaded, and applies the present limits to it. */
  start(): void {
    const best = this.bestAbove(this.tree.base)
    if (best !== this.tree.base) this.#follow(best)
    this.#evict()
  }

  /** Adds a block whose parent is in the tree, and follows it if it is preferred; or returns why it is refused. */
  connect(block: Block, { isNeeded, isDecided = false, known }: ConnectOptions): Rejection | null {
    const { genesis, finality, outbox, recoverSender } = this.#host
    if (this.tree.has(block.id)) return null
    if (this.#invalid.has(block.id)) return 'block-known-invalid'
    const parent = this.tree.get(block.header.previous)
    if (parent === undefined) return 'block-below-final'
    const chained = this.chainHeader(parent.chained, block.header)
    if (typeof chained === 'string') return chained
    if (!isDecided && this.isEarly(block.header)) return 'header-time-too-new'
    const isPreferred = finality.prefers(chained, this.tree.head.chained)
    if (!isNeeded && !isPreferred && !this.#hasRoomFor(chained, parent)) return 'block-tree-full'
    const layer = {
      height: parent.chained.height,
      coinbase: parent.block.coinbase,
      state: parent.execution.state,
    }
    const execution = known ?? executeBlock(genesis.blocks, layer, block, recoverSender)
    if (typeof execution === 'string') {
      this.#invalid.set(block.id, true)
      return execution
    }
    const entry = { chained, block, execution, arrival: this.#arrivals++, seenMs: this.#host.nowMs() }
    this.tree.add(entry)
    outbox.write(KEYS.block(block.id), block.raw)
    outbox.write(KEYS.openBlock(entry.arrival), encodeId(block.id))
    if (isPreferred) this.#follow(entry)
    this.#evict(entry)
    this.#host.onBlock(block.id)
    return null
  }

  /**
   * The header in context, or why it can't follow. Every header passes here, however it came; our clock is not consulted,
   * see `isEarly`.
   */
  chainHeader(parent: ChainedHeader, header: BlockHeader): ChainedHeader | Rejection {
    const { genesis, checkpoint, outbox } = this.#host
    const chained = chainHeader(genesis.work, parent, header, Number.POSITIVE_INFINITY)
    if (typeof chained === 'string' || !isBesideCheckpoint(checkpoint, chained)) return chained
    if (!this.#hasToldOfCheckpoint) {
      this.#hasToldOfCheckpoint = true
      const text = `block ${chained.id} at the height of the checkpoint, ${chained.height}, is not the checkpoint: a peer follows another history, or the checkpoint is wrong`
      outbox.emit({ type: 'alarm', text })
    }
    return 'block-not-checkpoint'
  }

  /**
   * Whether our clock says that a block is not due yet. Never where blocks count only once they are decided: there validators
   * check the time before they vote.
   */
  isEarly(header: BlockHeader): boolean {
    const { genesis, finality } = this.#host
    const nowSeconds = Math.floor(this.#host.nowMs() / 1000)
    return finality.followsWork && isTimeTooNew(genesis.work, header, nowSeconds)
  }

  isKnownInvalid(id: BlockId): boolean {
    return this.#invalid.has(id)
  }

  /** Keeps this block and its ancestors from eviction: the finality layer may need them. */
  hold(id: BlockId): void {
    this.#held.set(id, true)
  }

  /**
   * Makes a block the last final one. If the head is on another branch, it moves first. Throws for a block that is not here,
   * or not a descendant of the last final block: the finality layer has accepted it already.
   */
  finalise({ id, certificate }: Extract<FinalityEffect, { type: 'final' }>): void {
    const { outbox } = this.#host
    const entry = this.tree.get(id)
    const { base } = this.tree
    if (entry === undefined)
      throw new Error(
        `block ${id} is said to be final, and is not a known descendant of final block ${base.chained.id}`,
      )
    if (entry === base) return
    if (!this.tree.isOnMainChain(entry)) this.#follow(this.bestAbove(entry))
    const { final, dropped } = this.tree.moveBase(entry)
    writeFinalised(outbox, final, dropped)
    if (certificate !== null) writeCertificate(outbox, final, certificate)
    this.#host.onFinal(final)
    outbox.emit({ type: 'final', id, height: entry.chained.height })
  }

  /** The block itself, or the descendant of it that is preferred. */
  bestAbove(entry: TreeBlock): TreeBlock {
    const { finality } = this.#host
    return this.tree
      .descendants(entry)
      .reduce((best, other) => (finality.prefers(other.chained, best.chained) ? other : best))
  }

  #follow(entry: TreeBlock): void {
    const move = this.tree.moveHead(entry)
    const { id, height } = entry.chained
    this.#host.outbox.emit({ type: 'head', id, height, reorganised: move.left.length })
    this.#host.onHead(move)
  }

  /**
   * Whether a side block may come in. While there are too many, it must displace a lighter one. So blocks that are cheap,
   * because the target of their branch has eased, displace each other and no branch with more work.
   */
  #hasRoomFor(chained: ChainedHeader, parent: TreeBlock): boolean {
    this.#evict(parent)
    if (this.tree.sideSize < this.#host.sideBlocksMax) return true
    const lightest = this.tree.lightestSideTip(tip => tip === parent || this.#isKept(tip))
    return lightest !== null && lightest.chained.work < chained.work
  }

  /** Evicts the lightest side blocks where there are too many; `spared` is not among them. */
  #evict(spared?: TreeBlock): void {
    const { sideBlocksMax, outbox } = this.#host
    const evicted = this.tree.evict(sideBlocksMax, entry => entry === spared || this.#isKept(entry))
    writeDropped(outbox, evicted)
  }

  /** Whether a block is kept with its ancestors, however many side blocks there are. */
  #isKept({ chained }: TreeBlock): boolean {
    return this.#held.has(chained.id) || this.#host.isNeeded(chained.id)
  }
}
