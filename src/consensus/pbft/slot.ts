// What a replica knows of one sequence number: the votes of all members, what it accepted itself, and what was
// prepared. Of each member only the vote of the highest view is kept, so that no member fills more than its place.

import type { Value } from '../log.ts'
import type { MemberIndex, Snapshot } from '../process.ts'
import type { Signature } from '../signed.ts'
import { snapshotOf } from '../snapshot.ts'
import type { Certificate, Contradiction, Vote, VoteWithSignature } from './votes.ts'

/** A vote and the member that signed it. */
export interface SignedVote extends Vote {
  readonly member: MemberIndex
  readonly signature: Signature
}

/** What this replica accepted from the primary of a view. */
export interface Accepted {
  readonly view: number
  readonly value: Value
  /** The primary's PREPARE. */
  readonly proposal: Signature
}

/** The log of one sequence number. */
export class Slot {
  readonly sequence: number
  /** The last proposal that this replica voted for. */
  accepted: Accepted | null = null
  /** The certificate of the highest view in which a value was prepared here. */
  prepared: Certificate | null = null
  /** The PREPARE certificate that a collector sent, whole: members that vote twice can not take signatures out of it. */
  collected: Certificate | null = null
  /** The proof of the decision; null until there is one. */
  committed: Certificate | null = null
  readonly #prepares = new Map<MemberIndex, SignedVote>()
  readonly #commits = new Map<MemberIndex, SignedVote>()
  /** Members that are proven to lie here: one proof each is enough. */
  readonly #liars = new Set<MemberIndex>()

  constructor(sequence: number) {
    this.sequence = sequence
  }

  /** The vote of a member in a phase, if it has one. */
  voteOf(phase: 'prepare' | 'commit', member: MemberIndex): SignedVote | undefined {
    return this.#votes(phase).get(member)
  }

  /**
   * Whether a vote is worth checking: it is the first of its member or for a higher view, or it contradicts the one
   * that is here.
   */
  isNews(vote: Vote, member: MemberIndex): boolean {
    const known = this.#votes(vote.phase).get(member)
    if (known === undefined || vote.view > known.view) return true
    return contradicts(vote, known) && !this.#liars.has(member)
  }

  /** Votes that are kept. */
  get size(): number {
    return this.#prepares.size + this.#commits.size
  }

  /** All of it (see `Process`). */
  get snapshot(): Snapshot {
    return snapshotOf({
      ...{ sequence: this.sequence, accepted: this.accepted, prepared: this.prepared },
      ...{ collected: this.collected, committed: this.committed },
      ...{ prepares: this.#prepares, commits: this.#commits, liars: this.#liars },
    })
  }

  /** Takes in a vote whose signature was checked; returns the proof when its member has voted otherwise before. */
  add(vote: SignedVote): Contradiction | null {
    const votes = this.#votes(vote.phase)
    const known = votes.get(vote.member)
    if (known !== undefined && contradicts(vote, known)) {
      if (this.#liars.has(vote.member)) return null
      this.#liars.add(vote.member)
      return contradiction(known, vote)
    }
    if (known === undefined || vote.view > known.view) votes.set(vote.member, vote)
    return null
  }

  /** The certificate that the votes for this make, or null when there are fewer than `quorum`. */
  certificate(
    phase: 'prepare' | 'commit',
    { view, value }: { view: number; value: Value },
    quorum: number,
  ): Certificate | null {
    const votes = this.#matching(phase, view, value)
    if (votes.length < quorum) return null
    const signatures = votes
      .slice(0, quorum)
      .map(({ member, signature }) => ({ member, signature }))
      .sort((a, b) => a.member - b.member)
    return { phase, sequence: this.sequence, view, value, signatures }
  }

  /** The certificate of a decision: `quorum` commits for one value in one view; null when there is none. */
  commitCertificate(quorum: number): Certificate | null {
    for (const { view, value } of this.#commits.values()) {
      const certificate = this.certificate('commit', { view, value }, quorum)
      if (certificate !== null) return certificate
    }
    return null
  }

  #matching(phase: 'prepare' | 'commit', view: number, value: Value): SignedVote[] {
    return [...this.#votes(phase).values()].filter(vote => vote.view === view && vote.value === value)
  }

  #votes(phase: Vote['phase']): Map<MemberIndex, SignedVote> {
    return phase === 'prepare' ? this.#prepares : this.#commits
  }
}

/** Whether no honest member signs both. */
export function contradicts(a: Vote, b: Vote): boolean {
  return a.phase === b.phase && a.view === b.view && a.sequence === b.sequence && a.value !== b.value
}

/** The proof that two votes of one member are, when they contradict each other. */
export function contradiction(first: SignedVote, second: SignedVote): Contradiction {
  const { member } = first
  return { type: 'contradiction', member, first: withoutMember(first), second: withoutMember(second) }
}

/** A vote as evidence shows it. */
export function withoutMember({ member: _, ...vote }: SignedVote): VoteWithSignature {
  return vote
}
