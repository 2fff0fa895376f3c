// Which member leads: the primary of a view, and the proposer of each sequence number in it. Both rotate. A member whose
// turn failed lately is passed over for some sequence numbers, so that a crashed one costs one timeout and not one in
// every round (as in commonware's simplex, which skips the leader that was silent for some views).
//
// Each VIEW-CHANGE names at most f members that its sender suspects, each up to a sequence number. A view passes over
// those that f + 1 VIEW-CHANGEs of its NEW-VIEW name, so at least one honest member does, and never more than f: an
// honest proposer is always left. All that enter a view by one NEW-VIEW compute the same. Safety never depends on the
// leader, since a member votes once for each sequence number of a view, whichever member proposed.

import { NUMBER_MAX } from '../log.ts'
import type { MemberIndex, Snapshot } from '../process.ts'
import { faultsTolerated } from '../quorum.ts'
import { snapshotOf } from '../snapshot.ts'
import { isMember } from './certificate.ts'
import type { Suspect } from './votes.ts'

/** Sequence numbers for which a member is passed over after its first failure; doubled for each that follows. */
const TERM = 32
const DOUBLINGS_MAX = 5
/** Sequence numbers after which one failure of a member no longer counts. */
const FORGIVEN_AFTER = 256
/** Rungs of the view timer by which a turn is late, and no more by chance: it took four times as long as those of others. */
const LATE = 2
/**
 * What a member may owe before it is too slow. A late turn costs as many turns as it took, and a turn in good time pays one
 * back: so a member can take twice its share of the time, whether by many late turns or by few. One late turn alone may be
 * a member's fault.
 */
const OWED_MAX = 12
const LATE_TURNS_MIN = 2
/** The largest debt, so that a member that was slow once is forgiven in the end. */
const OWED_LIMIT = 1_024

/** The primary of a view: v mod n. */
export function primaryOfView(view: number, n: number): MemberIndex {
  return view % n
}

/**
 * The proposer of a new value for a sequence number in a view. It moves on with every sequence number, so that no member
 * can keep a value out, or all others waiting, for long (A. Clement et al., "Aardvark", NSDI 2009).
 */
export function proposerOf(
  view: number,
  sequence: number,
  n: number,
  passedOver: readonly Suspect[] = [],
): MemberIndex {
  for (let step = 0; step < n; step++) {
    const member = (view + sequence + step) % n
    if (!passedOver.some(suspect => suspect.member === member && suspect.until >= sequence)) return member
  }
  return (view + sequence) % n
}

/** Whether a list of suspects has its one form: at most f members of n, in increasing order. */
export function isSuspectList(suspects: readonly Suspect[], n: number): boolean {
  if (suspects.length > faultsTolerated(n)) return false
  return suspects.every(({ member, until }, index) => {
    const isInOrder = index === 0 || member > suspects[index - 1]!.member
    return (
      isInOrder && isMember(member, n) && Number.isSafeInteger(until) && until >= 0 && until <= NUMBER_MAX
    )
  })
}

/** The members that a view passes over: those that f + 1 of its VIEW-CHANGEs name, each as far as f + 1 of them do; at most f. */
export function passedOverBy(
  viewChanges: readonly { readonly suspects: readonly Suspect[] }[],
  n: number,
): Suspect[] {
  const f = faultsTolerated(n)
  const claims = new Map<MemberIndex, number[]>()
  for (const { member, until } of viewChanges.flatMap(({ suspects }) => suspects))
    claims.set(member, [...(claims.get(member) ?? []), until])
  const agreed = [...claims].flatMap(([member, untils]) => {
    const until = untils.sort((a, b) => b - a)[f]
    return until === undefined ? [] : [{ member, until }]
  })
  const longest = agreed.sort((a, b) => b.until - a.until || a.member - b.member).slice(0, f)
  return longest.sort((a, b) => a.member - b.member)
}

/** What one replica has seen of how the members lead. It is lost in a restart, which costs a timeout at most. */
export class LeaderRecord {
  readonly #n: number
  readonly #f: number
  readonly #failures = new Map<MemberIndex, { count: number; last: number; until: number }>()
  /** The last sequence number that each member voted for. */
  readonly #heard = new Map<MemberIndex, number>()
  /** How long the last turn of each member took: rungs of the view timer. */
  readonly #rungs = new Map<MemberIndex, number>()
  /** What each member owes for late turns, and how many there were since it owed nothing. */
  readonly #debts = new Map<MemberIndex, { owed: number; lateTurns: number }>()
  /** The members whose last turn was late. */
  readonly #late = new Set<MemberIndex>()

  constructor(n: number) {
    this.#n = n
    this.#f = faultsTolerated(n)
  }

  /** A member voted for this sequence number. */
  hear(member: MemberIndex, sequence: number): void {
    this.#heard.set(member, Math.max(sequence, this.#heard.get(member) ?? 0))
  }

  /** A member is proved to lie: it never leads again. */
  convict(member: MemberIndex): void {
    this.#failures.set(member, { count: DOUBLINGS_MAX, last: NUMBER_MAX, until: NUMBER_MAX })
  }

  /** A member did not lead to a decision on this sequence number. Others that failed before and are silent did not either. */
  fail(member: MemberIndex, sequence: number): void {
    this.#fail(member, sequence)
    for (const [other, { last, until }] of [...this.#failures])
      if (until <= sequence && last <= sequence && (this.#heard.get(other) ?? 0) < last)
        this.#fail(other, sequence)
  }

  #fail(member: MemberIndex, sequence: number): void {
    const known = this.#failures.get(member) ?? { count: 0, last: sequence, until: 0 }
    const since = Math.max(known.last, known.until)
    const forgiven = Math.floor(Math.max(0, sequence - since) / FORGIVEN_AFTER)
    const count = Math.max(0, known.count - forgiven) + 1
    const until = Math.max(known.until, sequence + TERM * 2 ** Math.min(count - 1, DOUBLINGS_MAX))
    // The last to fail stands last.
    this.#failures.delete(member)
    this.#failures.set(member, { count, last: sequence, until })
    this.#debts.delete(member)
    this.#late.delete(member)
  }

  /**
   * A member's turn ended in a decision, after so many rungs of the view timer. It is measured against the last turns of
   * the others: the f + 1 quickest, so an honest one among them. A rung more is no more than chance.
   */
  finish(member: MemberIndex, rung: number): void {
    this.#rungs.set(member, rung)
    const rungs = [...this.#rungs.values()].sort((a, b) => a - b)
    if (rungs.length < this.#n - this.#f) return
    const behind = rung - rungs[this.#f]!
    const isLate = behind >= LATE
    if (isLate) this.#late.add(member)
    else this.#late.delete(member)
    const { owed, lateTurns } = this.#debts.get(member) ?? { owed: 0, lateTurns: 0 }
    const paid = behind <= 0 ? 1 : 1 / 2
    const left = isLate ? Math.min(OWED_LIMIT, owed + 2 ** behind) : Math.max(0, owed - paid)
    this.#debts.set(member, { owed: left, lateTurns: left === 0 ? 0 : lateTurns + Number(isLate) })
  }

  /** All of it (see `Process`). */
  get snapshot(): Snapshot {
    return snapshotOf({
      ...{ failures: this.#failures, heard: this.#heard, rungs: this.#rungs },
      ...{ debts: this.#debts, late: this.#late },
    })
  }

  /** The members that are too slow; none where more than f are late, for then it is the network that is slow. */
  get slow(): MemberIndex[] {
    // Asked in every step, so without a copy of the map.
    const slow: MemberIndex[] = []
    for (const [member, { owed, lateTurns }] of this.#debts)
      if (owed >= OWED_MAX && lateTurns >= LATE_TURNS_MIN) slow.push(member)
    return this.#late.size > this.#f || slow.length > this.#f ? [] : slow
  }

  /** The members that a VIEW-CHANGE names after this decision: proven liars, then the last that failed; f, in increasing order. */
  suspects(decided: number): Suspect[] {
    const all = [...this.#failures].map(([member, { until }]) => ({ member, until }))
    const current = all.filter(({ until }) => until > decided)
    // The sort keeps the order of equals.
    current.sort((a, b) => Number(a.until === NUMBER_MAX) - Number(b.until === NUMBER_MAX))
    return current.slice(Math.max(0, current.length - this.#f)).sort((a, b) => a.member - b.member)
  }

  /**
   * The view to ask for after one: the next whose primary is not suspected. After more than n failures in a row it is
   * the next one, so that whatever members suspect they all come by every view.
   */
  nextView(view: number, decided: number, failuresInARow: number): number {
    if (failuresInARow > this.#n) return view + 1
    const suspects = new Set(this.suspects(decided).map(({ member }) => member))
    let next = view + 1
    while (suspects.has(primaryOfView(next, this.#n))) next += 1
    return next
  }
}
