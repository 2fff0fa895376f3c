// What one way to lie is, and what it has to do with: each role (see roles.ts) is such a lie. It is given what an honest
// replica in its hands wants said, and says what it likes instead; it may also hear, and speak of its own accord.

import type { LogState, Value } from '../../consensus/log.ts'
import type { PbftEffect, PbftInput, PbftMessage, Statement } from '../../consensus/pbft/messages.ts'
import type { MemberIndex } from '../../consensus/process.ts'
import type { Signature, Signing } from '../../consensus/signed.ts'
import type { Audience } from './audience.ts'

/** What a replica says and wants, and besides a timer of the liar's own, and bytes to all that need be no message. */
export type LiarEffect =
  | PbftEffect
  | { readonly type: 'broadcast-bytes'; readonly bytes: Uint8Array }
  | { readonly type: 'set-timer'; readonly name: 'mischief'; readonly delayMs: number }

/** What happens to it. */
export type LiarInput = PbftInput | { readonly type: 'timeout'; readonly name: 'mischief' }

/** Something that is said to one or to all. */
export type Said = Extract<LiarEffect, { type: 'send' | 'broadcast' | 'reply' }>

/** What every liar is given. */
export interface LieOptions {
  readonly n: number
  readonly signing: Signing<Statement>
  readonly timeoutMs: number
  /** Other members who lie in the same way: they are told both stories. */
  readonly accomplices: readonly MemberIndex[]
  /** Sequence numbers between two checkpoints. */
  readonly checkpointInterval: number
  /** Signs with the same key on other networks: of another chain, and of another genesis. */
  readonly elsewhere: readonly ((statement: Statement) => Signature)[]
  /** Another value that could be proposed in place of this one; null when there is none. */
  alternative(value: Value): Value | null
  /** The lowest value that could follow the last decision, one that nobody else prefers if there is one; or null. */
  lowest(): Value | null
}

/** What a lie knows of its member, and may ask for. */
export interface LieContext extends LieOptions {
  readonly self: MemberIndex
  readonly audience: Audience
  /** Where the honest replica stands. */
  readonly state: LogState
  /** Sets the liar's own timer to this share of the timeout, unless it runs already. */
  wait(share: number): LiarEffect[]
}

/** One way to lie. */
export interface Lie {
  /** What the honest replica is made to propose in place of this. */
  propose?(value: Value): Value
  /** What becomes of one thing that the honest replica wants said. */
  say(said: Said): readonly LiarEffect[]
  /** What is said beside, when a message comes; the honest replica has not taken it in yet. */
  hear?(message: PbftMessage): readonly LiarEffect[]
  /** What is said beside at every tick, when the honest repeat themselves. */
  tick?(): readonly LiarEffect[]
  /** What is said when the liar's own timer fires. */
  mischief?(): readonly LiarEffect[]
}

/** Begins to lie. */
export type MakeLie = (context: LieContext) => Lie
