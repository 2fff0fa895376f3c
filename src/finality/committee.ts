// A committee: the validators of the genesis file agree, by a protocol of src/consensus, on one block after the other,
// and what they decide is final. This joins the protocol, which knows nothing of blocks, to the chain; what may be
// decided, and when, is a policy's (next-block.ts, mined-checkpoint.ts).
//
// The protocol decides block ids. A certificate may come before its block does: then the block is fetched, and the
// decision waits. Votes are durable before they leave, and a node whose votes are lost does not vote again.

import { addressBytes } from '../chain/address.ts'
import { sha256 } from '../chain/hash.ts'
import type { BlockId } from '../chain/header.ts'
import type { ChainedHeader } from '../chain/header-chain.ts'
import { addressOfSecretKey } from '../chain/signature.ts'
import { InputQueue } from '../collections/input-queue.ts'
import type { LogKit } from '../consensus/kit.ts'
import {
  type Application,
  type Decision,
  JUMP_MAX,
  type LogEffect,
  type LogInput,
  NO_VALUE,
  type ProposalOrigin,
  RETRANSMIT,
  type Validity,
  type Value,
} from '../consensus/log.ts'
import type { MemberIndex } from '../consensus/process.ts'
import { equalBytes } from '../encoding/bytes.ts'
import { describeAgreement } from './agreement-report.ts'
import { COMMITTEE_KEYS, readCommitteeRecords, readStoredDecision } from './committee-records.ts'
import type {
  AgreementReport,
  ChainAccess,
  Finality,
  FinalityEffect,
  FinalityInput,
  FinalityTimer,
  PeerId,
} from './contract.ts'
import { type Content, decodeEnvelope, describeContent, encodeEnvelope, helloDigest } from './envelope.ts'
import { describeEvidence, describeLie, type EvidenceReport } from './evidence.ts'
import type { Evidence, EvidenceLog } from './evidence-log.ts'
import type { Identity } from './identity.ts'
import { Members } from './members.ts'
import type { LastDecision, Policy } from './policy.ts'
import { isProposalEarly } from './proposal-time.ts'
import { createSigning, type SigningDomain } from './signing.ts'
import type { ValidatorSet } from './validators.ts'
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

/** What the genesis file says of a committee, and who this node is in it. */
export interface CommitteeOptions {
  readonly validators: ValidatorSet
  /** The protocol by which the validators agree, and the genesis file's name for it. */
  readonly kit: LogKit
  readonly pattern: string
  readonly timeoutMs: number
  readonly chainId: bigint
  readonly genesisId: BlockId
  /** Seconds that a block may be ahead of the clock of a validator that votes for it. */
  readonly futureLimitSeconds: number
  readonly identity: Identity
}

/** A message of the protocol: it is read and written by its kit only. */
type Message = Parameters<LogKit['describe']>[0]

/** A decision that waits for its block, and the peer that told it. */
interface Awaited {
  readonly decision: Decision
  readonly from: PeerId
}

/** The committee's own timer: when there may be something to propose. All others are the protocol's. */
const PACE = 'pace'
/** Decisions that wait for their blocks. */
const AWAITED_MAX = 256
/** Why a validator does not vote. */
const VOTES_ARE_LOST =
  'its chain is here and the record of its votes is not, so it might contradict what it voted before; to put its old folder back is safe, --forget-votes is not'
const VOTES_ARE_ASKED_FOR =
  'it asks the others first which votes of its own they hold, for it may not remember all'
const FOLDER_IS_NEW =
  'it signed decisions of this network before, and neither this folder, which is new, nor the mark beside its key tells of those votes, so it might contradict them; to put its old folder back is safe, --forget-votes is not'
/** Times in one life that the others can be asked for this validator's votes, each with a challenge of its own. */
const CHALLENGES_PER_LIFE = 2 ** 16
/** A node that was not run for so long, and for several of its ticks, may have been put back to an earlier state. */
const AWAY_MS = 10_000
const AWAY_TICKS = 4

/** Finality by agreement. */
export class Committee implements Finality {
  readonly followsWork: boolean
  readonly #policy: Policy
  readonly #options: CommitteeOptions
  readonly #domain: SigningDomain
  #protocol!: ReturnType<LogKit['create']>
  /** Our place; null for a node that does not vote. */
  #self: MemberIndex | null = null
  readonly #members = new Members()
  /** Null where nothing is signed. */
  #evidence: EvidenceLog | null = null
  /** Decisions on nothing, by sequence number. */
  #empty = new Map<number, Decision>()
  /** Decisions whose blocks are not here yet, in order, and the furthest one that we are behind. */
  readonly #awaited: Awaited[] = []
  #target: Awaited | null = null
  /** The last decision that is applied: its sequence number, and the last block that was decided. */
  #sequence = 0
  #last!: LastDecision
  /** Peers that were told who we are since the last tick. */
  readonly #greeted = new Set<PeerId>()
  #isWaiting = false
  /** The sequence number and view for which a block is being built. */
  #building: string | null = null
  /** When the pace timer fires; null when it does not run. */
  #nextLookMs: number | null = null
  /** Whether a decision was dropped because too many waited. */
  #hasDropped = false
  /** Whether no vote was ever given from this folder, so that only the others can tell whether this validator voted before. */
  #isFresh = false
  #challenges = 0
  /** How far this validator has voted. */
  #mark = NO_VOTES
  /** What it has signed, by the mark beside its key, and does not remember. */
  #forgotten: Forgotten | null = null
  /** When the last input came, in milliseconds since 1970; 0 before the first. */
  #lastStepMs = 0
  #halted: string | null = null
  #muted: string | null = null
  /** Whose message is being handled; empty for anything else. */
  #source: PeerId = ''
  readonly #inputs = new InputQueue<LogInput<Message, unknown, Decision>>()
  #draws = 0
  #chain!: ChainAccess
  #effects: FinalityEffect[] = []

  constructor(options: CommitteeOptions, policy: Policy) {
    const { validators, chainId, genesisId } = options
    this.followsWork = policy.followsWork
    this.#policy = policy
    this.#options = options
    this.#domain = { chainId, genesisId, validatorSetId: validators.id }
  }

  prefers(candidate: ChainedHeader, head: ChainedHeader): boolean {
    return this.followsWork && candidate.work > head.work
  }

  safeHeight(head: ChainedHeader, finalHeight: number): number | null {
    return this.#policy.safeHeight(head, finalHeight)
  }

  step(input: FinalityInput, chain: ChainAccess): FinalityEffect[] {
    this.#chain = chain
    this.#considerAbsence()
    switch (input.type) {
      case 'start':
        this.#start(input.records, input.isFresh)
        break
      case 'head':
        // The node may now follow what was decided, on another branch than before.
        this.#drive({ type: 'revalidate' })
        break
      case 'pool':
        break
      case 'block':
        this.#onBlock()
        break
      case 'built':
        this.#onBuilt(input.id)
        break
      case 'peer-connected':
        this.#members.connect(input.peer)
        this.#greet(input.peer)
        this.#drive({ type: 'reachable', from: input.peer })
        break
      case 'peer-disconnected':
        this.#members.disconnect(input.peer)
        this.#greeted.delete(input.peer)
        break
      case 'message':
        this.#onMessage(input.from, input.body)
        break
      case 'timeout':
        this.#onTimeout(input.name)
        break
    }
    this.#considerDropped()
    this.#considerProposing()
    const effects = this.#effects
    this.#effects = []
    return effects
  }

  isValidator(peer: PeerId): boolean {
    return this.#members.isValidator(peer)
  }

  describe(body: Uint8Array): string {
    const { kit } = this.#options
    const envelope = decodeEnvelope(body, kit.codec)
    return envelope === null ? 'malformed' : describeContent(envelope.content, kit.describe)
  }

  report(nowMs: number): AgreementReport {
    const { validators, pattern, kit } = this.#options
    const { state } = this.#protocol
    return describeAgreement({
      validators,
      pattern,
      kit,
      self: this.#self,
      state,
      members: this.#members,
      muted: this.#muted ?? (state.isRecalling ? this.#whyRecalling() : null),
      halted: this.#halted,
      sequence: this.#sequence,
      isWaiting: this.#isWaiting,
      decidedMs: this.#last.atMs,
      nowMs,
      evidence: this.#describeEvidence(),
    })
  }

  #describeEvidence(): EvidenceReport[] {
    const { kit, genesisId, validators } = this.#options
    if (kit.signed === null) return []
    const network = { genesisId, validators, kit: kit.signed.evidence }
    return this.#proofs.map(evidence => describeEvidence(evidence, network))
  }

  #whyRecalling(): string {
    return this.#forgotten === null ? VOTES_ARE_ASKED_FOR : describeForgotten(this.#forgotten)
  }

  /** How much is remembered of what others said, whoever lies: it has a bound (see the tests). */
  get size(): number {
    return this.#protocol.size + this.#awaited.length
  }

  // ---- start

  #start(records: ReadonlyMap<string, Uint8Array>, isFresh: boolean): void {
    const { kit } = this.#options
    const { votes, voter, mark, evidence, empty, conflict } = readCommitteeRecords(records, kit)
    this.#evidence = evidence
    this.#empty = empty
    if (conflict !== null) this.#halt(conflict)
    const { final } = this.#chain
    this.#last = { block: final, atMs: final.header.time * 1000 }
    const last = this.#chain.certificateAt(final.height)
    this.#sequence =
      last === null ? 0 : readStoredDecision(`certificate of block ${final.height}`, last, kit.codec).sequence
    while (this.#empty.has(this.#sequence + 1)) this.#sequence += 1
    this.#disownVotes(voter, votes)
    const facts = [...votes.values()].map(record => kit.anatomy.record(record))
    for (const id of new Set(facts.flatMap(({ values }) => values)))
      this.#emit({ type: 'hold', id: id as BlockId })
    const { mayForgetVotes } = this.#options.identity
    const isUntried = isFresh || (records.has(COMMITTEE_KEYS.untried) && votes.size === 0)
    this.#isFresh = isUntried && !mayForgetVotes
    this.#createProtocol(votes.size > 0 || isUntried || mayForgetVotes)
    if (this.#self !== null) {
      const { address } = this.#options.validators.validators[this.#self]!
      this.#emit({ type: 'persist', key: COMMITTEE_KEYS.voter, value: addressBytes(address) })
      const untried = this.#isFresh ? new Uint8Array() : null
      this.#emit({ type: 'persist', key: COMMITTEE_KEYS.untried, value: untried })
    }
    // The last stable checkpoint may be above the last decision that is applied.
    this.#startMark(mark, markOf(facts), Math.max(0, ...facts.map(({ stable }) => stable)))
    for (const { member } of this.#proofs) this.#drive({ type: 'convicted', member })
    const challenge = kit.signed === null ? null : this.#nextChallenge()
    const forgotten = this.#forgotten
    this.#drive({ type: 'start', records: votes, decided: this.#sequence, challenge, forgotten })
  }

  /** Compares how far it voted, by the mark, with what its records tell: votes, and up to where they were settled. */
  #startMark(mark: VoteMark | null, known: VoteMark, settled: number): void {
    if (this.#self === null) return
    const { mayForgetVotes } = this.#options.identity
    this.#mark = mark === null || mayForgetVotes ? known : furthest(mark, known)
    this.#forgotten = forgottenOf(this.#mark, known, Math.max(this.#sequence, settled))
    if (this.#forgotten !== null) this.#alarmMuted(describeForgotten(this.#forgotten))
    this.#emit({ type: 'persist', key: COMMITTEE_KEYS.mark, value: encodeMark(this.#mark) })
  }

  /** A number that this validator never asked with before. A machine that is put back twice to one moment is so at two hours. */
  #nextChallenge(): number {
    this.#challenges = (this.#challenges + 1 + this.#chain.nowMs) % CHALLENGES_PER_LIFE
    return this.#options.identity.life * CHALLENGES_PER_LIFE + this.#challenges
  }

  /** A machine that slept, or was put back to an earlier state, finds a clock that has gone on without it. */
  #considerAbsence(): void {
    const { nowMs } = this.#chain
    const awayMs = this.#lastStepMs === 0 ? 0 : nowMs - this.#lastStepMs
    this.#lastStepMs = nowMs
    if (awayMs <= AWAY_MS || this.#self === null || this.#halted !== null) return
    if (this.#options.kit.signed === null) return
    if (awayMs <= AWAY_TICKS * this.#protocol.state.timeoutMs) return
    if (!this.#protocol.state.isRecalling) this.#forgotten = null
    this.#drive({ type: 'recall', challenge: this.#nextChallenge() })
  }

  /** Votes that another validator gave from this folder are not ours; they are removed only to make room for ours. */
  #disownVotes(voter: Uint8Array | null, votes: Map<string, unknown>): void {
    const { secretKey, mayForgetVotes } = this.#options.identity
    const own = secretKey === null ? null : addressBytes(addressOfSecretKey(secretKey))
    if (voter === null || own === null || equalBytes(voter, own)) return
    if (mayForgetVotes)
      for (const key of votes.keys())
        this.#emit({ type: 'persist', key: COMMITTEE_KEYS.vote(key), value: null })
    votes.clear()
  }

  #createProtocol(mayVote: boolean): void {
    const { validators, kit, timeoutMs, identity } = this.#options
    const { secretKey } = identity
    const own = secretKey === null ? null : validators.indexOf(addressOfSecretKey(secretKey))
    const self = mayVote ? own : null
    this.#self = self
    this.#muted = own === self ? null : VOTES_ARE_LOST
    if (this.#muted !== null) this.#alarmMuted(this.#muted)
    const keys = { ...identity, ...this.#domain, validators, secretKey: self === null ? null : secretKey }
    const signing = kit.signed === null ? null : createSigning(kit.signed, keys)
    const application: Application<Decision> = {
      validate: (sequence, value, origin) => this.#validate(sequence, value, origin),
      decision: sequence => this.#decision(sequence),
    }
    this.#protocol = kit.create({
      n: validators.size,
      self,
      signing,
      application,
      timeoutMs,
      retransmitMs: Math.ceil(timeoutMs / 2),
      pipeline: 1,
      random: () => this.#draw(),
    })
  }

  /** A number from 0 to below 1 that other members don't draw, and this one again in the same life. */
  #draw(): number {
    const seed = `${this.#options.identity.life} ${this.#self} ${this.#draws++}`
    const bytes = sha256(new TextEncoder().encode(seed))
    return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0) / 2 ** 32
  }

  // ---- what the protocol asks

  #validate(sequence: number, value: Value, origin: ProposalOrigin): Validity {
    if (sequence !== this.#sequence + 1) return 'unknown'
    const block = this.#chain.get(value as BlockId)
    if (block === null) return 'unknown'
    const { nowMs } = this.#chain
    const { futureLimitSeconds } = this.#options
    // It may be right later, and is looked at again. What is proposed again an honest validator has found right.
    if (!origin.isReproposed && isProposalEarly(block, this.#last.block, { nowMs, futureLimitSeconds }))
      return 'unknown'
    const validity = this.#policy.validate(block, this.#last, this.#chain, origin)
    // Our vote is a promise that the block can be had: should it be decided, somebody must have it.
    if (validity === 'valid') this.#emit({ type: 'hold', id: block.id })
    return validity
  }

  #decision(sequence: number): Decision | null {
    const empty = this.#empty.get(sequence)
    if (empty !== undefined) return empty
    const bytes = this.#chain.certificateOf(sequence)
    return bytes === null
      ? null
      : readStoredDecision(`certificate of decision ${sequence}`, bytes, this.#options.kit.codec)
  }

  // ---- what the protocol wants

  /** Gives the protocol an input, and performs its effects; an input that results from these is queued. */
  #drive(input: LogInput<Message, unknown, Decision>): void {
    this.#inputs.add(input, next => {
      if (this.#halted === null) this.#perform(this.#protocol.step(next))
    })
  }

  #perform(effects: readonly LogEffect<Message, unknown, Decision, Evidence>[]): void {
    const { kit } = this.#options
    for (const effect of effects) {
      switch (effect.type) {
        case 'persist': {
          // A node that does not vote has nothing to keep; a record would let it vote after the next start.
          if (this.#self === null || !this.#mayKeepVotes()) break
          const value = effect.record === null ? null : kit.codec.encodeRecord(effect.record)
          this.#emit({ type: 'persist', key: COMMITTEE_KEYS.vote(effect.key), value })
          if (effect.record !== null) this.#advanceMark(effect.record)
          break
        }
        case 'send':
          this.#sendTo(this.#members.peerOf(effect.to), effect.message)
          break
        case 'reply':
          this.#sendTo(effect.to, effect.message)
          break
        case 'broadcast':
          this.#emit({
            type: 'broadcast',
            body: this.#seal(effect.message),
            block: this.#blockOf(effect.message),
          })
          break
        case 'set-timer':
        case 'clear-timer':
          this.#emit(effect)
          break
        case 'decide':
          this.#onDecided(effect.decision)
          break
        case 'behind':
          this.#onBehind(effect.decision, effect.from)
          break
        case 'missing':
          this.#want(effect.value as BlockId, { voters: [], speaker: effect.from, isDecided: false })
          break
        case 'evidence':
          this.#onEvidence(effect.evidence)
          break
        case 'conflict':
          this.#onConflict(effect.first, effect.second)
          break
        case 'diverged':
          this.#halt(
            `n − f validators attest another state than ours at decision ${effect.decision.sequence}`,
          )
          break
        case 'exhausted':
          this.#halt(`no view is left after view ${effect.view}: more than f validators are faulty`)
          break
        case 'refuse':
          this.#emit({ type: 'refuse', from: effect.from, reason: effect.reason })
          break
      }
    }
  }

  #advanceMark(record: unknown): void {
    const mark = advanceMark(this.#mark, this.#options.kit.anatomy.record(record))
    if (mark === this.#mark) return
    this.#mark = mark
    this.#emit({ type: 'persist', key: COMMITTEE_KEYS.mark, value: encodeMark(mark) })
  }

  /** Until the others have answered, a new folder keeps no vote: after the next start it is as new as before. */
  #mayKeepVotes(): boolean {
    if (!this.#isFresh) return true
    if (this.#protocol.state.isRecalling) return false
    this.#isFresh = false
    this.#emit({ type: 'persist', key: COMMITTEE_KEYS.untried, value: null })
    return true
  }

  #onDecided(decision: Decision): void {
    if (this.#awaited.length >= AWAITED_MAX) {
      this.#hasDropped = true
      return
    }
    this.#awaited.push({ decision, from: this.#source })
    this.#applyAwaited()
  }

  /** What was dropped is got again once nothing waits any more. */
  #considerDropped(): void {
    if (!this.#hasDropped || this.#awaited.length > 0 || this.#halted !== null) return
    this.#hasDropped = false
    this.#drive({ type: 'lost', decided: this.#sequence })
  }

  /** Others are ahead by more than one decision: their last one settles all before it, once we have its block. */
  #onBehind(decision: Decision, from: PeerId): void {
    const { isDecision } = this.#options.kit.anatomy.decision(decision)
    if (!isDecision || decision.value === NO_VALUE) return
    const known = this.#target?.decision.sequence ?? Number.POSITIVE_INFINITY
    if (!isBetterTarget(decision.sequence, known, this.#sequence + JUMP_MAX)) return
    this.#target = { decision, from }
    this.#applyTarget()
  }

  /** A block came: what waited for it can go on. */
  #onBlock(): void {
    this.#applyAwaited()
    this.#applyTarget()
    this.#drive({ type: 'revalidate' })
  }

  #applyAwaited(): void {
    if (this.#halted !== null) return
    for (let next = this.#awaited[0]; next !== undefined; next = this.#awaited[0]) {
      const { decision, from } = next
      if (decision.sequence > this.#sequence && !this.#apply(decision, from)) return
      this.#awaited.shift()
      this.#drive({ type: 'executed', sequence: decision.sequence, digest: decision.value })
    }
    this.#drive({ type: 'revalidate' })
  }

  #applyTarget(): void {
    const target = this.#target
    if (target === null || this.#halted !== null) return
    const { decision, from } = target
    if (decision.sequence > this.#sequence && !this.#apply(decision, from)) return
    this.#target = null
    this.#drive({ type: 'settled', decision })
    this.#applyAwaited()
  }

  /** Makes the decided block final; false, and the block is asked for, while it is not here. */
  #apply(decision: Decision, from: PeerId): boolean {
    const { sequence, value } = decision
    const { codec, anatomy } = this.#options.kit
    if (value === NO_VALUE) {
      this.#empty.set(sequence, decision)
      const value = codec.encodeDecision(decision)
      this.#emit({ type: 'persist', key: COMMITTEE_KEYS.empty(sequence), value })
    } else {
      const block = this.#chain.get(value as BlockId)
      if (block === null) {
        const { voters } = anatomy.decision(decision)
        this.#want(value as BlockId, { voters, speaker: from, isDecided: true })
        return false
      }
      this.#last = { block, atMs: this.#chain.nowMs }
      const proof = { sequence, bytes: codec.encodeDecision(decision) }
      this.#emit({ type: 'final', id: block.id, certificate: proof })
    }
    if (this.#isFresh && this.#protocol.state.isRecalling) this.#considerAbstaining(decision)
    this.#sequence = sequence
    this.#building = null
    this.#tellFollowers(decision)
    return true
  }

  /** The folder is new, and yet this validator has voted: what else it voted for is lost, unless its mark tells of it. */
  #considerAbstaining(decision: Decision): void {
    const { view, voters } = this.#options.kit.anatomy.decision(decision)
    if (this.#self === null || !voters.includes(this.#self)) return
    if (tellsOfCommit(this.#mark, { sequence: decision.sequence, view })) return
    this.#self = null
    this.#muted = FOLDER_IS_NEW
    this.#alarmMuted(FOLDER_IS_NEW)
    // The next start finds a chain without votes, and not the signature again.
    this.#emit({ type: 'persist', key: COMMITTEE_KEYS.untried, value: null })
    this.#drive({ type: 'abstain' })
  }

  #alarmMuted(reason: string): void {
    this.#emit({ type: 'alarm', text: `this validator does not vote: ${reason}` })
  }

  /** Asks for a block that is needed and not here. */
  #want(
    id: BlockId,
    {
      voters,
      speaker,
      isDecided,
    }: {
      readonly voters: readonly MemberIndex[]
      readonly speaker: PeerId
      readonly isDecided: boolean
    },
  ): void {
    if (this.#chain.get(id) !== null) return
    this.#emit({ type: 'want', id, holders: this.#members.holders(voters, speaker), isDecided })
  }

  /** A node that does not vote may not have heard the votes: it is told the decision. */
  #tellFollowers(decision: Decision): void {
    const message = this.#options.kit.anatomy.tell(decision)
    for (const peer of this.#members.followers()) if (peer !== this.#source) this.#sendTo(peer, message)
  }

  // ---- proposing

  #considerProposing(): void {
    if (this.#halted !== null) return
    // The clock was set back, and how long ago the decision came is not known: it counts from now.
    if (this.#chain.nowMs < this.#last.atMs) this.#last = { ...this.#last, atMs: this.#chain.nowMs }
    // Who lacks a block that was decided can not tell whether the next proposer is slow.
    const isCurrent = this.#awaited.length === 0 && this.#target === null
    const proposal = isCurrent ? this.#policy.nextProposal(this.#last, this.#chain) : null
    const isWaiting = proposal !== null
    if (isWaiting !== this.#isWaiting) {
      this.#isWaiting = isWaiting
      this.#drive({ type: 'demand', isWaiting })
    }
    if (!isCurrent) return
    if (proposal === null) return this.#lookAgainLater()
    if (!this.#mayPropose()) return
    if (proposal !== 'build') return this.#drive({ type: 'propose', value: proposal })
    const place = `${this.#sequence + 1}/${this.#protocol.state.view}`
    if (this.#building === place) return
    this.#building = place
    const beneficiary = this.#options.validators.validators[this.#self!]!.address
    this.#emit({ type: 'build', beneficiary })
  }

  #mayPropose(): boolean {
    const { turn } = this.#protocol
    return turn === 'any' || turn === this.#sequence + 1
  }

  #lookAgainLater(): void {
    const atMs = this.#policy.nextLookMs(this.#last, this.#chain)
    if (atMs === null || atMs === this.#nextLookMs) return
    this.#nextLookMs = atMs
    this.#emit({ type: 'set-timer', name: PACE, delayMs: Math.max(1, atMs - this.#chain.nowMs) })
  }

  #onTimeout(name: FinalityTimer): void {
    switch (name) {
      case PACE:
        this.#nextLookMs = null
        return
      case RETRANSMIT:
        this.#greetAgain()
        this.#applyAwaited()
        this.#applyTarget()
    }
    this.#drive({ type: 'timeout', name })
  }

  #onBuilt(id: BlockId | null): void {
    if (id === null || !this.#mayPropose()) return
    const validity = this.#validate(this.#sequence + 1, id, { isReproposed: false })
    if (validity === 'valid') this.#drive({ type: 'propose', value: id })
  }

  // ---- peers

  #onMessage(from: PeerId, body: Uint8Array): void {
    const { kit } = this.#options
    const envelope = decodeEnvelope(body, kit.codec)
    if (envelope === null) return this.#emit({ type: 'refuse', from, reason: 'malformed' })
    const { content, clockMs } = envelope
    if (content.type === 'hello') return this.#onHello(from, content)
    const status = kit.anatomy.status(content.message)
    if (status !== null) this.#members.note(status, from, { clockMs, chain: this.#chain })
    this.#source = from
    this.#drive({ type: 'message', from, message: content.message })
    this.#source = ''
  }

  /** While validators are missing they may be among the peers, and the hello of one or ours to it be lost. */
  #greetAgain(): void {
    this.#greeted.clear()
    if (this.#members.count < this.#options.validators.size - 1)
      for (const peer of this.#members.followers()) this.#greet(peer)
  }

  /** Tells a peer which validator we are, once between two ticks. */
  #greet(peer: PeerId): void {
    const { secretKey, sign, peer: own } = this.#options.identity
    if (this.#self === null || secretKey === null || this.#greeted.has(peer)) return
    this.#greeted.add(peer)
    const signature = sign(helloDigest(this.#domain, own), secretKey)
    const content: Content<never> = { type: 'hello', member: this.#self, signature }
    this.#emit({ type: 'send', to: peer, body: this.#envelope(content), block: null })
  }

  #onHello(from: PeerId, { member, signature }: Extract<Content<never>, { type: 'hello' }>): void {
    // It left while its message waited for its turn.
    if (!this.#members.isConnected(from)) return
    const signer = this.#options.identity.recover(helloDigest(this.#domain, from), signature)
    if (signer === null || this.#options.validators.indexOf(signer) !== member)
      return this.#emit({ type: 'refuse', from, reason: 'hello-forged' })
    const other = member === this.#self ? this.#options.identity.peer : this.#members.peerOf(member)
    if (other !== undefined && other !== from) this.#onTwin(member, other, from)
    if (member === this.#self) return
    // A peer that says it again does not know who we are.
    if (other === from) this.#greet(from)
    this.#members.bind(member, from)
  }

  /** One key in two places: sooner or later they contradict each other. */
  #onTwin(member: MemberIndex, first: PeerId, second: PeerId): void {
    if (!this.#members.isNewTwin(member)) return
    const text = `the key of validator ${this.#name(member)} is in use at two peers, ${first} and ${second}`
    this.#emit({ type: 'alarm', text })
  }

  #sendTo(peer: PeerId | undefined, message: Message): void {
    if (peer === undefined || peer === '') return
    this.#emit({ type: 'send', to: peer, body: this.#seal(message), block: this.#blockOf(message) })
  }

  /** The block that a message speaks of to those that may not have it: only a proposal does. */
  #blockOf(message: Message): BlockId | null {
    const { role, value } = this.#options.kit.anatomy.message(message)
    return role === 'proposal' ? (value as BlockId) : null
  }

  #seal(message: Message): Uint8Array {
    return this.#envelope({ type: 'protocol', message })
  }

  #envelope(content: Content<Message>): Uint8Array {
    return encodeEnvelope({ clockMs: this.#chain.nowMs, content }, this.#options.kit.codec)
  }

  // ---- lies

  get #proofs(): readonly Evidence[] {
    return this.#evidence?.all ?? []
  }

  #onEvidence(evidence: Evidence): void {
    const record = this.#evidence?.add(evidence) ?? null
    if (record === null) return
    this.#emit({ type: 'persist', key: COMMITTEE_KEYS.evidence(record.key), value: record.bytes })
    const lie = describeLie(this.#options.kit.signed!.evidence.lie(evidence))
    this.#emit({ type: 'alarm', text: `validator ${this.#name(evidence.member)} ${lie}` })
  }

  #onConflict(first: Decision, second: Decision): void {
    const { kit, validators } = this.#options
    for (const evidence of kit.signed?.evidence.between(first, second) ?? []) this.#onEvidence(evidence)
    const [one, other] = [first, second].map(decision => kit.describeDecision(decision))
    const proven = [...new Set(this.#proofs.map(({ member }) => member))].sort((a, b) => a - b)
    const names = proven.map(member => this.#name(member)).join(', ')
    this.#halt(
      `two certificates for decision ${first.sequence}, ${one} and ${other}: more than the ${kit.model.tolerated(validators.size)} liars that can be borne; ${names === '' ? 'this node can prove of none who it is' : `proven to have lied: ${names}`}`,
    )
  }

  #halt(reason: string): void {
    this.#halted = reason
    this.#emit({ type: 'persist', key: COMMITTEE_KEYS.conflict, value: new TextEncoder().encode(reason) })
    this.#emit({ type: 'alarm', text: `finality has stopped: ${reason}` })
  }

  // ---- small words

  #name(member: MemberIndex): string {
    return this.#options.validators.validators[member]?.name ?? `#${member}`
  }

  #emit(effect: FinalityEffect): void {
    this.#effects.push(effect)
  }
}

function describeForgotten({ sequence, view }: Forgotten): string {
  const signed = [
    ...(sequence === 0 ? [] : [`votes up to decision ${sequence}`]),
    ...(view === 0 ? [] : [`view changes up to view ${view}`]),
  ]
  return `by the mark beside its key it signed ${signed.join(' and ')}, of which this folder holds no record: it was emptied, or is an older copy; until the others have decided that much it stays out; to put its newest folder back is safe, --forget-votes is not`
}

/** Whether to catch up to this decision rather than that: the furthest that is in reach, or else the nearest. */
function isBetterTarget(sequence: number, known: number, reach: number): boolean {
  if (sequence > reach) return sequence < known
  return known > reach || sequence > known
}
