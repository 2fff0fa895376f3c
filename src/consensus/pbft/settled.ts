// What is settled and by whom it was shown: certificates that others made, checkpoints and the low watermark (Castro
// and Liskov, section 4.3), and the application's own way of catching up.

import type { Value } from '../log.ts'
import type { MemberIndex } from '../process.ts'
import { isMember } from './certificate.ts'
import type { Checkpoint } from './messages.ts'
import { decide, onPrepareCertificate, onProgress } from './normal-case.ts'
import { onLateVotes } from './omission.ts'
import { type Replica, STABLE_KEY } from './replica.ts'
import type { Certificate, Vote } from './votes.ts'

/** A certificate that another member made, checked as a whole. */
export function onProof(replica: Replica, certificate: Certificate): void {
  const { phase, sequence, view } = certificate
  switch (phase) {
    case 'prepare':
      if (view !== replica.view || !replica.takesPart(sequence, view)) return
      return onPrepareCertificate(replica, certificate)
    case 'commit':
      return onDecision(replica, certificate)
    case 'checkpoint':
      if (sequence <= Math.min(replica.low, replica.decided)) return
      if (!replica.isProof(certificate)) return replica.refuse('certificate-invalid')
      return onStable(replica, certificate)
  }
}

/** A decision is a decision, whatever view it was made in and whoever tells of it. */
function onDecision(replica: Replica, certificate: Certificate): void {
  const { sequence, value } = certificate
  if (!Number.isSafeInteger(sequence) || sequence < 1) return replica.refuse('certificate-invalid')
  const known =
    sequence <= replica.decided
      ? replica.options.application.decision(sequence)
      : (replica.log.get(sequence)?.committed ?? null)
  if (known !== null ? known.value === value : sequence <= replica.decided) return
  if (!replica.isProof(certificate)) return replica.refuse('certificate-invalid')
  // Of two decisions the later one begins with view changes that left the earlier one out.
  for (const proof of known === null ? [certificate] : [known, certificate]) onLateVotes(replica, proof)
  if (known !== null) return replica.halt({ type: 'conflict', first: known, second: certificate })
  if (sequence <= replica.decided + replica.rules.window) {
    replica.slot(sequence).committed = certificate
    decide(replica)
  }
  // What is agreed on at once may be decided in any order.
  if (sequence > replica.decided + replica.options.pipeline) replica.fallBehind(certificate)
}

/** The application caught up by itself: a decision proves all before it, if each names the one before it. */
export function onSettled(replica: Replica, certificate: Certificate): void {
  if (certificate.sequence <= replica.decided || !replica.isProof(certificate)) return
  replica.decided = certificate.sequence
  if (certificate.phase === 'checkpoint' || replica.rules.isSequential) onStable(replica, certificate)
  onProgress(replica, false)
  decide(replica)
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

/** Someone does not know that a checkpoint is stable; the last votes for it come late without that. */
function onLateCheckpoint(replica: Replica, sequence: number, from: MemberIndex): void {
  const isLost = sequence < replica.low || replica.late.has(from)
  replica.late.add(from)
  if (isLost) replica.reply({ type: 'proof', certificate: replica.stable! })
}

function considerStable(replica: Replica, sequence: number, value: Value): void {
  const certificate = replica.checkpoints.certificate({ sequence, value })
  if (certificate !== null) onStable(replica, certificate)
}

/** Moves the low watermark: what is below it is settled and forgotten. */
export function onStable(replica: Replica, certificate: Certificate): void {
  const { sequence } = certificate
  if (isDiverged(replica, certificate)) return replica.halt({ type: 'diverged', decision: certificate })
  if (sequence > replica.low) {
    replica.stable = certificate
    replica.outbox.write(STABLE_KEY, { type: 'stable', certificate })
    replica.forgetSlots(sequence)
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

/**
 * Where one decision proves all before it, the last one is as good as a stable checkpoint: after a restart, which our
 * attestations did not survive, and in view changes, which need not prove again what is long decided.
 */
export function settleDecided(replica: Replica): void {
  if (!replica.rules.isSequential || replica.decided <= replica.low) return
  const certificate = replica.options.application.decision(replica.decided)
  if (certificate !== null) onStable(replica, certificate)
}
