// The CHECKPOINT votes of the members (Castro and Liskov, section 4.3), until n − f equal ones make a checkpoint stable.
// What follows from that is in checkpoints.ts.

import type { MemberIndex, Snapshot } from '../process.ts'
import { snapshotOf } from '../snapshot.ts'
import { contradiction, contradicts, type SignedVote } from './slot.ts'
import type { Certificate, Contradiction } from './votes.ts'

/** Sequence numbers for which the votes of one member are kept: those of a whole window, and one far ahead. */
const VOTES_PER_MEMBER_MAX = 3

/** The votes for checkpoints that are not stable yet. */
export class CheckpointVotes {
  readonly #quorum: number
  readonly #votes = new Map<MemberIndex, Map<number, SignedVote>>()
  /** Members that are proven to lie: one proof each is enough. */
  readonly #liars = new Set<MemberIndex>()

  constructor(quorum: number) {
    this.#quorum = quorum
  }

  /** Whether a vote is worth checking. */
  isNews({ member, sequence, value }: Omit<SignedVote, 'signature'>): boolean {
    const known = this.#votes.get(member)?.get(sequence)
    return known === undefined || (known.value !== value && !this.#liars.has(member))
  }

  /** Takes in a vote whose signature was checked; returns the proof when its member has voted otherwise before. */
  add(vote: SignedVote): Contradiction | null {
    const votes = this.#votes.get(vote.member) ?? new Map<number, SignedVote>()
    const known = votes.get(vote.sequence)
    if (known !== undefined) {
      if (!contradicts(known, vote)) return null
      this.#liars.add(vote.member)
      return contradiction(known, vote)
    }
    votes.set(vote.sequence, vote)
    this.#votes.set(vote.member, votes)
    if (votes.size > VOTES_PER_MEMBER_MAX) votes.delete(Math.min(...votes.keys()))
    return null
  }

  /** The last vote of a member, if it has one. */
  last(member: MemberIndex): SignedVote | undefined {
    return [...(this.#votes.get(member)?.values() ?? [])].at(-1)
  }

  /** Votes that are kept. */
  get size(): number {
    return [...this.#votes.values()].reduce((sum, votes) => sum + votes.size, 0)
  }

  /** All of it (see `Process`). */
  get snapshot(): Snapshot {
    return snapshotOf({ votes: this.#votes, liars: this.#liars })
  }

  /** The certificate that the votes equal to this one make, or null while there are too few. */
  certificate({ sequence, value }: Pick<SignedVote, 'sequence' | 'value'>): Certificate | null {
    const equal = [...this.#votes.values()]
      .map(votes => votes.get(sequence))
      .filter(vote => vote !== undefined && vote.value === value)
      .map(vote => ({ member: vote!.member, signature: vote!.signature }))
    if (equal.length < this.#quorum) return null
    const signatures = equal.slice(0, this.#quorum).sort((a, b) => a.member - b.member)
    return { phase: 'checkpoint', sequence, view: 0, value, signatures }
  }

  /** Forgets all votes up to a sequence number. */
  forget(upTo: number): void {
    for (const votes of this.#votes.values())
      for (const sequence of [...votes.keys()]) if (sequence <= upTo) votes.delete(sequence)
  }
}
