// The normal case (Castro and Liskov, section 4.2): PRE-PREPARE, PREPARE, COMMIT, and the decision. What the votes for
// a sequence number allow is done in `advance`, whatever came last.

import { NO_VALUE, type Value } from '../log.ts'
import { faultsTolerated } from '../quorum.ts'
import { isMember, voteOf } from './certificate.ts'
import type { Commit, PrePrepare, Prepare } from './messages.ts'
import { onLateVote } from './omission.ts'
import { recallVote } from './recall.ts'
import { persistSlot } from './records.ts'
import type { Replica } from './replica.ts'
import type { SignedVote, Slot } from './slot.ts'
import type { Certificate, Vote } from './votes.ts'

/** The application has a value for our turn: PRE-PREPARE to all, which is our PREPARE too. */
export function onPropose(replica: Replica, value: Value): void {
  const sequence = replica.turn
  if (sequence === null || value === NO_VALUE) return
  const vote: Vote = { phase: 'prepare', sequence, view: replica.view, value }
  const signature = replica.sign(vote)
  const slot = replica.slot(sequence)
  if (isContradicting(replica, slot, 'prepare', value)) return
  slot.add({ ...vote, member: replica.self!, signature })
  accept(replica, slot, value, signature)
  replica.broadcast({
    type: 'pre-prepare',
    sequence,
    view: replica.view,
    value,
    from: replica.self!,
    signature,
  })
  advance(replica, slot)
}

/** PRE-PREPARE: a proposal, which counts as its proposer's PREPARE. Whether it is its turn is checked when it is accepted. */
export function onPrePrepare(replica: Replica, { sequence, view, value, from, signature }: PrePrepare): void {
  if (!replica.takesPart(sequence, view)) return
  onVotes(replica, { phase: 'prepare', sequence, view, value }, [{ member: from, signature }])
}

/** PREPARE, with the proposal that it answers, so that no member waits for one that was lost. */
export function onPrepare(
  replica: Replica,
  { sequence, view, value, from, signature, proposer, proposal }: Prepare,
): void {
  if (!replica.takesPart(sequence, view)) return
  onVotes(replica, { phase: 'prepare', sequence, view, value }, [
    { member: proposer, signature: proposal },
    { member: from, signature },
  ])
}

/** COMMIT, of this view or an earlier one. */
export function onCommit(replica: Replica, { sequence, view, value, from, signature }: Commit): void {
  // Commits of an earlier view still prove a decision.
  if (!replica.takesPart(sequence, Math.max(view, replica.view))) return
  onVotes(replica, { phase: 'commit', sequence, view, value }, [{ member: from, signature }])
}

/** Takes in votes of several members for one thing, each checked unless it is known. */
function onVotes(replica: Replica, vote: Vote, signatures: Certificate['signatures']): void {
  const slot = replica.slot(vote.sequence)
  for (const { member, signature } of signatures) {
    if (!isMember(member, replica.options.n)) return replica.refuse('vote-of-nobody')
    if (!slot.isNews(vote, member)) continue
    if (!replica.options.signing.isSigned(vote, member, signature)) return replica.refuse('signature-invalid')
    add(replica, slot, { ...vote, member, signature })
  }
  advance(replica, slot)
}

/** A PREPARE certificate of a collector for our view. It is checked and kept as a whole, whatever else its members voted. */
export function onPrepareCertificate(replica: Replica, certificate: Certificate): void {
  const slot = replica.slot(certificate.sequence)
  const { collected } = slot
  if (collected?.view === certificate.view && collected.value === certificate.value) return
  if (!replica.isProof(certificate)) return replica.refuse('certificate-invalid')
  slot.collected = certificate
  const vote = voteOf(certificate)
  for (const { member, signature } of certificate.signatures)
    add(replica, slot, { ...vote, member, signature })
  advance(replica, slot)
}

/** Notes a vote that was checked; two of one member that contradict each other are evidence, as omissions are. */
export function add(replica: Replica, slot: Slot, vote: SignedVote): void {
  if (vote.member === replica.options.signing.self) recallVote(replica, vote)
  replica.leaders.hear(vote.member, vote.sequence)
  const evidence = slot.add(vote)
  if (evidence !== null) {
    replica.leaders.convict(evidence.member)
    replica.outbox.emit({ type: 'evidence', evidence })
  }
  onLateVote(replica, vote)
}

/** Does what the votes for a sequence number now allow. */
export function advance(replica: Replica, slot: Slot): void {
  if (slot.sequence <= replica.low || replica.isHalted) return
  considerProposal(replica, slot)
  considerPrepared(replica, slot)
  considerCommitted(replica, slot)
}

/** The same for all sequence numbers that are not decided, where more was learned than a vote. */
export function advanceAll(replica: Replica): void {
  for (const slot of replica.undecided()) advance(replica, slot)
}

/** PREPARE, for the first valid proposal of this view's proposer. */
function considerProposal(replica: Replica, slot: Slot): void {
  if (replica.self === null || !replica.isActive || slot.accepted?.view === replica.view) return
  const { sequence } = slot
  const proposal = proposalFor(replica, slot)
  if (proposal === undefined || isContradicting(replica, slot, 'prepare', proposal.value)) return
  const isOwn = replica.proposer(sequence) === replica.self
  if (!isOwn && !isValid(replica, slot, proposal.value)) return
  accept(replica, slot, proposal.value, proposal.signature)
  if (isOwn) return
  const vote: Vote = { phase: 'prepare', sequence, view: replica.view, value: proposal.value }
  add(replica, slot, { ...vote, member: replica.self, signature: replica.sign(vote) })
  const prepare = prepareMessage(replica, slot)
  if (prepare !== null) replica.tell(sequence, prepare)
}

/** What may be accepted: what the new view proposes again, whatever else its primary sends, or the proposer's vote. */
function proposalFor(
  replica: Replica,
  slot: Slot,
): { readonly value: Value; readonly signature: Uint8Array } | undefined {
  const { sequence } = slot
  if (sequence <= replica.reproposed)
    return replica.newView?.proposals.find(proposal => proposal.sequence === sequence)
  const vote = slot.voteOf('prepare', replica.proposer(sequence))
  return vote?.view === replica.view ? vote : undefined
}

function isValid(replica: Replica, slot: Slot, value: Value): boolean {
  const { sequence } = slot
  if (sequence <= replica.decided) return replica.options.application.decision(sequence)?.value === value
  const isReproposed = sequence <= replica.reproposed
  if (value === NO_VALUE) return isReproposed
  if (sequence > replica.decided + replica.options.pipeline) return false
  const verdict = replica.options.application.validate(sequence, value, { isReproposed })
  if (verdict === 'unknown') replica.outbox.emit({ type: 'missing', value, from: replica.source })
  return verdict === 'valid'
}

/** Whether our own key has signed another value here, in our view: by a twin, or before our disk was put back. */
function isContradicting(
  { self, view }: Replica,
  slot: Slot,
  phase: 'prepare' | 'commit',
  value: Value,
): boolean {
  const own = slot.voteOf(phase, self!)
  return own?.view === view && own.value !== value
}

function accept(replica: Replica, slot: Slot, value: Value, proposal: Uint8Array): void {
  slot.accepted = { view: replica.view, value, proposal }
  persistSlot(replica, slot)
  replica.watch()
}

/** Our PREPARE; null where the proposal itself is our vote, or where another process with our key voted otherwise before. */
export function prepareMessage(replica: Replica, { sequence, accepted }: Slot): Prepare | null {
  if (accepted === null || replica.proposer(sequence) === replica.self) return null
  const { view, value, proposal } = accepted
  const vote = replica.log.get(sequence)?.voteOf('prepare', replica.self!)
  if (vote?.view !== view || vote.value !== value) return null
  const { signature } = vote
  const proposer = replica.proposer(sequence)
  return { type: 'prepare', sequence, view, value, from: replica.self!, signature, proposer, proposal }
}

/** COMMIT, once n − f members prepared what we accepted in this view. */
function considerPrepared(replica: Replica, slot: Slot): void {
  const { accepted, sequence } = slot
  if (replica.self === null || !replica.isActive || accepted?.view !== replica.view) return
  if (slot.prepared?.view === replica.view) return
  const { collected } = slot
  const isCollected = collected?.view === accepted.view && collected.value === accepted.value
  const certificate = isCollected ? collected : slot.certificate('prepare', accepted, replica.quorum)
  if (certificate === null || isContradicting(replica, slot, 'commit', accepted.value)) return
  slot.prepared = certificate
  persistSlot(replica, slot)
  const vote: Vote = { phase: 'commit', sequence, view: replica.view, value: accepted.value }
  const signature = replica.sign(vote)
  slot.add({ ...vote, member: replica.self, signature })
  if (replica.isCollector(sequence)) replica.broadcast({ type: 'proof', certificate })
  else
    replica.tell(sequence, {
      type: 'commit',
      sequence,
      view: replica.view,
      value: accepted.value,
      from: replica.self,
      signature,
    })
}

/** A decision, once n − f members committed one value in one view, whatever we voted for. */
function considerCommitted(replica: Replica, slot: Slot): void {
  if (slot.committed !== null) return
  const certificate = slot.commitCertificate(replica.quorum)
  if (certificate === null) return
  slot.committed = certificate
  if (replica.isCollector(slot.sequence)) replica.broadcast({ type: 'proof', certificate })
  decide(replica)
}

/** Gives the application what is decided, in order. */
export function decide(replica: Replica): void {
  const before = replica.decided
  let isOurs = false
  for (
    let slot = replica.log.get(before + 1);
    slot?.committed != null;
    slot = replica.log.get(replica.decided + 1)
  ) {
    replica.decided = slot.sequence
    replica.outbox.emit({ type: 'decide', decision: slot.committed })
    isOurs = noteTurn(replica, slot) || isOurs
    exposeProposer(replica, slot)
    if (!replica.isInWindow(slot.sequence)) replica.log.delete(slot.sequence)
  }
  if (replica.decided === before) return
  if (isOurs) tellNextProposer(replica)
  onProgress(replica, isOurs)
}

/**
 * The next proposer waits for the decision before its turn, and the collector of that decision could keep it from it, so
 * that it would seem slow. So f others tell it as well: if the collector lies, one of them does not.
 */
function tellNextProposer(replica: Replica): void {
  const { decided, options, self } = replica
  if (options.pattern !== 'leader-collected' || self === null) return
  const [collector, next] = [replica.proposer(decided), replica.proposer(decided + 1)]
  const certificate = replica.log.get(decided)?.committed ?? options.application.decision(decided)
  const others = Array.from({ length: options.n }, (_, step) => (next + 1 + step) % options.n)
  const telling = others.filter(member => member !== next && member !== collector)
  if (certificate !== null && telling.slice(0, faultsTolerated(options.n)).includes(self))
    replica.outbox.emit({ type: 'send', to: next, message: { type: 'proof', certificate } })
}

/**
 * A member that was told another value than the one decided in the same view shows what it was told: each member that
 * was told the decided one then has the proof of the lie.
 */
function exposeProposer(replica: Replica, slot: Slot): void {
  const { accepted, committed } = slot
  if (accepted?.view !== committed?.view || accepted?.value === committed?.value) return
  // The proposer in another view is not known any more.
  if (replica.self === null || !replica.isActive || accepted?.view !== replica.view) return
  const prepare = prepareMessage(replica, slot)
  if (prepare !== null) replica.broadcast(prepare)
}

/** Notes how a proposer led a decision of our view; false for one of another view, or that others tell of. */
function noteTurn(replica: Replica, { sequence, accepted, committed }: Slot): boolean {
  const { view } = replica
  if (!replica.isActive || accepted?.view !== view || committed?.view !== view) return false
  if (sequence > replica.reproposed)
    replica.leaders.finish(replica.proposer(sequence), replica.viewTimer.rung)
  return true
}

/** Something was decided: the progress timer starts again, and the application may propose. */
export function onProgress(replica: Replica, isOurs: boolean): void {
  // A replica that leaves its view goes on waiting for the next, whatever it learns of decisions meanwhile.
  if (replica.isActive) replica.succeed(isOurs)
  replica.watch()
  advanceAll(replica)
}

/** Restores our votes of our view from the slot: they are the same statements, so nothing new is signed. */
export function restoreVotes(replica: Replica, slot: Slot): void {
  const { accepted, prepared, sequence } = slot
  if (accepted?.view !== replica.view || replica.self === null) return
  const prepare: Vote = { phase: 'prepare', sequence, view: accepted.view, value: accepted.value }
  slot.add({ ...prepare, member: replica.proposer(sequence), signature: accepted.proposal })
  slot.add({ ...prepare, member: replica.self, signature: replica.sign(prepare) })
  for (const { member, signature } of prepared?.view === replica.view ? prepared.signatures : [])
    slot.add({ ...prepare, member, signature })
  if (prepared?.view !== replica.view) return
  const commit: Vote = { ...prepare, phase: 'commit' }
  slot.add({ ...commit, member: replica.self, signature: replica.sign(commit) })
}
