// The acceptor (Lamport, "Paxos Made Simple", 2001, section 2.2): it promises a ballot unless it promised a higher one
// (P1a), accepts a value unless it promised a higher ballot, and both are durable before they are said (section 2.5).

import { NO_VALUE, type Validity } from '../log.ts'
import { ownerOf } from './ballot.ts'
import { replyDecision, sendStatus } from './learner.ts'
import type { Accept, Accepted, Prepare, Promise1b } from './messages.ts'
import type { Replica } from './replica.ts'

/** Phase 1b: answers a PREPARE with a promise and all that was accepted above the proposer's decided prefix. */
export function onPrepare(replica: Replica, { ballot, from, decided }: Prepare): void {
  if (ballot < replica.promised) return reject(replica)
  replica.promise(ballot)
  if (replica.self === null) return
  replica.send(from, promiseMessage(replica, decided))
  if (decided > replica.prefix) sendStatus(replica, from)
}

/** What this member promises, to a proposer with this decided prefix. */
export function promiseMessage(replica: Replica, decided: number): Promise1b {
  const accepted = [...replica.accepted.values()]
    .filter(({ sequence }) => sequence > decided)
    .sort((a, b) => a.sequence - b.sequence)
  return { type: 'promise', from: replica.self!, ballot: replica.promised, decided: replica.prefix, accepted }
}

/** Phase 2b: accepts the value, unless a higher ballot was promised. */
export function onAccept(replica: Replica, message: Accept): void {
  if (message.ballot < replica.promised) return reject(replica)
  replica.promise(message.ballot)
  replica.restartElectionTimer()
  if (message.sequence <= replica.stable) return replyDecision(replica, message.sequence)
  if (message.sequence > replica.stable + replica.window) return sendStatus(replica, message.from)
  const vote = accept(replica, message)
  if (vote !== null) sendVote(replica, vote)
}

/** Accepts a value of the promised ballot if it is valid; one that is unknown is held until it is known. */
export function accept(replica: Replica, message: Accept): Accepted | null {
  const { sequence, ballot, value } = message
  if (replica.self === null || sequence > replica.stable + replica.window) return null
  switch (validityOf(replica, message)) {
    case 'invalid':
      return null
    case 'unknown':
      replica.held.set(sequence, message)
      replica.outbox.emit({ type: 'missing', value, from: replica.source })
      return null
    case 'valid': {
      replica.held.delete(sequence)
      const vote = { sequence, ballot, value }
      if (replica.accepted.get(sequence)?.ballot !== ballot) replica.keep(vote)
      return vote
    }
  }
}

/** What was decided or accepted before is valid, and so is a no-op. */
function validityOf(replica: Replica, { sequence, value, isReproposed }: Accept): Validity {
  const isKnown = sequence <= replica.decided || replica.accepted.get(sequence)?.value === value
  if (value === NO_VALUE || isKnown) return 'valid'
  return replica.options.application.validate(sequence, value, { isReproposed })
}

/** ACCEPTED, to the leader. */
export function sendVote(replica: Replica, vote: Accepted): void {
  replica.send(ownerOf(vote.ballot, replica.options.n), { type: 'accepted', from: replica.self!, ...vote })
}

/** The votes for values that were unknown and are known by now. */
export function acceptHeld(replica: Replica): Accepted[] {
  const messages = [...replica.held.values()].filter(({ sequence }) => sequence > replica.stable)
  return messages.flatMap(message => accept(replica, message) ?? [])
}

/** Tells the sender which ballot was promised since, so that it steps down. */
export function reject(replica: Replica): void {
  if (replica.self === null) return
  replica.reply({ type: 'reject', from: replica.self, ballot: replica.promised })
}
