// Block production: the account a replica mines for, the template that is being searched, and when a new one is due.
//
// A template is rebuilt when the head moves, when the pool has changed (checked once a second, not for every transaction),
// and from time to time to refresh its timestamp.

import type { Address } from '../chain/address.ts'
import type { Block } from '../chain/block.ts'
import { BoundedMap } from '../collections/bounded-map.ts'
import { ByteWriter, concatBytes, toHex } from '../encoding/bytes.ts'
import type { Execution } from '../execution/block-execution.ts'
import type { Genesis } from '../execution/genesis.ts'
import type { TreeBlock } from './block-tree.ts'
import type { ReplicaOutbox } from './effects.ts'
import type { Mempool } from './mempool.ts'
import { buildTemplate, completeTemplate, type Template } from './template.ts'

/** The beneficiary of mined blocks, and how many are still to be mined; null for no limit. */
export interface MiningOrder {
  readonly beneficiary: Address
  readonly blocksLeft: number | null
}

/** Milliseconds between checks whether the template is outdated. */
const CHECK_MS = 1_000
/** Milliseconds after which a template is rebuilt for its timestamp alone. */
const LIFE_MS = 10_000
/** Templates that are remembered because a nonce for them may still arrive. */
const TEMPLATES_MAX = 8

/** The part of a replica that builds blocks. */
export class Production {
  readonly #genesis: Genesis
  readonly #outbox: ReplicaOutbox
  /** 4 bytes that no other replica has. */
  readonly #salt: Uint8Array
  readonly #templates = new BoundedMap<string, Template>(TEMPLATES_MAX)
  #order: MiningOrder | null = null
  #extraNonces = 0
  /** What the last template was made from; null when a new one is due. */
  #basis: { readonly poolChanges: number; readonly madeMs: number } | null = null

  constructor(genesis: Genesis, outbox: ReplicaOutbox, salt: Uint8Array) {
    this.#genesis = genesis
    this.#outbox = outbox
    this.#salt = salt
  }

  get order(): MiningOrder | null {
    return this.#order
  }

  /** Starts, changes or (null) stops mining. */
  command(order: MiningOrder | null): void {
    this.#order = order
    this.invalidate()
    if (order !== null) return
    this.#outbox.emit({ type: 'stop-mining' })
    this.#outbox.emit({ type: 'clear-timer', name: 'template' })
  }

  /** The template is outdated. */
  invalidate(): void {
    this.#basis = null
  }

  /** Checks whether the template is outdated. */
  onTimeout(pool: Mempool, nowMs: number): void {
    // With a clock that was set back, a template would live until the old time, with a timestamp that no node accepts.
    const ageMs = this.#basis === null ? 0 : Math.abs(nowMs - this.#basis.madeMs)
    const isFresh = this.#basis?.poolChanges === pool.changes && ageMs < LIFE_MS
    if (isFresh) this.#outbox.emit({ type: 'set-timer', name: 'template', delayMs: CHECK_MS })
    else this.invalidate()
  }

  /** Builds a template on this head, if one is due. */
  renew(head: TreeBlock, pool: Mempool, nowMs: number): void {
    if (this.#order === null || this.#basis !== null || !this.#genesis.work.isProved) return
    const { id, template } = this.#template(head, pool, this.#order.beneficiary, nowMs)
    this.#templates.set(id, template)
    this.#basis = { poolChanges: pool.changes, madeMs: nowMs }
    const { header, target, coinbase } = template
    this.#outbox.emit({ type: 'mine', template: { id, header, target, height: coinbase.height } })
    this.#outbox.emit({ type: 'set-timer', name: 'template', delayMs: CHECK_MS })
  }

  /** Builds a block without work on this head. Its reward goes to the account that this node mines for, if any. */
  build(
    head: TreeBlock,
    pool: Mempool,
    beneficiary: Address,
    nowMs: number,
  ): { block: Block; execution: Execution } {
    const { template } = this.#template(head, pool, this.#order?.beneficiary ?? beneficiary, nowMs)
    return { block: completeTemplate(template, 0), execution: template.execution }
  }

  /** The block that a nonce completes, with what it does; null when its template is gone or mining has ended. */
  complete(templateId: string, nonce: number): { block: Block; execution: Execution } | null {
    const template = this.#templates.get(templateId)
    if (template === undefined || this.#order === null) return null
    this.invalidate()
    return { block: completeTemplate(template, nonce), execution: template.execution }
  }

  #template(
    head: TreeBlock,
    pool: Mempool,
    beneficiary: Address,
    nowMs: number,
  ): { id: string; template: Template } {
    this.#extraNonces += 1
    const extraNonce = concatBytes(this.#salt, new ByteWriter().u32(this.#extraNonces).finish())
    const options = { beneficiary, extraNonce, nowSeconds: Math.floor(nowMs / 1000) }
    return { id: toHex(extraNonce), template: buildTemplate(this.#genesis, head, pool, options) }
  }

  /** One of the ordered blocks was mined. */
  count(): void {
    if (this.#order === null || this.#order.blocksLeft === null) return
    const blocksLeft = this.#order.blocksLeft - 1
    this.command(blocksLeft === 0 ? null : { ...this.#order, blocksLeft })
  }
}
