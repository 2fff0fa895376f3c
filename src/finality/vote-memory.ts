// What a validator remembers of its own votes, and when it must not vote. Votes are durable before they leave, with a mark
// of how far it has voted (vote-mark.ts). Where records of votes are missing, it asks the others for its own votes before it
// votes again, and abstains for good where even that could miss one.

import { addressBytes } from '../chain/address.ts'
import type { BlockId } from '../chain/header.ts'
import { addressOfSecretKey } from '../chain/signature.ts'
import type { Decision, LogState } from '../consensus/log.ts'
import type { MemberIndex } from '../consensus/process.ts'
import { equalBytes } from '../encoding/bytes.ts'
import type { CommitteeContext } from './committee-context.ts'
import { COMMITTEE_KEYS, type CommitteeRecords } from './committee-records.ts'
import {
  advanceMark,
  encodeMark,
  type Forgotten,
  forgottenOf,
  furthest,
  markOf,
  NO_VOTES,
  tellsOfCommit,
  type VoteMark,
} from './vote-mark.ts'

/** Why a validator does not vote. */
const VOTES_ARE_LOST =
  'its chain is here and the record of its votes is not, so it might contradict what it voted before; to put its old folder back is safe, --forget-votes is not'
const VOTES_ARE_ASKED_FOR =
  'it asks the others first which votes of its own they hold, for it may not remember all'
const FOLDER_IS_NEW =
  'it signed decisions of this network before, and neither this folder, which is new, nor the mark beside its key tells of those votes, so it might contradict them; to put its old folder back is safe, --forget-votes is not'
/** Times in one life that the others can be asked for this validator's votes, each with a challenge of its own. */
const CHALLENGES_PER_LIFE = 2 ** 16
/** A node that was not run for so long, and for several of its timeouts, may have been put back to an earlier state. */
const AWAY_MS = 10_000
const AWAY_TIMEOUTS = 4

/** The votes of one validator, as far as it remembers them. */
export class VoteMemory {
  readonly #context: CommitteeContext
  #self: MemberIndex | null = null
  /** Whether no vote was ever given from this folder, so that only the others can tell whether this validator voted before. */
  #isFresh = false
  #challenges = 0
  /** How far this validator has voted. */
  #mark = NO_VOTES
  /** What it has signed, by the mark beside its key, and does not remember. */
  #forgotten: Forgotten | null = null
  /** When the last input came, in milliseconds since 1970; 0 before the first. */
  #lastStepMs = 0
  #muted: string | null = null

  constructor(context: CommitteeContext) {
    this.#context = context
  }

  /** Our place; null for a node that does not vote. */
  get self(): MemberIndex | null {
    return this.#self
  }

  get forgotten(): Forgotten | null {
    return this.#forgotten
  }

  /** Why this node gives no votes although it has the key of a validator; null where it votes, or has no key. */
  whyMuted({ isRecalling }: LogState): string | null {
    if (this.#muted !== null || !isRecalling) return this.#muted
    return this.#forgotten === null ? VOTES_ARE_ASKED_FOR : this.#describeForgotten(this.#forgotten)
  }

  /** Finds out from the records whether this node may vote. `isFresh` when the database was empty. */
  start(
    { votes, voter, mark, isUntried: wasUntried }: CommitteeRecords,
    { isFresh, decided }: { readonly isFresh: boolean; readonly decided: number },
  ): void {
    const { kit, identity, validators } = this.#context.options
    const { mayForgetVotes } = identity
    this.#lastStepMs = this.#context.chain.nowMs
    this.#discardForeignVotes(voter, votes)
    const facts = [...votes.values()].map(record => kit.anatomy.record(record))
    for (const id of new Set(facts.flatMap(({ values }) => values)))
      this.#context.emit({ type: 'hold', id: id as BlockId })
    const isUntried = isFresh || (wasUntried && votes.size === 0)
    this.#isFresh = isUntried && !mayForgetVotes
    this.#takePlace(votes.size > 0 || isUntried || mayForgetVotes)
    if (this.#self === null) return
    const { address } = validators.validators[this.#self]!
    this.#persist(COMMITTEE_KEYS.voter, addressBytes(address))
    this.#persist(COMMITTEE_KEYS.untried, this.#isFresh ? new Uint8Array() : null)
    // The last stable checkpoint may be above the last decision that is applied.
    const stable = Math.max(0, ...facts.map(fact => fact.stable))
    this.#startMark(mark, markOf(facts), Math.max(decided, stable))
  }

  /** Votes that another validator gave from this folder are not ours; they are removed only to make room for ours. */
  #discardForeignVotes(voter: Uint8Array | null, votes: Map<string, unknown>): void {
    const { secretKey, mayForgetVotes } = this.#context.options.identity
    const own = secretKey === null ? null : addressBytes(addressOfSecretKey(secretKey))
    if (voter === null || own === null || equalBytes(voter, own)) return
    if (mayForgetVotes) for (const key of votes.keys()) this.#persist(COMMITTEE_KEYS.vote(key), null)
    votes.clear()
  }

  #takePlace(mayVote: boolean): void {
    const { validators, identity } = this.#context.options
    const { secretKey } = identity
    const own = secretKey === null ? null : validators.indexOf(addressOfSecretKey(secretKey))
    this.#self = mayVote ? own : null
    if (own !== this.#self) this.#mute(VOTES_ARE_LOST)
  }

  /** Compares the mark with what the records tell: votes, and the last sequence number that is decided or stable. */
  #startMark(mark: VoteMark | null, known: VoteMark, decided: number): void {
    const { mayForgetVotes } = this.#context.options.identity
    this.#mark = mark === null || mayForgetVotes ? known : furthest(mark, known)
    this.#forgotten = forgottenOf(this.#mark, known, decided)
    if (this.#forgotten !== null) this.#bind(this.#forgotten)
    this.#persist(COMMITTEE_KEYS.mark, encodeMark(this.#mark))
  }

  /** The protocol stays out of what was forgotten until the others have decided it; where they can't be asked, for good. */
  #bind(forgotten: Forgotten): void {
    const reason = this.#describeForgotten(forgotten)
    if (this.#canAsk) return this.#alarmMuted(reason)
    this.#self = null
    this.#mute(reason)
  }

  /** Whether the others can be asked for votes of this validator: they can show what is signed, and nothing else. */
  get #canAsk(): boolean {
    return this.#context.options.kit.signed !== null
  }

  /**
   * A number with which this validator never asked before: a machine that is restored twice to the same moment is so at
   * two different times. Null where nothing is signed.
   */
  nextChallenge(): number | null {
    if (!this.#canAsk) return null
    const { identity } = this.#context.options
    this.#challenges = (this.#challenges + 1 + this.#context.chain.nowMs) % CHALLENGES_PER_LIFE
    return identity.life * CHALLENGES_PER_LIFE + this.#challenges
  }

  /** Notes that an input comes now. Returns the milliseconds since the last one; 0 for the first. */
  noteInput(): number {
    const { nowMs } = this.#context.chain
    const awayMs = this.#lastStepMs === 0 ? 0 : nowMs - this.#lastStepMs
    this.#lastStepMs = nowMs
    return awayMs
  }

  /**
   * Whether its own votes must be asked for again after so many milliseconds without an input. A machine that slept, or was
   * put back to an earlier state, finds a clock that has gone on without it.
   */
  isAway(awayMs: number, protocol: { readonly state: LogState }): boolean {
    if (awayMs <= AWAY_MS || this.#self === null || this.#context.halted !== null) return false
    // The state is read last: there is an input for each message, and a state costs a pass over the members.
    return this.#canAsk && awayMs > AWAY_TIMEOUTS * protocol.state.timeoutMs
  }

  /** What was forgotten at the start is decided by now, unless the protocol still asks for it. */
  noteAbsence({ isRecalling }: LogState): void {
    if (!isRecalling) this.#forgotten = null
  }

  /** Persists a record of the protocol; null removes. */
  keep(key: string, record: unknown, protocol: { readonly state: LogState }): void {
    // A node that does not vote has nothing to keep; a record would let it vote after the next start.
    if (this.#self === null || !this.#mayKeepVotes(protocol)) return
    const { kit } = this.#context.options
    this.#persist(COMMITTEE_KEYS.vote(key), record === null ? null : kit.codec.encodeRecord(record))
    if (record === null) return
    const mark = advanceMark(this.#mark, kit.anatomy.record(record))
    if (mark === this.#mark) return
    this.#mark = mark
    this.#persist(COMMITTEE_KEYS.mark, encodeMark(mark))
  }

  /** Until the others have answered, a new folder keeps no vote: after the next start it is as new as before. */
  #mayKeepVotes(protocol: { readonly state: LogState }): boolean {
    if (!this.#isFresh) return true
    if (protocol.state.isRecalling) return false
    this.#isFresh = false
    this.#persist(COMMITTEE_KEYS.untried, null)
    return true
  }

  /**
   * Whether votes must be lost: the folder is new, and yet a decision has this validator's vote. What else it voted for is
   * not known, unless its mark tells of it.
   */
  showsLostVotes(decision: Decision, protocol: { readonly state: LogState }): boolean {
    if (!this.#isFresh || !protocol.state.isRecalling) return false
    const { view, voters } = this.#context.options.kit.anatomy.decision(decision)
    if (this.#self === null || !voters.includes(this.#self)) return false
    return !tellsOfCommit(this.#mark, { sequence: decision.sequence, view })
  }

  /** From here on this node only follows, for its folder is new and its validator has voted before. */
  abstain(): void {
    this.#self = null
    this.#mute(FOLDER_IS_NEW)
    // The next start finds a chain without votes, and not the signature again.
    this.#persist(COMMITTEE_KEYS.untried, null)
  }

  #mute(reason: string): void {
    this.#muted = reason
    this.#alarmMuted(reason)
  }

  #alarmMuted(reason: string): void {
    this.#context.alarm(`this validator does not vote: ${reason}`)
  }

  #describeForgotten({ sequence, view }: Forgotten): string {
    const given = [
      ...(sequence === 0 ? [] : [`votes up to decision ${sequence}`]),
      ...(view === 0 ? [] : [`view changes up to view ${view}`]),
    ].join(' and ')
    const [gave, until] = this.#canAsk
      ? ['signed', 'until the others have decided that much it stays out']
      : ['gave', 'it stays out, for nothing is signed that others could show it']
    return `by the mark beside its key it ${gave} ${given}, of which this folder holds no record: it was emptied, or is an older copy; ${until}; to put its newest folder back is safe, --forget-votes is not`
  }

  #persist(key: string, value: Uint8Array | null): void {
    this.#context.emit({ type: 'persist', key, value })
  }
}
