// The contract of a replica: its inputs and its effects.
//
// `step(input)` returns effects in the order in which they must be performed. A `persist` precedes everything that depends on
// it: no message and no reply may leave before every earlier persist is durable. The performer may batch them; the simulator
// may crash a node between any two.

import type { Address } from '../chain/address.ts'
import type { BlockHeader, BlockId } from '../chain/header.ts'
import type { TransactionId } from '../chain/transaction.ts'
import { Outbox } from '../collections/outbox.ts'
import type { FinalityTimer, PeerId } from '../finality/contract.ts'
import type { PeerOrigin } from './claims.ts'
import type { Message, OutgoingMessage } from './messages.ts'
import type { Rejection } from './verdict.ts'

export type { PeerId }

/** The timers of a replica. Setting one again replaces it; one that was cleared never fires. */
export type TimerName =
  | 'gossip'
  | 'transactions'
  | 'status'
  | 'sync'
  | 'template'
  | 'rebroadcast'
  | `finality/${FinalityTimer}`

/** An input of a replica. */
export type Input =
  | { readonly type: 'start' }
  /** Without `origin`, an inbound peer in a group of its own. */
  | { readonly type: 'peer-connected'; readonly peer: PeerId; readonly origin?: PeerOrigin }
  | { readonly type: 'peer-disconnected'; readonly peer: PeerId }
  | { readonly type: 'message'; readonly from: PeerId; readonly message: Message }
  /** A peer sent a block whose parent is not here, which was not decoded: see `Replica.screen`. */
  | { readonly type: 'orphan'; readonly from: PeerId }
  | { readonly type: 'timeout'; readonly name: TimerName }
  /** A client submits a signed transaction; the answer is a `reply` with the same token. */
  | { readonly type: 'submit'; readonly raw: Uint8Array; readonly token: string }
  /** Mine for this account, for ever or for so many blocks; null stops. */
  | { readonly type: 'mining'; readonly beneficiary: Address | null; readonly blocks: number | null }
  /** The search for a template's nonce succeeded. */
  | { readonly type: 'mined'; readonly templateId: string; readonly nonce: number }

/** One change to the database; a null value removes the key. */
export interface Write {
  readonly key: string
  readonly value: Uint8Array | null
}

/** A header whose nonce is to be searched. */
export interface MiningTemplate {
  readonly id: string
  readonly header: BlockHeader
  readonly target: bigint
  readonly height: number
}

/** The answer to a submitted transaction. */
export type SubmitResult = { readonly id: TransactionId } | { readonly rejection: Rejection }

/** What a replica asks its performer to do. */
export type Effect =
  /** All of these writes or none, durable before any later effect is performed. */
  | { readonly type: 'persist'; readonly writes: readonly Write[] }
  | { readonly type: 'send'; readonly to: PeerId; readonly message: OutgoingMessage }
  | { readonly type: 'broadcast'; readonly message: Message }
  /** The message that was just handled is valid: relay it to other peers. */
  | { readonly type: 'relay' }
  /** A message was refused; the verdict table says whether the peer is to blame. */
  | { readonly type: 'reject'; readonly from: PeerId; readonly reason: Rejection }
  | { readonly type: 'disconnect'; readonly peer: PeerId; readonly reason: Rejection }
  | { readonly type: 'set-timer'; readonly name: TimerName; readonly delayMs: number }
  | { readonly type: 'clear-timer'; readonly name: TimerName }
  | { readonly type: 'mine'; readonly template: MiningTemplate }
  | { readonly type: 'stop-mining' }
  | { readonly type: 'reply'; readonly token: string; readonly result: SubmitResult }
  /** The node follows another head; `reorganised` counts the blocks that were left. */
  | { readonly type: 'head'; readonly id: BlockId; readonly height: number; readonly reorganised: number }
  | { readonly type: 'final'; readonly id: BlockId; readonly height: number }
  /** Raises an operator alarm. */
  | { readonly type: 'alarm'; readonly text: string }

/**
 * Reads of the database, synchronous. They see the writes of earlier steps, durable or not: reading early does no harm,
 * since nothing that depends on it leaves before it is durable. A record comes back as it was written:
 * for one that does not, both throw `CorruptStore` naming its key.
 */
export interface Store {
  get(key: string): Uint8Array | null
  /** All entries whose key starts with the prefix, in the order of their keys. */
  entries(prefix: string): Iterable<readonly [string, Uint8Array]>
}

/** Collects the effects of one step: all its writes are one atomic `persist`. */
export class ReplicaOutbox extends Outbox<Uint8Array, Effect> {
  constructor() {
    super(entries => {
      const writes = entries.map(([key, value]) => ({ key, value }))
      return [{ type: 'persist', writes }]
    })
  }

  /** Reads of a store that see the writes of this step. */
  over(store: Store): Store {
    return {
      get: key => {
        const written = this.written(key)
        return written === undefined ? store.get(key) : written
      },
      entries: prefix => store.entries(prefix),
    }
  }
}
