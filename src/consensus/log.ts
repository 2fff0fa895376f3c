// Protocols that decide a total order: one value for each sequence number, each decision given to the application in order
// and once. Values are opaque: what they stand for is the application's. The application asks `turn` whether it may propose.
//
// A decision is at least a sequence number and a value; a protocol with Byzantine faults adds what proves it to third
// parties (signed.ts). The same commands and outputs serve both; those for protocols with signatures are never used by
// others.

import type { Effect, Input, MemberIndex, PeerId, Process } from './process.ts'

/** What is decided, such as the id of a block. */
export type Value = string

/** The value that fills a sequence number for which nothing was to be decided (a null request, a no-op). */
export const NO_VALUE: Value = ''

/** The greatest view and sequence number: far from where a double begins to round. */
export const NUMBER_MAX = 2 ** 48

/** Largest gap of sequence numbers that a process which is behind may skip at once. */
export const JUMP_MAX = 1_024

/**
 * The timer that every log protocol keeps: when it fires the process repeats what may have been lost. The application
 * repeats its own messages then.
 */
export const RETRANSMIT = 'retransmit'

/** A decision; a protocol extends it with what proves it. */
export interface Decision {
  readonly sequence: number
  readonly value: Value
}

/** What `start` says besides the records. */
export interface LogStart {
  /** The last sequence number whose decision the application has. */
  readonly decided: number
  /**
   * A number that no other life of this member used: with it a protocol with signatures asks for its own votes before it
   * votes; null where none can be lost.
   */
  readonly challenge: number | null
  /**
   * The last sequence number and view for which it voted although no record tells of that; null where none is known. A
   * protocol that can't ask others for its own votes abstains then.
   */
  readonly forgotten: { readonly sequence: number; readonly view: number } | null
  /** The members that were proved to lie before this start; none where nothing is signed. */
  readonly convicted: readonly MemberIndex[]
}

/** What the application tells a log protocol. */
export type LogCommand<D extends Decision> =
  /** Asks for a decision on a value; ignored unless it is our `turn`. */
  | { readonly type: 'propose'; readonly value: Value }
  /** Whether there is anything to be decided: without it no leader is suspected of being slow. */
  | { readonly type: 'demand'; readonly isWaiting: boolean }
  /** Values that were `unknown` may be known by now. */
  | { readonly type: 'revalidate' }
  /**
   * The application has executed the decision of this sequence number; the digest identifies its state. Repeated after a
   * restart for the latest ones, where more than one value is agreed on at once.
   */
  | { readonly type: 'executed'; readonly sequence: number; readonly digest: Value }
  /** The application has all that was decided up to this decision, by a way of its own. */
  | { readonly type: 'caught-up'; readonly decision: D }
  /** The application lacks the decisions after this one: they must be fetched from others and decided again. */
  | { readonly type: 'lost'; readonly decided: number }
  /** A peer can be reached from now on. */
  | { readonly type: 'reachable'; readonly from: PeerId }

/** What the application tells a log protocol whose members sign. */
export type SignedCommand =
  /** The record of earlier votes may be incomplete: the member asks others for them before it votes again. */
  | { readonly type: 'recall'; readonly challenge: number }
  /** From here on this member only follows, because the record of its votes is lost. */
  | { readonly type: 'abstain' }

/** What a log protocol tells the application. */
export type LogOutput<D extends Decision> =
  /** The decision for the next sequence number, in order and once. */
  | { readonly type: 'decide'; readonly decision: D }
  /**
   * Peers have decided sequence numbers beyond our reach: fetch all up to this one, then say `caught-up`. What proves that
   * much need not be a decision itself (see `LogAnatomy.isDecision`).
   */
  | { readonly type: 'behind'; readonly decision: D; readonly from: PeerId }
  /** A value that was proposed is not known here. */
  | { readonly type: 'missing'; readonly value: Value; readonly from: PeerId }
  /** Two decisions for one sequence number: more members are faulty than the protocol tolerates. It has stopped. */
  | { readonly type: 'conflict'; readonly first: D; readonly second: D }
  /** Our state is not the one that a quorum attests: something here is not deterministic. It has stopped. */
  | { readonly type: 'diverged'; readonly decision: D }
  /** No view is left after this one: more members are faulty than the protocol tolerates. It has stopped. */
  | { readonly type: 'exhausted'; readonly view: number }

/** What a log protocol whose members sign tells the application besides. */
export type SignedOutput<Evidence> = { readonly type: 'evidence'; readonly evidence: Evidence }

/** What an application finds of a value: `unknown` may become either of the others, which stay as they are. */
export type Validity = 'valid' | 'invalid' | 'unknown'

/** How a value came to be proposed. */
export interface ProposalOrigin {
  /** Whether a new view proposes it again, so that a correct member found it valid in an earlier one. */
  readonly isReproposed: boolean
}

/** What a log protocol asks of the application that uses it. */
export interface Application<D extends Decision> {
  /** Whether this value may be decided for a sequence number; `unknown` until more of what that depends on has come. */
  validate(sequence: number, value: Value, origin: ProposalOrigin): Validity
  /** An earlier decision, or null when it is not kept. */
  decision(sequence: number): D | null
}

/** Where a log protocol stands, for people and oracles. */
export interface LogState {
  /** The view, ballot or epoch that it is in, or is about to enter. */
  readonly view: number
  /** Whether it takes part in that view; false while it waits for it to begin. */
  readonly isActive: boolean
  readonly isHalted: boolean
  /** Whether it asks for its own votes, and gives none until then. */
  readonly isRecalling: boolean
  /** The last sequence number that it decided. */
  readonly decided: number
  /** The last sequence number that is stable: votes are given only above it. */
  readonly stable: number
  /** Milliseconds that it waits for progress now. */
  readonly timeoutMs: number
  /** The member that proposes the next value; null where none leads. */
  readonly proposer: MemberIndex | null
  /** By the name of a phase the members whose votes for the next sequence number are here, in this view. */
  readonly voted: ReadonlyMap<string, readonly MemberIndex[]>
  /** The members that ask for a later view, or for this one before it has begun. */
  readonly leaving: readonly MemberIndex[]
}

/** An input of a log protocol. */
export type LogInput<Message, Record, D extends Decision> = Input<
  Message,
  Record,
  LogCommand<D> | SignedCommand,
  LogStart
>

/** An effect of a log protocol. */
export type LogEffect<Message, Record, D extends Decision, Evidence> = Effect<
  Message,
  Record,
  LogOutput<D> | SignedOutput<Evidence>
>

/** A protocol that decides a total order. */
export interface LogProtocol<Message, Record, D extends Decision, Evidence = never>
  extends Process<
    Message,
    Record,
    LogCommand<D> | SignedCommand,
    LogOutput<D> | SignedOutput<Evidence>,
    LogStart
  > {
  /** The sequence number for which we may propose a value now; null when it is not our turn. */
  readonly turn: number | null
  readonly state: LogState
  /** How much state messages of others take: it has a bound, however many members are faulty. */
  readonly size: number
}
