// What must always hold, checked after every event by code that shares as little as possible with the code it
// checks: see naive-chain.ts for the blocks. A broken rule ends the run with its name.
//
// The names are those of docs/invariants.md: C7 final blocks stay, C8 most work, C10 mempool, C11 no honest peer
// blamed, S5 durable before visible, S6 nothing goes back, S9 everything has its bound; C1 to C5 and C9 are
// about blocks and checked there.

import type { Block } from '../../chain/block.ts'
import { maximumCost } from '../../chain/fees.ts'
import { type BlockId, blockId, readHeader } from '../../chain/header.ts'
import type { TransactionId } from '../../chain/transaction.ts'
import { ByteReader } from '../../encoding/bytes.ts'
import { validatorsOf } from '../../finality/validators.ts'
import type { TreeBlock } from '../../replica/block-tree.ts'
import type { Effect, PeerId } from '../../replica/effects.ts'
import { type PoolLimits, REPLICA_LIMITS } from '../../replica/limits.ts'
import { KEYS, readChainedHeader, readRecord } from '../../replica/records.ts'
import { verdictOn } from '../../replica/verdict.ts'
import type { SimNode } from '../cluster/sim-node.ts'
import type { NaiveChain } from './naive-chain.ts'
import { PromiseOracle } from './promise-oracle.ts'
import { Violation } from './violation.ts'

interface Known {
  /** Blocks of the node's tree that were checked, by arrival. */
  arrival: number
  headId: BlockId | null
  headWork: bigint
  /** The last final block: when it moves, work does not count. */
  baseId: BlockId | null
  treeSize: number
  /** Blocks that the node's tree has evicted in this life of the node. */
  evicted: number
  poolChanges: number
  /** The head that the disk surely holds, and its work: no restart may fall below it. */
  durableId: BlockId | null
  durableWork: bigint
  finalHeight: number
}

/** The watcher of one run. */
export class Oracle {
  readonly promises = new PromiseOracle()
  readonly #chain: NaiveChain
  readonly #known = new Map<SimNode, Known>()
  readonly #final = new Map<number, BlockId>()
  /** Blocks that were not due by the clock of the node that took them in. */
  readonly #early = new Map<BlockId, { readonly node: PeerId; readonly height: number }>()
  /** Where two branches were final by work alone, each as deep as the genesis file asks for; null as long as none were. */
  fork: string | null = null
  readonly #mayBeBlamed: (peer: PeerId) => boolean
  readonly #limits: PoolLimits
  #deepest = 0
  #reorganisations = 0
  #forced = 0
  #evictedBlocks = 0

  /** `mayBeBlamed` tells liars from those that nobody may blame; `limits` are those of every pool. */
  constructor(
    chain: NaiveChain,
    mayBeBlamed: (peer: PeerId) => boolean = () => false,
    limits: PoolLimits = REPLICA_LIMITS.pool,
  ) {
    this.#chain = chain
    this.#mayBeBlamed = mayBeBlamed
    this.#limits = limits
  }

  /** How often a node left a branch for one with no more work, because that one became final. */
  get forcedReorganisations(): number {
    return this.#forced
  }

  /** Blocks beside the main chain that nodes gave up for others. */
  get evictedBlocks(): number {
    return this.#evictedBlocks
  }

  /** The deepest reorganisation seen, in blocks, and how many there were. */
  get reorganisations(): { readonly count: number; readonly deepest: number } {
    return { count: this.#reorganisations, deepest: this.#deepest }
  }

  /** A node's disk lost what it held for certain: it is a new node, of which nothing is known. */
  forget(node: SimNode): void {
    this.#known.delete(node)
    this.promises.forget(node)
  }

  /** Looks at a node after it took something in. */
  afterStep(node: SimNode): void {
    this.promises.afterStep(node)
    const { tree, pool, sync } = node.replica!
    for (const [name, size, max] of sync.sizes())
      if (size > max) throw new Violation('S9', `${node.id} keeps ${size} ${name}, not ${max} at most`)
    const known = this.#knownOf(node)
    const head = tree.head.chained
    const { followsWork } = node.replica!.finality
    const isForced = !followsWork || tree.base.chained.id !== known.baseId
    known.baseId = tree.base.chained.id
    if (head.id !== known.headId && head.work <= known.headWork) {
      if (!isForced)
        throw new Violation('C8', `${node.id} leaves its head for ${head.id}, which has no more work`)
      if (followsWork) this.#forced += 1
    }
    // A block may have come in the place of another: the tree is as large as before then.
    const evicted = tree.evictedCount - known.evicted
    this.#evictedBlocks += evicted
    known.evicted = tree.evictedCount
    if (head.id !== known.headId || tree.size !== known.treeSize || evicted > 0) {
      known.headId = head.id
      known.headWork = head.work
      known.treeSize = tree.size
      known.poolChanges = -1
      this.#checkTree(node, known)
    }
    if (pool.changes === known.poolChanges) return
    known.poolChanges = pool.changes
    this.#checkPool(node)
  }

  /** Looks at what a node does with a block that came by gossip: what it did not take in, it keeps to itself. */
  afterBlock(node: SimNode, id: BlockId, effects: readonly Effect[]): void {
    const isRelayed = effects.some(({ type }) => type === 'relay')
    const { tree, view } = node.replica!
    // What it took in may be below the last final block by now, with others that waited for it.
    if (isRelayed && !tree.has(id) && view.mainHeight(id) === null)
      throw new Violation('C9', `${node.id} passes on block ${id}, which it refuses`)
  }

  /** Looks at an effect just before it is performed. */
  beforeEffect(node: SimNode, effect: Effect): void {
    const known = this.#knownOf(node)
    switch (effect.type) {
      case 'send':
        if (effect.message.type === 'blocks') return this.#checkServed(node, effect.message.blocks)
        if (effect.message.type !== 'status' || this.#isOnDisk(node, effect.message.status.headId)) return
        throw new Violation('S5', `${node.id} claims ${effect.message.status.headId} before it is on disk`)
      case 'broadcast':
        if (effect.message.type !== 'block' || this.#isOnDisk(node, effect.message.block.id)) return
        throw new Violation('S5', `${node.id} sends block ${effect.message.block.id} before it is on disk`)
      case 'reply':
        if ('rejection' in effect.result) return
        this.#checkAcknowledged(node, effect.result.id)
        return this.promises.afterPromise(node, effect.result.id)
      case 'reject':
        if (verdictOn(effect.reason) === 'ignore' || this.#mayBeBlamed(effect.from)) return
        throw new Violation('C11', `${node.id} blames honest ${effect.from} for ${effect.reason}`)
      case 'disconnect':
        // Of its own network it may only be slow, and of such small ones never be too many.
        if (effect.reason === 'peer-stalled' || this.#mayBeBlamed(effect.peer)) return
        throw new Violation('C11', `${node.id} leaves honest ${effect.peer} for ${effect.reason}`)
      case 'head':
        known.durableId = effect.id
        known.durableWork = this.#chain.workOf(effect.id)
        if (effect.reorganised > 0) this.#reorganisations += 1
        this.#deepest = Math.max(this.#deepest, effect.reorganised)
        return
      case 'final':
        return this.#checkFinal(node, known, effect)
    }
  }

  /** Looks at a node that has just started again. */
  afterStart(node: SimNode): void {
    const known = this.#knownOf(node)
    known.arrival = 0
    known.evicted = 0
    known.headId = null
    known.headWork = -1n
    known.poolChanges = -1
    const { tree } = node.replica!
    const head = tree.head.chained
    // The batch that made a block of another branch final may be the last that the disk took in.
    const isLeft = known.durableId !== null && !tree.has(known.durableId)
    const isForced = isLeft && tree.base.chained.height > known.finalHeight
    if (head.work < known.durableWork && !isForced)
      throw new Violation('S6', `${node.id} came back with less work than it had on disk`)
    const isOther = known.durableId !== null && head.id !== known.durableId
    if (head.work === known.durableWork && isOther && !isForced)
      throw new Violation('S6', `${node.id} came back on another branch than it followed`)
    if (tree.base.chained.height < known.finalHeight)
      throw new Violation('S6', `${node.id} came back with an older final block`)
    this.afterStep(node)
    // It may have crashed after the batch and before it said that this block is final. What it has made final in this
    // very step does not count yet: a crash may take it back.
    const base = node.disk.durable(KEYS.base)
    if (base !== null) this.#noteFinal(readRecord(KEYS.base, base, readChainedHeader))
    this.#checkDisk(node)
  }

  /** What is settled is not kept: the disk holds the final chain and what is above it. */
  #checkDisk(node: SimNode): void {
    const { tree, view } = node.replica!
    for (const key of node.disk.keys(KEYS.blocks)) {
      const id = key.slice(KEYS.blocks.length) as BlockId
      if (!tree.has(id) && view.mainHeight(id) === null)
        throw new Violation('S9', `${node.id} keeps block ${id}, which it has given up`)
    }
  }

  #checkAcknowledged(node: SimNode, id: TransactionId): void {
    if (node.disk.isDurable(KEYS.pooled(id))) return
    const { view, outcomes } = node.replica!
    // Between the answer and now a block may have taken it, or the node may have given it up, and says so.
    if (view.locate(id) !== null || outcomes.get(id) !== undefined) return
    throw new Violation('S5', `${node.id} acknowledges ${id} before it is on disk`)
  }

  /** Whoever asks for blocks gets such as were judged. */
  #checkServed(node: SimNode, blocks: readonly Pick<Block, 'raw'>[]): void {
    for (const { raw } of blocks) {
      const id = blockId(readHeader(new ByteReader(raw)))
      if (!this.#chain.has(id))
        throw new Violation('C9', `${node.id} hands out block ${id}, which nobody took in`)
    }
  }

  #isOnDisk(node: SimNode, id: BlockId): boolean {
    return node.disk.isDurable(KEYS.block(id))
  }

  #checkTree(node: SimNode, known: Known): void {
    const { tree } = node.replica!
    const head = tree.head.chained
    for (const entry of tree.blocks()) {
      const { id, work } = entry.chained
      if (work > head.work && node.replica!.finality.followsWork)
        throw new Violation('C8', `${node.id} follows ${head.id}, but ${id} has more work`)
      if (entry.arrival < known.arrival) continue
      known.arrival = entry.arrival + 1
      this.#checkTime(node, entry)
      this.#chain.check(entry)
      if (entry.execution.state.root() !== entry.block.coinbase.stateRoot)
        throw new Violation('C5', `${node.id} has another state after block ${id} than the block says`)
    }
  }

  /**
   * A block that is followed for its work may not be from further in the future than the rules allow when it is taken in.
   * What validators decide is not held against the clock: such a block, of which no node may have another at its height,
   * is judged when that height is final.
   */
  #checkTime(node: SimNode, { chained, seenMs }: TreeBlock): void {
    const { genesis, finality } = node.replica!
    const limit = genesis.work.futureLimitSeconds
    const isDue = seenMs === 0 || chained.header.time <= Math.floor(seenMs / 1000) + limit
    if (isDue || !finality.followsWork) return
    const final = this.#final.get(chained.height)
    const isUndecided = validatorsOf(genesis) === null || (final !== undefined && final !== chained.id)
    if (isUndecided)
      throw new Violation('C9', `${node.id} takes block ${chained.id}, whose time has not come`)
    this.#early.set(chained.id, { node: node.id, height: chained.height })
  }

  /** Early blocks at or below a final one must be final themselves. */
  #checkEarly(height: number): void {
    for (const [id, early] of this.#early) {
      if (early.height > height) continue
      this.#early.delete(id)
      if (this.#final.get(early.height) !== id)
        throw new Violation(
          'C9',
          `${early.node} took block ${id}, whose time had not come and which is not decided`,
        )
    }
  }

  #checkFinal(node: SimNode, known: Known, final: { id: BlockId; height: number }): void {
    if (final.height <= known.finalHeight)
      throw new Violation('C7', `${node.id} finalises ${final.height} after ${known.finalHeight}`)
    known.finalHeight = final.height
    this.#noteFinal(final)
  }

  /** The block and all before it are final: no node may ever have others. */
  #noteFinal(final: { id: BlockId; height: number }): void {
    for (let id = final.id, height = final.height; this.#final.get(height) !== id && height >= 0; height--) {
      const other = this.#final.get(height)
      if (other !== undefined) {
        const text = `two final blocks at height ${height}`
        // What is final by work alone may be reversed by more work: that has to be excused, and nothing else.
        if (!this.#chain.isBuried(id) || !this.#chain.isBuried(other)) throw new Violation('C7', text)
        this.fork = text
        return
      }
      this.#final.set(height, id)
      if (height > 0) id = this.#chain.parentOf(id)
    }
    this.#checkEarly(final.height)
  }

  #checkPool(node: SimNode): void {
    const { pool, tree } = node.replica!
    const state = tree.head.execution.state
    const { transactionsMax, bytesMax, senderTransactionsMax, senderBytesMax } = this.#limits
    if (pool.size > transactionsMax || pool.bytes > bytesMax)
      throw new Violation('S9', `${node.id}: pool too large`)
    let count = 0
    for (const sender of pool.senders()) {
      const { pending, future } = pool.queueOf(sender)
      const account = state.get(sender)
      let bytes = 0
      let cost = 0n
      let last = -1n
      for (const { tx } of [...pending, ...future]) {
        if (tx.nonce < account.nonce)
          throw new Violation('C10', `${node.id} keeps ${tx.id} with a spent nonce`)
        if (tx.nonce <= last) throw new Violation('C10', `${node.id} keeps two transactions for one nonce`)
        last = tx.nonce
        bytes += tx.raw.length
        cost += maximumCost(tx)
        count += 1
      }
      if (pending.length + future.length > senderTransactionsMax || bytes > senderBytesMax)
        throw new Violation('S9', `${node.id} keeps more of ${sender} than one may have`)
      if (cost > account.balance)
        throw new Violation('C10', `${node.id} keeps more of ${sender} than can be paid`)
      for (const [index, { tx }] of pending.entries()) {
        if (tx.nonce !== account.nonce + BigInt(index))
          throw new Violation('C10', `${node.id}: gap in what is pending`)
      }
      if (future[0]?.tx.nonce === account.nonce + BigInt(pending.length))
        throw new Violation('C10', `${node.id} lets ${future[0].tx.id} wait for nothing`)
    }
    if (count !== pool.size)
      throw new Violation('C10', `${node.id}: the pool counts ${pool.size} and holds ${count}`)
  }

  #knownOf(node: SimNode): Known {
    let known = this.#known.get(node)
    if (known === undefined) {
      known = {
        arrival: 0,
        headId: null,
        headWork: -1n,
        baseId: null,
        treeSize: 0,
        evicted: 0,
        poolChanges: -1,
        durableId: null,
        durableWork: 0n,
        finalHeight: 0,
      }
      this.#known.set(node, known)
    }
    return known
  }
}
