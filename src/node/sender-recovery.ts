// Recovers the senders of the transactions in a message off the event loop, before the replica asks for them.
//
// Only for what will be executed: recovery is the most expensive work that a message can cause, so it is not done for a
// block without valid work or a known parent, nor for blocks or transactions that were not requested.

import type { Block } from '../chain/block.ts'
import { chainHeader } from '../chain/header-chain.ts'
import type { Transaction } from '../chain/transaction.ts'
import type { PeerId } from '../replica/effects.ts'
import type { Message } from '../replica/messages.ts'
import type { Replica } from '../replica/replica.ts'
import type { Urgency } from '../signatures/places.ts'

/** Recovers senders into a cache, as a RecoveryPool does. */
export interface SenderRecoverer {
  recover(transactions: readonly Transaction[], urgency: Urgency): Promise<void>
}

/** What sender recovery asks its replica. */
export type RecoveryReplica = Pick<Replica, 'genesis' | 'tree' | 'relay' | 'sync' | 'finality'>

/** Chooses the transactions of a message whose senders are recovered ahead. */
export class SenderRecovery {
  readonly #replica: RecoveryReplica
  readonly #recoverer: SenderRecoverer

  constructor(replica: RecoveryReplica, recoverer: SenderRecoverer) {
    this.#replica = replica
    this.#recoverer = recoverer
  }

  /** Resolves when the senders are in the cache, so that the replica's step need not recover them. */
  async recover(from: PeerId, message: Message, nowMs: number): Promise<void> {
    const transactions = this.#worthRecovering(from, message, nowMs)
    const urgency = message.type === 'transactions' ? 'peer' : 'block'
    if (transactions.length > 0) await this.#recoverer.recover(transactions, urgency)
  }

  #worthRecovering(from: PeerId, message: Message, nowMs: number): readonly Transaction[] {
    const { tree, relay, sync } = this.#replica
    switch (message.type) {
      case 'transactions':
        return relay.wanted(from, message.requestId, message.transactions)
      case 'blocks':
        return message.blocks
          .filter(({ id }) => sync.asksFor(from, message.requestId, id) && !tree.has(id))
          .flatMap(block => block.transactions)
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

  /** An unrequested block is executed only if its header is valid after a known parent. */
  #ofNewBlock({ id, header, transactions }: Block, nowMs: number): readonly Transaction[] {
    const { genesis, tree, finality } = this.#replica
    const parent = tree.get(header.previous)?.chained
    if (parent === undefined || tree.has(id)) return []
    // Where validators decide blocks, a block is accepted whatever the clock says.
    const nowSeconds = finality.followsWork ? Math.floor(nowMs / 1000) : Number.POSITIVE_INFINITY
    const chained = chainHeader(genesis.work, parent, header, nowSeconds)
    return typeof chained === 'string' ? [] : transactions
  }
}
