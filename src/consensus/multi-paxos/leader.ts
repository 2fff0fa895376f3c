// The leader (Lamport, "Paxos Made Simple", 2001, sections 2.2 and 3; R. van Renesse and D. Altinbuken, "Paxos Made
// Moderately Complex", 2015, sections 2.2 and 2.3): one phase 1 for all slots above its decided prefix, then phase 2 for
// what was reported, then no-ops for the holes, then free proposals, slot by slot within a window.

import { NO_VALUE, NUMBER_MAX, type Value } from '../log.ts'
import type { MemberIndex } from '../process.ts'
import { accept, acceptHeld, promiseMessage, sendVote } from './acceptor.ts'
import { ballotAbove, majorityOf, NO_BALLOT, ownerOf } from './ballot.ts'
import { learn, sendStatus } from './learner.ts'
import type { Accept, Accepted, AcceptedVote, Promise1b } from './messages.ts'
import type { Leading, Replica } from './replica.ts'

/** Phase 1a: PREPARE for a ballot of our own that was never used, which is durable before it is sent. */
export function campaign(replica: Replica): void {
  const self = replica.self!
  const { n } = replica.options
  const ballot = ballotAbove(replica.promised, self, n)
  if (ballot > NUMBER_MAX) return replica.halt({ type: 'exhausted', view: replica.promised })
  replica.promise(ballot)
  const decided = replica.prefix
  const own = promiseMessage(replica, decided)
  replica.leading = {
    ballot,
    isActive: false,
    promises: new Map([[self, own]]),
    base: decided,
    next: decided + 1,
    proposals: new Map(),
  }
  replica.broadcast({ type: 'prepare', from: self, ballot, decided })
  considerPromises(replica, replica.leading)
}

/** Whether no member has led yet and the first ballot is ours: then there is no reason to wait. */
export function mayLeadFirst(replica: Replica): boolean {
  return replica.promised === NO_BALLOT && ownerOf(NO_BALLOT + 1, replica.options.n) === replica.self
}

/** The timeout is over: asks for a ballot, unless we lead and nothing is outstanding. */
export function onElectionTimeout(replica: Replica): void {
  const { leading } = replica
  if (replica.self === null || (leading === null && !replica.isWaiting)) return
  const isIdle = leading?.isActive === true && leading.proposals.size === 0 && leading.base <= replica.decided
  if (isIdle) replica.restartElectionTimer()
  else campaign(replica)
}

/** Phase 1b came: promises of distinct members count, for our ballot only. */
export function onPromise(replica: Replica, promise: Promise1b): void {
  const { leading } = replica
  if (leading === null || leading.isActive || promise.ballot !== leading.ballot) return
  leading.promises.set(promise.from, promise)
  considerPromises(replica, leading)
}

/** With a majority of promises phase 1 is over. */
function considerPromises(replica: Replica, leading: Leading): void {
  if (leading.promises.size < majorityOf(replica.options.n)) return
  const { base, proposals } = proposalsOf([...leading.promises.values()])
  leading.isActive = true
  leading.base = base
  leading.next = base + 1 + proposals.length
  const ahead = [...leading.promises.values()].find(({ decided }) => decided > replica.decided)
  leading.promises.clear()
  replica.scheduleHeartbeat()
  if (ahead !== undefined && ahead.from !== replica.self) sendStatus(replica, ahead.from)
  for (const [index, value] of proposals.entries()) propose(replica, leading, base + 1 + index, value, true)
  replica.restartElectionTimer()
}

/**
 * What a new leader must propose: above the longest decided prefix the value of the highest ballot that any promise
 * reports for a slot (P2c), and a no-op for each slot below a reported one of which no promise reports anything.
 */
export function proposalsOf(promises: readonly Pick<Promise1b, 'decided' | 'accepted'>[]): {
  readonly base: number
  readonly proposals: readonly Value[]
} {
  const base = Math.max(...promises.map(({ decided }) => decided))
  const highest = new Map<number, Accepted>()
  for (const vote of promises.flatMap(({ accepted }) => accepted)) {
    const known = highest.get(vote.sequence)
    if (known === undefined || vote.ballot > known.ballot) highest.set(vote.sequence, vote)
  }
  const last = Math.max(base, ...highest.keys())
  const proposals = Array.from(
    { length: last - base },
    (_, index) => highest.get(base + 1 + index)?.value ?? NO_VALUE,
  )
  return { base, proposals }
}

/** The slot for which we may propose a value now: the next free one within the window, while we lead. */
export function turnOf(replica: Replica): number | null {
  const { leading, decided, stable, window, options } = replica
  if (leading === null || !leading.isActive) return null
  const slot = Math.max(leading.next, decided + 1)
  return slot <= Math.min(decided + options.pipeline, stable + window) ? slot : null
}

/** A value of the application, for the next free slot. */
export function onPropose(replica: Replica, value: Value): void {
  const slot = turnOf(replica)
  if (slot === null || value === NO_VALUE) return
  const leading = replica.leading!
  leading.next = slot + 1
  const isFirst = leading.proposals.size === 0
  propose(replica, leading, slot, value, false)
  if (isFirst) replica.restartElectionTimer()
}

/** Phase 2a: one value for a slot in a ballot, never another one. */
function propose(
  replica: Replica,
  leading: Leading,
  sequence: number,
  value: Value,
  isReproposed: boolean,
): void {
  leading.proposals.set(sequence, { value, isReproposed, voters: new Set() })
  const message = acceptMessage(replica.self!, leading, sequence)
  replica.broadcast(message)
  const vote = accept(replica, message)
  if (vote !== null) onVote(replica, vote, message.from)
}

function acceptMessage(from: MemberIndex, { ballot, proposals }: Leading, sequence: number): Accept {
  const { value, isReproposed } = proposals.get(sequence)!
  return { type: 'accept', from, ballot, sequence, value, isReproposed }
}

/** Phase 2b came: a vote of our ballot. */
export function onAccepted(replica: Replica, vote: AcceptedVote): void {
  onVote(replica, vote, vote.from)
}

/** Counts a vote; a value is chosen when a majority of distinct members accepted it in one ballot. */
function onVote(replica: Replica, { sequence, ballot }: Accepted, member: MemberIndex): void {
  const { leading, options } = replica
  const proposal = leading?.proposals.get(sequence)
  if (leading === null || proposal === undefined || ballot !== leading.ballot) return
  proposal.voters.add(member)
  if (proposal.voters.size < majorityOf(options.n)) return
  leading.proposals.delete(sequence)
  const decision = { sequence, value: proposal.value, ballot }
  replica.broadcast({ type: 'chosen', decision })
  learn(replica, decision)
}

/** Values that were unknown may be known by now: votes for them, which are to ourselves where we lead. */
export function onRevalidate(replica: Replica): void {
  for (const vote of acceptHeld(replica))
    if (replica.leading === null) sendVote(replica, vote)
    else onVote(replica, vote, replica.self!)
}

/** The leader's tick: its PREPARE again, or its ACCEPTs that have no majority yet. */
export function repeatAsLeader(replica: Replica): void {
  const { leading, self } = replica
  if (leading === null || self === null) return
  if (!leading.isActive) {
    const { ballot, base } = leading
    return replica.broadcast({ type: 'prepare', from: self, ballot, decided: base })
  }
  for (const sequence of leading.proposals.keys()) replica.broadcast(acceptMessage(self, leading, sequence))
}

/** Tells all that we still lead. */
export function onHeartbeatTimeout(replica: Replica): void {
  const { leading, self, decided } = replica
  if (self === null || leading === null || !leading.isActive) return
  replica.broadcast({ type: 'heartbeat', from: self, ballot: leading.ballot, decided })
  replica.scheduleHeartbeat()
}
