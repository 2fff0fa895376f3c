// Before a member that starts votes, it asks the others which votes of its own they hold. Its folder may be an older copy,
// and its votes would contradict those that it forgot (CometBFT's `double_sign_check_height`).
// QUERY carries a challenge that no other life of the member used. ANSWER is signed over it and over all that it shows: an
// answer to an earlier life counts for nothing, and a peer that carries one can leave nothing out. The member votes once
// n − f members, itself among them, have answered and it has decided all that they had decided then. Each vote of its own
// that it is shown, or its owner knows of, and that it does not remember binds it: it stays out of that sequence number
// until it is decided.
//
// A vote that more than f others hold is known to one of those that answer. One that fewer received, or that they lost in
// a restart, may be forgotten: then the member counts among the f that may be faulty, and agreement does not suffer.

import type { LogStart } from '../log.ts'
import type { MemberIndex } from '../process.ts'
import { isMember } from './certificate.ts'
import type { Answer, Query, Statement, ViewChange } from './messages.ts'
import type { Replica } from './replica.ts'
import { type SignedVote, withoutMember } from './slot.ts'
import { isViewChange } from './view-change.ts'
import type { Vote } from './votes.ts'

/** What a member has been told since it asked. */
export interface Recall {
  readonly challenge: number
  /** What each member had decided when it answered. */
  readonly answers: Map<MemberIndex, number>
  /** The greatest sequence number for which it gave a vote that it does not remember. */
  bound: number
  /** The view of the last VIEW-CHANGE that it does not remember; 0 for none. */
  view: number
}

/** Begins to ask; until `isRecalled` the member only follows. */
export function startRecall(
  replica: Replica,
  challenge: number,
  forgotten: LogStart['forgotten'] = null,
): void {
  replica.viewTimer.stop()
  // What it was shown before it asked again binds it all the same.
  const { bound, view } = replica.recall ?? { bound: forgotten?.sequence ?? 0, view: forgotten?.view ?? 0 }
  replica.recall = { challenge, answers: new Map(), bound, view }
  sendQuery(replica)
}

/** QUERY to all, again at every tick. */
export function sendQuery(replica: Replica): void {
  const query = queryOf(replica)
  if (query !== null) replica.broadcast(query)
}

/** QUERY to the source that can be reached from now on. */
export function replyQuery(replica: Replica): void {
  const query = queryOf(replica)
  if (query !== null) replica.reply(query)
}

/** What a member asks; null for one that asks nothing. */
function queryOf({ recall, options, isAbstaining }: Replica): Query | null {
  const from = options.signing.self
  return recall === null || from === null || isAbstaining
    ? null
    : { type: 'query', from, challenge: recall.challenge }
}

/** What an ANSWER's signature is over. */
export function answerStatement({
  challenge,
  to,
  decided,
  votes,
  viewChange,
}: Omit<Answer, 'type' | 'from' | 'signature'>): Statement {
  const view = viewChange?.view ?? 0
  return { phase: 'answer', view, sequence: decided, challenge, member: to, votes }
}

/** QUERY: we say what we have decided, and show the votes of its sender that we hold. */
export function onQuery(replica: Replica, { from: to, challenge }: Query): void {
  const from = replica.options.signing.self
  if (from === null || !isMember(to, replica.options.n) || to === from) return
  if (!replica.answers.has(replica.source)) return
  const votes = replica
    .inOrder()
    .flatMap(slot => [slot.voteOf('prepare', to), slot.voteOf('commit', to)])
    .filter(vote => vote !== undefined)
    .map(withoutMember)
  const viewChange = replica.viewChanges.get(to) ?? null
  const content = { to, challenge, decided: replica.decided, votes, viewChange }
  const signature = replica.sign(answerStatement(content))
  replica.reply({ type: 'answer', from, ...content, signature })
}

/** ANSWER: counted once what it shows is proved to be ours. */
export function onAnswer(replica: Replica, message: Answer): void {
  const { recall, options } = replica
  const { from, to, decided, votes, viewChange } = message
  if (recall === null || to !== options.signing.self || message.challenge !== recall.challenge) return
  if (!isMember(from, options.n) || from === to || recall.answers.has(from)) return
  if (!options.signing.isSigned(answerStatement(message), from, message.signature))
    return replica.refuse('signature-invalid')
  const isOwn = ({ signature, ...vote }: Answer['votes'][number]): boolean =>
    options.signing.isSigned(vote, to, signature)
  const isOwnChange =
    viewChange === null || (viewChange.from === to && isViewChange(viewChange, replica.rules))
  if (!isOwnChange || !votes.every(isOwn)) return replica.refuse('answer-forged')
  recall.answers.set(from, decided)
  for (const vote of votes) recallVote(replica, { ...vote, member: to })
  if (viewChange !== null) recallViewChange(replica, viewChange)
}

/** A vote of our own, from any peer: if we do not remember it, we are bound by it. */
export function recallVote(replica: Replica, { phase, sequence, view, value }: SignedVote): void {
  const { recall, log } = replica
  if (recall === null || phase === 'checkpoint' || sequence <= stableUpTo(replica)) return
  const slot = log.get(sequence)
  const known = phase === 'prepare' ? slot?.accepted : slot?.prepared
  const isRemembered = known != null && (known.view > view || (known.view === view && known.value === value))
  if (!isRemembered) recall.bound = Math.max(recall.bound, sequence)
}

/** A VIEW-CHANGE of our own: what it says is prepared we are bound by, and the views before its own are left. */
function recallViewChange(replica: Replica, { view, stable, prepared, from }: ViewChange): void {
  const recall = replica.recall!
  if (view > replica.view || (view === replica.view && replica.isActive))
    recall.view = Math.max(recall.view, view)
  recall.bound = Math.max(recall.bound, stable?.sequence ?? 0)
  for (const { sequence, view, value, signatures } of prepared) {
    const vote: Vote = { phase: 'commit', sequence, view, value }
    recallVote(replica, { ...vote, member: from, signature: signatures[0]!.signature })
  }
}

/** Whether enough members have answered, and all of what they told is stable here: the member may vote again. */
export function isRecalled(replica: Replica): boolean {
  const { recall, decided, low, quorum, rules } = replica
  if (recall === null || decided < low) return false
  const stable = stableUpTo(replica)
  if (stable < recall.bound || (rules.isSequential && stable < decided)) return false
  const answers = [...recall.answers.values()].filter(known => known <= decided)
  return answers.length + 1 >= quorum
}

/**
 * Up to where the member's VIEW-CHANGEs need not tell what it prepared: it has forgotten that. Where each decision proves
 * all before it the last one makes them stable, once the application has it.
 */
function stableUpTo({ rules, options, decided, low }: Replica): number {
  return rules.isSequential && options.application.decision(decided) !== null ? Math.max(low, decided) : low
}
