// A second opinion on evidence against members of PBFT, with none of the code by which replicas find it
// (consensus/pbft/omission.ts, evidence.ts).

import type { Statement } from '../../consensus/pbft/messages.ts'
import type { Contradiction, Evidence, Omission } from '../../consensus/pbft/votes.ts'
import type { NaiveVotes } from '../oracle/naive-votes.ts'

/** Judges the evidence of one network. */
export class NaiveEvidence {
  readonly #votes: NaiveVotes

  constructor(votes: NaiveVotes) {
    this.#votes = votes
  }

  /** Whether two statements and their signatures convict a member. */
  convicts(evidence: Evidence): boolean {
    return evidence.type === 'omission' ? this.#isOmission(evidence) : this.#isContradiction(evidence)
  }

  /** A commit, and what its member said that it knew when it later left its view: the same value, or a later view's. */
  #isOmission({ member, vote, departure }: Omission): boolean {
    const { signature, ...left } = departure
    if (vote.phase !== 'commit' || !(left.view > vote.view) || !(left.sequence < vote.sequence)) return false
    const told = left.prepared.filter(({ sequence, view }) => sequence === vote.sequence && view >= vote.view)
    if (told.some(({ view, value }) => view !== vote.view || value === vote.value)) return false
    const statement: Statement = { phase: 'view-change', ...left }
    return (
      this.#votes.isCast(vote, member, vote.signature) && this.#votes.isSigned(statement, member, signature)
    )
  }

  #isContradiction({ member, first, second }: Contradiction): boolean {
    const isPair =
      first.phase === second.phase && first.sequence === second.sequence && first.view === second.view
    if (!isPair || first.value === second.value) return false
    return (
      this.#votes.isCast(first, member, first.signature) &&
      this.#votes.isCast(second, member, second.signature)
    )
  }
}
