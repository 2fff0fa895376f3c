// Finality by agreement on top of work: miners extend the chain, and the validators (PBFT) finalise a block of it
// `depth` blocks below the head, once it lies at least `interval` above the last final one. The node follows the most
// work among the descendants of the last final block; what is final overrides work, never the reverse.
//
// While too many validators are down mining goes on and nothing becomes final; when they are back the newest
// candidate is finalised, with all before it, not one after the other.

import type { BlockId } from '../chain/header.ts'
import type { ChainedHeader } from '../chain/header-chain.ts'
import type { ChainAccess } from './contract.ts'
import type { LastDecision, Policy } from './policy.ts'

/** Which blocks of the mined chain are finalised. */
export interface CheckpointRule {
  /** Blocks that a candidate must have on top of it on its proposer's chain. */
  readonly depth: number
  /** Blocks between two final candidates at least. */
  readonly interval: number
}

/** What the validators may decide in this mode: a block above the last decided one, on any branch. */
export class MinedCheckpoint implements Policy {
  readonly mode = 'hybrid'
  readonly followsWork = true
  readonly #rule: CheckpointRule

  constructor(rule: CheckpointRule) {
    this.#rule = rule
  }

  /** Not only on our best branch: voters on equal branches would refuse each other's for ever. */
  isValid(block: ChainedHeader, last: LastDecision, chain: ChainAccess): boolean {
    return block.height > last.block.height && descends(block, last.block, chain)
  }

  wish({ block }: LastDecision, chain: ChainAccess): BlockId | null {
    // Between a decision and its being followed the head may still be on another branch.
    if (chain.ancestor(block.height) !== block.id) return null
    const height = chain.head.height - this.#rule.depth
    return height >= block.height + this.#rule.interval ? chain.ancestor(height) : null
  }

  nextLookMs(): null {
    return null
  }

  safeHeight(head: ChainedHeader, finalHeight: number): number | null {
    const height = Math.max(finalHeight, head.height - this.#rule.depth)
    return height > 0 ? height : null
  }
}

/** Whether a block lies above another. Only what is beside the way to the head is walked. */
function descends(block: ChainedHeader, below: ChainedHeader, chain: ChainAccess): boolean {
  const isBelowOnMain = chain.ancestor(below.height) === below.id
  let at: ChainedHeader | null = block
  while (at !== null && at.height > below.height) {
    if (isBelowOnMain && chain.ancestor(at.height) === at.id) return true
    at = chain.get(at.header.previous)
  }
  return at?.id === below.id
}
