// Finality at once, without work: the validators take turns at proposing the next block, and the certificate of their
// agreement (PBFT) makes it final before the next is begun. There is one chain and no branch of it.
//
// A block is proposed when something waits to be included, no sooner than `intervalMs` after the last one, and an
// empty one only as a heartbeat. Its time is checked against the clock when it is voted on (proposal-time.ts), and never
// again.

import type { BlockId } from '../chain/header.ts'
import type { ChainedHeader } from '../chain/header-chain.ts'
import type { Validity } from '../consensus/contract.ts'
import type { ChainAccess } from './contract.ts'
import type { LastDecision, Policy } from './policy.ts'

/** The pace of the chain. */
export interface Pace {
  /** Milliseconds between two blocks at least. */
  readonly intervalMs: number
  /** Seconds after which an empty block is made; null for never. */
  readonly heartbeatSeconds: number | null
}

/** What the validators may decide in this mode: the child of the last decided block. */
export class NextBlock implements Policy {
  readonly mode = 'pbft'
  readonly followsWork = false
  readonly #pace: Pace

  constructor(pace: Pace) {
    this.#pace = pace
  }

  /** The same for what a new view proposes again: there is no other branch on which it could have been right. */
  validate({ id, header }: ChainedHeader, last: LastDecision, chain: ChainAccess): Validity {
    if (header.previous !== last.block.id) return 'invalid'
    const isDue = chain.transactionCount(id) > 0 || header.time * 1000 >= this.#heartbeatMs(last)
    return isDue ? 'valid' : 'invalid'
  }

  wish(last: LastDecision, chain: ChainAccess): BlockId | 'build' | null {
    return chain.nowMs >= this.#dueMs(last, chain) ? 'build' : null
  }

  nextLookMs(last: LastDecision, chain: ChainAccess): number | null {
    const atMs = this.#dueMs(last, chain)
    return Number.isFinite(atMs) ? atMs : null
  }

  safeHeight(_head: ChainedHeader, finalHeight: number): number | null {
    return finalHeight > 0 ? finalHeight : null
  }

  #dueMs(last: LastDecision, chain: ChainAccess): number {
    return chain.hasPending() ? last.atMs + this.#pace.intervalMs : this.#heartbeatMs(last)
  }

  #heartbeatMs({ block }: LastDecision): number {
    const { heartbeatSeconds } = this.#pace
    return heartbeatSeconds === null
      ? Number.POSITIVE_INFINITY
      : (block.header.time + heartbeatSeconds) * 1000
  }
}
