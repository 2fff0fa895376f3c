// Drives the finality layer: shows it the chain, and performs its effects with the means of the replica. The layer has no
// other access to tree, pool or disk.

import type { Address } from '../chain/address.ts'
import type { Block } from '../chain/block.ts'
import { nextBaseFee } from '../chain/fees.ts'
import type { BlockId } from '../chain/header.ts'
import { InputQueue } from '../collections/input-queue.ts'
import type { ChainAccess, Finality, FinalityEffect, FinalityInput, Holders } from '../finality/contract.ts'
import type { BlockTree } from './block-tree.ts'
import type { ChainView } from './chain-view.ts'
import type { PeerId, ReplicaOutbox, Store, TimerName } from './effects.ts'
import type { Mempool } from './mempool.ts'
import { KEYS } from './records.ts'

/** A block that came with a message of the finality layer. */
export interface AttachedBlock {
  readonly block: Block
  readonly from: PeerId
}

interface QueuedInput {
  readonly input: FinalityInput
  readonly attached: AttachedBlock | null
}

/** What the driver needs of its replica. */
export interface FinalityHost {
  readonly finality: Finality
  readonly tree: BlockTree
  readonly view: ChainView
  readonly pool: Mempool
  readonly store: Store
  readonly outbox: ReplicaOutbox
  nowMs(): number
  finalise(final: Extract<FinalityEffect, { type: 'final' }>): void
  /** Gets a block with its ancestors. It may be the one attached to the message that is being handled. */
  want(
    id: BlockId,
    holders: Holders,
    options: { readonly isDecided: boolean; readonly attached: AttachedBlock | null },
  ): void
  /** Keeps this block from eviction. */
  hold(id: BlockId): void
  /** Builds a block without work on the head and connects it; null when that fails. */
  build(beneficiary: Address): BlockId | null
}

/** A timer of the finality layer, among those of the replica. */
export type FinalityTimerName = Extract<TimerName, `${typeof TIMERS}${string}`>

/** The prefix of the layer's timers. */
const TIMERS = 'finality/'

/** Whether a timer of the replica is its finality layer's. */
export function isFinalityTimer(name: TimerName): name is FinalityTimerName {
  return name.startsWith(TIMERS)
}

/** Connects a replica to its finality layer. */
export class FinalityDriver {
  readonly #host: FinalityHost
  readonly #chain: ChainAccess
  readonly #inputs = new InputQueue<QueuedInput>(({ input, attached }) => {
    this.#attached = attached
    for (const effect of this.#host.finality.step(input, this.#chain)) this.#perform(effect, attached)
    this.#attached = null
  })
  /** The block attached to the input that is being handled. */
  #attached: AttachedBlock | null = null
  /** Whether there are pending transactions, for this pool and head; null until asked. */
  #pending: { readonly changes: number; readonly head: BlockId; readonly has: boolean } | null = null

  constructor(host: FinalityHost) {
    this.#host = host
    this.#chain = this.#access()
  }

  /** Starts the layer on what it has persisted. */
  start(isFresh: boolean): void {
    const entries = [...this.#host.store.entries(KEYS.finality)]
    const records = new Map(entries.map(([key, value]) => [key.slice(KEYS.finality.length), value]))
    this.step({ type: 'start', records, isFresh })
  }

  /**
   * Gives the layer an input, with the block that came with it if any, and performs the effects. An input that results from
   * these is queued, with the same block.
   */
  step(input: FinalityInput, attached = this.#attached): void {
    this.#inputs.add({ input, attached })
  }

  /** A timer of the layer fires. */
  onTimeout(name: FinalityTimerName): void {
    this.step({ type: 'timeout', name: name.slice(TIMERS.length) })
  }

  /** Tells a layer that has asked whether transactions are pending that this has changed. */
  updatePending(): void {
    const before = this.#pending
    if (before !== null && this.#hasPending() !== before.has) this.step({ type: 'pool' })
  }

  #perform(effect: FinalityEffect, attached: AttachedBlock | null): void {
    const { outbox } = this.#host
    switch (effect.type) {
      case 'final':
        return this.#host.finalise(effect)
      case 'persist':
        return outbox.write(KEYS.finality + effect.key, effect.value)
      case 'send': {
        const message = { type: 'finality' as const, body: effect.body, block: this.#block(effect.block) }
        return outbox.emit({ type: 'send', to: effect.to, message })
      }
      case 'broadcast': {
        const message = { type: 'finality' as const, body: effect.body, block: this.#block(effect.block) }
        return outbox.emit({ type: 'broadcast', message })
      }
      case 'set-timer':
        return outbox.emit({ type: 'set-timer', name: `${TIMERS}${effect.name}`, delayMs: effect.delayMs })
      case 'clear-timer':
        return outbox.emit({ type: 'clear-timer', name: `${TIMERS}${effect.name}` })
      case 'want':
        return this.#host.want(effect.id, effect.holders, { isDecided: effect.isDecided, attached })
      case 'hold':
        return this.#host.hold(effect.id)
      case 'build':
        return this.step({ type: 'built', id: this.#host.build(effect.beneficiary) })
      case 'refuse':
        return outbox.emit({ type: 'reject', from: effect.from, reason: 'finality-refused' })
      case 'alarm':
        return outbox.emit(effect)
    }
  }

  #block(id: BlockId | null): Block | null {
    return id === null ? null : (this.#host.tree.get(id)?.block ?? null)
  }

  #access(): ChainAccess {
    const host = this.#host
    return {
      get head() {
        return host.tree.head.chained
      },
      get final() {
        return host.tree.base.chained
      },
      get nowMs() {
        return host.nowMs()
      },
      get: id => host.tree.get(id)?.chained ?? null,
      ancestor: height => host.tree.atHeight(height)?.chained.id ?? null,
      *tips() {
        for (const { chained } of host.tree.tips()) yield chained
      },
      transactionCount: id => host.tree.get(id)?.block.transactions.length ?? 0,
      hasPending: () => this.#hasPending(),
      certificateOf: sequence => host.view.certificateOf(sequence),
      certificateAt: height => host.view.certificateAt(height)?.bytes ?? null,
    }
  }

  #hasPending(): boolean {
    const { pool, tree } = this.#host
    const { changes } = pool
    const head = tree.head.chained.id
    if (this.#pending?.changes !== changes || this.#pending.head !== head) {
      const has = pool.hasPending(nextBaseFee(tree.head.block.coinbase))
      this.#pending = { changes, head, has }
    }
    return this.#pending.has
  }
}
