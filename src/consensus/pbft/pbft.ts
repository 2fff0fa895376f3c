// PBFT as a state machine: M. Castro and B. Liskov, "Practical Byzantine Fault Tolerance" (OSDI 1999), with signatures
// throughout. n members, of whom f = ⌊(n − 1) / 3⌋ may lie, decide one value after the other; a certificate is n − f
// signatures. Safety never depends on time; progress does (partial synchrony).
//
// Two message patterns share everything but the way of the votes: `all-to-all` (sections 4.2 to 4.4) sends each vote
// to all; `leader-collected` (W. Schultz, "Distributed Systems", 2024, section 4.2, and the step 6 that is missing
// there) sends it to the proposer, who spreads the certificate that n − f of them make.

import type {
  Application,
  Certificate,
  MemberIndex,
  Protocol,
  ProtocolEffect,
  ProtocolInput,
  Signing,
  Source,
  Value,
  Vote,
} from '../contract.ts'
import { NO_VALUE } from '../contract.ts'
import { ProtocolOutbox } from '../outbox.ts'
import { isCertificate, isMember, voteOf } from './certificate.ts'
import { Checkpoints } from './checkpoints.ts'
import type {
  Checkpoint,
  Commit,
  NewView,
  PbftMessage,
  PbftRecord,
  PrePrepare,
  Prepare,
  Statement,
  Status,
  ViewChange,
} from './messages.ts'
import { Patience } from './patience.ts'
import { faultsTolerated, primaryOfView, proposerOf, quorumOf } from './quorum.ts'
import { type SignedVote, Slot } from './slot.ts'
import {
  isNewView,
  isViewChange,
  newViewStatement,
  proposalsOf,
  type ViewChangeRules,
  viewChangeStatement,
} from './view-change.ts'

/** How votes travel. */
export type Pattern = 'all-to-all' | 'leader-collected'

/** What a replica is given. */
export interface PbftOptions {
  /** Members. */
  readonly n: number
  readonly pattern: Pattern
  readonly signing: Signing<Statement>
  readonly application: Application
  /** Milliseconds without progress after which a view is left; doubled for each view that fails in a row. */
  readonly timeoutMs: number
  /** Milliseconds between two words about where we are, and after which what was said is said again. */
  readonly retransmitMs: number
  /** Sequence numbers between two checkpoints. */
  readonly checkpointInterval: number
  /** Sequence numbers above the last decision that may be agreed on at once; 1 where a value names the one before. */
  readonly pipeline: number
}

/** Where a replica stands, for people. */
export interface PbftState {
  readonly view: number
  readonly isActive: boolean
  readonly isHalted: boolean
  readonly decided: number
  readonly stable: number
  readonly timeoutMs: number
  /** Who proposes the next value. */
  readonly proposer: MemberIndex
  /** The members whose votes for the next sequence number are here, in our view. */
  readonly prepares: readonly MemberIndex[]
  readonly commits: readonly MemberIndex[]
  /** The members who want to leave for a later view. */
  readonly viewChanges: readonly MemberIndex[]
}

/** Sources that were given the beginning of our view since we last spoke: once is enough, for it is long. */
const ANSWERED_MAX = 256
/** Decisions that one who is behind is given at once. */
const DECISIONS_PER_ANSWER = 8
const VIEW_KEY = 'view'
const NEW_VIEW_KEY = 'new-view'
const STABLE_KEY = 'stable'
const slotKey = (sequence: number): string => `slot/${sequence.toString().padStart(15, '0')}`

type Effect = ProtocolEffect<PbftMessage, PbftRecord>

/** One replica of PBFT. The names of its fields are the paper's: v, h, the log, P. */
export class Pbft implements Protocol<PbftMessage, PbftRecord> {
  readonly #options: PbftOptions
  readonly #self: MemberIndex | null
  readonly #quorum: number
  readonly #rules: ViewChangeRules
  readonly #outbox = new ProtocolOutbox<PbftMessage, PbftRecord>()
  readonly #log = new Map<number, Slot>()
  readonly #checkpoints: Checkpoints
  /** Of each member the view change for the highest view. */
  readonly #viewChanges = new Map<MemberIndex, ViewChange>()
  /** v: the view that this replica is in, or is about to enter. */
  #view = 0
  #isActive = true
  /** What began the view, for those who missed it; null in view 0. */
  #newView: NewView | null = null
  /** The greatest sequence number that the new view proposed again. */
  #reproposed = 0
  /** The last sequence number whose decision was handed over. */
  #decided = 0
  /** Proof of the last stable checkpoint; its sequence number is h, the low watermark. */
  #stable: Certificate | null = null
  /** Our state after the last checkpoint that we executed. */
  #executed: { readonly sequence: number; readonly digest: Value } | null = null
  readonly #patience: Patience
  readonly #answered = new Set<Source>()
  #isWaiting = false
  #isHalted = false
  /** Who attested the last stable checkpoint once it was: whoever does so twice does not know that it is stable. */
  readonly #late = new Set<MemberIndex>()
  /** Where the message that is being handled came from. */
  #source: Source = ''

  constructor(options: PbftOptions) {
    const { n, signing, checkpointInterval } = options
    this.#options = options
    this.#self = signing.self
    this.#quorum = quorumOf(n)
    this.#rules = { n, window: 2 * checkpointInterval, isSequential: options.pipeline === 1, signing }
    this.#checkpoints = new Checkpoints(this.#quorum)
    this.#patience = new Patience(options.timeoutMs, effect => this.#outbox.emit(effect))
  }

  get turn(): number | null {
    if (this.#self === null || !this.#isActive || this.#isHalted) return null
    const highest = Math.min(this.#decided + this.#options.pipeline, this.#low + this.#rules.window)
    const least = Math.max(this.#decided, this.#reproposed, this.#low)
    for (let sequence = least + 1; sequence <= highest; sequence++) {
      const isFree = this.#log.get(sequence)?.accepted?.view !== this.#view
      if (isFree && this.#proposer(sequence) === this.#self) return sequence
    }
    return null
  }

  /** Where this replica stands. */
  get state(): PbftState {
    const next = this.#decided + 1
    const slot = this.#log.get(next)
    const members = Array.from({ length: this.#options.n }, (_, member) => member)
    const votersIn = (phase: 'prepare' | 'commit') =>
      members.filter(member => slot?.voteOf(phase, member)?.view === this.#view)
    return {
      view: this.#view,
      isActive: this.#isActive,
      isHalted: this.#isHalted,
      decided: this.#decided,
      stable: this.#low,
      timeoutMs: this.#patience.timeoutMs,
      proposer: this.#proposer(next),
      prepares: votersIn('prepare'),
      commits: votersIn('commit'),
      viewChanges: members.filter(
        member => this.#asksFor(member) > (this.#isActive ? this.#view : this.#view - 1),
      ),
    }
  }

  /** How much is remembered of what others said: slots, votes, view changes. It has a bound (see the tests). */
  get size(): number {
    const votes = [...this.#log.values()].reduce((sum, slot) => sum + 1 + slot.size, this.#checkpoints.size)
    return votes + this.#viewChanges.size + this.#answered.size + this.#late.size
  }

  step(input: ProtocolInput<PbftMessage, PbftRecord>): Effect[] {
    if (this.#isHalted) return []
    this.#source = input.type === 'message' ? input.from : ''
    switch (input.type) {
      case 'start':
        this.#start(input.records, input.decided)
        break
      case 'message':
        this.#onMessage(input.message)
        break
      case 'timeout':
        if (input.name === 'progress') this.#onNoProgress()
        else this.#onRetransmit()
        break
      case 'propose':
        this.#onPropose(input.value)
        break
      case 'demand':
        this.#isWaiting = input.isWaiting
        this.#watch()
        break
      case 'revalidate':
        this.#advanceAll()
        break
      case 'executed':
        this.#onExecuted(input.sequence, input.digest)
        break
      case 'settled':
        this.#onSettled(input.certificate)
        break
    }
    return this.#outbox.take()
  }

  // ---- start

  #start(records: ReadonlyMap<string, PbftRecord>, decided: number): void {
    this.#decided = decided
    for (const record of records.values()) this.#restore(record)
    if (records.size === 0) this.#persistView()
    // A new view that was kept before we entered it, or after we left it, began nothing.
    if (!this.#isActive || this.#newView?.view !== this.#view) this.#newView = null
    this.#settleDecided()
    this.#forgetSlots(this.#low)
    for (const slot of this.#isActive ? [...this.#log.values()] : []) this.#restoreVotes(slot)
    this.#addProposals()
    if (!this.#isActive) this.#sendViewChange()
    this.#outbox.emit({ type: 'set-timer', name: 'retransmit', delayMs: this.#options.retransmitMs })
    this.#watch()
  }

  #restore(record: PbftRecord): void {
    switch (record.type) {
      case 'view':
        this.#view = record.view
        this.#isActive = record.isActive
        this.#reproposed = record.reproposed
        break
      case 'new-view':
        this.#newView = record.message
        break
      case 'stable':
        this.#stable = record.certificate
        break
      case 'slot': {
        const { view, value, proposal, prepared } = record
        const slot = this.#slot(record.sequence)
        slot.accepted = { view, value, proposal }
        slot.prepared = prepared
      }
    }
  }

  /** Our attestations since the last stable checkpoint are gone; where one decision proves all before it, it serves. */
  #settleDecided(): void {
    if (!this.#rules.isSequential || this.#decided <= this.#low) return
    const certificate = this.#options.application.decision(this.#decided)
    if (certificate === null) return
    this.#stable = certificate
    this.#outbox.persist(STABLE_KEY, { type: 'stable', certificate })
  }

  /** What we voted for in our view, we vote for again: the same words, which say nothing new. */
  #restoreVotes(slot: Slot): void {
    const { accepted, prepared, sequence } = slot
    if (accepted?.view !== this.#view || this.#self === null) return
    const prepare: Vote = { phase: 'prepare', sequence, view: accepted.view, value: accepted.value }
    slot.add({ ...prepare, member: this.#proposer(sequence), signature: accepted.proposal })
    slot.add({ ...prepare, member: this.#self, signature: this.#sign(prepare) })
    for (const { member, signature } of prepared?.view === this.#view ? prepared.signatures : [])
      slot.add({ ...prepare, member, signature })
    if (prepared?.view !== this.#view) return
    const commit: Vote = { ...prepare, phase: 'commit' }
    slot.add({ ...commit, member: this.#self, signature: this.#sign(commit) })
  }

  // ---- messages

  #onMessage(message: PbftMessage): void {
    switch (message.type) {
      case 'pre-prepare':
        return this.#onPrePrepare(message)
      case 'prepare':
        return this.#onPrepare(message)
      case 'commit':
        return this.#onCommit(message)
      case 'proof':
        return this.#onProof(message.certificate)
      case 'checkpoint':
        return this.#onCheckpoint(message)
      case 'view-change':
        return this.#onViewChange(message)
      case 'new-view':
        return this.#onNewView(message)
      case 'status':
        return this.#onStatus(message)
    }
  }

  // ---- the normal case (section 4.2)

  #onPropose(value: Value): void {
    const sequence = this.turn
    if (sequence === null || value === NO_VALUE) return
    const vote: Vote = { phase: 'prepare', sequence, view: this.#view, value }
    const signature = this.#sign(vote)
    const slot = this.#slot(sequence)
    slot.add({ ...vote, member: this.#self!, signature })
    this.#accept(slot, value, signature)
    this.#broadcast({ type: 'pre-prepare', sequence, view: this.#view, value, signature })
    this.#advance(slot)
  }

  #onPrePrepare({ sequence, view, value, signature }: PrePrepare): void {
    if (!this.#takesPart(sequence, view)) return
    if (this.#takeProposal({ phase: 'prepare', sequence, view, value }, signature))
      this.#advance(this.#slot(sequence))
  }

  #onPrepare({ sequence, view, value, from, signature, proposal }: Prepare): void {
    if (!this.#takesPart(sequence, view)) return
    const vote: Vote = { phase: 'prepare', sequence, view, value }
    if (this.#takeProposal(vote, proposal)) this.#onVotes(vote, [{ member: from, signature }])
  }

  #onCommit({ sequence, view, value, from, signature }: Commit): void {
    // Commits of an earlier view still prove a decision.
    if (!this.#takesPart(sequence, Math.max(view, this.#view))) return
    this.#onVotes({ phase: 'commit', sequence, view, value }, [{ member: from, signature }])
  }

  /** Whether a vote for this sequence number and view can still matter here. */
  #takesPart(sequence: number, view: number): boolean {
    return this.#isInWindow(sequence) && Number.isSafeInteger(view) && view >= this.#view
  }

  /** Between the watermarks: h < sequence ≤ H. */
  #isInWindow(sequence: number): boolean {
    const high = this.#low + this.#rules.window
    return Number.isSafeInteger(sequence) && sequence > this.#low && sequence <= high
  }

  /**
   * Takes in a proposal. In a view whose beginning we do not know, or know otherwise, it may be the one of the primary
   * where we expect the one whose turn it is, or the other way round.
   */
  #takeProposal(vote: Vote, signature: Uint8Array): boolean {
    const { n, signing } = this.#options
    const slot = this.#slot(vote.sequence)
    const proposers = [proposerOf(vote.view, vote.sequence, n), primaryOfView(vote.view, n)]
    if (proposers.some(member => slot.has(vote, member))) return true
    const member = proposers.find(proposer => signing.isSigned(vote, proposer, signature))
    if (member === undefined) this.#refuse('signature-invalid')
    else this.#add(slot, { ...vote, member, signature })
    return member !== undefined
  }

  #add(slot: Slot, vote: SignedVote): void {
    const evidence = slot.add(vote)
    if (evidence !== null) this.#outbox.emit({ type: 'evidence', evidence })
  }

  /** Takes in votes of several members for one thing, each checked unless it is known. */
  #onVotes(vote: Vote, signatures: Certificate['signatures']): void {
    const slot = this.#slot(vote.sequence)
    for (const { member, signature } of signatures) {
      if (!isMember(member, this.#options.n)) return this.#refuse('vote-of-nobody')
      if (!slot.isNews(vote, member)) continue
      if (!this.#options.signing.isSigned(vote, member, signature)) return this.#refuse('signature-invalid')
      this.#add(slot, { ...vote, member, signature })
    }
    this.#advance(slot)
  }

  /** Does what the votes for a sequence number now allow. */
  #advance(slot: Slot): void {
    if (slot.sequence <= this.#low || this.#isHalted) return
    this.#considerProposal(slot)
    this.#considerPrepared(slot)
    this.#considerCommitted(slot)
  }

  /** PREPARE, for the first valid proposal of this view's proposer. */
  #considerProposal(slot: Slot): void {
    if (this.#self === null || !this.#isActive || slot.accepted?.view === this.#view) return
    const { sequence } = slot
    const proposal = this.#proposalFor(slot)
    if (proposal === undefined) return
    const isOwn = this.#proposer(sequence) === this.#self
    if (!isOwn && !this.#isValid(slot, proposal.value)) return
    this.#accept(slot, proposal.value, proposal.signature)
    if (isOwn) return
    const vote: Vote = { phase: 'prepare', sequence, view: this.#view, value: proposal.value }
    slot.add({ ...vote, member: this.#self, signature: this.#sign(vote) })
    this.#tell(sequence, this.#prepareMessage(slot)!)
  }

  /** What may be accepted: what the new view proposes again, whatever its primary says besides, or the proposer's vote. */
  #proposalFor(slot: Slot): { readonly value: Value; readonly signature: Uint8Array } | undefined {
    const { sequence } = slot
    if (sequence <= this.#reproposed)
      return this.#newView?.proposals.find(proposal => proposal.sequence === sequence)
    const vote = slot.voteOf('prepare', this.#proposer(sequence))
    return vote?.view === this.#view ? vote : undefined
  }

  #isValid(slot: Slot, value: Value): boolean {
    const { sequence } = slot
    if (sequence <= this.#decided) return this.#options.application.decision(sequence)?.value === value
    if (value === NO_VALUE) return sequence <= this.#reproposed
    if (sequence > this.#decided + this.#options.pipeline) return false
    const verdict = this.#options.application.validate(sequence, value)
    if (verdict === 'unknown') this.#outbox.emit({ type: 'missing', value, from: this.#source })
    return verdict === 'valid'
  }

  #accept(slot: Slot, value: Value, proposal: Uint8Array): void {
    slot.accepted = { view: this.#view, value, proposal }
    this.#persistSlot(slot)
    this.#watch()
  }

  /** COMMIT, once n − f members prepared what we accepted in this view. */
  #considerPrepared(slot: Slot): void {
    const { accepted, sequence } = slot
    if (this.#self === null || !this.#isActive || accepted?.view !== this.#view) return
    if (slot.prepared?.view === this.#view) return
    const certificate = slot.certificate('prepare', accepted, this.#quorum)
    if (certificate === null) return
    slot.prepared = certificate
    this.#persistSlot(slot)
    const vote: Vote = { phase: 'commit', sequence, view: this.#view, value: accepted.value }
    const signature = this.#sign(vote)
    slot.add({ ...vote, member: this.#self, signature })
    if (this.#isCollector(sequence)) this.#broadcast({ type: 'proof', certificate })
    else
      this.#tell(sequence, {
        type: 'commit',
        sequence,
        view: this.#view,
        value: accepted.value,
        from: this.#self,
        signature,
      })
  }

  /** A decision, once n − f members committed one value in one view, whatever we voted for. */
  #considerCommitted(slot: Slot): void {
    if (slot.committed !== null) return
    const certificate = slot.commitCertificate(this.#quorum)
    if (certificate === null) return
    slot.committed = certificate
    if (this.#isCollector(slot.sequence)) this.#broadcast({ type: 'proof', certificate })
    this.#decide()
  }

  /** Hands over what is decided, in order. */
  #decide(): void {
    const before = this.#decided
    for (
      let slot = this.#log.get(before + 1);
      slot?.committed != null;
      slot = this.#log.get(this.#decided + 1)
    ) {
      this.#decided = slot.sequence
      this.#outbox.emit({ type: 'decide', certificate: slot.committed })
      if (!this.#isInWindow(slot.sequence)) this.#log.delete(slot.sequence)
    }
    if (this.#decided > before) this.#onProgress()
  }

  #onProgress(): void {
    // Who leaves its view goes on waiting for the next, whatever it learns of what was decided meanwhile.
    if (this.#isActive) this.#patience.succeed()
    this.#watch()
    this.#advanceAll()
  }

  #advanceAll(): void {
    for (const slot of this.#undecided()) this.#advance(slot)
  }

  // ---- certificates that others made

  #onProof(certificate: Certificate): void {
    const { phase, sequence, view } = certificate
    switch (phase) {
      case 'prepare':
        if (view !== this.#view || !this.#takesPart(sequence, view)) return
        return this.#onVotes(voteOf(certificate), certificate.signatures)
      case 'commit':
        return this.#onDecision(certificate)
      case 'checkpoint':
        if (sequence <= Math.min(this.#low, this.#decided)) return
        if (!this.#isProof(certificate)) return this.#refuse('certificate-invalid')
        return this.#onStable(certificate)
    }
  }

  /** A decision is a decision, whatever view it was made in and whoever tells of it. */
  #onDecision(certificate: Certificate): void {
    const { sequence, value } = certificate
    if (!Number.isSafeInteger(sequence) || sequence < 1) return this.#refuse('certificate-invalid')
    const known =
      sequence <= this.#decided
        ? this.#options.application.decision(sequence)
        : (this.#log.get(sequence)?.committed ?? null)
    if (known !== null ? known.value === value : sequence <= this.#decided) return
    if (!this.#isProof(certificate)) return this.#refuse('certificate-invalid')
    if (known !== null) return this.#halt({ type: 'conflict', first: known, second: certificate })
    if (sequence <= this.#decided + this.#rules.window) {
      this.#slot(sequence).committed = certificate
      this.#decide()
    }
    // What is agreed on at once may be decided in any order.
    if (sequence > this.#decided + this.#options.pipeline) this.#fallBehind(certificate)
  }

  #fallBehind(certificate: Certificate): void {
    this.#outbox.emit({ type: 'behind', certificate, from: this.#source })
  }

  /** The application caught up by itself: a decision proves all before it, if each names the one before it. */
  #onSettled(certificate: Certificate): void {
    if (certificate.sequence <= this.#decided || !this.#isProof(certificate)) return
    this.#decided = certificate.sequence
    if (certificate.phase === 'checkpoint' || this.#rules.isSequential) this.#onStable(certificate)
    this.#onProgress()
    this.#decide()
  }

  // ---- checkpoints (section 4.3)

  #onExecuted(sequence: number, digest: Value): void {
    if (sequence % this.#options.checkpointInterval !== 0) return
    this.#executed = { sequence, digest }
    if (this.#stable !== null && this.#isDiverged(this.#stable))
      return this.#halt({ type: 'diverged', certificate: this.#stable })
    if (this.#self === null || sequence <= this.#low) return
    const vote: Vote = { phase: 'checkpoint', sequence, view: 0, value: digest }
    const signature = this.#sign(vote)
    this.#broadcast({ type: 'checkpoint', sequence, value: digest, from: this.#self, signature })
    this.#checkpoints.add({ ...vote, member: this.#self, signature })
    this.#considerStable(sequence, digest)
  }

  #onCheckpoint({ sequence, value, from, signature }: Checkpoint): void {
    if (!Number.isSafeInteger(sequence) || sequence % this.#options.checkpointInterval !== 0) return
    if (!isMember(from, this.#options.n)) return this.#refuse('vote-of-nobody')
    if (sequence <= this.#low) return this.#onLateCheckpoint(sequence, from)
    const vote = { phase: 'checkpoint' as const, sequence, view: 0, value }
    if (!this.#checkpoints.isNews({ ...vote, member: from })) return
    if (!this.#options.signing.isSigned(vote, from, signature)) return this.#refuse('signature-invalid')
    const evidence = this.#checkpoints.add({ ...vote, member: from, signature })
    if (evidence !== null) this.#outbox.emit({ type: 'evidence', evidence })
    this.#considerStable(sequence, value)
  }

  /** Someone does not know that a checkpoint is stable; the last votes for it come late without that. */
  #onLateCheckpoint(sequence: number, from: MemberIndex): void {
    const isLost = sequence < this.#low || this.#late.has(from)
    this.#late.add(from)
    if (isLost) this.#reply({ type: 'proof', certificate: this.#stable! })
  }

  #considerStable(sequence: number, value: Value): void {
    const certificate = this.#checkpoints.certificate({ sequence, value })
    if (certificate !== null) this.#onStable(certificate)
  }

  /** Moves the low watermark: what is below it is settled and forgotten. */
  #onStable(certificate: Certificate): void {
    const { sequence } = certificate
    if (this.#isDiverged(certificate)) return this.#halt({ type: 'diverged', certificate })
    if (sequence > this.#low) {
      this.#stable = certificate
      this.#outbox.persist(STABLE_KEY, { type: 'stable', certificate })
      this.#forgetSlots(sequence)
      this.#checkpoints.forget(sequence)
      this.#late.clear()
    }
    if (sequence <= this.#decided) return
    if (certificate.phase === 'commit') this.#onDecision(certificate)
    else this.#fallBehind(certificate)
  }

  /** Whether n − f members attest another state than ours. */
  #isDiverged({ phase, sequence, value }: Certificate): boolean {
    const executed = this.#executed
    return phase === 'checkpoint' && executed?.sequence === sequence && executed.digest !== value
  }

  #forgetSlots(upTo: number): void {
    for (const old of [...this.#log.keys()].filter(sequence => sequence <= upTo)) {
      this.#log.delete(old)
      this.#outbox.persist(slotKey(old), null)
    }
  }

  // ---- view changes (section 4.4)

  #onNoProgress(): void {
    this.#patience.onTimeout()
    if (this.#self === null || (this.#isActive && !this.#hasUnfinished())) return
    this.#leaveFor(this.#view + 1)
  }

  #leaveFor(view: number): void {
    this.#view = view
    this.#isActive = false
    this.#newView = null
    this.#patience.fail()
    this.#persistView()
    this.#outbox.persist(NEW_VIEW_KEY, null)
    this.#sendViewChange()
    this.#considerNewView()
  }

  #sendViewChange(): void {
    if (this.#self === null) return
    const claims = this.#inOrder()
      .filter(({ sequence }) => this.#isInWindow(sequence))
      .map(({ prepared }) => prepared)
      .filter(certificate => certificate !== null)
    const content = { view: this.#view, stable: this.#stable, prepared: claims }
    const signature = this.#sign(viewChangeStatement(content))
    const message: ViewChange = { type: 'view-change', ...content, from: this.#self, signature }
    this.#viewChanges.set(this.#self, message)
    this.#broadcast(message)
  }

  #onViewChange(message: ViewChange): void {
    const { from, view } = message
    if (!isMember(from, this.#options.n) || !Number.isSafeInteger(view)) return this.#refuse('vote-of-nobody')
    // Someone who missed how our view began.
    if (view <= this.#view && this.#isActive) return this.#replyNewView()
    if (from === this.#self || view < this.#view || view <= this.#asksFor(from)) return
    if (!isViewChange(message, this.#rules)) return this.#refuse('view-change-invalid')
    this.#viewChanges.set(from, message)
    this.#considerJoining()
    this.#considerNewView()
  }

  /** f + 1 members want to leave, so one honest member does: go along, to the nearest view that they ask for. */
  #considerJoining(): void {
    if (this.#self === null) return
    for (;;) {
      const later = [...this.#viewChanges.values()].map(({ view }) => view).filter(view => view > this.#view)
      if (later.length <= faultsTolerated(this.#options.n)) return
      this.#leaveFor(Math.min(...later))
    }
  }

  /** With n − f view changes the primary begins the view, and all others begin to wait for it. */
  #considerNewView(): void {
    if (this.#isActive) return
    const asking = [...this.#viewChanges.values()].filter(({ view }) => view >= this.#view)
    // Who asks for a later view gave ours up, so it counts here too: nobody waits for it without end.
    if (asking.length >= this.#quorum) this.#patience.watch(true)
    const viewChanges = asking.filter(({ view }) => view === this.#view).sort((a, b) => a.from - b.from)
    if (viewChanges.length < this.#quorum || this.#primary !== this.#self) return
    const view = this.#view
    const proposals = proposalsOf(viewChanges).map(({ sequence, value }) => ({
      sequence,
      value,
      signature: this.#sign({ phase: 'prepare', sequence, view, value }),
    }))
    const content = { view, viewChanges, proposals }
    const message: NewView = {
      type: 'new-view',
      ...content,
      signature: this.#sign(newViewStatement(content)),
    }
    this.#broadcast(message)
    this.#enter(message)
  }

  #onNewView(message: NewView): void {
    const isLate = message.view < this.#view || (message.view === this.#view && this.#isActive)
    if (isLate) return
    if (!isNewView(message, this.#rules)) return this.#refuse('new-view-invalid')
    this.#enter(message)
  }

  #enter(message: NewView): void {
    const { view, viewChanges, proposals } = message
    // The time that we wait for this view runs already; what is left of an earlier one's is not its.
    if (this.#isActive || view !== this.#view) this.#patience.stop()
    this.#view = view
    this.#isActive = true
    this.#newView = message
    const stables = viewChanges.map(({ stable }) => stable).filter(stable => stable !== null)
    const highest = stables.reduce<Certificate | null>(
      (best, stable) => (best === null || stable.sequence > best.sequence ? stable : best),
      null,
    )
    this.#reproposed = proposals.at(-1)?.sequence ?? highest?.sequence ?? 0
    this.#outbox.persist(NEW_VIEW_KEY, { type: 'new-view', message })
    this.#persistView()
    if (highest !== null) this.#onStable(highest)
    this.#watch()
    this.#addProposals()
    for (const slot of this.#inOrder()) this.#advance(slot)
  }

  /** Counts what the new view proposes again as its primary's votes. */
  #addProposals(): void {
    const view = this.#view
    for (const { sequence, value, signature } of this.#newView?.proposals ?? []) {
      if (!this.#isInWindow(sequence)) continue
      const vote: Vote = { phase: 'prepare', sequence, view, value }
      this.#add(this.#slot(sequence), { ...vote, member: this.#primary, signature })
    }
  }

  // ---- what was lost is said again

  #onRetransmit(): void {
    this.#outbox.emit({ type: 'set-timer', name: 'retransmit', delayMs: this.#options.retransmitMs })
    this.#answered.clear()
    this.#broadcast(this.#statusMessage())
    if (this.#self === null) return
    if (!this.#isActive) return this.#broadcast(this.#viewChanges.get(this.#self)!)
    const checkpoint = this.#checkpoints.last(this.#self)
    if (checkpoint !== undefined) {
      const { sequence, value, signature } = checkpoint
      this.#broadcast({ type: 'checkpoint', sequence, value, from: this.#self, signature })
    }
    for (const slot of this.#undecided()) this.#repeat(slot)
  }

  /** Says our votes again, to all: he who should have collected them may be the one who fails. */
  #repeat(slot: Slot): void {
    this.#advance(slot)
    const { accepted, prepared, sequence } = slot
    if (accepted?.view !== this.#view) return
    const prepare = this.#prepareMessage(slot)
    if (prepare !== null) this.#broadcast(prepare)
    else
      this.#broadcast({
        type: 'pre-prepare',
        sequence,
        view: this.#view,
        value: accepted.value,
        signature: accepted.proposal,
      })
    if (prepared?.view !== this.#view) return
    if (this.#isCollector(sequence)) this.#broadcast({ type: 'proof', certificate: prepared })
    const commit = slot.voteOf('commit', this.#self!)
    if (commit === undefined) return
    const { view, value, signature } = commit
    this.#broadcast({ type: 'commit', sequence, view, value, from: this.#self!, signature })
  }

  /** Tells one who is behind what it lacks, and one who decided otherwise that we did not. */
  #onStatus({ view, isActive, decided, value }: Status): void {
    if (view < this.#view || (view === this.#view && !isActive)) this.#replyNewView()
    if (!Number.isSafeInteger(decided) || decided < 0) return
    const ours = decided <= this.#decided ? this.#options.application.decision(decided) : null
    if (ours !== null && ours.value !== value) this.#reply({ type: 'proof', certificate: ours })
    if (this.#stable !== null && decided < this.#low)
      this.#reply({ type: 'proof', certificate: this.#stable })
    const last = Math.min(this.#decided, decided + DECISIONS_PER_ANSWER)
    for (let sequence = decided + 1; sequence <= last; sequence++) {
      const certificate = this.#options.application.decision(sequence)
      if (certificate !== null) this.#reply({ type: 'proof', certificate })
    }
  }

  #replyNewView(): void {
    if (!this.#isActive || this.#newView === null) return
    if (this.#answered.has(this.#source) || this.#answered.size >= ANSWERED_MAX) return
    this.#answered.add(this.#source)
    this.#reply(this.#newView)
  }

  #statusMessage(): Status {
    return {
      type: 'status',
      from: this.#self,
      view: this.#view,
      isActive: this.#isActive,
      decided: this.#decided,
      value: this.#options.application.decision(this.#decided)?.value ?? NO_VALUE,
      timeoutMs: this.#patience.timeoutMs,
    }
  }

  /** Our PREPARE; null where the proposal itself is our vote. */
  #prepareMessage({ sequence, accepted }: Slot): Prepare | null {
    if (accepted === null || this.#proposer(sequence) === this.#self) return null
    const { view, value, proposal } = accepted
    const vote = this.#log.get(sequence)?.voteOf('prepare', this.#self!)
    if (vote === undefined) return null
    return { type: 'prepare', sequence, view, value, from: this.#self!, signature: vote.signature, proposal }
  }

  // ---- the timer: it runs while something should be decided and is not (section 4.4)

  /** Starts or stops waiting for progress, as there is something to wait for or not. */
  #watch(): void {
    if (this.#isActive && this.#self !== null && !this.#isHalted) this.#patience.watch(this.#hasUnfinished())
  }

  #hasUnfinished(): boolean {
    // Who lacks what others settled can not tell whether the primary is slow.
    if (this.#decided < this.#low) return false
    if (this.#isWaiting || this.#decided < this.#reproposed) return true
    return this.#undecided().some(slot => slot.accepted?.view === this.#view)
  }

  // ---- small words

  /** h: the low watermark. */
  get #low(): number {
    return this.#stable?.sequence ?? 0
  }

  /** Who begins our view. */
  get #primary(): MemberIndex {
    return primaryOfView(this.#view, this.#options.n)
  }

  /** Who proposes, and in the leader-collected pattern collects. What a new view proposes again is its primary's. */
  #proposer(sequence: number): MemberIndex {
    return sequence <= this.#reproposed ? this.#primary : proposerOf(this.#view, sequence, this.#options.n)
  }

  #isCollector(sequence: number): boolean {
    return this.#options.pattern === 'leader-collected' && this.#proposer(sequence) === this.#self
  }

  /** Tells a vote to whoever counts it. */
  #tell(sequence: number, message: PbftMessage): void {
    if (this.#options.pattern === 'all-to-all') this.#broadcast(message)
    else if (!this.#isCollector(sequence))
      this.#outbox.emit({ type: 'send', to: this.#proposer(sequence), message })
  }

  #broadcast(message: PbftMessage): void {
    this.#outbox.emit({ type: 'broadcast', message })
  }

  #reply(message: PbftMessage): void {
    this.#outbox.emit({ type: 'reply', to: this.#source, message })
  }

  #refuse(reason: string): void {
    this.#outbox.emit({ type: 'refuse', from: this.#source, reason })
  }

  #halt(effect: Extract<Effect, { type: 'conflict' | 'diverged' }>): void {
    this.#isHalted = true
    this.#patience.stop()
    this.#outbox.emit({ type: 'clear-timer', name: 'retransmit' })
    this.#outbox.emit(effect)
  }

  #isProof(certificate: Certificate): boolean {
    return isCertificate(certificate, this.#options.n, this.#options.signing)
  }

  #sign(statement: Statement): Uint8Array {
    return this.#options.signing.sign(statement)
  }

  /** The highest view that a member asked for; 0 when it asked for none. */
  #asksFor(member: MemberIndex): number {
    return this.#viewChanges.get(member)?.view ?? 0
  }

  #slot(sequence: number): Slot {
    const slot = this.#log.get(sequence) ?? new Slot(sequence)
    this.#log.set(sequence, slot)
    return slot
  }

  #inOrder(): Slot[] {
    return [...this.#log.values()].sort((a, b) => a.sequence - b.sequence)
  }

  /** The slots above the last decision, in order. */
  #undecided(): Slot[] {
    return this.#inOrder().filter(({ sequence }) => sequence > this.#decided)
  }

  #persistSlot({ sequence, accepted, prepared }: Slot): void {
    this.#outbox.persist(slotKey(sequence), { type: 'slot', sequence, ...accepted!, prepared })
  }

  #persistView(): void {
    const record = { view: this.#view, isActive: this.#isActive, reproposed: this.#reproposed }
    this.#outbox.persist(VIEW_KEY, { type: 'view', ...record })
  }
}
