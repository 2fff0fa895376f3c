// The kit of a log protocol: what it tolerates, how its messages and records are encoded, and what they mean in terms that
// all log protocols share. Code above the protocols uses kits and names no protocol.
//
// The methods of a kit take its own messages, records and decisions only; a caller that chose the kit has no others.

import type { ByteReader } from '../encoding/bytes.ts'
import type { Fields, Json } from '../encoding/fields.ts'
import type { Application, Decision, LogProtocol, Value } from './log.ts'
import type { MemberIndex } from './process.ts'
import type { Signature, Signing, SomeCertificate, SomeVote } from './signed.ts'

/** The types of one protocol. */
export interface LogTypes {
  message: { readonly type: string }
  record: unknown
  decision: Decision
  /** What its members sign; never where they sign nothing. */
  statement: unknown
  /** What proves that a member lies; never where nothing does. */
  evidence: { readonly member: MemberIndex }
}

/** Everything about one protocol: an entry of the catalogue. */
export interface LogKit<T extends LogTypes = LogTypes> {
  /** The name by which it is chosen. */
  readonly name: string
  /** Where it was published. */
  readonly paper: string
  readonly model: FaultModel
  readonly theory: LogTheory
  readonly codec: LogCodec<T>
  readonly anatomy: LogAnatomy<T>
  /** Null where nothing is signed, because faults are crashes. */
  readonly signed: SignedKit<T> | null
  create(options: LogOptions<T>): LogProtocol<T['message'], T['record'], T['decision'], T['evidence']>
  /** A message in a few words, its kind first. */
  describe(message: T['message']): string
  /** A decision in a few words: its value, and where it was made. */
  describeDecision(decision: T['decision']): string
}

/** The faults that a protocol tolerates. */
export interface FaultModel {
  /** Whether faulty members only stop, or behave arbitrarily. */
  readonly faults: 'crash' | 'byzantine'
  /** What the network must do for progress; safety never depends on it. */
  readonly network: 'partially synchronous'
  /** f: how many of n members may be faulty. */
  tolerated(n: number): number
  /** How many members decide. */
  quorum(n: number): number
}

/** What a decision costs by the protocol's paper, with a stable leader. */
export interface LogTheory {
  /** The number of messages, as a formula in n. */
  readonly formula: string
  messages(n: number): number
  /** Message delays until all members know. */
  readonly delays: number
}

/** What a process of a log protocol is given. */
export interface LogOptions<T extends LogTypes = LogTypes> {
  /** Members. */
  readonly n: number
  /** Our own place, or null for a node that only follows. */
  readonly self: MemberIndex | null
  readonly application: Application<T['decision']>
  /** Null where nothing is signed. */
  readonly signing: Signing<T['statement']> | null
  /** Milliseconds without progress after which a leader is replaced, at least. */
  readonly timeoutMs: number
  /** Milliseconds until messages that may be lost are retransmitted, at least. */
  readonly retransmitMs: number
  /** Sequence numbers above the last decision that may be agreed on at once; 1 where a value names the one before. */
  readonly pipeline: number
  /** A number from 0 to below 1, for timeouts that must differ from those of others: injected, so that runs repeat. */
  random(): number
}

/** The bytes of messages, records and decisions. Each has one form only; writing what has none is a RangeError. */
export interface LogCodec<T extends LogTypes = LogTypes> {
  encodeMessage(message: T['message']): Uint8Array
  /** Null when the bytes are no message. */
  decodeMessage(bytes: Uint8Array): T['message'] | null
  encodeRecord(record: T['record']): Uint8Array
  /** Null when the bytes are no record. */
  decodeRecord(bytes: Uint8Array): T['record'] | null
  encodeDecision(decision: T['decision']): Uint8Array
  /** Throws `MalformedBytes`. */
  readDecision(reader: ByteReader): T['decision']
}

/** What messages, records and decisions mean, in terms that all log protocols share. */
export interface LogAnatomy<T extends LogTypes = LogTypes> {
  /** Every kind of message. */
  readonly messageTypes: readonly T['message']['type'][]
  message(message: T['message']): MessageFacts
  /** What a message says of its sender's state; null for one that says nothing of it. */
  status(message: T['message']): MemberStatus | null
  /** What its sender bound itself to by a message: it may never bind itself otherwise. */
  claims(message: T['message']): readonly Claim[]
  record(record: T['record']): RecordFacts
  decision(decision: T['decision']): DecisionFacts
  /** The message that tells a decision to a node that missed it. */
  tell(decision: T['decision']): T['message']
}

/** What a message is for. */
export type MessageRole =
  /** Names a value for a sequence number; it is its sender's vote too. */
  | 'proposal'
  /** One member's vote for a sequence number. */
  | 'vote'
  /** What a quorum voted for, whole: to all as a step of a decision, to one node that missed it. */
  | 'certificate'
  /** A member asks for another view, and says what may have been decided before. */
  | 'departure'
  /** A view begins. */
  | 'beginning'
  /** A member attests its state. */
  | 'checkpoint'
  /** Where its sender stands: others answer with what it lacks. */
  | 'status'
  /** Anything else: questions, answers, complaints. */
  | 'other'

/** A message in terms that all log protocols share. */
export interface MessageFacts {
  readonly role: MessageRole
  /** The phase that it votes in, or whose votes it collects; null where there is none. */
  readonly phase: string | null
  /** The sequence number that it is about; null where it is about none, or several. */
  readonly sequence: number | null
  readonly view: number | null
  /** The value that it names; null where it names none. */
  readonly value: Value | null
  /** Its sender; null where the message does not tell. */
  readonly from: MemberIndex | null
  /** Whether it is a step of deciding its sequence number, as papers count messages. */
  readonly isDeciding: boolean
}

/** What a member says of its own state. */
export interface MemberStatus {
  /** Null for a node that only follows. */
  readonly from: MemberIndex | null
  readonly view: number
  readonly isActive: boolean
  /** Whether it votes: a member that starts may ask for its own votes first. */
  readonly votes: boolean
  readonly decided: number
  readonly timeoutMs: number
}

/** Something that a member bound itself to by a message: `about` may only ever have one `value`. */
export interface Claim {
  readonly about: string
  readonly value: string
  /** The sequence number of a vote, which must lie above what is stable; null for anything else. */
  readonly sequence: number | null
}

/** A record in terms that all log protocols share. */
export interface RecordFacts {
  /**
   * The last vote that it keeps: of which sequence number and view, and whether in the last phase. Two steps are enough for
   * one phase or two. A protocol with more needs a rank in its place, and marks on disk (finality/vote-mark.ts) one too.
   */
  readonly vote: { readonly sequence: number; readonly view: number; readonly hasCommitted: boolean } | null
  /** The last view that it keeps, and whether that has begun. */
  readonly view: { readonly lastView: number; readonly hasEntered: boolean } | null
  /** The values that may be decided by what it keeps. */
  readonly values: readonly Value[]
  /** All up to this sequence number is stable by it; 0 where it says nothing of that. */
  readonly stable: number
}

/** A decision in terms that all log protocols share. */
export interface DecisionFacts {
  /** Whether it is one: what `behind` gives may only prove that as much was decided. */
  readonly isDecision: boolean
  readonly view: number
  /** The members that are known to have voted for it. */
  readonly voters: readonly MemberIndex[]
}

/** The part of a kit that only protocols with signatures have. */
export interface SignedKit<T extends LogTypes = LogTypes> {
  /** The phases in which members vote, and that by which a certificate decides. */
  readonly phases: readonly string[]
  readonly decidingPhase: string
  /** The phase in which members attest their states, whatever the view; null where none does. */
  readonly statePhase: string | null
  /** Whether all that a statement says has a form in bytes. */
  isStatement(statement: T['statement']): boolean
  /** A statement in bytes; the application adds what makes it this network's, and signs both. Throws a RangeError. */
  encodeStatement(statement: T['statement']): Uint8Array
  /** What members sign when they vote. */
  voteStatement(vote: SomeVote): T['statement']
  /** The signatures that prove a decision to third parties. */
  certificate(decision: T['decision']): SomeCertificate
  /** The signed votes that a message carries outside certificates. */
  votes(message: T['message']): readonly SignedVoteOf[]
  /** The certificates that a message carries, and those that a record keeps. */
  certificates(message: T['message']): readonly SomeCertificate[]
  recordCertificates(record: T['record']): readonly SomeCertificate[]
  readonly evidence: EvidenceKit<T>
}

/** A vote, the member that cast it, and its signature. */
export interface SignedVoteOf {
  readonly vote: SomeVote
  readonly member: MemberIndex
  readonly signature: Signature
}

/** Proofs that a member lies: two statements of which no honest member signs both. */
export interface EvidenceKit<T extends LogTypes = LogTypes> {
  readonly types: readonly Lie['type'][]
  /** The proofs that two decisions for one sequence number are by themselves. */
  between(first: T['decision'], second: T['decision']): T['evidence'][]
  encode(evidence: T['evidence']): Uint8Array
  /** Throws `MalformedBytes`. */
  read(reader: ByteReader): T['evidence']
  /** Its statements in JSON. */
  toJson(evidence: T['evidence']): { readonly [field: string]: Json }
  /** Evidence of this type against a member, from the fields that `toJson` wrote. Throws `InvalidField`. */
  takeJson(type: Lie['type'], member: MemberIndex, fields: Fields): T['evidence']
  lie(evidence: T['evidence']): Lie
  /** Why an honest member may have signed both, or null when it can't. */
  reasonAgainst(evidence: T['evidence']): string | null
  /** What is signed in it, in its order, with a name for people. */
  statements(evidence: T['evidence']): {
    readonly what: string
    readonly statement: T['statement']
    readonly signature: Signature
  }[]
}

/** What a lie is about. */
export interface Lie {
  /** Two votes that contradict each other, or one that its member left out when it left its view. */
  readonly type: 'contradiction' | 'omission'
  readonly phase: string
  readonly sequence: number
  readonly view: number
  /** The view for which it left; null where it voted twice. */
  readonly leftFor: number | null
}
