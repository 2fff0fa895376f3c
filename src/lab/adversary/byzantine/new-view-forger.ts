// The NEW-VIEWs with which a usurper tries to begin its view, each false in one way only, so that one check alone stands
// against it (Castro and Liskov, section 4.4): too few VIEW-CHANGEs, one that is there twice, one for another view, one
// that its member did not sign, one that claims what it can't prove, or proposals that don't follow.

import { NO_VALUE, type Value } from '../../../consensus/log.ts'
import type { NewView, ViewChange } from '../../../consensus/pbft/messages.ts'
import { newViewStatement, proposalsOf, viewChangeStatement } from '../../../consensus/pbft/view-change.ts'
import type { Certificate, Vote } from '../../../consensus/pbft/votes.ts'
import { quorumOf } from '../../../consensus/quorum.ts'
import type { LieContext } from './lie.ts'

type Proposal = ReturnType<typeof proposalsOf>[number]

/** Makes VIEW-CHANGEs and NEW-VIEWs, true or not, under one member's key. */
export class NewViewForger {
  readonly #context: LieContext

  constructor(context: LieContext) {
    this.#context = context
  }

  /** Its own VIEW-CHANGE with these changes. */
  change(own: ViewChange, changes: Partial<ViewChange>): ViewChange {
    const changed = { ...own, ...changes }
    return { ...changed, signature: this.#context.signing.sign(viewChangeStatement(changed)) }
  }

  /** A NEW-VIEW that is as good as `message`, from as few VIEW-CHANGEs as it takes: this one and those that claim least. */
  newViewWith(message: NewView, own: ViewChange): NewView {
    return this.#newView(message.view, [...this.#others(message), own])
  }

  /** NEW-VIEWs that no honest member may accept; `own` is its VIEW-CHANGE, and `known` a value that others know. */
  falseNewViews(message: NewView, own: ViewChange, known: Value): NewView[] {
    const { view } = message
    const others = this.#others(message)
    const [first] = others
    const absent = this.#context.audience.others.find(member => others.every(({ from }) => from !== member))
    // Nothing can be false where nothing was ever proposed, or where all of so few must agree.
    if (first === undefined || absent === undefined || known === NO_VALUE) return []
    const quorum = [...others, own]
    const due = proposalsOf(quorum)
    return [
      this.#newView(view, others),
      this.#newView(view, [...others, first]),
      this.#newView(view, [...others, this.change(own, { view: view + 1 })]),
      this.#newView(view, [...others, { ...own, from: absent }]),
      this.#newView(view, [...others, this.#unproven(own, others, known)]),
      this.#newView(view, quorum, another(due, sequenceAfter(lastStable(quorum)), known)),
      ...(due.length === 0 ? [] : [this.#newView(view, quorum, [])]),
    ]
  }

  /** The VIEW-CHANGEs of others that claim least, one fewer than a quorum. */
  #others({ viewChanges }: NewView): ViewChange[] {
    const { n, self } = this.#context
    const others = viewChanges.filter(({ from }) => from !== self)
    return others.sort((a, b) => a.prepared.length - b.prepared.length).slice(0, quorumOf(n) - 1)
  }

  /** Its VIEW-CHANGE with the claim that a value was prepared, just before; only the liar signed that. */
  #unproven(own: ViewChange, others: readonly ViewChange[], value: Value): ViewChange {
    const { self, signing } = this.#context
    const stable = lastStable(others)
    const sequence = sequenceAfter(stable)
    const vote: Vote = { phase: 'prepare', sequence, view: own.view - 1, value }
    const claim: Certificate = { ...vote, signatures: [{ member: self, signature: signing.sign(vote) }] }
    return this.change(own, { stable, prepared: [claim] })
  }

  #newView(
    view: number,
    unsorted: readonly ViewChange[],
    due: readonly Proposal[] = proposalsOf(unsorted),
  ): NewView {
    const { signing } = this.#context
    const viewChanges = unsorted.toSorted((a, b) => a.from - b.from)
    const proposals = due.map(({ sequence, value }) => ({
      sequence,
      value,
      signature: signing.sign({ phase: 'prepare', sequence, view, value }),
    }))
    const content = { view, viewChanges, proposals }
    return { type: 'new-view', ...content, signature: signing.sign(newViewStatement(content)) }
  }
}

/** Proposals for other values than those that are due; one where none is. */
function another(due: readonly Proposal[], next: number, known: Value): Proposal[] {
  if (due.length === 0) return [{ sequence: next, value: known }]
  return due.map(({ sequence, value }) => ({ sequence, value: value === known ? NO_VALUE : known }))
}

/** The last stable checkpoint that any of these proves. */
function lastStable(viewChanges: readonly ViewChange[]): Certificate | null {
  const [last] = viewChanges.flatMap(({ stable }) => stable ?? []).sort((a, b) => b.sequence - a.sequence)
  return last ?? null
}

/** The first sequence number above the last stable checkpoint. */
function sequenceAfter(stable: Certificate | null): number {
  return (stable?.sequence ?? 0) + 1
}
