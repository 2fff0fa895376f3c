// The time of a proposed block against the clock of the validator that is to vote for it. It is the one place where the
// clock judges a block of a committee: what is decided is taken in whatever the clock says, for honest validators have found
// its time right, and a clock that was wrong must not shut its node out.

import type { ChainedHeader } from '../chain/header-chain.ts'

/**
 * Whether a proposal is from too far in the future to vote for it now. A clock that the last decided block contradicts is
 * wrong: no honest quorum decides what is so far ahead. Then that block tells the least that the time can be, so that a
 * validator whose clock is behind goes on voting, and proposing, as the others do.
 */
export function isProposalEarly(
  block: ChainedHeader,
  decided: ChainedHeader,
  { nowMs, futureLimitSeconds }: { readonly nowMs: number; readonly futureLimitSeconds: number },
): boolean {
  const now = Math.floor(nowMs / 1000)
  const isContradicted = decided.header.time > now + futureLimitSeconds
  const least = isContradicted ? decided.header.time : now
  return block.header.time > least + futureLimitSeconds
}
