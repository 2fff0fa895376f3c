// What one replica holds, sends and requests at most. The bounds of the wire are others (MESSAGE_LIMITS): a replica with
// smaller limits sends less at once, and understands all that any other sends.

import { MESSAGE_LIMITS } from './messages.ts'

/** What one sender, and all together, may have in the pool. */
export interface PoolLimits {
  readonly transactionsMax: number
  readonly bytesMax: number
  readonly senderTransactionsMax: number
  readonly senderBytesMax: number
}

/** The limits of one replica. */
export interface ReplicaLimits {
  readonly pool: PoolLimits
  /** Transactions that are announced or asked for together; so many do not wait for more. */
  readonly gossipTransactionsMax: number
  /** Headers in the answer to a peer that catches up. */
  readonly headersMax: number
  /** Bodies that one peer is asked for at once. */
  readonly bodiesMax: number
  /** Bodies that are asked for or wait, ahead of the next to be connected. */
  readonly bodiesAheadMax: number
  /**
   * Blocks beside the main chain. More are kept only of what is needed: a branch that is fetched because its headers
   * hold more work than ours, and what the finality layer asked for or voted for.
   */
  readonly sideBlocksMax: number
  /** Checked headers that are kept of a branch until it holds enough work to be fetched; a longer one is fetched in parts. */
  readonly branchHeadersMax: number
}

/** The limits of a node. */
export const REPLICA_LIMITS: ReplicaLimits = {
  pool: {
    transactionsMax: 16_384,
    bytesMax: 32 * 1024 * 1024,
    senderTransactionsMax: 128,
    senderBytesMax: 512 * 1024,
  },
  gossipTransactionsMax: 64,
  headersMax: MESSAGE_LIMITS.headersMax,
  bodiesMax: MESSAGE_LIMITS.blocksMax,
  bodiesAheadMax: 128,
  sideBlocksMax: 20_000,
  branchHeadersMax: 20_000,
}
