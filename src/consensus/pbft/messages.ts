// What PBFT's replicas say and sign. M. Castro and B. Liskov, "Practical Byzantine Fault Tolerance" (OSDI 1999),
// sections 4.2 to 4.4; the leader-collected pattern is the one of W. Schultz, "Distributed Systems" (2024),
// section 4.2, with the last step that is missing there: the decision goes to all.
//
// A proposer's value (PRE-PREPARE) is its own PREPARE together with the value: one signature serves for both, so
// every prepared certificate is simply n − f PREPAREs of distinct members.

import type { LogEffect, LogInput, Value } from '../log.ts'
import type { MemberIndex } from '../process.ts'
import type { Signature } from '../signed.ts'
import type { Certificate, Departure, Evidence, Suspect, Vote } from './votes.ts'

/** What happens to a replica. */
export type PbftInput = LogInput<PbftMessage, PbftRecord, Certificate>

/** What a replica wants done. */
export type PbftEffect = LogEffect<PbftMessage, PbftRecord, Certificate, Evidence>

/** Everything that is ever signed. The application adds what makes it this network's (see Signing). */
export type Statement =
  | Vote
  /** `sequence` is the last stable checkpoint. */
  | (Departure & { readonly phase: 'view-change' })
  | { readonly phase: 'complaint'; readonly view: number; readonly sequence: 0 }
  /**
   * `view` is the one that the member asked for which asks now, 0 for none; `sequence` is the last that is decided; `votes`
   * are those of the member that are shown.
   */
  | {
      readonly phase: 'answer'
      readonly view: number
      readonly sequence: number
      readonly challenge: number
      readonly member: MemberIndex
      readonly votes: readonly Vote[]
    }
  /** `sequence` is the last stable checkpoint that any of the view changes proves. */
  | {
      readonly phase: 'new-view'
      readonly view: number
      readonly sequence: number
      readonly proposals: readonly { readonly sequence: number; readonly value: Value }[]
    }

/** The proposer of a sequence number names its value, or the primary of a new view one of an earlier view; the signature is its PREPARE. */
export interface PrePrepare {
  readonly type: 'pre-prepare'
  readonly sequence: number
  readonly view: number
  readonly value: Value
  readonly from: MemberIndex
  readonly signature: Signature
}

/** A member's PREPARE. `proposal` is the proposer's own, so that members that were told different values find it out. */
export interface Prepare {
  readonly type: 'prepare'
  readonly sequence: number
  readonly view: number
  readonly value: Value
  readonly from: MemberIndex
  readonly signature: Signature
  readonly proposer: MemberIndex
  readonly proposal: Signature
}

/** A member is prepared: it knows that nothing else can be prepared in this view. */
export interface Commit {
  readonly type: 'commit'
  readonly sequence: number
  readonly view: number
  readonly value: Value
  readonly from: MemberIndex
  readonly signature: Signature
}

/** A member's state after a sequence number; `value` is the digest of the state. */
export interface Checkpoint {
  readonly type: 'checkpoint'
  readonly sequence: number
  readonly value: Value
  readonly from: MemberIndex
  readonly signature: Signature
}

/** A member leaves its view. */
export interface ViewChange {
  readonly type: 'view-change'
  /** The view that it asks for. */
  readonly view: number
  readonly from: MemberIndex
  /** Proof of the last stable checkpoint; null before the first. */
  readonly stable: Certificate | null
  /** For each sequence number above it, the certificate of the highest view in which a value was prepared. */
  readonly prepared: readonly Certificate[]
  /** The members that led no decision lately: at most f, in increasing order (leader-schedule.ts). */
  readonly suspects: readonly Suspect[]
  readonly signature: Signature
}

/** The primary of a new view begins it. */
export interface NewView {
  readonly type: 'new-view'
  readonly view: number
  /** From n − f distinct members. */
  readonly viewChanges: readonly ViewChange[]
  /** What must be decided again, as computed from the view changes; each signature is the primary's PREPARE. */
  readonly proposals: readonly {
    readonly sequence: number
    readonly value: Value
    readonly signature: Signature
  }[]
  readonly signature: Signature
}

/** Where a replica stands: others answer with what it lacks. Unsigned: it is only a hint. */
export interface Status {
  readonly type: 'status'
  /** Null for a node that only follows. */
  readonly from: MemberIndex | null
  readonly view: number
  /** Whether it takes part in its view, or is about to enter it. */
  readonly isActive: boolean
  /** Whether it gives votes: a member that starts asks for its own first. */
  readonly votes: boolean
  /** The last sequence number whose decision it has, and that decision. */
  readonly decided: number
  readonly value: Value
  /** Milliseconds that it waits for progress now. */
  readonly timeoutMs: number
}

/** A certificate: what a proposer collected (leader-collected), or what a member that is behind lacks. */
export interface Proof {
  readonly type: 'proof'
  readonly certificate: Certificate
}

/** A member finds the turns of at most f proposers of its view slow; f + 1 such members leave the view together. */
export interface Complaint {
  readonly type: 'complaint'
  readonly view: number
  readonly from: MemberIndex
  readonly signature: Signature
}

/** A member that starts asks for the votes of its own that others hold (recall.ts). Unsigned: it is only a question. */
export interface Query {
  readonly type: 'query'
  readonly from: MemberIndex
  /** A number that no other life of this member used. */
  readonly challenge: number
}

/** What a member holds of the one that asked. */
export interface Answer {
  readonly type: 'answer'
  readonly from: MemberIndex
  readonly to: MemberIndex
  readonly challenge: number
  /** The last sequence number whose decision the answering member has. */
  readonly decided: number
  /** Votes of `to` above the last stable checkpoint, by sequence number, each with its own signature. */
  readonly votes: readonly (Vote & { readonly signature: Signature })[]
  /** The VIEW-CHANGE of `to` for the highest view; null where there is none. */
  readonly viewChange: ViewChange | null
  /** Over all of it, so that nobody that carries it can leave a vote out. */
  readonly signature: Signature
}

/** Everything that PBFT's replicas say. */
export type PbftMessage =
  | PrePrepare
  | Prepare
  | Commit
  | Checkpoint
  | ViewChange
  | NewView
  | Status
  | Proof
  | Complaint
  | Query
  | Answer

/** What PBFT keeps on disk. */
export type PbftRecord =
  /** Under `view`: where this member is. */
  | {
      readonly type: 'view'
      readonly view: number
      readonly isActive: boolean
      /** The greatest sequence number that the new view's primary proposed again; 0 in view 0. */
      readonly reproposed: number
    }
  /** Under `new-view`: how that view began, for only what it proposes again may be accepted there. */
  | { readonly type: 'new-view'; readonly message: NewView }
  /** Under `slot/…`: what this member voted for, last, and the highest certificate that it has. */
  | {
      readonly type: 'slot'
      readonly sequence: number
      /** The value that it accepted in `view`, and the signature of its proposer. */
      readonly view: number
      readonly value: Value
      readonly proposal: Signature
      readonly prepared: Certificate | null
    }
  /** Under `stable`: proof of the last stable checkpoint. */
  | { readonly type: 'stable'; readonly certificate: Certificate }
