// To which members a liar sends what: the others, in two halves that may be sent different messages. Members that lie in
// the same way belong to both halves, so that each of them has the votes of both.

import type { PbftMessage } from '../../../consensus/pbft/messages.ts'
import type { MemberIndex } from '../../../consensus/process.ts'
import type { LieEffect } from './lie.ts'

/** Something that is said to one. */
type Sent = Extract<LieEffect, { type: 'send' }>

/** The other members, as one liar sees them. */
export class Audience {
  /** All members but the liar. */
  readonly others: readonly MemberIndex[]
  readonly #accomplices: readonly MemberIndex[]

  constructor(n: number, self: MemberIndex, accomplices: readonly MemberIndex[]) {
    this.others = Array.from({ length: n }, (_, member) => member).filter(member => member !== self)
    this.#accomplices = accomplices.filter(member => member !== self)
  }

  /** Every second one of the members that are no accomplices. */
  half(half: number): MemberIndex[] {
    const honest = this.others.filter(member => !this.#accomplices.includes(member))
    return honest.filter((_, index) => index % 2 === half % 2)
  }

  /** One half, and the accomplices. */
  confidants(half: number): MemberIndex[] {
    return [...this.half(half), ...this.#accomplices]
  }
}

/** Says all of this to each of these. */
export function tell(members: readonly MemberIndex[], ...messages: readonly PbftMessage[]): Sent[] {
  return members.flatMap(to => messages.map(message => ({ type: 'send', to, message })))
}
