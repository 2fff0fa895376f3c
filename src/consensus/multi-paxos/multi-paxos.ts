// Multi-Paxos as a state machine: L. Lamport, "The Part-Time Parliament" (1998) and "Paxos Made Simple" (2001), in the form
// of R. van Renesse and D. Altinbuken, "Paxos Made Moderately Complex" (2015). n = 2f + 1 members, of which f may stop,
// decide one value a slot. Every member is proposer, acceptor and learner at once. Safety never depends on time.
//   phase 1   PREPARE b to all, PROMISE b with what was accepted above the proposer's decided prefix: once a leader
//   phase 2   ACCEPT b slot value to all, ACCEPTED by a majority, CHOSEN to all: 3(n − 1) messages a slot
// Durable before it is sent: the promised ballot, which is a leader's own one too, and each accepted (slot, ballot, value).
// Deviations: a stale ballot is answered with REJECT; a vote is forgotten once its decision is durable with the application,
// and a promise says up to where that is; timeouts are spread by member and ballot, not at random; a value that the
// application does not know is accepted only when it does.

import { type LogProtocol, type LogState, RETRANSMIT } from '../log.ts'
import { assertStarts } from '../options.ts'
import type { Snapshot } from '../process.ts'
import { onAccept, onPrepare, reject } from './acceptor.ts'
import { NO_BALLOT, ownerOf } from './ballot.ts'
import {
  campaign,
  mayLeadFirst,
  onAccepted,
  onElectionTimeout,
  onHeartbeatTimeout,
  onPromise,
  onPropose,
  onRevalidate,
  repeatAsLeader,
  turnOf,
} from './leader.ts'
import { learn, onCaughtUp, onHeartbeat, onLost, onStatus, sendStatusToAll } from './learner.ts'
import type { PaxosDecision, PaxosEffect, PaxosInput, PaxosMessage, PaxosRecord } from './messages.ts'
import { ELECTION, HEARTBEAT, type PaxosOptions, Replica } from './replica.ts'

/** One member of Multi-Paxos. */
export class MultiPaxos implements LogProtocol<PaxosMessage, PaxosRecord, PaxosDecision> {
  readonly #replica: Replica
  #hasStarted = false

  /** Throws a RangeError for an option out of its range. */
  constructor(options: PaxosOptions) {
    this.#replica = new Replica(options)
  }

  get turn(): number | null {
    return this.#replica.isHalted ? null : turnOf(this.#replica)
  }

  get size(): number {
    return this.#replica.size
  }

  get snapshot(): Snapshot {
    return this.#replica.snapshot
  }

  get state(): LogState {
    const { promised, leading, isActive, decided, stable, timeoutMs, isHalted, options } = this.#replica
    const voters = leading?.proposals.get(decided + 1)?.voters ?? []
    return {
      view: promised,
      isActive,
      isHalted,
      isRecalling: false,
      decided,
      stable,
      timeoutMs,
      proposer: isActive ? ownerOf(promised, options.n) : null,
      voted: new Map([['accepted', [...voters].sort((a, b) => a - b)]]),
      leaving: leading !== null && !leading.isActive ? [options.self!] : [],
    }
  }

  /** Throws an error for anything before `start`, and for a second one. */
  step(input: PaxosInput): PaxosEffect[] {
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
      case 'timeout':
        this.#onTimeout(input.name)
        break
      case 'propose':
        onPropose(replica, input.value)
        break
      case 'demand':
        replica.isWaiting = input.isWaiting
        if (input.isWaiting && mayLeadFirst(replica)) campaign(replica)
        else replica.restartElectionTimer()
        break
      case 'revalidate':
        onRevalidate(replica)
        break
      case 'executed':
        replica.stabilise(Math.min(input.sequence, replica.decided))
        break
      case 'caught-up':
        onCaughtUp(replica, input.decision)
        break
      case 'lost':
        onLost(replica, input.decided)
        break
      // Votes that were lost can't be asked for: with a majority of 2f + 1 the others may not know of them.
      case 'abstain':
      case 'recall':
        this.#abstain()
        break
      // Nothing waits for a member that can be reached.
      case 'reachable':
        break
    }
    return replica.outbox.take()
  }

  #start({ records, decided, challenge, forgotten }: Extract<PaxosInput, { type: 'start' }>): void {
    const replica = this.#replica
    for (const record of records.values()) replica.restore(record)
    replica.decided = decided
    replica.stabilise(decided)
    replica.forget()
    replica.scheduleRetransmission()
    if (challenge !== null || forgotten !== null) this.#abstain()
  }

  #abstain(): void {
    const replica = this.#replica
    replica.isAbstaining = true
    replica.leading = null
    replica.held.clear()
    replica.restartElectionTimer()
  }

  #onTimeout(name: string): void {
    const replica = this.#replica
    if (name === ELECTION) onElectionTimeout(replica)
    else if (name === HEARTBEAT) onHeartbeatTimeout(replica)
    else if (name === RETRANSMIT) {
      replica.scheduleRetransmission()
      sendStatusToAll(replica)
      repeatAsLeader(replica)
      onRevalidate(replica)
    }
  }

  #onMessage(message: PaxosMessage): void {
    const replica = this.#replica
    const { n } = replica.options
    if (message.type !== 'chosen' && message.from !== null) {
      if (message.from >= n) return replica.refuse('not-a-member')
      if (message.from === replica.options.self) return
    }
    switch (message.type) {
      case 'prepare':
      case 'accept':
      case 'heartbeat':
        if (message.ballot === NO_BALLOT || ownerOf(message.ballot, n) !== message.from)
          return replica.refuse('ballot-of-another')
        return this.#onLeader(message)
      case 'promise':
        return onPromise(replica, message)
      case 'accepted':
        return onAccepted(replica, message)
      case 'chosen':
        return learn(replica, message.decision)
      case 'reject':
        return replica.promise(message.ballot)
      case 'status':
        return onStatus(replica, message)
    }
  }

  /** A message of the owner of a ballot. */
  #onLeader(message: Extract<PaxosMessage, { type: 'prepare' | 'accept' | 'heartbeat' }>): void {
    const replica = this.#replica
    switch (message.type) {
      case 'prepare':
        return onPrepare(replica, message)
      case 'accept':
        return onAccept(replica, message)
      case 'heartbeat':
        if (message.ballot < replica.promised) return reject(replica)
        replica.promise(message.ballot)
        return onHeartbeat(replica, message)
    }
  }
}
