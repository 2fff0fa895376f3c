// What PBFT's members vote for, what proves it, and what proves that one of them lies. M. Castro and B. Liskov,
// "Practical Byzantine Fault Tolerance" (OSDI 1999), sections 4.2 to 4.4: a vote is a PREPARE, a COMMIT or a CHECKPOINT.

import type { Value } from '../log.ts'
import type { MemberIndex } from '../process.ts'
import type { Signature, SomeCertificate, SomeVote } from '../signed.ts'

/** The phases in which members vote. */
export type VotePhase = 'prepare' | 'commit' | 'checkpoint'

/** What a member votes for: one value in one phase of one view of one sequence number. */
export type Vote = SomeVote<VotePhase>

/** n − f signatures over one vote. Of the phase `commit` it is a decision. */
export type Certificate = SomeCertificate<VotePhase>

/** A vote with the signature of the member that it is held against. */
export type VoteWithSignature = Vote & { readonly signature: Signature }

/** A value that enough members voted for in one view, so that it may have been decided. */
export interface PreparedClaim {
  readonly sequence: number
  readonly view: number
  readonly value: Value
}

/** A member that is passed over as a proposer up to and including a sequence number. */
export interface Suspect {
  readonly member: MemberIndex
  readonly until: number
}

/** What a member signs when it leaves its view: what it knows that may have been decided. */
export interface Departure {
  /** The view that it asks for. */
  readonly view: number
  /** Everything up to this sequence number is stable. */
  readonly sequence: number
  /** All that it knows above that. */
  readonly prepared: readonly PreparedClaim[]
  /** The members that led no decision lately. */
  readonly suspects: readonly Suspect[]
}

/** Two votes of one member, in one phase of one view of one sequence number, for different values. */
export interface Contradiction {
  readonly type: 'contradiction'
  readonly member: MemberIndex
  readonly first: VoteWithSignature
  readonly second: VoteWithSignature
}

/** A COMMIT of one member, and its departure for a later view that leaves out what it committed to. */
export interface Omission {
  readonly type: 'omission'
  readonly member: MemberIndex
  readonly vote: VoteWithSignature
  readonly departure: Departure & { readonly signature: Signature }
}

/** Proof that a member lies: two statements of which no honest member signs both. */
export type Evidence = Contradiction | Omission
