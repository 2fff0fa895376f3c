// Retransmission: at every tick a replica sends its status and its votes that are not decided yet, and it gives replicas
// that are behind what they lack. This alone lets all catch up after a network has healed.

import { NO_VALUE } from '../log.ts'
import { missedDecisions } from '../missed-decisions.ts'
import { showComplaints } from './complaints.ts'
import type { Status } from './messages.ts'
import { replyNewView } from './new-view.ts'
import { advance, prepareMessage } from './normal-case.ts'
import { sendQuery } from './recall.ts'
import type { Replica } from './replica.ts'
import type { Slot } from './slot.ts'

/** The tick: our status, and our messages that are not decided yet. */
export function onRetransmit(replica: Replica): void {
  replica.scheduleRetransmission()
  replica.answers.clear()
  replica.broadcast(statusMessage(replica))
  sendQuery(replica)
  if (replica.self === null) return
  if (!replica.isActive) {
    showComplaints(replica)
    return replica.broadcast(replica.viewChanges.get(replica.self)!)
  }
  const complaint = replica.complaints.get(replica.self)
  if (complaint?.view === replica.view) replica.broadcast(complaint)
  const checkpoint = replica.checkpoints.last(replica.self)
  if (checkpoint !== undefined) {
    const { sequence, value, signature } = checkpoint
    replica.broadcast({ type: 'checkpoint', sequence, value, from: replica.self, signature })
  }
  for (const slot of replica.undecided()) repeat(replica, slot)
}

/** Sends our votes again, to all: the member that should have collected them may be the faulty one. */
function repeat(replica: Replica, slot: Slot): void {
  advance(replica, slot)
  const { accepted, prepared, sequence } = slot
  if (accepted?.view !== replica.view) return
  const prepare = prepareMessage(replica, slot)
  if (prepare !== null) replica.broadcast(prepare)
  else
    replica.broadcast({
      type: 'pre-prepare',
      sequence,
      view: replica.view,
      value: accepted.value,
      from: replica.proposer(sequence),
      signature: accepted.proposal,
    })
  if (prepared?.view !== replica.view) return
  if (replica.isCollector(sequence)) replica.broadcast({ type: 'proof', certificate: prepared })
  const commit = slot.voteOf('commit', replica.self!)
  if (commit === undefined) return
  const { view, value, signature } = commit
  replica.broadcast({ type: 'commit', sequence, view, value, from: replica.self!, signature })
}

/** Gives a replica that is behind what it lacks, and one that decided otherwise our decision. */
export function onStatus(replica: Replica, { view, isActive, decided, value }: Status): void {
  if (view < replica.view || (view === replica.view && !isActive)) replyNewView(replica)
  if (!Number.isSafeInteger(decided) || decided < 0 || !replica.answers.has(replica.source)) return
  const ours = decided <= replica.decided ? replica.options.application.decision(decided) : null
  if (ours !== null && ours.value !== value) replica.reply({ type: 'proof', certificate: ours })
  if (replica.stable !== null && decided < replica.low)
    replica.reply({ type: 'proof', certificate: replica.stable })
  for (const sequence of missedDecisions(decided, replica.decided)) replyDecision(replica, sequence)
}

function replyDecision(replica: Replica, sequence: number): void {
  const certificate = replica.options.application.decision(sequence)
  if (certificate !== null) replica.reply({ type: 'proof', certificate })
}

function statusMessage(replica: Replica): Status {
  return {
    type: 'status',
    from: replica.options.signing.self,
    view: replica.view,
    isActive: replica.isActive,
    votes: replica.self !== null,
    decided: replica.decided,
    value: replica.options.application.decision(replica.decided)?.value ?? NO_VALUE,
    timeoutMs: replica.viewTimer.timeoutMs,
  }
}
