// PBFT as a state machine: M. Castro and B. Liskov, "Practical Byzantine Fault Tolerance" (OSDI 1999), with signatures
// throughout. n members, of which f = ⌊(n − 1) / 3⌋ may be faulty, decide one value after the other; a certificate is n − f
// signatures. Safety never depends on time; progress does (partial synchrony).
//
// Two message patterns share everything but the way of the votes: `all-to-all` (sections 4.2 to 4.4) sends each vote
// to all; `leader-collected` (W. Schultz, "Distributed Systems", 2024, section 4.2, and the step 6 that is missing
// there) sends it to the proposer, which spreads the certificate that n − f of them make.

import { type LogProtocol, type LogState, RETRANSMIT } from '../log.ts'
import { assertStarts } from '../options.ts'
import type { MemberIndex, Snapshot } from '../process.ts'
import { onCaughtUp, onProof, stabiliseDecided } from './catch-up.ts'
import { onCheckpoint, onExecuted } from './checkpoints.ts'
import { considerComplaining, onComplaint } from './complaints.ts'
import type { PbftEffect, PbftInput, PbftMessage, PbftRecord } from './messages.ts'
import {
  addProposals,
  considerViewChanges,
  onNewView,
  onNoProgress,
  onViewChange,
  sendViewChange,
} from './new-view.ts'
import {
  advanceAll,
  decide,
  onCommit,
  onPrePrepare,
  onPrepare,
  onPropose,
  restoreVotes,
} from './normal-case.ts'
import { isRecalled, onAnswer, onQuery, replyQuery, startRecall } from './recall.ts'
import { forgetSlots, persistAll, persistView, restore } from './records.ts'
import { type PbftOptions, Replica } from './replica.ts'
import { onRetransmit, onStatus } from './retransmission.ts'
import { PROGRESS } from './view-timer.ts'
import type { Certificate, Evidence } from './votes.ts'

export type { Pattern, PbftOptions } from './replica.ts'

/** One replica of PBFT. */
export class Pbft implements LogProtocol<PbftMessage, PbftRecord, Certificate, Evidence> {
  readonly #replica: Replica
  #hasStarted = false

  /** Throws a RangeError for an option out of its range. */
  constructor(options: PbftOptions) {
    this.#replica = new Replica(options)
  }

  get turn(): number | null {
    return this.#replica.turn
  }

  /** How much state messages of others take: slots, votes, view changes. It has a bound (see the tests). */
  get size(): number {
    return this.#replica.size
  }

  get snapshot(): Snapshot {
    return this.#replica.snapshot
  }

  /** Where this replica stands. */
  get state(): LogState & { readonly proposer: MemberIndex } {
    const replica = this.#replica
    const next = replica.decided + 1
    const slot = replica.log.get(next)
    const { view } = replica
    const leftView = replica.isActive ? view : view - 1
    // Read after every step: one pass over the members.
    const prepared: MemberIndex[] = []
    const committed: MemberIndex[] = []
    const leaving: MemberIndex[] = []
    for (let member = 0; member < replica.options.n; member++) {
      if (slot?.voteOf('prepare', member)?.view === view) prepared.push(member)
      if (slot?.voteOf('commit', member)?.view === view) committed.push(member)
      if (replica.asksFor(member) > leftView) leaving.push(member)
    }
    return {
      view,
      isActive: replica.isActive,
      isHalted: replica.isHalted,
      isRecalling: replica.recall !== null,
      decided: replica.decided,
      stable: replica.low,
      timeoutMs: replica.viewTimer.timeoutMs,
      proposer: replica.proposer(next),
      voted: new Map([
        ['prepare', prepared],
        ['commit', committed],
      ]),
      leaving,
    }
  }

  /** Throws an error for anything before `start`, and for a second one. */
  step(input: PbftInput): PbftEffect[] {
    const replica = this.#replica
    assertStarts(input.type, this.#hasStarted)
    this.#hasStarted = true
    if (replica.isHalted) return []
    replica.source = 'from' in input ? input.from : ''
    switch (input.type) {
      case 'start':
        this.#start(input)
        break
      case 'message':
        this.#onMessage(input.message)
        break
      case 'reachable':
        replyQuery(replica)
        break
      case 'timeout':
        if (input.name === PROGRESS) onNoProgress(replica)
        else if (input.name === RETRANSMIT) onRetransmit(replica)
        break
      case 'propose':
        onPropose(replica, input.value)
        break
      case 'demand':
        replica.isWaiting = input.isWaiting
        replica.watch()
        break
      case 'revalidate':
        advanceAll(replica)
        break
      case 'executed':
        onExecuted(replica, input.sequence, input.digest)
        break
      case 'caught-up':
        onCaughtUp(replica, input.decision)
        break
      case 'recall':
        if (replica.options.signing.self !== null) startRecall(replica, input.challenge)
        break
      case 'abstain':
        replica.isAbstaining = true
        replica.viewTimer.stop()
        break
      case 'lost':
        replica.decided = Math.min(replica.decided, input.decided)
        decide(replica)
        break
    }
    if (isRecalled(replica)) this.#resume()
    considerComplaining(replica)
    return replica.outbox.take()
  }

  #start(start: Extract<PbftInput, { type: 'start' }>): void {
    const { records, decided, challenge, forgotten, convicted } = start
    const replica = this.#replica
    for (const member of convicted) replica.leaders.convict(member)
    replica.decided = decided
    for (const record of records.values()) restore(replica, record)
    if (records.size === 0) persistView(replica)
    // A new view that was kept before we entered it, or after we left it, began nothing.
    if (!replica.isActive || replica.newView?.view !== replica.view) replica.newView = null
    forgetSlots(replica, replica.low)
    stabiliseDecided(replica)
    replica.scheduleRetransmission()
    if (challenge === null || replica.options.signing.self === null) return this.#vote()
    startRecall(replica, challenge, forgotten)
  }

  /** All earlier votes of this member are known: it votes from here on, and sends its messages again. */
  #resume(): void {
    const replica = this.#replica
    const { view } = replica.recall!
    replica.recall = null
    stabiliseDecided(replica)
    if (
      view > replica.view ||
      (view === replica.view && replica.isActive && replica.newView === null && view > 0)
    ) {
      replica.view = view
      replica.isActive = false
      replica.newView = null
    }
    persistAll(replica)
    this.#vote()
    considerViewChanges(replica)
    advanceAll(replica)
  }

  #vote(): void {
    const replica = this.#replica
    for (const slot of replica.isActive ? [...replica.log.values()] : []) restoreVotes(replica, slot)
    addProposals(replica)
    if (!replica.isActive) sendViewChange(replica)
    replica.watch()
  }

  #onMessage(message: PbftMessage): void {
    const replica = this.#replica
    switch (message.type) {
      case 'pre-prepare':
        return onPrePrepare(replica, message)
      case 'prepare':
        return onPrepare(replica, message)
      case 'commit':
        return onCommit(replica, message)
      case 'proof':
        return onProof(replica, message.certificate)
      case 'checkpoint':
        return onCheckpoint(replica, message)
      case 'view-change':
        return onViewChange(replica, message)
      case 'new-view':
        return onNewView(replica, message)
      case 'status':
        return onStatus(replica, message)
      case 'complaint':
        return onComplaint(replica, message)
      case 'query':
        return onQuery(replica, message)
      case 'answer':
        return onAnswer(replica, message)
    }
  }
}
