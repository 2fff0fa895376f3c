// The policy of committees without miners: the validators take turns at proposing the next block, and their decision
// makes it final before the next is begun. There is one chain and no branch of it.
//
// A block is proposed when something waits to be included, no sooner than `intervalMs` after the last one, and an
// empty one only as a heartbeat. Its time is checked against the clock when it is voted on (proposal-time.ts), and never
// again. A proposer may date its block ahead, by as much as validators allow for: the next heartbeat counts from when the
// block was decided then, by the clock of each, so that it comes no later.

import type { BlockId } from '../chain/header.ts'
import type { ChainedHeader } from '../chain/header-chain.ts'
import type { Validity } from '../consensus/log.ts'
import type { ChainAccess } from './contract.ts'
import type { LastDecision, Policy } from './policy.ts'

/** The pace of the chain. */
export interface Pace {
  /** Milliseconds between two blocks at least. */
  readonly intervalMs: number
  /** Seconds after which an empty block is made; null for never. */
  readonly heartbeatSeconds: number | null
  /** Seconds by which a block may be ahead of the clocks of those that decide it. */
  readonly futureLimitSeconds: number
}

/** What the validators may decide where nothing is mined: the child of the last decided block. */
export class NextBlockPolicy implements Policy {
  readonly #pace: Pace

  constructor(pace: Pace) {
    this.#pace = pace
  }

  /**
   * The same for what a new view proposes again: there is no other branch on which it could have been right. The times of
   * blocks alone decide, so that all say the same, whenever each learned of the last decision.
   */
  validate({ id, header }: ChainedHeader, last: LastDecision, chain: ChainAccess): Validity {
    if (header.previous !== last.block.id) return 'invalid'
    const isDue =
      chain.transactionCount(id) > 0 || header.time * 1000 >= this.#heartbeatMs(this.#leastMs(last))
    return isDue ? 'valid' : 'invalid'
  }

  nextProposal(last: LastDecision, chain: ChainAccess): BlockId | 'build' | null {
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
    return chain.hasPending() ? last.atMs + this.#pace.intervalMs : this.#heartbeatMs(this.#madeMs(last))
  }

  #heartbeatMs(madeMs: number): number {
    const { heartbeatSeconds } = this.#pace
    return heartbeatSeconds === null ? Number.POSITIVE_INFINITY : madeMs + heartbeatSeconds * 1000
  }

  /** When the last block was made: when it says, or when it was decided if that is before. */
  #madeMs(last: LastDecision): number {
    return Math.max(this.#leastMs(last), Math.min(last.block.header.time * 1000, last.atMs))
  }

  /** When the last block was made at the earliest: no honest validator votes for one that is further ahead. */
  #leastMs({ block }: LastDecision): number {
    return (block.header.time - this.#pace.futureLimitSeconds) * 1000
  }
}
