// The learner (Lamport, "Paxos Made Simple", 2001, sections 2.3 and 3): chosen values are given to the application slot by
// slot, never over a hole. A member that hears of a longer decided prefix sends its status, and is sent the decisions that
// it lacks.

import { missedDecisions } from '../missed-decisions.ts'
import type { MemberIndex } from '../process.ts'
import type { Heartbeat, PaxosDecision, Status } from './messages.ts'
import type { Replica } from './replica.ts'

/** A value was chosen. */
export function learn(replica: Replica, decision: PaxosDecision): void {
  const { sequence, value } = decision
  const { application, pipeline } = replica.options
  const known =
    sequence <= replica.decided ? application.decision(sequence) : (replica.learned.get(sequence) ?? null)
  if (known !== null && known.value !== value)
    return replica.halt({ type: 'conflict', first: known, second: decision })
  if (sequence <= replica.decided) return
  if (sequence <= replica.decided + replica.window) replica.learned.set(sequence, decision)
  advance(replica)
  if (sequence > replica.decided + pipeline)
    replica.outbox.emit({ type: 'behind', decision, from: replica.source })
}

/** Gives the application what follows the decided prefix. */
function advance(replica: Replica): void {
  for (;;) {
    const decision = replica.learned.get(replica.decided + 1)
    if (decision === undefined) return
    moveTo(replica, decision.sequence)
    replica.outbox.emit({ type: 'decide', decision })
  }
}

/** The application has all decisions up to this one by a way of its own. */
export function onCaughtUp(replica: Replica, { sequence }: PaxosDecision): void {
  if (sequence > replica.decided) moveTo(replica, sequence)
  replica.stabilise(sequence)
  advance(replica)
}

/** The application lacks the decisions after this one. */
export function onLost(replica: Replica, decided: number): void {
  replica.decided = Math.min(replica.decided, decided)
  sendStatusToAll(replica)
}

/** The decided prefix grew: proposals and votes below it are dropped. */
function moveTo(replica: Replica, sequence: number): void {
  replica.decided = sequence
  for (const slots of [replica.learned, replica.held, replica.leading?.proposals])
    for (const slot of slots?.keys() ?? []) if (slot <= sequence) slots?.delete(slot)
  replica.onProgress()
}

/** The leader is alive; one that is ahead is asked for what we lack. */
export function onHeartbeat(replica: Replica, { from, decided }: Heartbeat): void {
  replica.restartElectionTimer()
  if (decided > replica.decided) sendStatus(replica, from)
}

/** Sends a member that is behind the decisions that it lacks. */
export function onStatus(replica: Replica, { decided }: Status): void {
  for (const sequence of missedDecisions(decided, replica.decided)) replyDecision(replica, sequence)
}

/** A decision, if it is kept. */
export function replyDecision(replica: Replica, sequence: number): void {
  const decision = replica.options.application.decision(sequence)
  if (decision !== null) replica.reply({ type: 'chosen', decision })
}

/** Sends our status to one member that is ahead. */
export function sendStatus(replica: Replica, to: MemberIndex): void {
  replica.send(to, statusMessage(replica))
}

/** Sends our status to all. */
export function sendStatusToAll(replica: Replica): void {
  replica.broadcast(statusMessage(replica))
}

function statusMessage(replica: Replica): Status {
  return {
    type: 'status',
    from: replica.options.self,
    ballot: replica.promised,
    isActive: replica.isActive,
    votes: replica.self !== null,
    decided: replica.decided,
    timeoutMs: Math.ceil(replica.timeoutMs),
  }
}
