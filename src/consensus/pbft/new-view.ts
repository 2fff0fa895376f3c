// From one view to the next (Castro and Liskov, section 4.4): when a replica leaves its view, and how the next one
// begins. What the messages must prove is in view-change.ts.

import { NUMBER_MAX } from '../log.ts'
import type { MemberIndex } from '../process.ts'
import { faultsTolerated } from '../quorum.ts'
import { stabiliseDecided } from './catch-up.ts'
import { isMember } from './certificate.ts'
import { onStable } from './checkpoints.ts'
import type { NewView, ViewChange } from './messages.ts'
import { add, advance } from './normal-case.ts'
import { onDeparture } from './omission.ts'
import { persistNewView, persistView } from './records.ts'
import type { Replica } from './replica.ts'
import { isNewView, isViewChange, newViewStatement, proposalsOf, viewChangeStatement } from './view-change.ts'
import type { Certificate, Vote } from './votes.ts'

/** How often the progress timer fires, a 32nd of the timeout in all, before a proposer is told what it may have missed. */
const HELP_RUNG = 4

/** The timer ran out: the view is left where something waits to be decided, or its beginning is overdue. */
export function onNoProgress(replica: Replica): void {
  if (!replica.viewTimer.onTimeout()) return considerHelping(replica)
  if (replica.self === null || (replica.isActive && !replica.hasUnfinished())) return
  suspect(replica, [awaitedLeader(replica)])
  replica.viewTimer.fail()
  leaveFor(replica, nextView(replica))
}

/**
 * A turn that has not begun may wait for the decision before it, which its proposer alone was not told: by the member
 * that collected it (leader-collected), or because a message was lost. A member with that decision sends it, once for each
 * turn.
 */
function considerHelping(replica: Replica): void {
  const { decided, options, viewTimer, view } = replica
  const proposer = awaitedLeader(replica)
  if (viewTimer.rung !== HELP_RUNG || !replica.isActive || proposer === replica.self) return
  if (replica.log.get(decided + 1)?.voteOf('prepare', proposer)?.view === view) return
  const certificate = options.application.decision(decided)
  if (certificate !== null)
    replica.outbox.emit({ type: 'send', to: proposer, message: { type: 'proof', certificate } })
}

/** The view is left for the slow members alone: the others go on in one that passes them over. */
export function leaveSlowView(replica: Replica): void {
  suspect(replica, replica.leaders.slow)
  leaveFor(replica, nextView(replica))
}

function nextView({ leaders, view, decided, viewTimer }: Replica): number {
  return leaders.nextView(view, decided, viewTimer.failures)
}

/** The leader that we wait for: the primary of a view that has not begun, or else the proposer of what comes next. */
function awaitedLeader(replica: Replica): MemberIndex {
  return replica.isActive ? replica.proposer(replica.decided + 1) : replica.primary
}

function suspect(replica: Replica, members: readonly MemberIndex[]): void {
  for (const member of members) replica.leaders.fail(member, replica.decided + 1)
}

function leaveFor(replica: Replica, view: number): void {
  if (view > NUMBER_MAX) return replica.halt({ type: 'exhausted', view: replica.view })
  replica.view = view
  replica.isActive = false
  replica.viewTimer.stop()
  replica.restartRetransmission()
  persistView(replica)
  if (replica.newView !== null) persistNewView(replica, null)
  replica.newView = null
  stabiliseDecided(replica)
  sendViewChange(replica)
  considerNewView(replica)
}

/** VIEW-CHANGE to all: the last stable checkpoint, and what is prepared above it. */
export function sendViewChange(replica: Replica): void {
  if (replica.self === null) return
  const claims = replica
    .inOrder()
    .filter(({ sequence }) => replica.isInWindow(sequence))
    .map(({ prepared }) => prepared)
    .filter(certificate => certificate !== null)
  const suspects = replica.leaders.suspects(replica.decided)
  const content = { view: replica.view, stable: replica.stable, prepared: claims, suspects }
  const signature = replica.sign(viewChangeStatement(content))
  const message: ViewChange = { type: 'view-change', ...content, from: replica.self, signature }
  replica.viewChanges.set(replica.self, message)
  replica.broadcast(message)
}

/** VIEW-CHANGE: counted once it is proved, joined when f + 1 ask, and answered by the primary of the new view. */
export function onViewChange(replica: Replica, message: ViewChange): void {
  const { from, view } = message
  if (!isMember(from, replica.options.n) || !Number.isSafeInteger(view) || view > NUMBER_MAX)
    return replica.refuse('vote-of-nobody')
  // A member that missed how our view began.
  if (view <= replica.view && replica.isActive) return replyNewView(replica)
  if (from === replica.options.signing.self || view < replica.view || view <= replica.asksFor(from)) return
  if (!isViewChange(message, replica.rules)) return replica.refuse('view-change-invalid')
  replica.viewChanges.set(from, message)
  onDeparture(replica, message)
  considerViewChanges(replica)
}

/** Joins or begins a view as the VIEW-CHANGEs that are here allow; some may have come while we did not vote. */
export function considerViewChanges(replica: Replica): void {
  considerJoining(replica)
  considerNewView(replica)
}

/** f + 1 members ask for later views, so one honest member does: joins the nearest view that they ask for. */
function considerJoining(replica: Replica): void {
  if (replica.self === null) return
  for (;;) {
    const later = [...replica.viewChanges.values()]
      .map(({ view }) => view)
      .filter(view => view > replica.view)
    if (later.length <= faultsTolerated(replica.options.n)) return
    joinView(replica, Math.min(...later))
  }
}

function joinView(replica: Replica, view: number): void {
  const { viewTimer, leaders } = replica
  // They left because of the leader that we wait for too, or, while all went well, because of slow ones.
  const isFailing = viewTimer.isSlow || !replica.isActive
  if (!isFailing) suspect(replica, leaders.slow)
  else if (viewTimer.isTimed) suspect(replica, [awaitedLeader(replica)])
  if (isFailing) viewTimer.fail()
  leaveFor(replica, view)
}

/** With n − f view changes the primary begins the view, and all others begin to wait for it. */
function considerNewView(replica: Replica): void {
  if (replica.isActive) return
  const asking = [...replica.viewChanges.values()].filter(({ view }) => view >= replica.view)
  // A member that asks for a later view gave ours up, so it counts here too: no member waits for it without end.
  if (asking.length >= replica.quorum) replica.viewTimer.watch(true)
  const viewChanges = asking.filter(({ view }) => view === replica.view).sort((a, b) => a.from - b.from)
  if (viewChanges.length < replica.quorum || replica.primary !== replica.self) return
  const view = replica.view
  const proposals = proposalsOf(viewChanges).map(({ sequence, value }) => ({
    sequence,
    value,
    signature: replica.sign({ phase: 'prepare', sequence, view, value }),
  }))
  const content = { view, viewChanges, proposals }
  const message: NewView = {
    type: 'new-view',
    ...content,
    signature: replica.sign(newViewStatement(content)),
  }
  replica.broadcast(message)
  enter(replica, message)
}

/** NEW-VIEW: the view begins, once it is proved that its primary proposes again what may have been decided. */
export function onNewView(replica: Replica, message: NewView): void {
  const isLate = message.view < replica.view || (message.view === replica.view && replica.isActive)
  if (isLate) return
  if (!isNewView(message, replica.rules)) return replica.refuse('new-view-invalid')
  enter(replica, message)
}

function enter(replica: Replica, message: NewView): void {
  const { view, viewChanges, proposals } = message
  // The timer of this view runs already; one that runs for an earlier view is stopped.
  if (replica.isActive || view !== replica.view) replica.viewTimer.stop()
  replica.view = view
  replica.isActive = true
  replica.leftBecauseOf = []
  replica.newView = message
  const stables = viewChanges.map(({ stable }) => stable).filter(stable => stable !== null)
  const highest = stables.reduce<Certificate | null>(
    (best, stable) => (best === null || stable.sequence > best.sequence ? stable : best),
    null,
  )
  replica.reproposed = proposals.at(-1)?.sequence ?? highest?.sequence ?? 0
  persistNewView(replica, message)
  persistView(replica)
  for (const change of viewChanges) onDeparture(replica, change)
  if (highest !== null) onStable(replica, highest)
  replica.restartRetransmission()
  replica.watch()
  addProposals(replica)
  for (const slot of replica.inOrder()) advance(replica, slot)
}

/** Counts what the new view proposes again as its primary's votes. */
export function addProposals(replica: Replica): void {
  const view = replica.view
  for (const { sequence, value, signature } of replica.newView?.proposals ?? []) {
    if (!replica.isInWindow(sequence)) continue
    const vote: Vote = { phase: 'prepare', sequence, view, value }
    add(replica, replica.slot(sequence), { ...vote, member: replica.primary, signature })
  }
}

/** Answers with the NEW-VIEW of our view, once to each peer between two ticks. */
export function replyNewView(replica: Replica): void {
  if (!replica.isActive || replica.newView === null) return
  if (replica.answers.takeNewView(replica.source)) replica.reply(replica.newView)
}
