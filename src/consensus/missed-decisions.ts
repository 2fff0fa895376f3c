// Which decisions are sent to a peer that is behind: the next few, which it can follow one by one, and the last one that it
// may skip to, so that it learns how far it is behind.

import { JUMP_MAX } from './log.ts'

/** Decisions that are sent at once, besides the last one within reach. */
const DECISIONS_PER_ANSWER = 8

/** The sequence numbers of the decisions to send to a peer that has decided up to `theirs`, where we have up to `ours`. */
export function missedDecisions(theirs: number, ours: number): number[] {
  const last = Math.min(ours, theirs + DECISIONS_PER_ANSWER)
  const next = Array.from({ length: Math.max(0, last - theirs) }, (_, index) => theirs + 1 + index)
  const far = Math.min(ours, theirs + JUMP_MAX)
  return far > last ? [...next, far] : next
}
