// Usurpation: the lies of a view change (Castro and Liskov, section 4.4). What a usurper proposes is prepared by some and
// decided by liars alone, so its view is left. Its VIEW-CHANGE hides both, and the view whose primary it is it tries to
// begin with every kind of NEW-VIEW that does not follow from n − f VIEW-CHANGEs; last, with two that do, one for each
// half.

import { type Certificate, NO_VALUE, type Value, type Vote } from '../../consensus/contract.ts'
import type { NewView, PbftMessage, PrePrepare, ViewChange } from '../../consensus/pbft/messages.ts'
import { quorumOf } from '../../consensus/pbft/quorum.ts'
import { tell } from './audience.ts'
import type { LiarEffect, Lie, LieContext, Said } from './lie.ts'
import { NewViewForger } from './new-view-forger.ts'

/** Places of which the first prepared certificate is remembered: more than a VIEW-CHANGE has. */
const PLACES_MAX = 256

/** Lies in and about view changes. */
export function usurp(context: LieContext): Lie {
  const usurper = new Usurper(context)
  return {
    say: said => usurper.say(said),
    hear: message => usurper.hear(message),
  }
}

class Usurper {
  readonly #context: LieContext
  readonly #forger: NewViewForger
  /** Of each sequence number the first certificate that it prepared. */
  readonly #first = new Map<number, Certificate>()
  /** A value that somebody voted for: others know it, so that only the rules of a new view stand against it. */
  #known: Value = NO_VALUE

  constructor(context: LieContext) {
    this.#context = context
    this.#forger = new NewViewForger(context)
  }

  say(said: Said): LiarEffect[] {
    const { message } = said
    switch (message.type) {
      case 'pre-prepare':
        return this.#propose(message)
      // Those who are prepared lack its vote to decide; it has theirs, and with its accomplices may alone know a decision.
      case 'commit':
        return tell(this.#context.accomplices, message)
      case 'proof':
        return message.certificate.phase === 'commit' ? tell(this.#context.accomplices, message) : [said]
      case 'view-change':
        return [{ ...said, message: this.#hiding(message) }]
      case 'new-view':
        return said.type === 'broadcast' ? this.#begin(message) : [said]
      case 'prepare':
      case 'checkpoint':
      case 'status':
      case 'complaint':
      case 'query':
      case 'answer':
        return [said]
    }
  }

  hear(message: PbftMessage): LiarEffect[] {
    if ((message.type === 'pre-prepare' || message.type === 'prepare') && message.value !== NO_VALUE)
      this.#known = message.value
    return []
  }

  /** Proposes to just so many that they are prepared, and something else to the rest. */
  #propose(proposal: PrePrepare): LiarEffect[] {
    const { n, signing, audience, accomplices, alternative } = this.#context
    const { sequence, view, value } = proposal
    const honest = audience.others.filter(member => !accomplices.includes(member))
    const enough = quorumOf(n) - 1 - accomplices.length
    const told = [...accomplices, ...honest.slice(0, enough)]
    const other = alternative(value)
    if (other === null) return tell(told, proposal)
    const vote: Vote = { phase: 'prepare', sequence, view, value: other }
    const second = { ...proposal, value: other, signature: signing.sign(vote) }
    return [...tell(told, proposal), ...tell(honest.slice(enough), second)]
  }

  /** Its VIEW-CHANGE, with an older certificate where it has one, or else without all that it prepared or decided. */
  #hiding(own: ViewChange): ViewChange {
    const prepared = own.prepared.flatMap(certificate => {
      const first = this.#first.get(certificate.sequence) ?? certificate
      this.#first.set(certificate.sequence, first)
      if (this.#first.size > PLACES_MAX) this.#first.delete(Math.min(...this.#first.keys()))
      return first.view < certificate.view ? [first] : []
    })
    return this.#forger.change(own, prepared.length === 0 ? { stable: null, prepared } : { prepared })
  }

  /** In its own view: what it may not say to all, then to each half a beginning that it may choose. */
  #begin(message: NewView): LiarEffect[] {
    const { self, audience } = this.#context
    const own = message.viewChanges.find(({ from }) => from === self)
    if (own === undefined) return []
    const hiding = this.#hiding(own)
    return [
      ...tell(audience.others, ...this.#forger.falseNewViews(message, hiding, this.#known)),
      ...tell(audience.confidants(0), message),
      ...tell(audience.confidants(1), this.#forger.newViewWith(message, hiding)),
    ]
  }
}
