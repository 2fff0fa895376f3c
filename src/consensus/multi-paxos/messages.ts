// The messages and records of Multi-Paxos. The names are those of L. Lamport, "Paxos Made Simple"
// (2001), section 2.2, with slots for its instances: PREPARE (1a), PROMISE (1b), ACCEPT (2a), ACCEPTED (2b), CHOSEN.
//
// Nothing is signed: members may stop, and start again with what is on their disks, but never lie.

import type { Decision, LogEffect, LogInput, Value } from '../log.ts'
import type { MemberIndex } from '../process.ts'
import type { Ballot } from './ballot.ts'

/** A chosen value, and a ballot in which it was chosen. */
export interface PaxosDecision extends Decision {
  readonly ballot: Ballot
}

/** A vote of an acceptor: the last value that it accepted for a slot, and the ballot in which it did. */
export interface Accepted {
  readonly sequence: number
  readonly ballot: Ballot
  readonly value: Value
}

/** Phase 1a, for all slots above the sender's decided prefix at once. */
export interface Prepare {
  readonly type: 'prepare'
  readonly from: MemberIndex
  readonly ballot: Ballot
  readonly decided: number
}

/** Phase 1b: no vote below this ballot any more. */
export interface Promise1b {
  readonly type: 'promise'
  readonly from: MemberIndex
  readonly ballot: Ballot
  /** All slots up to this one are decided. */
  readonly decided: number
  /** What was accepted above the proposer's decided prefix, in the order of the slots. */
  readonly accepted: readonly Accepted[]
}

/** Phase 2a: the leader of a ballot asks for votes on a value. */
export interface Accept {
  readonly type: 'accept'
  readonly from: MemberIndex
  readonly ballot: Ballot
  readonly sequence: number
  readonly value: Value
  /** Whether the value was reported in phase 1, or fills a hole that phase 1 found. */
  readonly isReproposed: boolean
}

/** Phase 2b: a vote. */
export interface AcceptedVote extends Accepted {
  readonly type: 'accepted'
  readonly from: MemberIndex
}

/** A majority accepted a value in one ballot. */
export interface Chosen {
  readonly type: 'chosen'
  readonly decision: PaxosDecision
}

/** The leader is alive. */
export interface Heartbeat {
  readonly type: 'heartbeat'
  readonly from: MemberIndex
  readonly ballot: Ballot
  readonly decided: number
}

/** A message had a lower ballot than the one that was promised. */
export interface Reject {
  readonly type: 'reject'
  readonly from: MemberIndex
  readonly ballot: Ballot
}

/** Where its sender stands: others answer with the decisions that it lacks. */
export interface Status {
  readonly type: 'status'
  readonly from: MemberIndex | null
  readonly ballot: Ballot
  readonly isActive: boolean
  readonly votes: boolean
  readonly decided: number
  readonly timeoutMs: number
}

/** A message of Multi-Paxos. */
export type PaxosMessage = Prepare | Promise1b | Accept | AcceptedVote | Chosen | Heartbeat | Reject | Status

/** What a member persists. */
export type PaxosRecord =
  /** The highest ballot that was promised; slots up to `stable` are decided, and their votes are forgotten. */
  | { readonly type: 'promise'; readonly ballot: Ballot; readonly stable: number }
  | ({ readonly type: 'accepted' } & Accepted)

/** An input of a member. */
export type PaxosInput = LogInput<PaxosMessage, PaxosRecord, PaxosDecision>

/** An effect of a member. */
export type PaxosEffect = LogEffect<PaxosMessage, PaxosRecord, PaxosDecision, never>
