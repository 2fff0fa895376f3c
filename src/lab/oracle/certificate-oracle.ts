// Every certificate that was ever shown or stored. The names are those of docs/invariants.md: S7 every certificate of an
// honest node proves something, C7 no two certificates for one decision, P1 none for two values in one view, P4 none
// for two states at one checkpoint.

import type { SomeCertificate as Certificate } from '../../consensus/signed.ts'
import type { PeerId } from '../../replica/effects.ts'
import type { NaiveVotes } from './naive-votes.ts'
import { Violation } from './violation.ts'
import type { VoteOracle } from './vote-oracle.ts'

/** The certificates of one committee. */
export class CertificateOracle {
  /** The members whom two certificates convict. */
  readonly accused = new Set<number>()
  /** What was decided, by sequence number. */
  readonly #decided = new Map<number, Certificate>()
  /** What a quorum voted for before it decided, by phase, sequence number and view. */
  readonly #prepared = new Map<string, Certificate>()
  readonly #checkpoints = new Map<number, string>()
  readonly #votes: NaiveVotes
  readonly #signed: VoteOracle

  constructor(votes: NaiveVotes, signed: VoteOracle) {
    this.#votes = votes
    this.#signed = signed
  }

  /** The first certificate of each decision. */
  get decided(): Iterable<Certificate> {
    return this.#decided.values()
  }

  /** `honest` is the honest node that shows or stores it; null when a liar does. */
  noteCertificate(certificate: Certificate, honest: PeerId | null): void {
    const reason = this.#votes.reasonAgainst(certificate)
    const { phase, sequence, view, value } = certificate
    if (reason !== null) {
      if (honest === null) return
      throw new Violation('S7', `${honest} shows a ${phase} certificate for ${sequence}/${view}: ${reason}`)
    }
    for (const { member, signature } of certificate.signatures)
      this.#signed.noteVote(certificate, member, signature, null)
    switch (phase) {
      case this.#votes.decidingPhase: {
        const other = this.#decided.get(sequence)
        if (other === undefined) this.#decided.set(sequence, certificate)
        else if (other.value !== value) this.#onConflict('C7', other, certificate)
        return
      }
      case this.#votes.statePhase: {
        const other = this.#checkpoints.get(sequence) ?? value
        if (other !== value) throw new Violation('P4', `checkpoint ${sequence} is ${other} and ${value}`)
        this.#checkpoints.set(sequence, value)
        return
      }
      default: {
        const place = `${phase} ${sequence}/${view}`
        const other = this.#prepared.get(place)
        if (other === undefined) this.#prepared.set(place, certificate)
        else if (other.value !== value) this.#onConflict('P1', other, certificate)
      }
    }
  }

  /** The signers of two certificates of one view that exclude each other lied: at least f + 1 members. */
  #onConflict(rule: 'P1' | 'C7', first: Certificate, second: Certificate): never {
    const inFirst = new Set(first.signatures.map(({ member }) => member))
    const both = second.signatures.map(({ member }) => member).filter(member => inFirst.has(member))
    // Votes of different views convict no member by themselves.
    const isOneView = first.view === second.view
    if (isOneView) for (const member of both) this.accused.add(member)
    const names = both.map(member => this.#votes.nameOf(member)).join(', ')
    const [one, other] = [first, second].map(({ value, view }) => `${value} in view ${view}`)
    throw new Violation(
      rule,
      `two ${first.phase} certificates for decision ${first.sequence}: ${one} and ${other}${isOneView ? `, both signed by ${names}` : ''}`,
    )
  }
}
