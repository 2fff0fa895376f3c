// One replica's state, and what its handlers share: the log between the watermarks, which member proposes, and how messages
// are sent. The names of its fields are the paper's: v is the view, h the low watermark. It is longer than most files because the
// state of a replica is one thing: a third of its lines declare fields and options.

import { type Application, type LogOutput, RETRANSMIT, type SignedOutput, type Value } from '../log.ts'
import { assertInteger, assertOptions } from '../options.ts'
import { ProcessOutbox } from '../outbox.ts'
import type { MemberIndex, PeerId, Snapshot } from '../process.ts'
import { quorumOf } from '../quorum.ts'
import type { Signing } from '../signed.ts'
import { snapshotOf } from '../snapshot.ts'
import { Answers } from './answers.ts'
import { isCertificate } from './certificate.ts'
import { CheckpointVotes } from './checkpoint-votes.ts'
import { LeaderRecord, passedOverBy, primaryOfView, proposerOf } from './leader-schedule.ts'
import type {
  Complaint,
  NewView,
  PbftEffect,
  PbftMessage,
  PbftRecord,
  Statement,
  ViewChange,
} from './messages.ts'
import type { Recall } from './recall.ts'
import { Slot } from './slot.ts'
import type { ViewChangeRules } from './view-change.ts'
import { ViewTimer } from './view-timer.ts'
import type { Certificate, Evidence, Suspect } from './votes.ts'

/** How votes travel: each to all, or each to the proposer, which spreads the certificate. */
export type Pattern = (typeof PATTERN_NAMES)[number]

const PATTERN_NAMES = ['all-to-all', 'leader-collected'] as const

/** Sequence numbers between two checkpoints at most: the log holds twice as many slots, and a view change speaks of each. */
const CHECKPOINT_INTERVAL_MAX = 128

/** What a replica is given. */
export interface PbftOptions {
  /** Members. */
  readonly n: number
  readonly pattern: Pattern
  readonly signing: Signing<Statement>
  readonly application: Application<Certificate>
  /** Milliseconds without progress after which a view is left, at least: see view-timer.ts. */
  readonly timeoutMs: number
  /** Milliseconds until a retransmission, at least: see `scheduleRetransmission`. */
  readonly retransmitMs: number
  /** Sequence numbers between two checkpoints. */
  readonly checkpointInterval: number
  /** Sequence numbers above the last decision that may be agreed on at once; 1 where a value names the one before. */
  readonly pipeline: number
}

/** What a replica knows. Its handlers change it, one input at a time. */
export class Replica {
  readonly options: PbftOptions
  readonly quorum: number
  readonly rules: ViewChangeRules
  readonly outbox = new ProcessOutbox<
    PbftMessage,
    PbftRecord,
    LogOutput<Certificate> | SignedOutput<Evidence>
  >()
  readonly log = new Map<number, Slot>()
  readonly checkpoints: CheckpointVotes
  /** Of each member the view change for the highest view. */
  readonly viewChanges = new Map<MemberIndex, ViewChange>()
  /** Of each member the highest view whose proposers it finds slow. */
  readonly complaints = new Map<MemberIndex, Complaint>()
  /** The f + 1 complaints for which it left its last view, until the next one begins; none where it left otherwise. */
  leftBecauseOf: readonly Complaint[] = []
  /** v: the view that this replica is in, or is about to enter. */
  view = 0
  isActive = true
  /** The members that our view passes over as proposers; none in view 0. */
  passedOver: readonly Suspect[] = []
  readonly leaders: LeaderRecord
  /** The greatest sequence number that the new view proposed again. */
  reproposed = 0
  /** The last sequence number whose decision was given to the application. */
  decided = 0
  /** Proof of the last stable checkpoint; its sequence number is h, the low watermark. */
  stable: Certificate | null = null
  /** Our state after the last checkpoint that we executed. */
  executed: { readonly sequence: number; readonly digest: Value } | null = null
  readonly viewTimer: ViewTimer
  readonly answers = new Answers()
  isWaiting = false
  isHalted = false
  /** Whether it casts no vote any more, because the record of earlier votes is lost. */
  isAbstaining = false
  /** What other members told of its own votes while it asks for them; null once it may vote. */
  recall: Recall | null = null
  #newView: NewView | null = null
  /** Retransmissions since the last progress. */
  #retransmissions = 0
  /** Members that attested the last stable checkpoint when it was stable: one that does so twice does not know that it is. */
  readonly late = new Set<MemberIndex>()
  /** Members that are proven to have left out what they committed to. */
  readonly omitters = new Set<MemberIndex>()
  /** Where the message that is being handled came from. */
  source: PeerId = ''

  /** Throws a RangeError for an option out of its range. */
  constructor(options: PbftOptions) {
    const { n, pattern, signing, checkpointInterval } = options
    assertOptions({ ...options, self: signing.self }, { pipelineMax: 2 * CHECKPOINT_INTERVAL_MAX })
    assertInteger('checkpointInterval', checkpointInterval, { min: 1, max: CHECKPOINT_INTERVAL_MAX })
    if (!PATTERN_NAMES.includes(pattern))
      throw new RangeError(`pattern: expected ${PATTERN_NAMES.join(' or ')}, got ${JSON.stringify(pattern)}`)
    this.options = options
    this.quorum = quorumOf(n)
    this.rules = { n, window: 2 * checkpointInterval, isSequential: options.pipeline === 1, signing }
    this.checkpoints = new CheckpointVotes(this.quorum)
    this.leaders = new LeaderRecord(n)
    this.viewTimer = new ViewTimer(options.timeoutMs, n, effect => this.outbox.emit(effect))
  }

  /** Our index as a voting member; null for a node that only follows, and while we ask for our own votes. */
  get self(): MemberIndex | null {
    return this.recall === null && !this.isAbstaining ? this.options.signing.self : null
  }

  /** What began the view, for those that missed it; null in view 0. */
  get newView(): NewView | null {
    return this.#newView
  }

  set newView(message: NewView | null) {
    this.#newView = message
    this.passedOver = message === null ? [] : passedOverBy(message.viewChanges, this.options.n)
  }

  /** The sequence number for which this replica may propose now; null when it is not its turn. */
  get turn(): number | null {
    if (this.self === null || !this.isActive || this.isHalted) return null
    const highest = Math.min(this.decided + this.options.pipeline, this.low + this.rules.window)
    const least = Math.max(this.decided, this.reproposed, this.low)
    for (let sequence = least + 1; sequence <= highest; sequence++) {
      const slot = this.log.get(sequence)
      const isFree = slot === undefined || (slot.committed === null && slot.accepted?.view !== this.view)
      if (isFree && this.proposer(sequence) === this.self) return sequence
    }
    return null
  }

  /** All that decides what this replica does next. */
  get snapshot(): Snapshot {
    const { log, checkpoints, viewChanges, complaints, view, isActive, passedOver, leaders, reproposed } =
      this
    const { decided, stable, executed, viewTimer, answers, isWaiting, isHalted, isAbstaining, recall } = this
    const { newView, late, omitters, leftBecauseOf } = this
    const retransmissions = this.#retransmissions
    return snapshotOf({
      ...{ log, checkpoints, viewChanges, complaints, view, isActive, passedOver, leaders, reproposed },
      ...{ decided, stable, executed, viewTimer, answers, isWaiting, isHalted, isAbstaining, recall },
      ...{ newView, late, omitters, leftBecauseOf, retransmissions },
    })
  }

  /** How much state messages of others take: slots, votes, view changes. It has a bound (see the tests). */
  get size(): number {
    const votes = [...this.log.values()].reduce((sum, slot) => sum + 1 + slot.size, this.checkpoints.size)
    const { viewChanges, complaints, leftBecauseOf, answers, late, omitters } = this
    const reasons = complaints.size + leftBecauseOf.length
    return votes + viewChanges.size + reasons + answers.size + late.size + omitters.size
  }

  /** h: the low watermark. */
  get low(): number {
    return this.stable?.sequence ?? 0
  }

  /** The member that begins our view. */
  get primary(): MemberIndex {
    return primaryOfView(this.view, this.options.n)
  }

  /** The member that proposes, and in the leader-collected pattern collects. What a new view proposes again is its primary's. */
  proposer(sequence: number): MemberIndex {
    if (sequence <= this.reproposed) return this.primary
    return proposerOf(this.view, sequence, this.options.n, this.passedOver)
  }

  isCollector(sequence: number): boolean {
    return this.options.pattern === 'leader-collected' && this.proposer(sequence) === this.self
  }

  /** Between the watermarks: h < sequence ≤ H. */
  isInWindow(sequence: number): boolean {
    const high = this.low + this.rules.window
    return Number.isSafeInteger(sequence) && sequence > this.low && sequence <= high
  }

  /** Whether a vote for this sequence number and view can still matter here. */
  takesPart(sequence: number, view: number): boolean {
    return this.isInWindow(sequence) && Number.isSafeInteger(view) && view >= this.view
  }

  /** Sends a vote to the members that count it. */
  tell(sequence: number, message: PbftMessage): void {
    if (this.options.pattern === 'all-to-all') this.broadcast(message)
    else if (!this.isCollector(sequence))
      this.outbox.emit({ type: 'send', to: this.proposer(sequence), message })
  }

  broadcast(message: PbftMessage): void {
    this.outbox.emit({ type: 'broadcast', message })
  }

  /** Answers the source of the message that is being handled, within its budget. */
  reply(message: PbftMessage): void {
    if (this.answers.take(this.source)) this.outbox.emit({ type: 'reply', to: this.source, message })
  }

  refuse(reason: string): void {
    this.outbox.emit({ type: 'refuse', from: this.source, reason })
  }

  /** Stops for good. Two decisions for one sequence number are sent to all, so that they stop too. */
  halt(effect: Extract<PbftEffect, { type: 'conflict' | 'diverged' | 'exhausted' }>): void {
    if (effect.type === 'conflict')
      for (const certificate of [effect.first, effect.second]) this.broadcast({ type: 'proof', certificate })
    this.isHalted = true
    this.viewTimer.stop()
    this.outbox.emit({ type: 'clear-timer', name: RETRANSMIT })
    this.outbox.emit(effect)
  }

  isProof(certificate: Certificate): boolean {
    return isCertificate(certificate, this.options.n, this.options.signing)
  }

  sign(statement: Statement): Uint8Array {
    return this.options.signing.sign(statement)
  }

  /** The highest view that a member asked for; 0 when it asked for none. */
  asksFor(member: MemberIndex): number {
    return this.viewChanges.get(member)?.view ?? 0
  }

  slot(sequence: number): Slot {
    const slot = this.log.get(sequence) ?? new Slot(sequence)
    this.log.set(sequence, slot)
    return slot
  }

  inOrder(): Slot[] {
    return [...this.log.values()].sort((a, b) => a.sequence - b.sequence)
  }

  /** The slots above the last decision, in order. */
  undecided(): Slot[] {
    return this.inOrder().filter(({ sequence }) => sequence > this.decided)
  }

  fallBehind(certificate: Certificate): void {
    this.outbox.emit({ type: 'behind', decision: certificate, from: this.source })
  }

  /** Something was decided, by a vote of ours in our view or not. */
  succeed(isOurs: boolean): void {
    this.viewTimer.succeed(isOurs)
    this.restartRetransmission()
  }

  /** There was progress: the next retransmission comes soon again. */
  restartRetransmission(): void {
    const before = this.#retransmissionMs
    this.#retransmissions = 0
    if (this.#retransmissionMs < before) this.scheduleRetransmission()
  }

  /**
   * Retransmits what is not decided after an eighth of the timeout, then a quarter, then each half of it, and no sooner
   * than after `retransmitMs`. With half of it from the start, a PREPARE and a COMMIT lost one after the other would cost
   * the view, and the timeout that doubles for it would make the next loss cost as much again.
   */
  scheduleRetransmission(): void {
    this.outbox.emit({ type: 'set-timer', name: RETRANSMIT, delayMs: this.#retransmissionMs })
    this.#retransmissions += 1
  }

  get #retransmissionMs(): number {
    const share = Math.min(1 / 2, 2 ** this.#retransmissions / 8)
    return Math.max(this.options.retransmitMs, Math.ceil(this.viewTimer.timeoutMs * share))
  }

  /** Starts or stops waiting for progress, as there is something to wait for or not. */
  watch(): void {
    if (this.isActive && this.self !== null && !this.isHalted) this.viewTimer.watch(this.hasUnfinished())
  }

  hasUnfinished(): boolean {
    // A replica that lacks stable decisions can't tell whether the primary is slow.
    if (this.decided < this.low) return false
    if (this.isWaiting || this.decided < this.reproposed) return true
    return this.undecided().some(slot => slot.accepted?.view === this.view)
  }
}
