// How many faults a number of members bears, and how many of them must agree.
//
// n ≥ 3f + 1 (L. Lamport, R. Shostak, M. Pease, "The Byzantine Generals Problem", 1982). The quorum is n − f for
// every n, never 2f + 1: with n = 6 two quorums of 2f + 1 = 3 need not even overlap. Two quorums of n − f share at
// least f + 1 members, so one that is honest; and the honest alone are one.

import type { MemberIndex } from '../contract.ts'

/** f: how many of `n` members may lie. Below four members none may. */
export function faultsTolerated(n: number): number {
  return Math.floor((n - 1) / 3)
}

/** n − f: how many distinct members make a certificate. */
export function quorumOf(n: number): number {
  return n - faultsTolerated(n)
}

/** Who begins a view: v mod n. */
export function primaryOfView(view: number, n: number): MemberIndex {
  return view % n
}

/**
 * Who proposes a new value for a sequence number in a view. It moves on with every sequence number, so that nobody
 * can keep a value out, or all others waiting, for long (A. Clement et al., "Aardvark", NSDI 2009).
 */
export function proposerOf(view: number, sequence: number, n: number): MemberIndex {
  return (view + sequence) % n
}
