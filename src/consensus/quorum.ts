// How many faulty members a committee tolerates, and how many must agree.
//
// n ≥ 3f + 1 (L. Lamport, R. Shostak, M. Pease, "The Byzantine Generals Problem", 1982). The quorum is n − f for
// every n, never 2f + 1: with n = 6 two quorums of 2f + 1 = 3 need not even overlap. Two quorums of n − f share at
// least f + 1 members, so one that is honest; and the honest members alone are a quorum.

/** f: how many of `n` members may be faulty. Below four members none may. */
export function faultsTolerated(n: number): number {
  return Math.floor((n - 1) / 3)
}

/** n − f: how many distinct members make a certificate. */
export function quorumOf(n: number): number {
  return n - faultsTolerated(n)
}
