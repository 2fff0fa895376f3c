// A committee: the validators of the genesis file agree, by a protocol of src/consensus, on one block after the other,
// and what they decide is final. This joins the protocol, which knows nothing of blocks, to the chain; what may be
// decided, and when, is a policy's (pbft.ts, hybrid.ts).
//
// The protocol decides block ids. A certificate may come before its block does: then the block is fetched, and the
// decision waits. Votes are durable before they leave, and a node whose votes are lost does not vote again.

import { addressBytes } from '../chain/address.ts'
import { type BlockId, NO_BLOCK } from '../chain/header.ts'
import type { ChainedHeader } from '../chain/header-chain.ts'
import { addressOfSecretKey } from '../chain/signature.ts'
import type { Application, ProposalOrigin, Validity, Value } from '../consensus/log.ts'
import { JUMP_MAX, NO_VALUE } from '../consensus/log.ts'
import type { PbftMessage, PbftRecord, Statement } from '../consensus/pbft/messages.ts'
import { type Pattern, Pbft } from '../consensus/pbft/pbft.ts'
import type { Certificate, Contradiction, Evidence } from '../consensus/pbft/votes.ts'
import type { MemberIndex } from '../consensus/process.ts'
import type { Signing } from '../consensus/signed.ts'
import { equalBytes } from '../encoding/bytes.ts'
import { describeAgreement } from './agreement-report.ts'
import { Liar, type Member } from './byzantine/liar.ts'
import type { LiarEffect, LiarInput } from './byzantine/lie.ts'
import { encodeCertificate } from './certificates.ts'
import { COMMITTEE_KEYS, readCommitteeRecords, readStoredCertificate } from './committee-records.ts'
import type {
  AgreementReport,
  ChainAccess,
  Finality,
  FinalityEffect,
  FinalityInput,
  FinalityPeer,
  FinalityTimer,
} from './contract.ts'
import { type Content, decodeEnvelope, describeContent, encodeEnvelope, helloDigest } from './envelope.ts'
import { describeEvidence, describeLie, lieOf } from './evidence.ts'
import { EvidenceLog } from './evidence-log.ts'
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
import { encodePbftRecord } from './wire.ts'

/** What the genesis file says of a committee, and who this node is in it. */
export interface CommitteeOptions {
  readonly validators: ValidatorSet
  readonly pattern: Pattern
  readonly timeoutMs: number
  readonly chainId: bigint
  readonly genesisId: BlockId
  /** Seconds that a block may be ahead of the clock of a validator that votes for it. */
  readonly futureLimitSeconds: number
  readonly identity: Identity
}

/** Certificates that wait for their blocks. */
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
  readonly mode: string
  readonly followsWork: boolean
  readonly #policy: Policy
  readonly #options: CommitteeOptions
  readonly #domain: SigningDomain
  #protocol!: Member
  /** Our place; null for a node that does not vote. */
  #self: MemberIndex | null = null
  readonly #members = new Members()
  #evidence = new EvidenceLog()
  /** Decisions on nothing, by sequence number. */
  #empty = new Map<number, Certificate>()
  /** Decisions whose blocks are not here yet, in order, and the furthest one that we are behind. */
  readonly #awaited: { readonly certificate: Certificate; readonly from: FinalityPeer }[] = []
  #target: { readonly certificate: Certificate; readonly from: FinalityPeer } | null = null
  /** The last decision that is applied: its sequence number, and the last block that was decided. */
  #sequence = 0
  #last!: LastDecision
  /** Peers that were told who we are since the last tick. */
  readonly #greeted = new Set<FinalityPeer>()
  #isWaiting = false
  /** The sequence number and view for which a block is being built, and the blocks that were. */
  #building: string | null = null
  #built: readonly BlockId[] = []
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
  #source: FinalityPeer = ''
  /** What the protocol is still to be told; the first is being handled. */
  readonly #inputs: LiarInput[] = []
  #chain!: ChainAccess
  #effects: FinalityEffect[] = []

  constructor(options: CommitteeOptions, policy: Policy) {
    const { validators, chainId, genesisId } = options
    this.mode = policy.mode
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
        this.#onBuilt(input.ids)
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

  isValidator(peer: FinalityPeer): boolean {
    return this.#members.isValidator(peer)
  }

  describe(body: Uint8Array): string {
    const envelope = decodeEnvelope(body)
    return envelope === null ? 'malformed' : describeContent(envelope.content)
  }

  report(nowMs: number): AgreementReport {
    const { validators, pattern, genesisId } = this.#options
    const { state } = this.#protocol
    return describeAgreement({
      validators,
      pattern,
      self: this.#self,
      state,
      members: this.#members,
      muted: this.#muted ?? (state.isRecalling ? this.#whyRecalling() : null),
      halted: this.#halted,
      sequence: this.#sequence,
      isWaiting: this.#isWaiting,
      decidedMs: this.#last.atMs,
      nowMs,
      evidence: this.#evidence.all.map(evidence => describeEvidence(evidence, { genesisId, validators })),
    })
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
    const { votes, voter, mark, evidence, empty, conflict } = readCommitteeRecords(records)
    this.#evidence = evidence
    this.#empty = empty
    if (conflict !== null) this.#halt(conflict)
    const { final } = this.#chain
    this.#last = { block: final, atMs: final.header.time * 1000 }
    const last = this.#chain.certificateAt(final.height)
    this.#sequence =
      last === null ? 0 : readStoredCertificate(`certificate of block ${final.height}`, last).sequence
    while (this.#empty.has(this.#sequence + 1)) this.#sequence += 1
    this.#disownVotes(voter, votes)
    for (const id of votedFor(votes.values())) this.#emit({ type: 'hold', id })
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
    this.#startMark(mark, markOf(votes.values()), settledBy(votes.values()))
    for (const { member } of this.#evidence.all) this.#drive({ type: 'convicted', member })
    const challenge = this.#nextChallenge()
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
    if (awayMs <= AWAY_TICKS * this.#protocol.state.timeoutMs) return
    if (!this.#protocol.state.isRecalling) this.#forgotten = null
    this.#drive({ type: 'recall', challenge: this.#nextChallenge() })
  }

  /** Votes that another validator gave from this folder are not ours; they are removed only to make room for ours. */
  #disownVotes(voter: Uint8Array | null, votes: Map<string, PbftRecord>): void {
    const { secretKey, mayForgetVotes } = this.#options.identity
    const own = secretKey === null ? null : addressBytes(addressOfSecretKey(secretKey))
    if (voter === null || own === null || equalBytes(voter, own)) return
    if (mayForgetVotes)
      for (const key of votes.keys())
        this.#emit({ type: 'persist', key: COMMITTEE_KEYS.vote(key), value: null })
    votes.clear()
  }

  #createProtocol(mayVote: boolean): void {
    const { validators, pattern, timeoutMs, identity } = this.#options
    const network = { ...this.#domain, validators }
    const own = createSigning({ ...identity, ...network })
    const signing =
      mayVote || own.self === null ? own : createSigning({ ...identity, ...network, secretKey: null })
    this.#self = signing.self
    this.#muted = signing === own ? null : VOTES_ARE_LOST
    if (this.#muted !== null) this.#alarmMuted(this.#muted)
    const application: Application<Certificate> = {
      validate: (sequence, value, origin) => this.#validate(sequence, value, origin),
      decision: sequence => this.#decision(sequence),
    }
    const honest = new Pbft({
      n: validators.size,
      pattern,
      signing,
      application,
      timeoutMs,
      retransmitMs: Math.ceil(timeoutMs / 2),
      checkpointInterval: checkpointInterval(validators.size),
      pipeline: 1,
    })
    this.#protocol = signing.self === null ? honest : this.#inBadHands(honest, signing)
  }

  /** The replica as its owner wants it: on networks for tests he may want it to lie. */
  #inBadHands(honest: Pbft, signing: Signing<Statement>): Member {
    const { validators, timeoutMs, identity } = this.#options
    if (identity.lie === null) return honest
    const { role, accomplices } = identity.lie
    const { chainId } = this.#domain
    const elsewhere = [{ chainId: chainId + 1n }, { genesisId: NO_BLOCK }].map(
      other => createSigning({ ...identity, ...this.#domain, ...other, validators }).sign,
    )
    return new Liar(honest, role, {
      n: validators.size,
      signing,
      elsewhere,
      timeoutMs,
      checkpointInterval: checkpointInterval(validators.size),
      accomplices,
      alternative: value => this.#alternative(value as BlockId),
      lowest: () => this.#lowest(),
    })
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

  #decision(sequence: number): Certificate | null {
    const empty = this.#empty.get(sequence)
    if (empty !== undefined) return empty
    const bytes = this.#chain.certificateOf(sequence)
    return bytes === null ? null : readStoredCertificate(`certificate of decision ${sequence}`, bytes)
  }

  // ---- what the protocol wants

  /**
   * Gives the protocol an input, and does what it wants done. An input that follows from that waits for its turn: else
   * a timer that the later step sets could be cleared by the rest of the earlier one.
   */
  #drive(input: LiarInput): void {
    this.#inputs.push(input)
    if (this.#inputs.length > 1) return
    for (let next = this.#inputs[0]; next !== undefined; next = this.#inputs[0]) {
      if (this.#halted === null) this.#perform(this.#protocol.step(next))
      this.#inputs.shift()
    }
  }

  #perform(effects: readonly LiarEffect[]): void {
    for (const effect of effects) {
      switch (effect.type) {
        case 'persist': {
          // A node that does not vote has nothing to keep; a record would let it vote after the next start.
          if (this.#self === null || !this.#mayKeepVotes()) break
          const value = effect.record === null ? null : encodePbftRecord(effect.record)
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
          this.#emit({ type: 'broadcast', body: this.#seal(effect.message), block: blockOf(effect.message) })
          break
        case 'broadcast-bytes':
          this.#emit({ type: 'broadcast', body: effect.bytes, block: null })
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

  #advanceMark(record: PbftRecord): void {
    const mark = advanceMark(this.#mark, record)
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

  #onDecided(certificate: Certificate): void {
    if (this.#awaited.length >= AWAITED_MAX) {
      this.#hasDropped = true
      return
    }
    this.#awaited.push({ certificate, from: this.#source })
    this.#applyAwaited()
  }

  /** What was dropped is got again once nothing waits any more. */
  #considerDropped(): void {
    if (!this.#hasDropped || this.#awaited.length > 0 || this.#halted !== null) return
    this.#hasDropped = false
    this.#drive({ type: 'lost', decided: this.#sequence })
  }

  /** Others are ahead by more than one decision: their last one settles all before it, once we have its block. */
  #onBehind(certificate: Certificate, from: FinalityPeer): void {
    if (certificate.phase !== 'commit' || certificate.value === NO_VALUE) return
    const known = this.#target?.certificate.sequence ?? Number.POSITIVE_INFINITY
    if (!isBetterTarget(certificate.sequence, known, this.#sequence + JUMP_MAX)) return
    this.#target = { certificate, from }
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
      const { certificate, from } = next
      if (certificate.sequence > this.#sequence && !this.#apply(certificate, from)) return
      this.#awaited.shift()
      this.#drive({ type: 'executed', sequence: certificate.sequence, digest: certificate.value })
    }
    this.#drive({ type: 'revalidate' })
  }

  #applyTarget(): void {
    const target = this.#target
    if (target === null || this.#halted !== null) return
    const { certificate, from } = target
    if (certificate.sequence > this.#sequence && !this.#apply(certificate, from)) return
    this.#target = null
    this.#drive({ type: 'settled', decision: certificate })
    this.#applyAwaited()
  }

  /** Makes the decided block final; false, and the block is asked for, while it is not here. */
  #apply(certificate: Certificate, from: FinalityPeer): boolean {
    const { sequence, value } = certificate
    if (value === NO_VALUE) {
      this.#empty.set(sequence, certificate)
      const value = encodeCertificate(certificate)
      this.#emit({ type: 'persist', key: COMMITTEE_KEYS.empty(sequence), value })
    } else {
      const block = this.#chain.get(value as BlockId)
      if (block === null) {
        const voters = certificate.signatures.map(({ member }) => member)
        this.#want(value as BlockId, { voters, speaker: from, isDecided: true })
        return false
      }
      this.#last = { block, atMs: this.#chain.nowMs }
      const proof = { sequence, bytes: encodeCertificate(certificate) }
      this.#emit({ type: 'final', id: block.id, certificate: proof })
    }
    if (this.#isFresh && this.#protocol.state.isRecalling) this.#considerAbstaining(certificate)
    this.#sequence = sequence
    this.#building = null
    this.#tellFollowers(certificate)
    return true
  }

  /** The folder is new, and yet this validator has voted: what else it voted for is lost, unless its mark tells of it. */
  #considerAbstaining({ sequence, view, signatures }: Certificate): void {
    if (!signatures.some(({ member }) => member === this.#self)) return
    if (tellsOfCommit(this.#mark, { sequence, view })) return
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
      readonly speaker: FinalityPeer
      readonly isDecided: boolean
    },
  ): void {
    if (this.#chain.get(id) !== null) return
    this.#emit({ type: 'want', id, holders: this.#members.holders(voters, speaker), isDecided })
  }

  /** Who does not vote may not have heard the votes: they are told what came of them. */
  #tellFollowers(certificate: Certificate): void {
    for (const peer of this.#members.followers())
      if (peer !== this.#source) this.#sendTo(peer, { type: 'proof', certificate })
  }

  // ---- proposing

  #considerProposing(): void {
    if (this.#halted !== null) return
    // The clock was set back, and how long ago the decision came is not known: it counts from now.
    if (this.#chain.nowMs < this.#last.atMs) this.#last = { ...this.#last, atMs: this.#chain.nowMs }
    // Who lacks a block that was decided can not tell whether the next proposer is slow.
    const isCurrent = this.#awaited.length === 0 && this.#target === null
    const wish = isCurrent ? this.#policy.wish(this.#last, this.#chain) : null
    const isWaiting = wish !== null
    if (isWaiting !== this.#isWaiting) {
      this.#isWaiting = isWaiting
      this.#drive({ type: 'demand', isWaiting })
    }
    if (!isCurrent) return
    if (wish === null) return this.#lookAgainLater()
    const sequence = this.#protocol.turn
    if (sequence === null || sequence !== this.#sequence + 1) return
    if (wish !== 'build') return this.#drive({ type: 'propose', value: wish })
    const place = `${sequence}/${this.#protocol.state.view}`
    if (this.#building === place) return
    this.#building = place
    const beneficiary = this.#options.validators.validators[this.#self!]!.address
    this.#emit({ type: 'build', beneficiary, count: this.#options.identity.lie === null ? 1 : 2 })
  }

  #lookAgainLater(): void {
    const atMs = this.#policy.nextLookMs(this.#last, this.#chain)
    if (atMs === null || atMs === this.#nextLookMs) return
    this.#nextLookMs = atMs
    this.#emit({ type: 'set-timer', name: 'pace', delayMs: Math.max(1, atMs - this.#chain.nowMs) })
  }

  #onTimeout(name: FinalityTimer): void {
    switch (name) {
      case 'pace':
        this.#nextLookMs = null
        return
      case 'retransmit':
        this.#greetAgain()
        this.#applyAwaited()
        this.#applyTarget()
        return this.#drive({ type: 'timeout', name })
      case 'progress':
      case 'mischief':
        return this.#drive({ type: 'timeout', name })
    }
  }

  /** Another block that a liar could propose as well: of our chain the one below, or above where that is too low. */
  #alternative(id: BlockId): BlockId | null {
    const built = this.#built.find(other => other !== id)
    if (built !== undefined) return built
    const height = this.#chain.get(id)?.height ?? 0
    const below = this.#chain.ancestor(height - 1)
    const mayFollow = (other: BlockId): boolean =>
      this.#validate(this.#sequence + 1, other, { isReproposed: false }) === 'valid'
    return below !== null && mayFollow(below) ? below : this.#chain.ancestor(height + 1)
  }

  /** The first block above the last decision that is not on our chain, or else the one that is. */
  #lowest(): BlockId | null {
    const { id, height } = this.#last.block
    const first = this.#chain.ancestor(height + 1)
    for (const tip of this.#chain.tips()) {
      let at: ChainedHeader | null = tip
      while (at !== null && at.height > height + 1) at = this.#chain.get(at.header.previous)
      if (at?.header.previous === id && at.id !== first) return at.id
    }
    return first
  }

  #onBuilt(ids: readonly BlockId[]): void {
    this.#built = ids
    const [id] = ids
    if (id === undefined || this.#protocol.turn !== this.#sequence + 1) return
    const validity = this.#validate(this.#sequence + 1, id, { isReproposed: false })
    if (validity === 'valid') this.#drive({ type: 'propose', value: id })
  }

  // ---- peers

  #onMessage(from: FinalityPeer, body: Uint8Array): void {
    const envelope = decodeEnvelope(body)
    if (envelope === null) return this.#emit({ type: 'refuse', from, reason: 'malformed' })
    const { content, clockMs } = envelope
    if (content.type === 'hello') return this.#onHello(from, content)
    if (content.message.type === 'status')
      this.#members.note(content.message, from, { clockMs, chain: this.#chain })
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
  #greet(peer: FinalityPeer): void {
    const { secretKey, sign, peer: own } = this.#options.identity
    if (this.#self === null || secretKey === null || this.#greeted.has(peer)) return
    this.#greeted.add(peer)
    const signature = sign(helloDigest(this.#domain, own), secretKey)
    const content: Content = { type: 'hello', member: this.#self, signature }
    this.#emit({ type: 'send', to: peer, body: this.#envelope(content), block: null })
  }

  #onHello(from: FinalityPeer, { member, signature }: Extract<Content, { type: 'hello' }>): void {
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
  #onTwin(member: MemberIndex, first: FinalityPeer, second: FinalityPeer): void {
    if (!this.#members.isNewTwin(member)) return
    const text = `the key of validator ${this.#name(member)} is in use at two peers, ${first} and ${second}`
    this.#emit({ type: 'alarm', text })
  }

  #sendTo(peer: FinalityPeer | undefined, message: PbftMessage): void {
    if (peer === undefined || peer === '') return
    this.#emit({ type: 'send', to: peer, body: this.#seal(message), block: blockOf(message) })
  }

  #seal(message: PbftMessage): Uint8Array {
    return this.#envelope({ type: 'protocol', message })
  }

  #envelope(content: Content): Uint8Array {
    return encodeEnvelope({ clockMs: this.#chain.nowMs, content })
  }

  // ---- lies

  #onEvidence(evidence: Evidence): void {
    const record = this.#evidence.add(evidence)
    if (record === null) return
    this.#emit({ type: 'persist', key: COMMITTEE_KEYS.evidence(record.key), value: record.bytes })
    const text = `validator ${this.#name(evidence.member)} ${describeLie(lieOf(evidence))}`
    this.#emit({ type: 'alarm', text })
  }

  #onConflict(first: Certificate, second: Certificate): void {
    for (const evidence of contradictions(first, second)) this.#onEvidence(evidence)
    const [one, other] = [first, second].map(({ value, view }) => `${value} in view ${view}`)
    const proven = [...new Set(this.#evidence.all.map(({ member }) => member))].sort((a, b) => a - b)
    const names = proven.map(member => this.#name(member)).join(', ')
    this.#halt(
      `two certificates for decision ${first.sequence}, ${one} and ${other}: more than the ${this.#options.validators.faultsTolerated} liars that can be borne; ${names === '' ? 'this node can prove of none who it is' : `proven to have lied: ${names}`}`,
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

/** Decisions between two checkpoints: a new view repeats certificates of them all, and must fit in a message. */
function checkpointInterval(n: number): number {
  return Math.max(2, Math.floor(128 / Math.max(4, n)))
}

/**
 * The lies that two certificates for one decision prove. Of two views an honest member may have signed both: in the
 * later one it votes for what is proposed again, and others may have hidden what it had committed to.
 */
function contradictions(one: Certificate, other: Certificate): Contradiction[] {
  if (one.view !== other.view) return []
  const { signatures, ...vote } = one
  return signatures.flatMap(({ member, signature }) => {
    const again = other.signatures.find(signed => signed.member === member)
    if (again === undefined) return []
    const [first, second] = [
      { ...vote, signature },
      { ...vote, value: other.value, signature: again.signature },
    ]
    return [{ type: 'contradiction', member, first, second }]
  })
}

/** The blocks that may be decided by votes that were given before a restart, or by certificates that came. */
function votedFor(records: Iterable<PbftRecord>): Set<BlockId> {
  const slots = [...records].filter(record => record.type === 'slot')
  const values = slots.flatMap(({ value, prepared }) => [value, prepared?.value ?? NO_VALUE])
  return new Set(values.filter(value => value !== NO_VALUE).map(value => value as BlockId))
}

/** The last stable checkpoint of these records; it may be above the last decision that is applied. 0 for none. */
function settledBy(records: Iterable<PbftRecord>): number {
  const stable = [...records].filter(record => record.type === 'stable')
  return Math.max(0, ...stable.map(({ certificate }) => certificate.sequence))
}

/** The block that a message speaks of to those who may not have it: only a proposal does. */
function blockOf(message: PbftMessage): BlockId | null {
  return message.type === 'pre-prepare' ? (message.value as BlockId) : null
}
