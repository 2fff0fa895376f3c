// Catching up: certificates that other members made, checked as a whole, and what the application fetched by a way of its
// own. Where one decision proves all before it, the last one is as good as a stable checkpoint.

import { onStable } from './checkpoints.ts'
import { onDecision } from './decision.ts'
import { decide, onPrepareCertificate, onProgress } from './normal-case.ts'
import type { Replica } from './replica.ts'
import type { Certificate } from './votes.ts'

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

/** The application caught up by itself: a decision proves all before it, if each names the one before it. */
export function onCaughtUp(replica: Replica, certificate: Certificate): void {
  if (certificate.sequence <= replica.decided || !replica.isProof(certificate)) return
  replica.decided = certificate.sequence
  if (certificate.phase === 'checkpoint' || replica.rules.isSequential) onStable(replica, certificate)
  onProgress(replica, false)
  decide(replica)
}

/**
 * Makes the last decision stable where it proves all before it: after a restart, which our attestations did not survive,
 * and in view changes, which need not prove again what is long decided.
 */
export function stabiliseDecided(replica: Replica): void {
  if (!replica.rules.isSequential || replica.decided <= replica.low) return
  const certificate = replica.options.application.decision(replica.decided)
  if (certificate !== null) onStable(replica, certificate)
}
