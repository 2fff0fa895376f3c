// The policy of committees on top of work: miners extend the chain, and the validators finalise a block of it
// `depth` blocks below the head, once it lies at least `interval` above the last final one. The node follows the most
// work among the descendants of the last final block; what is final overrides work, never the reverse.
//
// So each voter holds the proposer to both numbers (see `validate`): else one liar could finalise a lone block on a
// branch without work, and all blocks of the chain beside it would be lost. While too many validators are down mining
// goes on and nothing becomes final; when they are back the newest candidate is finalised, with all before it.

import { decodeCompact, workOfTarget } from '../chain/compact.ts'
import type { BlockId } from '../chain/header.ts'
import type { ChainedHeader } from '../chain/header-chain.ts'
import type { ProposalOrigin, Validity } from '../consensus/log.ts'
import { descends } from './ancestry.ts'
import type { ChainAccess } from './contract.ts'
import type { LastDecision, Policy } from './policy.ts'

/** Which blocks of the mined chain are finalised. */
export interface CheckpointRule {
  /** Blocks that a candidate must have on top of it on its proposer's chain. */
  readonly depth: number
  /** Blocks between two final candidates at least. */
  readonly interval: number
}

/** What the validators may decide where blocks are mined: a block above the last decided one, on any branch. */
export class MinedBlockPolicy implements Policy {
  readonly #rule: CheckpointRule

  constructor(rule: CheckpointRule) {
    this.#rule = rule
  }

  /**
   * A candidate stands on the last decision, `interval` blocks above it or more, and a branch that this node knows buries
   * it `depth` deep, with work so close to that of our head that `depth` blocks make up for it: to finalise it costs no
   * more blocks than miners may lose anyway. On our best branch alone, voters on equal branches would refuse each
   * other's candidates for ever. What is not buried yet may be soon, so it is `unknown`, and is looked at again with every
   * block.
   *
   * What a new view proposes again need only stand on the last decision. Some honest member has found it right, by blocks
   * that others may never see, and it may be decided already: to refuse it could block the committee for ever.
   */
  validate(
    block: ChainedHeader,
    last: LastDecision,
    chain: ChainAccess,
    { isReproposed }: ProposalOrigin,
  ): Validity {
    if (block.height <= last.block.height || !descends(block, last.block, chain)) return 'invalid'
    if (isReproposed) return 'valid'
    if (block.height < last.block.height + this.#rule.interval) return 'invalid'
    return this.#isBuried(block, chain) ? 'valid' : 'unknown'
  }

  nextProposal({ block }: LastDecision, chain: ChainAccess): BlockId | null {
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

  /** Whether a branch with enough work buries a block deep enough. Blocks beside our chain are walked once each. */
  #isBuried(block: ChainedHeader, chain: ChainAccess): boolean {
    const { head } = chain
    const leastHeight = block.height + this.#rule.depth
    const isOnMain = chain.ancestor(block.height) === block.id
    if (isOnMain && head.height >= leastHeight) return true
    const leastWork = head.work - BigInt(this.#rule.depth) * workOfBlock(head)
    const walked = new Set<BlockId>()
    for (const tip of chain.tips()) {
      if (tip.height < leastHeight || tip.work < leastWork) continue
      if (leadsTo(tip, block, chain, walked)) return true
    }
    return false
  }
}

/** Hashes expected for one block at the target of this one. */
function workOfBlock({ header }: ChainedHeader): bigint {
  return workOfTarget(decodeCompact(header.bits)!)
}

/** Whether the way down from a tip comes to a block; not by a block that was walked before, to no avail. */
function leadsTo(
  tip: ChainedHeader,
  block: ChainedHeader,
  chain: ChainAccess,
  walked: Set<BlockId>,
): boolean {
  let at: ChainedHeader | null = tip
  while (at !== null && at.height > block.height && !walked.has(at.id)) {
    if (chain.ancestor(at.height) === at.id) return chain.ancestor(block.height) === block.id
    walked.add(at.id)
    at = chain.get(at.header.previous)
  }
  return at?.id === block.id
}
