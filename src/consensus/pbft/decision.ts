// A decision that another member tells: it counts, whatever view it was made in and whichever peer tells it. Two of them for
// one sequence number prove that more than f members are faulty.

import { decide } from './normal-case.ts'
import { onLateVotes } from './omission.ts'
import type { Replica } from './replica.ts'
import type { Certificate } from './votes.ts'

/** A certificate of COMMITs. */
export function onDecision(replica: Replica, certificate: Certificate): void {
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
