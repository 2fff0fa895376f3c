// What protocols with Byzantine faults have in common: each member signs its messages, so that a quorum of signatures
// over one vote, a certificate, proves a decision to third parties. The names of the phases are each protocol's own.

import type { Decision, Value } from './log.ts'
import type { MemberIndex } from './process.ts'

/** A signature over a statement, in whatever form the application's scheme has. */
export type Signature = Uint8Array

/** What one member signed. */
export interface MemberSignature {
  readonly member: MemberIndex
  readonly signature: Signature
}

/** What a member votes for: one value in one phase of one view of one sequence number. */
export interface SomeVote<Phase extends string = string> {
  readonly phase: Phase
  readonly sequence: number
  readonly view: number
  readonly value: Value
}

/** Members' signatures over one vote, enough of them to prove it to third parties. */
export interface SomeCertificate<Phase extends string = string> extends SomeVote<Phase>, Decision {
  /** In the order of the members, each at most once. */
  readonly signatures: readonly MemberSignature[]
}

/** Signs as one member, and checks what all members signed. Both are pure functions of what they are given. */
export interface Signing<Statement> {
  /** Our own place, or null for a node that only follows. */
  readonly self: MemberIndex | null
  sign(statement: Statement): Signature
  isSigned(statement: Statement, member: MemberIndex, signature: Signature): boolean
}
