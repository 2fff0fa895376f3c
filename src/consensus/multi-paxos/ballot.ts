// Ballots, majorities and waiting times: the arithmetic of Multi-Paxos. A ballot is a number that belongs to one member,
// so that no two leaders ever share one (L. Lamport, "Paxos Made Simple", 2001, section 2.2). 0 is below every ballot.

import type { MemberIndex } from '../process.ts'

/** A ballot: the higher one wins. */
export type Ballot = number

/** The ballot below every other: nothing was promised yet. */
export const NO_BALLOT: Ballot = 0

/** The member that leads a ballot. */
export function ownerOf(ballot: Ballot, n: number): MemberIndex {
  return ballot % n
}

/** The lowest ballot of a member above one that was seen: never a ballot that it may have led before. */
export function ballotAbove(ballot: Ballot, member: MemberIndex, n: number): Ballot {
  const next = ballot - (ballot % n) + member
  return next > ballot ? next : next + n
}

/** How many members choose a value: any two majorities share a member. */
export function majorityOf(n: number): number {
  return Math.floor(n / 2) + 1
}

/** f: how many of n members may stop. */
export function crashesTolerated(n: number): number {
  return Math.floor((n - 1) / 2)
}

/**
 * Milliseconds without a message of the leader after which a member asks for a ballot of its own. The owner of the next ballot
 * waits one timeout and each member after it half a timeout more, so that rarely two ask at once.
 */
export function electionDelayMs(
  timeoutMs: number,
  { ballot, member, n }: { readonly ballot: Ballot; readonly member: MemberIndex; readonly n: number },
): number {
  const rank = (member + n - ownerOf(ballot + 1, n)) % n
  return Math.ceil(timeoutMs * (1 + rank / 2))
}
