// Recovers the senders of the transactions in a message off the event loop, before the replica asks for them.
//
// Only for what will be executed: recovery is the dearest work that a message can cause, so it is not done for a
// block that lacks its work or its parent, nor for blocks or transactions that nobody asked for.

import type { Block } from '../chain/block.ts'
import type { BlockId } from '../chain/header.ts'
import { chainHeader } from '../chain/header-chain.ts'
import type { Transaction } from '../chain/transaction.ts'
import type { PeerId } from '../replica/effects.ts'
import type { Message, OutgoingMessage } from '../replica/messages.ts'
import type { Replica } from '../replica/replica.ts'
import type { Urgency } from '../signatures/places.ts'

/** Someone who recovers senders, as a RecoveryPool does. */
export interface Warmer {
  warm(transactions: readonly Transaction[], urgency: Urgency): Promise<void>
}

/** Chooses what is recovered. */
export class SenderWarming {
  readonly #replica: Pick<Replica, 'genesis' | 'tree' | 'relay' | 'finality'>
  readonly #warmer: Warmer
  /** Blocks that a peer was asked for last: at most one request per peer. */
  readonly #asked = new Map<PeerId, ReadonlySet<BlockId>>()

  constructor(replica: Pick<Replica, 'genesis' | 'tree' | 'relay' | 'finality'>, warmer: Warmer) {
    this.#replica = replica
    this.#warmer = warmer
  }

  /** A message goes out to a peer. */
  onSend(to: PeerId, message: OutgoingMessage): void {
    if (message.type === 'get-blocks') this.#asked.set(to, new Set(message.ids))
  }

  /** A peer is gone. */
  forget(peer: PeerId): void {
    this.#asked.delete(peer)
  }

  /** Resolves when the message can be taken in without much ado. */
  async warm(from: PeerId, message: Message, nowMs: number): Promise<void> {
    const transactions = this.#worthRecovering(from, message, nowMs)
    const urgency = message.type === 'transactions' ? 'peer' : 'block'
    if (transactions.length > 0) await this.#warmer.warm(transactions, urgency)
  }

  #worthRecovering(from: PeerId, message: Message, nowMs: number): readonly Transaction[] {
    const { tree, relay } = this.#replica
    switch (message.type) {
      case 'transactions':
        return relay.wanted(from, message.requestId, message.transactions)
      case 'blocks': {
        const asked = this.#asked.get(from)
        return message.blocks
          .filter(block => asked?.has(block.id) === true && !tree.has(block.id))
          .flatMap(block => block.transactions)
      }
      case 'block':
        return this.#ofNewBlock(message.block, nowMs)
      case 'finality':
        return message.block === null ? [] : this.#ofNewBlock(message.block, nowMs)
      case 'status':
      case 'get-headers':
      case 'headers':
      case 'get-blocks':
      case 'announce':
      case 'get-transactions':
        return []
    }
  }

  /** A block that nobody asked for is executed only where it can follow. */
  #ofNewBlock({ id, header, transactions }: Block, nowMs: number): readonly Transaction[] {
    const { genesis, tree, finality } = this.#replica
    const parent = tree.get(header.previous)?.chained
    if (parent === undefined || tree.has(id)) return []
    // Where blocks count only once they are decided they are taken in whatever the clock says.
    const nowSeconds = finality.followsWork ? Math.floor(nowMs / 1000) : Number.POSITIVE_INFINITY
    const chained = chainHeader(genesis.work, parent, header, nowSeconds)
    return typeof chained === 'string' ? [] : transactions
  }
}
