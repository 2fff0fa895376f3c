// What a way to lie is, and what it is given: each role (roles.ts) is such a lie. It is given what an honest member
// says, and returns what is said instead; it may also listen, speak of its own accord, and show its member another
// chain than there is. The honest member knows nothing of it.

import type { Value } from '../../../consensus/log.ts'
import type { PbftMessage, Statement } from '../../../consensus/pbft/messages.ts'
import type { MemberIndex, PeerId } from '../../../consensus/process.ts'
import type { Signature, Signing } from '../../../consensus/signed.ts'
import type { ChainAccess } from '../../../finality/contract.ts'
import type { Audience } from './audience.ts'

/** What is said to all, or to one peer, which need not be a member. */
export type Said =
  | { readonly type: 'broadcast'; readonly message: PbftMessage }
  | { readonly type: 'reply'; readonly to: PeerId; readonly message: PbftMessage }

/** What a lie does: it speaks to all or to one, sends bytes that need be no message, and sets its one timer. */
export type LieEffect =
  | Said
  | { readonly type: 'send'; readonly to: MemberIndex; readonly message: PbftMessage }
  | { readonly type: 'broadcast-bytes'; readonly bytes: Uint8Array }
  | { readonly type: 'wait'; readonly delayMs: number }

/** Where the honest member stands. */
export interface MemberState {
  readonly view: number
  /** The last sequence number that it decided. */
  readonly decided: number
  /** The member that proposes the next value. */
  readonly proposer: MemberIndex | null
}

/** What every lie is given. */
export interface LieOptions {
  readonly n: number
  readonly signing: Signing<Statement>
  readonly timeoutMs: number
  /** Other members that lie in the same way: they are told both stories. */
  readonly accomplices: readonly MemberIndex[]
  /** Sequence numbers between two checkpoints. */
  readonly checkpointInterval: number
  /** Signs with the same key on other networks: of another chain, and of another genesis. */
  readonly elsewhere: readonly ((statement: Statement) => Signature)[]
  readonly state: () => MemberState
  /** Another value that could be proposed in place of this one; null when there is none. */
  alternative(value: Value): Value | null
}

/** What a lie knows of its member, and may ask for. */
export interface LieContext extends LieOptions {
  readonly self: MemberIndex
  readonly audience: Audience
  /** Sets the timer to this share of the timeout, unless it runs already. */
  wait(share: number): LieEffect[]
}

/** One way to lie. */
export interface Lie {
  /** What becomes of one thing that the honest member says. */
  say(said: Said): readonly LieEffect[]
  /** The chain as the honest member is shown it. */
  show?(chain: ChainAccess): ChainAccess
  /** What is sent besides, when a message arrives; the honest member has not processed it yet. */
  hear?(message: PbftMessage): readonly LieEffect[]
  /** What is said beside at every tick, when honest members repeat themselves. */
  tick?(): readonly LieEffect[]
  /** What is said when the timer fires. */
  timeout?(): readonly LieEffect[]
}

/** Begins to lie. */
export type MakeLie = (context: LieContext) => Lie
