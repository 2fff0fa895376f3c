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
import { Slot } from './slot.ts'
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
  /** What began the view, for those who missed it; null in view 0 and after a restart. */
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
  /** Where the message that is being handled came from. */
  #source: Source = ''

  constructor(options: PbftOptions) {
    const { n, signing, checkpointInterval } = options
    this.#options = options
    this.#self = signing.self
    this.#quorum = quorumOf(n)
    this.#rules = { n, window: 2 * checkpointInterval, signing }
    this.#checkpoints = new Checkpoints(this.#quorum)
    this.#patience = new Patience(options.timeoutMs, effect => this.#outbox.emit(effect))
  }

  get turn(): number | null {
    if (this.#self === null || !this.#isActive || this.#isHalted) return null
    const highest = Math.min(this.#decided + this.#options.pipeline, this.#low + this.#rules.window)
    for (let sequence = Math.max(this.#decided, this.#reproposed) + 1; sequence <= highest; sequence++) {
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
        for (const slot of this.#undecided()) this.#advance(slot)
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
    for (const record of records.values()) {
      switch (record.type) {
        case 'view':
          this.#view = record.view
          this.#isActive = record.isActive
          this.#reproposed = record.reproposed
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
    if (records.size === 0) this.#persistView()
    for (const sequence of [...this.#log.keys()]) if (sequence <= this.#low) this.#log.delete(sequence)
    if (this.#isActive) for (const slot of this.#log.values()) this.#restoreVotes(slot)
    else this.#sendViewChange()
    this.#outbox.emit({ type: 'set-timer', name: 'retransmit', delayMs: this.#options.retransmitMs })
    this.#watch()
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
    if (sequence === null) return
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
    const member = this.#proposer(sequence, view)
    this.#onVotes({ phase: 'prepare', sequence, view, value }, [{ member, signature }])
  }

  #onPrepare({ sequence, view, value, from, signature, proposal }: Prepare): void {
    if (!this.#takesPart(sequence, view)) return
    const proposed = { member: this.#proposer(sequence, view), signature: proposal }
    this.#onVotes({ phase: 'prepare', sequence, view, value }, [proposed, { member: from, signature }])
  }

  #onCommit({ sequence, view, value, from, signature }: Commit): void {
    // Commits of an earlier view still prove a decision.
    if (!this.#takesPart(sequence, Math.max(view, this.#view))) return
    this.#onVotes({ phase: 'commit', sequence, view, value }, [{ member: from, signature }])
  }

  /** Whether a vote for this sequence number and view can still matter here. */
  #takesPart(sequence: number, view: number): boolean {
    const isInWindow = sequence > this.#low && sequence <= this.#low + this.#rules.window
    return Number.isSafeInteger(sequence) && isInWindow && Number.isSafeInteger(view) && view >= this.#view
  }

  /** Takes in votes of several members for one thing, each checked unless it is known. */
  #onVotes(vote: Vote, signatures: Certificate['signatures']): void {
    const slot = this.#slot(vote.sequence)
    for (const { member, signature } of signatures) {
      if (!isMember(member, this.#options.n)) return this.#refuse('vote-of-nobody')
      if (!slot.isNews(vote, member)) continue
      if (!this.#options.signing.isSigned(vote, member, signature)) return this.#refuse('signature-invalid')
      const evidence = slot.add({ ...vote, member, signature })
      if (evidence !== null) this.#outbox.emit({ type: 'evidence', evidence })
    }
    this.#advance(slot)
  }

  /** Does what the votes for a sequence number now allow. */
  #advance(slot: Slot): void {
    if (slot.sequence <= this.#low) return
    this.#considerProposal(slot)
    this.#considerPrepared(slot)
    this.#considerCommitted(slot)
  }

  /** PREPARE, for the first valid proposal of this view's proposer. */
  #considerProposal(slot: Slot): void {
    if (this.#self === null || !this.#isActive || slot.accepted?.view === this.#view) return
    const { sequence } = slot
    const proposal = slot.voteOf('prepare', this.#proposer(sequence))
    if (proposal?.view !== this.#view) return
    const isOwn = proposal.member === this.#self
    if (!isOwn && !this.#isValid(slot, proposal.value)) return
    this.#accept(slot, proposal.value, proposal.signature)
    if (isOwn) return
    const vote: Vote = { phase: 'prepare', sequence, view: this.#view, value: proposal.value }
    slot.add({ ...vote, member: this.#self, signature: this.#sign(vote) })
    this.#tell(sequence, this.#prepareMessage(slot)!)
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
      if (slot.sequence <= this.#low) this.#log.delete(slot.sequence)
    }
    if (this.#decided > before) this.#onProgress()
  }

  #onProgress(): void {
    this.#patience.succeed()
    this.#watch()
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
        if (sequence <= this.#low) return
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
    if (sequence > this.#decided) this.#outbox.emit({ type: 'behind', certificate, from: this.#source })
  }

  /** The application caught up by itself: a decision proves all before it, as a stable checkpoint does. */
  #onSettled(certificate: Certificate): void {
    if (certificate.sequence <= this.#decided || !this.#isProof(certificate)) return
    this.#decided = certificate.sequence
    this.#onStable(certificate)
    this.#onProgress()
    this.#decide()
  }

  // ---- checkpoints (section 4.3)

  #onExecuted(sequence: number, digest: Value): void {
    if (this.#self === null || sequence % this.#options.checkpointInterval !== 0 || sequence <= this.#low)
      return
    this.#executed = { sequence, digest }
    const vote: Vote = { phase: 'checkpoint', sequence, view: 0, value: digest }
    const signature = this.#sign(vote)
    this.#broadcast({ type: 'checkpoint', sequence, value: digest, from: this.#self, signature })
    this.#checkpoints.add({ ...vote, member: this.#self, signature })
    this.#considerStable(sequence, digest)
  }

  #onCheckpoint({ sequence, value, from, signature }: Checkpoint): void {
    if (!Number.isSafeInteger(sequence) || sequence % this.#options.checkpointInterval !== 0) return
    if (!isMember(from, this.#options.n)) return this.#refuse('vote-of-nobody')
    if (sequence <= this.#low) {
      if (sequence < this.#low) this.#reply({ type: 'proof', certificate: this.#stable! })
      return
    }
    const vote = { phase: 'checkpoint' as const, sequence, view: 0, value }
    if (!this.#checkpoints.isNews({ ...vote, member: from })) return
    if (!this.#options.signing.isSigned(vote, from, signature)) return this.#refuse('signature-invalid')
    const evidence = this.#checkpoints.add({ ...vote, member: from, signature })
    if (evidence !== null) this.#outbox.emit({ type: 'evidence', evidence })
    this.#considerStable(sequence, value)
  }

  #considerStable(sequence: number, value: Value): void {
    const certificate = this.#checkpoints.certificate({ sequence, value })
    if (certificate !== null) this.#onStable(certificate)
  }

  /** Moves the low watermark: what is below it is settled and forgotten. */
  #onStable(certificate: Certificate): void {
    const { sequence, value, phase } = certificate
    if (sequence <= this.#low) return
    if (phase === 'checkpoint' && this.#executed?.sequence === sequence && this.#executed.digest !== value)
      return this.#halt({ type: 'diverged', certificate })
    this.#stable = certificate
    this.#outbox.persist(STABLE_KEY, { type: 'stable', certificate })
    for (const old of [...this.#log.keys()].filter(old => old <= sequence)) {
      this.#log.delete(old)
      this.#outbox.persist(slotKey(old), null)
    }
    this.#checkpoints.forget(sequence)
    if (sequence > this.#decided) this.#outbox.emit({ type: 'behind', certificate, from: this.#source })
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
    this.#sendViewChange()
    this.#considerNewView()
  }

  #sendViewChange(): void {
    if (this.#self === null) return
    const claims = [...this.#log.values()]
      .filter(({ sequence }) => sequence > this.#low)
      .sort((a, b) => a.sequence - b.sequence)
      .map(slot => slot.committed ?? slot.prepared)
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
    const later = [...this.#viewChanges.values()].map(({ view }) => view).filter(view => view > this.#view)
    if (later.length > faultsTolerated(this.#options.n)) this.#leaveFor(Math.min(...later))
  }

  /** With n − f view changes the primary begins the view, and all others begin to wait for it. */
  #considerNewView(): void {
    if (this.#isActive) return
    const viewChanges = [...this.#viewChanges.values()]
      .filter(({ view }) => view === this.#view)
      .sort((a, b) => a.from - b.from)
    if (viewChanges.length < this.#quorum) return
    if (primaryOfView(this.#view, this.#options.n) !== this.#self) return this.#patience.watch(true)
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
    this.#view = view
    this.#isActive = true
    this.#newView = message
    const stables = viewChanges.map(({ stable }) => stable).filter(stable => stable !== null)
    const highest = stables.reduce<Certificate | null>(
      (best, stable) => (best === null || stable.sequence > best.sequence ? stable : best),
      null,
    )
    this.#reproposed = proposals.at(-1)?.sequence ?? highest?.sequence ?? 0
    this.#persistView()
    if (highest !== null) this.#onStable(highest)
    this.#patience.stop()
    this.#watch()
    const primary = primaryOfView(view, this.#options.n)
    for (const { sequence, value, signature } of proposals) {
      if (!this.#takesPart(sequence, view)) continue
      const slot = this.#slot(sequence)
      slot.add({ phase: 'prepare', sequence, view, value, member: primary, signature })
      this.#advance(slot)
    }
    for (const slot of this.#undecided()) this.#advance(slot)
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
    if (this.#isActive && this.#self !== null) this.#patience.watch(this.#hasUnfinished())
  }

  #hasUnfinished(): boolean {
    return this.#isWaiting || this.#undecided().some(slot => slot.accepted?.view === this.#view)
  }

  // ---- small words

  /** h: the low watermark. */
  get #low(): number {
    return this.#stable?.sequence ?? 0
  }

  /** Who proposes, and in the leader-collected pattern collects. What a new view proposes again is its primary's. */
  #proposer(sequence: number, view: number = this.#view): MemberIndex {
    const isReproposed = view === this.#view && sequence <= this.#reproposed
    return isReproposed ? primaryOfView(view, this.#options.n) : proposerOf(view, sequence, this.#options.n)
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

  /** The slots above the last decision, in order. */
  #undecided(): Slot[] {
    return [...this.#log.values()]
      .filter(({ sequence }) => sequence > this.#decided)
      .sort((a, b) => a.sequence - b.sequence)
  }

  #persistSlot({ sequence, accepted, prepared }: Slot): void {
    this.#outbox.persist(slotKey(sequence), { type: 'slot', sequence, ...accepted!, prepared })
  }

  #persistView(): void {
    const record = { view: this.#view, isActive: this.#isActive, reproposed: this.#reproposed }
    this.#outbox.persist(VIEW_KEY, { type: 'view', ...record })
  }
}
