// Every vote that was ever signed, whether it arrived or not. The names are those of the oracle's list: S4 nobody
// honest contradicts himself.

import type { Cast } from '../adversary/cast.ts'
import type { NaiveVotes, Vote } from './naive-votes.ts'
import { Violation } from './violation.ts'

/** The votes of one committee. */
export class VoteOracle {
  readonly #votes: NaiveVotes
  readonly #cast: Cast
  /** For each phase, sequence number, view and member the value of the first vote that was seen. */
  readonly #voted = new Map<string, string>()
  /** The highest view in which an honest member committed each sequence number. */
  readonly #commits = new Map<number, Map<number, number>>()
  readonly #rolledBack = new Set<number>()

  constructor(votes: NaiveVotes, cast: Cast) {
    this.#votes = votes
    this.#cast = cast
  }

  /** A member's disk was put back: from now on only what it says itself, or was shown of its own, binds it. */
  rollBack(member: number): void {
    this.#rolledBack.add(member)
    this.#commits.delete(member)
    for (const key of this.#voted.keys()) if (key.endsWith(` ${member}`)) this.#voted.delete(key)
  }

  /** Whether a member is not held to what `teller` shows of it. */
  isExcused(member: number, teller: number | null): boolean {
    return teller !== member && this.#rolledBack.has(member)
  }

  /** A vote that its member did not sign says nothing of anybody. `teller` is the member that shows it, if one does. */
  noteVote(
    { phase, sequence, view, value }: Vote,
    member: number,
    signature: Uint8Array,
    teller: number | null,
  ): void {
    if (this.isExcused(member, teller)) return
    const key = `${phase} ${sequence}/${view} ${member}`
    const known = this.#voted.get(key)
    if (known === value) return
    if (!this.#votes.isSigned({ phase, sequence, view, value }, member, signature)) return
    if (known === undefined) {
      this.#voted.set(key, value)
      if (phase === 'commit' && this.#cast.isHonestMember(member)) this.#noteCommit(member, sequence, view)
    } else if (this.#cast.isHonestMember(member))
      throw new Violation('S4', `${this.#votes.nameOf(member)} signed ${key} for ${known} and for ${value}`)
  }

  /** The sequence numbers that an honest member committed, and the highest view in which it did. */
  commitsOf(member: number): ReadonlyMap<number, number> {
    return this.#commits.get(member) ?? new Map<number, number>()
  }

  /** Who commits is prepared, and must say so whenever it leaves a later view. */
  #noteCommit(member: number, sequence: number, view: number): void {
    const commits = this.#commits.get(member) ?? new Map<number, number>()
    this.#commits.set(member, commits.set(sequence, Math.max(view, commits.get(sequence) ?? 0)))
  }
}
