// What an agreement protocol is: a state machine that decides one value after the other, together with others of
// whom some may lie. Inputs in, effects out, in the order in which they must be done; it never waits, sends, reads
// a clock or makes a number up. Values are opaque: what they stand for is the application's.
//
// The application feeds it (`start` first and once), asks `turn` whether it may propose, and performs the effects.
// A `persist` stands before all that depends on it: nothing may leave before it is durable.

/** A member's place among the validators: 0 to n − 1. */
export type MemberIndex = number

/** Where a message came from, as the application names it; it need not be a member. */
export type Source = string

/** What is decided, such as the id of a block. */
export type Value = string

/** The value that fills a sequence number for which nothing was to be decided (a null request). */
export const NO_VALUE: Value = ''

/** The greatest view and sequence number: far from where a double begins to round. */
export const NUMBER_MAX = 2 ** 48

/** A signature over a statement, in whatever form the application's scheme has. */
export type Signature = Uint8Array

/** Members' signatures over one statement, enough of them to prove it to anybody. */
export interface Certificate {
  readonly phase: 'prepare' | 'commit' | 'checkpoint'
  readonly sequence: number
  readonly view: number
  readonly value: Value
  /** In the order of the members, each at most once. */
  readonly signatures: readonly MemberSignature[]
}

/** What one member signed. */
export interface MemberSignature {
  readonly member: MemberIndex
  readonly signature: Signature
}

/** What a member votes for: one value in one phase of one view of one sequence number. */
export interface Vote {
  readonly phase: 'prepare' | 'commit' | 'checkpoint'
  readonly sequence: number
  readonly view: number
  readonly value: Value
}

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
  /** Everything up to this sequence number is settled. */
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

/** What happens to a protocol. */
export type ProtocolInput<Message, Record> =
  /**
   * What was persisted, by key, and the last sequence number whose decision the application has. With a challenge, a
   * number that no other life of this member used, it asks for its own votes before it votes; see `recall`. `forgotten`
   * is the last sequence number and the last view for which it signed what no record tells of, where that is known.
   */
  | {
      readonly type: 'start'
      readonly records: ReadonlyMap<string, Record>
      readonly decided: number
      readonly challenge: number | null
      readonly forgotten?: { readonly sequence: number; readonly view: number } | null
    }
  /** Votes that were given before may not all be remembered here: nothing is voted for until others were asked. */
  | { readonly type: 'recall'; readonly challenge: number }
  /** A member was proved to lie before this start. */
  | { readonly type: 'convicted'; readonly member: MemberIndex }
  /** From here on this member only follows: what it voted before is lost. */
  | { readonly type: 'abstain' }
  /** The application has not got the decisions after this one: they are to be got from others and handed over again. */
  | { readonly type: 'lost'; readonly decided: number }
  | { readonly type: 'message'; readonly from: Source; readonly message: Message }
  /** A source can be reached from now on. */
  | { readonly type: 'reachable'; readonly from: Source }
  | { readonly type: 'timeout'; readonly name: ProtocolTimer }
  /** Asks for a decision on a value; ignored unless it is our `turn`. */
  | { readonly type: 'propose'; readonly value: Value }
  /** Whether there is anything to be decided: without it nobody is suspected of being slow. */
  | { readonly type: 'demand'; readonly isWaiting: boolean }
  /** Values that were `unknown` may be known by now. */
  | { readonly type: 'revalidate' }
  /**
   * The application has done what was decided for this sequence number; the digest tells its state from others. Said
   * again after a restart for what is not long ago, where more than one value is agreed on at once.
   */
  | { readonly type: 'executed'; readonly sequence: number; readonly digest: Value }
  /** The application has all that was decided up to this certificate, by a way of its own. */
  | { readonly type: 'settled'; readonly certificate: Certificate }

/** The timers of a protocol. Setting one again replaces it; one that was cleared never fires. */
export type ProtocolTimer = 'progress' | 'retransmit'

/** What a protocol wants done. */
export type ProtocolEffect<Message, Record> =
  /** Durable before anything after it is done; null removes. */
  | { readonly type: 'persist'; readonly key: string; readonly record: Record | null }
  | { readonly type: 'send'; readonly to: MemberIndex; readonly message: Message }
  | { readonly type: 'reply'; readonly to: Source; readonly message: Message }
  | { readonly type: 'broadcast'; readonly message: Message }
  | { readonly type: 'set-timer'; readonly name: ProtocolTimer; readonly delayMs: number }
  | { readonly type: 'clear-timer'; readonly name: ProtocolTimer }
  /** The decision for the next sequence number, in order and once. */
  | { readonly type: 'decide'; readonly certificate: Certificate }
  /** Others decided further than we can follow step by step: get all up to this certificate, then say `settled`. */
  | { readonly type: 'behind'; readonly certificate: Certificate; readonly from: Source }
  /** A value that was proposed is not known here. */
  | { readonly type: 'missing'; readonly value: Value; readonly from: Source }
  | { readonly type: 'evidence'; readonly evidence: Evidence }
  /** Two certificates for one sequence number: more members lie than can be borne. The protocol has stopped. */
  | { readonly type: 'conflict'; readonly first: Certificate; readonly second: Certificate }
  /** Our state is not the one that n − f members attest: something here is not deterministic. It has stopped. */
  | { readonly type: 'diverged'; readonly certificate: Certificate }
  /** No view is left after this one: more than f members are faulty, for honest ones never get there. It has stopped. */
  | { readonly type: 'exhausted'; readonly view: number }
  /** A message was refused for what no honest peer can send. */
  | { readonly type: 'refuse'; readonly from: Source; readonly reason: string }

/** What an application finds of a value: `unknown` may become either of the others, which stay as they are. */
export type Validity = 'valid' | 'invalid' | 'unknown'

/** How a value came to be proposed. */
export interface ProposalOrigin {
  /** Whether a new view proposes it again: n − f members voted for it in an earlier view, so an honest one judged it. */
  readonly isReproposed: boolean
}

/** What a protocol asks of the application that uses it. */
export interface Application {
  /** Whether this value may be decided for a sequence number; `unknown` until more of what that depends on has come. */
  validate(sequence: number, value: Value, origin: ProposalOrigin): Validity
  /** The certificate of an earlier decision, or null when it is not kept. */
  decision(sequence: number): Certificate | null
}

/** Signs as one member, and checks what all members signed. Both are pure functions of what they are given. */
export interface Signing<Statement> {
  /** Our own place, or null for one who only follows. */
  readonly self: MemberIndex | null
  sign(statement: Statement): Signature
  isSigned(statement: Statement, member: MemberIndex, signature: Signature): boolean
}

/** An agreement protocol. */
export interface Protocol<Message, Record> {
  step(input: ProtocolInput<Message, Record>): ProtocolEffect<Message, Record>[]
  /** The sequence number for which we may propose a value now; null when it is not our turn. */
  readonly turn: number | null
}
