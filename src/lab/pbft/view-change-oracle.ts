// How views are left and begun: what was decided, or may have been, is proposed again. The names are those of
// docs/invariants.md: P2 no decision is lost between views, S4 no honest member asks for one view in two ways, S7 an honest
// member shows only view changes that are signed, and enough of them.

import type { PbftMessage, Statement } from '../../consensus/pbft/messages.ts'
import type { PeerId } from '../../replica/effects.ts'
import type { Roster } from '../adversary/roster.ts'
import type { CertificateOracle } from '../oracle/certificate-oracle.ts'
import type { NaiveVotes } from '../oracle/naive-votes.ts'
import { Violation } from '../oracle/violation.ts'
import type { VoteOracle } from '../oracle/vote-oracle.ts'

type ViewChange = Extract<PbftMessage, { type: 'view-change' }>
type NewView = Extract<PbftMessage, { type: 'new-view' }>

/** The view changes of one committee; `honest` is the honest node that shows one, null when a liar does. */
export class ViewChangeOracle {
  readonly #votes: NaiveVotes
  readonly #roster: Roster
  readonly #signed: VoteOracle
  readonly #certificates: CertificateOracle
  /** The first view change of each honest member for each view. */
  readonly #viewChanges = new Map<string, ViewChange>()
  readonly #changedViews = new Set<number>()
  readonly #reproposing = new Set<number>()

  constructor(votes: NaiveVotes, roster: Roster, signed: VoteOracle, certificates: CertificateOracle) {
    this.#votes = votes
    this.#roster = roster
    this.#signed = signed
    this.#certificates = certificates
  }

  /** Views that honest members asked for, and those in which something that was prepared was proposed again. */
  get counts(): { readonly asked: number; readonly reproposing: number } {
    return { asked: this.#changedViews.size, reproposing: this.#reproposing.size }
  }

  /** A member's disk was put back. */
  rollBack(member: number): void {
    for (const key of this.#viewChanges.keys()) if (key.endsWith(` ${member}`)) this.#viewChanges.delete(key)
  }

  /** `teller` is the member that shows it, if one does. */
  noteViewChange(message: ViewChange, honest: PeerId | null, teller: number | null): void {
    const { view, from, stable, prepared, suspects } = message
    const claims = prepared.map(({ sequence, view, value }) => ({ sequence, view, value }))
    const low = stable?.sequence ?? 0
    const statement: Statement = { phase: 'view-change', view, sequence: low, prepared: claims, suspects }
    if (!this.#votes.isSigned(statement, from, message.signature)) {
      if (honest === null) return
      throw new Violation('S7', `${honest} shows a view change that member ${from} did not sign`)
    }
    for (const certificate of [...(stable === null ? [] : [stable]), ...prepared])
      this.#certificates.noteCertificate(certificate, honest)
    if (!this.#roster.isHonestMember(from) || this.#signed.isExcused(from, teller)) return
    this.#changedViews.add(view)
    this.#checkClaims(message, low)
    this.#checkRepeated(message, low)
  }

  noteNewView(message: NewView, honest: PeerId | null): void {
    const { view, viewChanges, proposals } = message
    const primary = view % this.#votes.validators.length
    for (const change of viewChanges) this.noteViewChange(change, honest, null)
    for (const { sequence, value, signature } of proposals)
      this.#signed.noteVote({ phase: 'prepare', sequence, view, value }, primary, signature, null)
    if (honest === null) return
    this.#checkProposals(message, honest)
    if (proposals.some(({ value }) => value !== '')) this.#reproposing.add(view)
    const low = lowOf(message)
    for (const certificate of this.#certificates.decided) {
      if (certificate.view >= view || certificate.sequence <= low) continue
      const again = proposals.find(({ sequence }) => sequence === certificate.sequence)
      if (again?.value !== certificate.value)
        throw new Violation('P2', `view ${view} begins without what decision ${certificate.sequence} was`)
    }
  }

  /** A member that committed in an earlier view says that it was prepared. */
  #checkClaims({ view, from, prepared }: ViewChange, low: number): void {
    for (const [sequence, committed] of this.#signed.commitsOf(from)) {
      if (sequence <= low || committed >= view) continue
      if (!prepared.some(claim => claim.sequence === sequence && claim.view >= committed))
        throw new Violation(
          'P2',
          `${this.#votes.nameOf(from)} committed ${sequence}/${committed} and leaves for view ${view} without saying so`,
        )
    }
  }

  /** A member that asks for a view again claims the same; what was prepared may be dropped only below a stable checkpoint. */
  #checkRepeated(message: ViewChange, low: number): void {
    const { view, from } = message
    const known = this.#viewChanges.get(`${view} ${from}`)
    if (known === undefined) {
      this.#viewChanges.set(`${view} ${from}`, message)
      return
    }
    const settled = Math.max(low, known.stable?.sequence ?? 0)
    const [before, now] = [known, message].map(change => textOf(change, settled))
    if (before !== now)
      throw new Violation(
        'S4',
        `${this.#votes.nameOf(from)} asks for view ${view} with ${before} and with ${now}`,
      )
  }

  /** What n − f distinct members claim to have prepared, in the highest view, is proposed again, and nothing else. */
  #checkProposals(message: NewView, honest: PeerId): void {
    const { view, viewChanges, proposals } = message
    const n = this.#votes.validators.length
    const senders = new Set(viewChanges.filter(change => change.view === view).map(({ from }) => from))
    if (senders.size < n - Math.floor((n - 1) / 3))
      throw new Violation('S7', `${honest} begins view ${view} with ${senders.size} view changes`)
    const low = lowOf(message)
    for (const claim of viewChanges.flatMap(({ prepared }) => prepared)) {
      if (claim.sequence <= low) continue
      const claims = viewChanges.flatMap(({ prepared }) =>
        prepared.filter(({ sequence }) => sequence === claim.sequence),
      )
      const highest = Math.max(...claims.map(one => one.view))
      const again = proposals.find(({ sequence }) => sequence === claim.sequence)
      if (claim.view === highest && again?.value !== claim.value)
        throw new Violation(
          'P2',
          `${honest} begins view ${view} without what was prepared last for ${claim.sequence}`,
        )
    }
    for (const { sequence, value } of proposals) {
      const isClaimed = viewChanges.some(({ prepared }) =>
        prepared.some(claim => claim.sequence === sequence && claim.value === value),
      )
      if (value !== '' && !isClaimed)
        throw new Violation('P2', `${honest} begins view ${view} with what nobody prepared for ${sequence}`)
    }
  }
}

/** The last stable checkpoint of the members that asked for a view: what is not above it is decided. */
function lowOf({ viewChanges }: NewView): number {
  return Math.max(0, ...viewChanges.map(({ stable }) => stable?.sequence ?? 0))
}

/** What a view change claims above a sequence number. */
function textOf({ prepared }: ViewChange, settled: number): string {
  return prepared
    .filter(({ sequence }) => sequence > settled)
    .map(({ sequence, view, value }) => `${sequence}/${view} ${value}`)
    .join(', ')
}
