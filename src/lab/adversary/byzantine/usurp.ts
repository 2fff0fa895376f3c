// Usurpation: the lies of a view change (Castro and Liskov, section 4.4). What a usurper proposes is prepared by some and
// decided by liars alone, so its view fails. Its VIEW-CHANGE leaves both out, and one honest member is sent its COMMIT then,
// with which that member may decide what the rest has not heard of. Of the view that it leads itself it sends NEW-VIEWs of
// every kind that does not follow from n − f VIEW-CHANGEs; last, two that do, one to each half.

import { NO_VALUE, type Value } from '../../../consensus/log.ts'
import type {
  Commit,
  NewView,
  PbftMessage,
  PrePrepare,
  ViewChange,
} from '../../../consensus/pbft/messages.ts'
import { isOmitted } from '../../../consensus/pbft/omission.ts'
import { departureOf } from '../../../consensus/pbft/view-change.ts'
import type { Certificate, Vote } from '../../../consensus/pbft/votes.ts'
import { quorumOf } from '../../../consensus/quorum.ts'
import { tell } from './audience.ts'
import type { Lie, LieContext, LieEffect, Said } from './lie.ts'
import { NewViewForger } from './new-view-forger.ts'

/** Places of which the first prepared certificate and the last COMMIT are remembered: more than a VIEW-CHANGE has. */
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
  /** Of each sequence number the COMMIT that it withheld last. */
  readonly #withheld = new Map<number, Commit>()
  /** A value that some member voted for: others know it, so that only the rules of a new view stand against it. */
  #known: Value = NO_VALUE

  constructor(context: LieContext) {
    this.#context = context
    this.#forger = new NewViewForger(context)
  }

  say(said: Said): LieEffect[] {
    const { message } = said
    switch (message.type) {
      case 'pre-prepare':
        return this.#propose(message)
      // The prepared members lack its COMMIT to decide; it has theirs, so that it and its accomplices may decide alone.
      case 'commit':
        remember(this.#withheld, message)
        return tell(this.#context.accomplices, message)
      case 'proof':
        return message.certificate.phase === 'commit' ? tell(this.#context.accomplices, message) : [said]
      case 'view-change':
        return this.#leave(said, message)
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

  hear(message: PbftMessage): LieEffect[] {
    if ((message.type === 'pre-prepare' || message.type === 'prepare') && message.value !== NO_VALUE)
      this.#known = message.value
    return []
  }

  /** Proposes to just so many that they are prepared, and something else to the rest. */
  #propose(proposal: PrePrepare): LieEffect[] {
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

  /** To all what hides, and to one what is hidden. */
  #leave(said: Said, own: ViewChange): LieEffect[] {
    const message = this.#hiding(own)
    const departure = departureOf(message)
    const hidden = [...this.#withheld.values()].filter(commit =>
      isOmitted({ ...commit, phase: 'commit' }, departure),
    )
    const { audience, accomplices } = this.#context
    const honest = audience.others.filter(member => !accomplices.includes(member))
    const one = honest.slice(own.view % Math.max(1, honest.length)).slice(0, 1)
    return [{ ...said, message }, ...tell(one, ...hidden)]
  }

  /** Its VIEW-CHANGE, with an older certificate where it has one, or else without all that it prepared or decided. */
  #hiding(own: ViewChange): ViewChange {
    const prepared = own.prepared.flatMap(certificate => {
      const first = this.#first.get(certificate.sequence) ?? certificate
      remember(this.#first, first)
      return first.view < certificate.view ? [first] : []
    })
    return this.#forger.change(own, prepared.length === 0 ? { stable: null, prepared } : { prepared })
  }

  /** In its own view: what it may not say to all, then to each half a beginning that it may choose. */
  #begin(message: NewView): LieEffect[] {
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

/** Notes the last thing about a sequence number; of too many the oldest are forgotten. */
function remember<T extends { readonly sequence: number }>(places: Map<number, T>, last: T): void {
  places.set(last.sequence, last)
  if (places.size > PLACES_MAX) places.delete(Math.min(...places.keys()))
}
