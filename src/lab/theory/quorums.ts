// The arithmetic of quorums, run on the functions by which every committee counts: how many may lie among n, and that
// any two quorums share more than that. The quorum of the textbook, 2f + 1, is tried beside it where n is not 3f + 1.

import { faultsTolerated, quorumOf } from '../../consensus/quorum.ts'
import { type Claim, type ClaimGroup, claimEqual } from './claim.ts'
import type { Theory } from './formulas.ts'

const MEMBERS_MAX = 100
/** The least committee whose quorums of 2f + 1 need not even meet. */
const UNSAFE_MEMBERS = 6
/** Committees at the boundary 3f + 1, and one member short of it. */
const FAULTS = [1, 2, 3, 33]

/** How a committee counts. */
export interface Counting {
  readonly faultsTolerated: (n: number) => number
  readonly quorumOf: (n: number) => number
}

/** Judges a way of counting; that of the code unless told otherwise. */
export function judgeQuorums(theory: Theory, code: Counting = { faultsTolerated, quorumOf }): ClaimGroup {
  return {
    name: 'Quorums',
    source:
      'L. Lamport, R. Shostak, M. Pease, "The Byzantine Generals Problem" (1982), theorem 1; M. Castro, B. Liskov, "Practical Byzantine Fault Tolerance" (1999), section 3; protocols.md, 0.1',
    claims: [
      claimEqual('with 3f + 1 members f may lie, and with 3f only f − 1', {
        formula: 'n ≥ 3f + 1',
        expected: FAULTS.flatMap(f => [theory.liars(3 * f + 1), theory.liars(3 * f)]),
        measured: FAULTS.flatMap(f => [code.faultsTolerated(3 * f + 1), code.faultsTolerated(3 * f)]),
      }),
      judgeOverlap(theory, code),
      judgeLiveness(theory, code),
      judgeTextbook(theory),
    ],
  }
}

/** Members that two quorums of this size share at least: all those that n members can't avoid. */
function overlap(quorum: number, n: number): number {
  return Math.max(0, 2 * quorum - n)
}

function judgeOverlap(theory: Theory, { quorumOf }: Counting): Claim {
  const wrong = sizes().filter(n => overlap(quorumOf(n), n) < theory.shared(n))
  return {
    says: `two quorums share f + 1 members or more, so an honest one, for n = 1 to ${MEMBERS_MAX}`,
    expected: '2q − n ≥ f + 1 for every n',
    measured: wrong.length === 0 ? `for all ${MEMBERS_MAX}` : `not for n = ${wrong.join(', ')}`,
    isTrue: wrong.length === 0,
  }
}

function judgeLiveness(theory: Theory, { quorumOf }: Counting): Claim {
  const wrong = sizes().filter(n => quorumOf(n) > n - theory.liars(n))
  return {
    says: `the honest alone are a quorum, for n = 1 to ${MEMBERS_MAX}`,
    expected: 'q ≤ n − f for every n',
    measured: wrong.length === 0 ? `for all ${MEMBERS_MAX}` : `not for n = ${wrong.join(', ')}`,
    isTrue: wrong.length === 0,
  }
}

/** A negative: the judge must tell a quorum that is too small from one that is not. */
function judgeTextbook(theory: Theory): Claim {
  const n = UNSAFE_MEMBERS
  const shared = overlap(2 * theory.liars(n) + 1, n)
  return {
    says: `a quorum of 2f + 1 would not do for n = ${n}`,
    expected: `2(2f + 1) − n < f + 1 = ${theory.shared(n)}`,
    measured: `two quorums of ${2 * theory.liars(n) + 1} share ${shared} at least`,
    isTrue: shared < theory.shared(n),
  }
}

function sizes(): number[] {
  return Array.from({ length: MEMBERS_MAX }, (_, index) => index + 1)
}
