// What must always hold, checked after every event by code that shares as little as possible with the code that it
// checks. A broken rule ends the run with its name, as in docs/invariants.md. Each file here has the rules that belong
// together; this one calls them, in a fixed order.

import type { BlockId } from '../../chain/header.ts'
import type { Effect, PeerId } from '../../replica/effects.ts'
import { type PoolLimits, REPLICA_LIMITS } from '../../replica/limits.ts'
import { KEYS, readChainedHeader, readRecord } from '../../replica/records.ts'
import type { SimNode } from '../cluster/sim-node.ts'
import { FinalOracle } from './final-oracle.ts'
import type { NaiveChain } from './naive-chain.ts'
import { checkPool } from './pool-oracle.ts'
import { PromiseOracle } from './promise-oracle.ts'
import { RestartOracle } from './restart-oracle.ts'
import { TreeOracle } from './tree-oracle.ts'
import { Violation } from './violation.ts'
import { checkAcknowledged, checkBlame, checkRelayed, checkSent, checkServed } from './visible-oracle.ts'

/** The watcher of one run. */
export class Oracle {
  readonly promises = new PromiseOracle()
  readonly #chain: NaiveChain
  readonly #final: FinalOracle
  readonly #trees: TreeOracle
  readonly #restarts: RestartOracle
  readonly #mayBeBlamed: (peer: PeerId) => boolean
  readonly #limits: PoolLimits
  /** The changes of each node's pool when it was checked last. */
  readonly #poolChanges = new Map<SimNode, number>()
  #deepest = 0
  #reorganisations = 0

  /** `mayBeBlamed` tells liars from honest peers, which no node may blame; `limits` are those of every pool. */
  constructor(
    chain: NaiveChain,
    mayBeBlamed: (peer: PeerId) => boolean = () => false,
    limits: PoolLimits = REPLICA_LIMITS.pool,
  ) {
    this.#chain = chain
    this.#final = new FinalOracle(chain)
    this.#trees = new TreeOracle(chain, this.#final)
    this.#restarts = new RestartOracle(chain)
    this.#mayBeBlamed = mayBeBlamed
    this.#limits = limits
  }

  /** Where two branches were final by work alone; null as long as none were. */
  get fork(): string | null {
    return this.#final.fork
  }

  /** How often a node left a branch for one with no more work, because that one became final. */
  get forcedReorganisations(): number {
    return this.#trees.forcedReorganisations
  }

  /** Blocks beside the main chain that nodes evicted. */
  get evictedBlocks(): number {
    return this.#trees.evictedBlocks
  }

  /** The deepest reorganisation seen, in blocks, and how many there were. */
  get reorganisations(): { readonly count: number; readonly deepest: number } {
    return { count: this.#reorganisations, deepest: this.#deepest }
  }

  /** A node's disk lost what was durable: it counts as a new node. */
  forget(node: SimNode): void {
    this.#trees.forget(node)
    this.#restarts.forget(node)
    this.#poolChanges.delete(node)
    this.promises.forget(node)
  }

  /** Looks at a node after a step. */
  afterStep(node: SimNode): void {
    this.promises.afterStep(node)
    const { pool, sync } = node.replica!
    for (const [name, size, max] of sync.sizes())
      if (size > max) throw new Violation('S9', `${node.id} keeps ${size} ${name}, not ${max} at most`)
    const isTreeChanged = this.#trees.afterStep(node)
    if (!isTreeChanged && pool.changes === this.#poolChanges.get(node)) return
    this.#poolChanges.set(node, pool.changes)
    checkPool(node, this.#limits)
  }

  /** Looks at what a node does with a block that came by gossip. */
  afterBlock(node: SimNode, id: BlockId, effects: readonly Effect[]): void {
    checkRelayed(node, id, effects)
  }

  /** Looks at an effect just before it is performed. */
  beforeEffect(node: SimNode, effect: Effect): void {
    switch (effect.type) {
      case 'send':
        if (effect.message.type === 'blocks') return checkServed(node, effect.message.blocks, this.#chain)
        return checkSent(node, effect)
      case 'broadcast':
        return checkSent(node, effect)
      case 'reply':
        if ('rejection' in effect.result) return
        checkAcknowledged(node, effect.result.id)
        return this.promises.afterPromise(node, effect.result.id)
      case 'reject':
      case 'disconnect':
        return checkBlame(node, effect, this.#mayBeBlamed)
      case 'head':
        this.#restarts.onHead(node, effect.id)
        if (effect.reorganised > 0) this.#reorganisations += 1
        this.#deepest = Math.max(this.#deepest, effect.reorganised)
        return
      case 'final':
        this.#restarts.onFinal(node, effect)
        return this.#final.note(effect)
      case 'persist':
      case 'relay':
      case 'set-timer':
      case 'clear-timer':
      case 'mine':
      case 'stop-mining':
      case 'alarm':
        return
    }
  }

  /** Looks at a node that has just started again. */
  afterStart(node: SimNode): void {
    this.#trees.restart(node)
    this.#poolChanges.delete(node)
    this.#restarts.afterStart(node)
    this.afterStep(node)
    // It may have crashed after the batch and before it said that this block is final. What it has made final in this
    // very step does not count yet: a crash may take it back.
    const base = node.disk.durable(KEYS.base)
    if (base !== null) this.#final.note(readRecord(KEYS.base, base, readChainedHeader))
    this.#restarts.checkDisk(node)
  }
}
