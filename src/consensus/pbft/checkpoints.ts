// Checkpoints (Castro and Liskov, section 4.3): n − f members attest the state after a sequence number, and all before it
// can be forgotten. The low watermark h is the last checkpoint that is stable; the log reaches `window` above it.

import type { Value } from '../log.ts'
import type { MemberIndex } from '../process.ts'
import { isMember } from './certificate.ts'
import { onDecision } from './decision.ts'
import type { Checkpoint } from './messages.ts'
import { forgetSlots, persistStable } from './records.ts'
import type { Replica } from './replica.ts'
import type { Certificate, Vote } from './votes.ts'

/** Sequence numbers between two checkpoints: a new view repeats certificates of them all, and must fit in a message. */
export function checkpointIntervalFor(n: number): number {
  return Math.max(2, Math.floor(128 / Math.max(4, n)))
}

/** The application has executed up to here: at a checkpoint, CHECKPOINT to all with the digest of its state. */
export function onExecuted(replica: Replica, sequence: number, digest: Value): void {
  if (sequence % replica.options.checkpointInterval !== 0) return
  replica.executed = { sequence, digest }
  if (replica.stable !== null && isDiverged(replica, replica.stable))
    return replica.halt({ type: 'diverged', decision: replica.stable })
  if (replica.self === null || sequence <= replica.low) return
  const vote: Vote = { phase: 'checkpoint', sequence, view: 0, value: digest }
  const signature = replica.sign(vote)
  replica.broadcast({ type: 'checkpoint', sequence, value: digest, from: replica.self, signature })
  replica.checkpoints.add({ ...vote, member: replica.self, signature })
  considerStable(replica, sequence, digest)
}

/** CHECKPOINT: with n − f equal ones the checkpoint is stable. */
export function onCheckpoint(replica: Replica, { sequence, value, from, signature }: Checkpoint): void {
  if (!Number.isSafeInteger(sequence) || sequence < 1) return
  if (sequence % replica.options.checkpointInterval !== 0) return
  if (!isMember(from, replica.options.n)) return replica.refuse('vote-of-nobody')
  if (sequence <= replica.low) return onLateCheckpoint(replica, sequence, from)
  const vote = { phase: 'checkpoint' as const, sequence, view: 0, value }
  if (!replica.checkpoints.isNews({ ...vote, member: from })) return
  if (!replica.options.signing.isSigned(vote, from, signature)) return replica.refuse('signature-invalid')
  const evidence = replica.checkpoints.add({ ...vote, member: from, signature })
  if (evidence !== null) replica.outbox.emit({ type: 'evidence', evidence })
  considerStable(replica, sequence, value)
}

/** A member does not know that a checkpoint is stable; but the last votes for it come late from members that do. */
function onLateCheckpoint(replica: Replica, sequence: number, from: MemberIndex): void {
  const isLost = sequence < replica.low || replica.late.has(from)
  replica.late.add(from)
  if (isLost) replica.reply({ type: 'proof', certificate: replica.stable! })
}

function considerStable(replica: Replica, sequence: number, value: Value): void {
  const certificate = replica.checkpoints.certificate({ sequence, value })
  if (certificate !== null) onStable(replica, certificate)
}

/** Moves the low watermark: what is below it is forgotten. */
export function onStable(replica: Replica, certificate: Certificate): void {
  const { sequence } = certificate
  if (isDiverged(replica, certificate)) return replica.halt({ type: 'diverged', decision: certificate })
  if (sequence > replica.low) {
    replica.stable = certificate
    persistStable(replica, certificate)
    forgetSlots(replica, sequence)
    replica.checkpoints.forget(sequence)
    replica.late.clear()
  }
  if (sequence <= replica.decided) return
  if (certificate.phase === 'commit') onDecision(replica, certificate)
  else replica.fallBehind(certificate)
}

/** Whether n − f members attest another state than ours. */
function isDiverged(replica: Replica, { phase, sequence, value }: Certificate): boolean {
  const executed = replica.executed
  return phase === 'checkpoint' && executed?.sequence === sequence && executed.digest !== value
}
