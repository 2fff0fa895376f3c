// PBFT as the network of test/consensus takes it: how it is made, what its messages bind their senders to, and what
// must be on disk for each.

import type { PbftMessage, PbftRecord, Statement } from '../../../src/consensus/pbft/messages.ts'
import { type Pattern, Pbft } from '../../../src/consensus/pbft/pbft.ts'
import type { Certificate } from '../../../src/consensus/pbft/votes.ts'
import type { Maker } from '../network.ts'
import type { Claim } from '../oracle.ts'

export const PATTERNS: readonly Pattern[] = ['all-to-all', 'leader-collected']
const CHECKPOINT_INTERVAL = 4

export function pbftMaker(
  pattern: Pattern,
  checkpointInterval = CHECKPOINT_INTERVAL,
): Maker<PbftMessage, PbftRecord, Statement> {
  return {
    create: ({ timeoutMs, ...options }) =>
      new Pbft({ ...options, timeoutMs, pattern, retransmitMs: timeoutMs / 2, checkpointInterval }),
    anatomy: {
      claims,
      certificates,
      isDurable,
      view: protocol => (protocol as Pbft).state.view,
      watermarks: protocol => {
        const { stable } = (protocol as Pbft).state
        return [stable, stable + 2 * checkpointInterval]
      },
      size: protocol => (protocol as Pbft).size,
      // Slots between the watermarks and as many decisions ahead, with two votes a member; then what each member says
      // of checkpoints and views, who left something out, and who was answered.
      sizeMax: n => 4 * checkpointInterval * (1 + 2 * n) + 6 * n + 20,
    },
  }
}

function claims(message: PbftMessage): Claim[] {
  switch (message.type) {
    case 'pre-prepare':
    case 'prepare':
      return [voteClaim('prepare', message)]
    case 'commit':
      return [voteClaim('commit', message)]
    case 'checkpoint':
      return [{ about: `checkpoint ${message.sequence}`, value: message.value, sequence: null }]
    case 'new-view':
      return [
        {
          about: `new-view ${message.view}`,
          value: message.proposals.map(({ sequence, value }) => `${sequence}=${value}`).join(),
          sequence: null,
        },
        ...message.proposals.map(({ sequence, value }) => ({
          ...voteClaim('prepare', { ...message, sequence, value }),
          sequence: null,
        })),
      ]
    case 'view-change':
    case 'proof':
    case 'status':
    case 'complaint':
    case 'query':
    case 'answer':
      return []
  }
}

function voteClaim(
  phase: string,
  { view, sequence, value }: { readonly view: number; readonly sequence: number; readonly value: string },
): Claim {
  return { about: `${phase} ${sequence} in view ${view}`, value, sequence }
}

function certificates(message: PbftMessage): readonly Certificate[] {
  switch (message.type) {
    case 'proof':
      return [message.certificate]
    case 'view-change':
      return [...(message.stable === null ? [] : [message.stable]), ...message.prepared]
    case 'new-view':
      return message.viewChanges.flatMap(certificates)
    case 'pre-prepare':
    case 'prepare':
    case 'commit':
    case 'checkpoint':
    case 'status':
    case 'complaint':
    case 'query':
    case 'answer':
      return []
  }
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
      // Who joins others leaves for a view after the other in one step.
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
