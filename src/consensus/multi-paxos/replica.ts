// The state of one member of Multi-Paxos, and how it is changed: the acceptor's promise and votes, which are durable
// before they are sent; what the learner knows; and, while this member leads or tries to, the leader's part.

import type { Application, LogOutput, Value } from '../log.ts'
import { RETRANSMIT } from '../log.ts'
import { assertOptions } from '../options.ts'
import { ProcessOutbox } from '../outbox.ts'
import type { MemberIndex, PeerId, Snapshot } from '../process.ts'
import { snapshotOf } from '../snapshot.ts'
import { type Ballot, electionDelayMs, NO_BALLOT, ownerOf } from './ballot.ts'
import type { Accept, Accepted, PaxosDecision, PaxosMessage, PaxosRecord, Promise1b } from './messages.ts'

/** The timer after which a member asks for a ballot of its own, or a leader for another one. */
export const ELECTION = 'election'

/** The timer of a leader's heartbeats. */
export const HEARTBEAT = 'heartbeat'

/** Slots of which a promise speaks at most. */
export const SLOTS_MAX = 512

/** Slots above the last stable one in which a member votes, at least. */
const WINDOW_MIN = 16

/** Heartbeats in a timeout. */
const HEARTBEATS = 4

/** Doublings of the timeout at most: progress needs messages that take less than 64 base timeouts. */
const DOUBLINGS_MAX = 6

/** What a member is made of. */
export interface PaxosOptions {
  readonly n: number
  readonly self: MemberIndex | null
  readonly application: Application<PaxosDecision>
  readonly timeoutMs: number
  readonly retransmitMs: number
  readonly pipeline: number
}

/** A value that a leader asks for, and the distinct members that accepted it in the leader's ballot. */
export interface Proposal {
  readonly value: Value
  readonly isReproposed: boolean
  readonly voters: Set<MemberIndex>
}

/** What a member knows as the leader of its ballot. */
export interface Leading {
  readonly ballot: Ballot
  /** Whether a majority promised, so that phase 1 is over. */
  isActive: boolean
  /** By member, until phase 1 is over. */
  readonly promises: Map<MemberIndex, Promise1b>
  /** All slots up to this one are decided somewhere: nothing is proposed for them. */
  base: number
  /** The next slot for which nothing was proposed. */
  next: number
  /** Phase 2, by slot, until the value is chosen. */
  readonly proposals: Map<number, Proposal>
}

/** One member. */
export class Replica {
  readonly options: PaxosOptions
  readonly outbox = new ProcessOutbox<PaxosMessage, PaxosRecord, LogOutput<PaxosDecision>>()
  /** Slots above `stable` in which this member votes. */
  readonly window: number
  /** The source of the message at hand. */
  source: PeerId = ''
  isAbstaining = false
  isHalted = false
  isWaiting = false

  // The acceptor: durable.
  promised: Ballot = NO_BALLOT
  readonly accepted = new Map<number, Accepted>()
  /** Decisions up to this one are durable with the application: the votes for them are forgotten. */
  stable = 0

  // The learner.
  /** The last slot of the decided prefix. */
  decided = 0
  /** Chosen values above a hole, by slot. */
  readonly learned = new Map<number, PaxosDecision>()
  /** What would be accepted if its value were known, by slot; of the promised ballot only. */
  readonly held = new Map<number, Accept>()

  leading: Leading | null = null
  /** Doublings of the timeout: one for each ballot after the first without a decision, one less for each decision. */
  #doublings = 0
  #ballotsInVain = 0
  #isTimed = false

  /** Throws a RangeError for an option out of its range. */
  constructor(options: PaxosOptions) {
    assertOptions(options, { pipelineMax: SLOTS_MAX / 2 })
    this.options = options
    this.window = Math.max(WINDOW_MIN, 2 * options.pipeline)
  }

  /** Our place, or null for a member that does not vote. */
  get self(): MemberIndex | null {
    return this.isAbstaining ? null : this.options.self
  }

  /** All slots up to this one are known to be decided, whether or not the application has the decisions. */
  get prefix(): number {
    return Math.max(this.decided, this.stable)
  }

  /** Whether phase 1 of the promised ballot is over, as far as we know; a ballot that we led before a restart is dead. */
  get isActive(): boolean {
    if (this.leading !== null) return this.leading.isActive
    return this.promised !== NO_BALLOT && ownerOf(this.promised, this.options.n) !== this.self
  }

  get timeoutMs(): number {
    return this.options.timeoutMs * 2 ** this.#doublings
  }

  get size(): number {
    let size = this.accepted.size + this.learned.size + this.held.size
    for (const { accepted } of this.leading?.promises.values() ?? []) size += 1 + accepted.length
    for (const { voters } of this.leading?.proposals.values() ?? []) size += 1 + voters.size
    return size
  }

  get snapshot(): Snapshot {
    const { promised, accepted, stable, decided, learned, held, leading } = this
    const { isAbstaining, isHalted, isWaiting } = this
    return snapshotOf({
      ...{ promised, accepted, stable, decided, learned, held, leading },
      ...{ isAbstaining, isHalted, isWaiting, isTimed: this.#isTimed },
      ...{ doublings: this.#doublings, ballotsInVain: this.#ballotsInVain },
    })
  }

  // ---- messages

  broadcast(message: PaxosMessage): void {
    this.outbox.emit({ type: 'broadcast', message })
  }

  send(to: MemberIndex, message: PaxosMessage): void {
    this.outbox.emit({ type: 'send', to, message })
  }

  reply(message: PaxosMessage): void {
    this.outbox.emit({ type: 'reply', to: this.source, message })
  }

  refuse(reason: string): void {
    this.outbox.emit({ type: 'refuse', from: this.source, reason })
  }

  halt(output: Extract<LogOutput<PaxosDecision>, { type: 'conflict' | 'exhausted' }>): void {
    this.isHalted = true
    this.outbox.emit(output)
  }

  // ---- records

  /** Promises a ballot that is higher than all before it; a leader of a lower one steps down. */
  promise(ballot: Ballot): void {
    if (ballot <= this.promised) return
    this.promised = ballot
    this.persistPromise()
    this.leading = null
    this.held.clear()
    this.#ballotsInVain += 1
    if (this.#ballotsInVain > 1) this.#doublings = Math.min(this.#doublings + 1, DOUBLINGS_MAX)
    this.restartElectionTimer()
  }

  /** Keeps a vote. */
  keep(vote: Accepted): void {
    this.accepted.set(vote.sequence, vote)
    this.outbox.write(acceptedKey(vote.sequence), { type: 'accepted', ...vote })
  }

  /** The application has all decisions up to this one on disk: our votes for them can never matter again. */
  stabilise(sequence: number): void {
    if (sequence <= this.stable) return
    this.stable = sequence
    this.forget()
    this.persistPromise()
  }

  /** Removes the votes for slots that are stable. */
  forget(): void {
    for (const slot of [...this.accepted.keys()].filter(slot => slot <= this.stable)) {
      this.accepted.delete(slot)
      this.outbox.write(acceptedKey(slot), null)
    }
  }

  /** Takes back what was on disk before a restart. */
  restore(record: PaxosRecord): void {
    switch (record.type) {
      case 'promise':
        this.promised = record.ballot
        this.stable = record.stable
        return
      case 'accepted': {
        const { sequence, ballot, value } = record
        this.accepted.set(sequence, { sequence, ballot, value })
      }
    }
  }

  persistPromise(): void {
    this.outbox.write('promise', { type: 'promise', ballot: this.promised, stable: this.stable })
  }

  // ---- time

  /** The leader sent a heartbeat, or there was progress: restarts the election timer. */
  restartElectionTimer(): void {
    const { self, promised } = this
    if (self === null || !this.#needsProgress) {
      if (this.#isTimed) this.outbox.emit({ type: 'clear-timer', name: ELECTION })
      this.#isTimed = false
      return
    }
    this.#isTimed = true
    const { n } = this.options
    const isOurs = this.leading !== null || (promised !== NO_BALLOT && ownerOf(promised, n) === self)
    const { timeoutMs } = this
    const delayMs = isOurs
      ? Math.ceil(timeoutMs)
      : electionDelayMs(timeoutMs, { ballot: promised, member: self, n })
    this.outbox.emit({ type: 'set-timer', name: ELECTION, delayMs })
  }

  /** The application waits, or what it proposed here is not chosen yet. */
  get #needsProgress(): boolean {
    return this.isWaiting || (this.leading?.proposals.size ?? 0) > 0
  }

  scheduleHeartbeat(): void {
    const delayMs = Math.ceil(this.options.timeoutMs / HEARTBEATS)
    this.outbox.emit({ type: 'set-timer', name: HEARTBEAT, delayMs })
  }

  scheduleRetransmission(): void {
    this.outbox.emit({ type: 'set-timer', name: RETRANSMIT, delayMs: this.options.retransmitMs })
  }

  /** Something was decided. */
  onProgress(): void {
    this.#ballotsInVain = 0
    this.#doublings = Math.max(0, this.#doublings - 1)
    this.restartElectionTimer()
  }
}

function acceptedKey(sequence: number): string {
  return `accepted:${sequence}`
}
