// Every vote that was ever signed, whether it arrived or not. The names are those of docs/invariants.md: S4 nobody
// honest contradicts himself.

import type { SomeVote as Vote } from '../../consensus/signed.ts'
import type { Roster } from '../adversary/roster.ts'
import type { NaiveVotes } from './naive-votes.ts'
import { Violation } from './violation.ts'

/** The votes of one committee. */
export class VoteOracle {
  readonly #votes: NaiveVotes
  readonly #roster: Roster
  /** For each phase, sequence number, view and member the first vote that was seen. */
  readonly #voted = new Map<string, Vote>()
  /** The highest view in which an honest member committed each sequence number. */
  readonly #commits = new Map<number, Map<number, number>>()
  readonly #rolledBack = new Set<number>()

  constructor(votes: NaiveVotes, roster: Roster) {
    this.#votes = votes
    this.#roster = roster
  }

  /** A member's disk was put back: from now on only what it says itself binds it. Returns what it had said. */
  rollBack(member: number): Vote[] {
    this.#rolledBack.add(member)
    this.#commits.delete(member)
    const lost = [...this.#voted].filter(([key]) => key.endsWith(` ${member}`))
    for (const [key] of lost) this.#voted.delete(key)
    return lost.map(([, vote]) => vote)
  }

  /** A member has learned of a vote that it signed before its disk was rolled back. */
  bind(vote: Vote, member: number): void {
    const key = placeOf(vote, member)
    const known = this.#voted.get(key)
    if (known !== undefined && known.value !== vote.value) this.#contradict(key, member, known, vote)
    this.#voted.set(key, vote)
    if (vote.phase === this.#votes.decidingPhase) this.#noteCommit(member, vote)
  }

  /** Whether a member is not held to what `teller` shows of it. */
  isExcused(member: number, teller: number | null): boolean {
    return teller !== member && this.#rolledBack.has(member)
  }

  /** A vote that its member did not sign says nothing of that member. `teller` is the member that shows it, if one does. */
  noteVote(
    { phase, sequence, view, value }: Vote,
    member: number,
    signature: Uint8Array,
    teller: number | null,
  ): void {
    if (this.isExcused(member, teller)) return
    const vote: Vote = { phase, sequence, view, value }
    const key = placeOf(vote, member)
    const known = this.#voted.get(key)
    if (known?.value === value) return
    if (!this.#votes.isCast(vote, member, signature)) return
    if (known === undefined) {
      this.#voted.set(key, vote)
      if (phase === this.#votes.decidingPhase && this.#roster.isHonestMember(member))
        this.#noteCommit(member, vote)
    } else if (this.#roster.isHonestMember(member)) this.#contradict(key, member, known, vote)
  }

  /** The sequence numbers that an honest member committed, and the highest view in which it did. */
  commitsOf(member: number): ReadonlyMap<number, number> {
    return this.#commits.get(member) ?? new Map<number, number>()
  }

  #contradict(place: string, member: number, first: Vote, second: Vote): never {
    throw new Violation(
      'S4',
      `${this.#votes.nameOf(member)} signed ${place} for ${first.value} and for ${second.value}`,
    )
  }

  /** A member that commits is prepared, and must say so whenever it leaves a later view. */
  #noteCommit(member: number, { sequence, view }: Vote): void {
    const commits = this.#commits.get(member) ?? new Map<number, number>()
    this.#commits.set(member, commits.set(sequence, Math.max(view, commits.get(sequence) ?? 0)))
  }
}

/** Where a member may vote once. */
function placeOf({ phase, sequence, view }: Vote, member: number): string {
  return `${phase} ${sequence}/${view} ${member}`
}

/** What tells one vote of a member from every other vote. */
export function keyOf(vote: Vote, member: number): string {
  return `${placeOf(vote, member)} ${vote.value}`
}
