// A provable lie in a view change: a member commits to a value, and later leaves its view with a VIEW-CHANGE that omits it.
// (Castro and Liskov, section 4.4: safety rests on every VIEW-CHANGE telling what was prepared.)
//
// No honest replica signs both. It commits only to what it has prepared, above its low watermark h, and has it on disk
// before. Its view never falls, so that the VIEW-CHANGE comes later. Until then h may have passed the sequence number,
// which `sequence` of the VIEW-CHANGE says; or else the slot is still in the log, for only what is not above h leaves it,
// and tells what was prepared: this, or something in a higher view. Nothing else of that view is prepared besides, for
// what the replica itself accepted there it commits to. The same holds for one value at a time, where a decision serves
// as a stable checkpoint, and after a restart, which finds h and the slots of one and the same moment.

import type { Signature } from '../signed.ts'
import type { ViewChange } from './messages.ts'
import type { Replica } from './replica.ts'
import type { SignedVote } from './slot.ts'
import { withoutMember } from './slot.ts'
import { departureOf } from './view-change.ts'
import type { Certificate, Departure, Vote } from './votes.ts'

/** Whether one member, if honest, can't have signed both, in whatever order. */
export function isOmitted(vote: Vote, { view, sequence, prepared }: Departure): boolean {
  if (vote.phase !== 'commit' || view <= vote.view || sequence >= vote.sequence) return false
  return !prepared.some(
    claim =>
      claim.sequence === vote.sequence &&
      (claim.view > vote.view || (claim.view === vote.view && claim.value === vote.value)),
  )
}

/** A VIEW-CHANGE that was checked: is what its member committed to in it? */
export function onDeparture(replica: Replica, change: ViewChange): void {
  for (const vote of commitsOf(replica, change)) accuse(replica, vote, change)
}

/** A vote that was checked, which may come after the VIEW-CHANGE that leaves it out. */
export function onLateVote(replica: Replica, vote: SignedVote): void {
  if (vote.phase !== 'commit') return
  const { member } = vote
  const last = replica.viewChanges.get(member)
  if (last !== undefined) accuse(replica, vote, last)
  const first = replica.newView?.viewChanges.find(({ from }) => from === member)
  if (first !== undefined) accuse(replica, vote, first)
}

/** The same for the votes of a certificate that was checked. */
export function onLateVotes(replica: Replica, { signatures, ...vote }: Certificate): void {
  for (const signed of signatures) onLateVote(replica, { ...vote, ...signed })
}

/** The COMMITs of a member that are here: single ones, and those in the certificates of decisions. */
function commitsOf({ log, options, decided }: Replica, { from }: ViewChange): SignedVote[] {
  const slots = [...log.values()]
  const single = slots.flatMap(slot => slot.voteOf('commit', from) ?? [])
  const certificates = [...slots.map(({ committed }) => committed), options.application.decision(decided)]
  return [...single, ...certificates.flatMap(certificate => votesIn(certificate, from))]
}

function votesIn(certificate: Certificate | null, member: number): SignedVote[] {
  if (certificate === null) return []
  const { signatures, ...vote } = certificate
  return signatures.filter(signed => signed.member === member).map(signed => ({ ...vote, ...signed }))
}

/** Reports the proof, once for each member: one is enough, and a member that leaves view after view gives no end of them. */
function accuse(replica: Replica, vote: SignedVote, change: ViewChange): void {
  const departure: Departure & { signature: Signature } = {
    ...departureOf(change),
    signature: change.signature,
  }
  if (replica.omitters.has(vote.member) || !isOmitted(vote, departure)) return
  replica.omitters.add(vote.member)
  replica.leaders.convict(vote.member)
  const evidence = { type: 'omission', member: vote.member, vote: withoutMember(vote), departure } as const
  replica.outbox.emit({ type: 'evidence', evidence })
}
