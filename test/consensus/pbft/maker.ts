// PBFT as the network of test/consensus takes it: how it is made, what must be on disk for each message, and when
// evidence convicts.

import assert from 'node:assert/strict'
import type { PbftTypes } from '../../../src/consensus/pbft/anatomy.ts'
import { PBFT, PBFT_LEADER_COLLECTED } from '../../../src/consensus/pbft/kit.ts'
import type { PbftMessage, PbftRecord } from '../../../src/consensus/pbft/messages.ts'
import { type Pattern, Pbft } from '../../../src/consensus/pbft/pbft.ts'
import type { Contradiction, Evidence, Omission } from '../../../src/consensus/pbft/votes.ts'
import type { Maker } from '../network.ts'
import type { Notary } from '../notary.ts'

export const PATTERNS: readonly Pattern[] = ['all-to-all', 'leader-collected']
const CHECKPOINT_INTERVAL = 4

export function pbftMaker(pattern: Pattern, checkpointInterval = CHECKPOINT_INTERVAL): Maker<PbftTypes> {
  const kit = pattern === 'all-to-all' ? PBFT : PBFT_LEADER_COLLECTED
  return {
    kit,
    create: ({ n, signing, application, pipeline, timeoutMs }) => {
      assert.ok(signing !== null, 'the members of PBFT sign')
      const given = { n, signing, application, pipeline, timeoutMs, retransmitMs: timeoutMs / 2 }
      return new Pbft({ ...given, pattern, checkpointInterval })
    },
    opinion: {
      isDurable,
      convicts,
      window: 2 * checkpointInterval,
      // Slots between the watermarks and as many decisions ahead, with two votes a member; then what each member says
      // of checkpoints and views, members that left something out, and peers that were answered.
      sizeMax: n => 4 * checkpointInterval * (1 + 2 * n) + 6 * n + 20,
    },
  }
}

function convicts(evidence: Evidence, notary: Notary): boolean {
  return evidence.type === 'omission' ? omits(evidence, notary) : contradicts(evidence, notary)
}

function contradicts({ member, first, second }: Contradiction, notary: Notary): boolean {
  return (
    first.value !== second.value &&
    [first, second].every(({ phase, sequence, view, value, signature }) =>
      notary.isSigned({ phase, sequence, view, value }, member, signature),
    ) &&
    (['phase', 'sequence', 'view'] as const).every(key => first[key] === second[key])
  )
}

function omits({ member, vote, departure }: Omission, notary: Notary): boolean {
  const { phase, sequence, view, value } = vote
  const { signature, ...left } = departure
  const told = left.prepared.filter(claim => claim.sequence === sequence)
  return (
    phase === 'commit' &&
    left.view > view &&
    left.sequence < sequence &&
    told.every(claim => claim.view < view || (claim.view === view && claim.value !== value)) &&
    notary.isSigned({ phase, sequence, view, value }, member, vote.signature) &&
    notary.isSigned({ phase: 'view-change', ...left }, member, signature)
  )
}

function isDurable(records: ReadonlyMap<string, PbftRecord>, message: PbftMessage): boolean {
  const all = [...records.values()]
  const view = all.find(record => record.type === 'view')
  const stable = all.find(record => record.type === 'stable')
  const low = stable?.certificate.sequence ?? 0
  const slot = (sequence: number) =>
    all.find(record => record.type === 'slot' && record.sequence === sequence) as
      | Extract<PbftRecord, { type: 'slot' }>
      | undefined
  switch (message.type) {
    case 'pre-prepare':
    case 'prepare': {
      const record = slot(message.sequence)
      return record?.view === message.view && record.value === message.value
    }
    case 'commit': {
      const prepared = slot(message.sequence)?.prepared
      return prepared?.view === message.view && prepared.value === message.value
    }
    case 'view-change':
      // A member that joins others leaves for one view after the other in one step.
      return (
        view !== undefined &&
        view.view >= message.view &&
        message.prepared.every(
          proof => proof.sequence <= low || (slot(proof.sequence)?.prepared?.view ?? -1) >= proof.view,
        )
      )
    case 'new-view': {
      const isKept = all.some(record => record.type === 'new-view' && record.message.view === message.view)
      return view?.view === message.view && view.isActive && isKept
    }
    case 'checkpoint':
    case 'proof':
    case 'status':
    case 'complaint':
    case 'query':
    case 'answer':
      return true
  }
}
