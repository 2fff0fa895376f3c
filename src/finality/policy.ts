// What differs between committees: which blocks they may decide on, and when there is anything to decide. All else is
// the same for all of them (committee.ts, proposals.ts).

import type { BlockId } from '../chain/header.ts'
import type { ChainedHeader } from '../chain/header-chain.ts'
import type { ProposalOrigin, Validity } from '../consensus/log.ts'
import type { ChainAccess } from './contract.ts'

/** What differs between committees: what they may decide, and when. */
export interface Policy {
  /** Whether a block may be decided next. */
  validate(block: ChainedHeader, last: LastDecision, chain: ChainAccess, origin: ProposalOrigin): Validity
  /** What should be decided next: a block, one that is still to be built, or nothing yet. */
  nextProposal(last: LastDecision, chain: ChainAccess): BlockId | 'build' | null
  /** When there may be a proposal although no input comes: milliseconds since 1970; null where only inputs lead to one. */
  nextLookMs(last: LastDecision, chain: ChainAccess): number | null
  safeHeight(head: ChainedHeader, finalHeight: number): number | null
}

/** The last block that was decided, and when this node learned of it: milliseconds since 1970. */
export interface LastDecision {
  readonly block: ChainedHeader
  readonly atMs: number
}
