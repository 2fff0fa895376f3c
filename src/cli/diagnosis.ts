// Explains in sentences why finality moves or does not, from two samples of what a node knows of its validators. It is
// one node's view: a validator that does not reach this node may be well, and finality may move elsewhere.

import type { ValidatorReport } from '../finality/contract.ts'
import type { Agreement } from './agreement.ts'

/** What the matter is. */
export interface Diagnosis {
  /** Whether finality moves, or could if there were anything to decide. */
  readonly isWell: boolean
  /** The first is the answer; the others say why, and what a person should know. */
  readonly sentences: readonly string[]
  /** The validators that the node can't count on, and why. */
  readonly missing: readonly { readonly name: string; readonly why: string }[]
}

/** Milliseconds for which a validator may say nothing; they all say how they are twice in the base timeout. */
const SILENCE_MS = 3_000

/** What two samples, so many milliseconds apart, show. */
export function diagnose(before: Agreement, now: Agreement, betweenMs: number): Diagnosis {
  const missing = missingOf(now)
  const { isWell, verdict } = judge(before, now, betweenMs)
  const reasons = now.halted === null && !isWell ? reasonsOf(now, missing) : []
  const sentences = [verdict, ...reasons, ...describeMissing(now, missing), ...warningsOf(now)]
  return { isWell, sentences, missing }
}

function judge(before: Agreement, now: Agreement, betweenMs: number): { isWell: boolean; verdict: string } {
  if (now.halted !== null)
    return { isWell: false, verdict: `Finality has stopped here for good: ${now.halted}.` }
  const decided = now.sequence - before.sequence
  if (decided > 0)
    return { isWell: true, verdict: `Finality moves: ${decided} decided in ${seconds(betweenMs)}.` }
  const ahead = furthest(now)
  if (ahead !== null && ahead.sequence > now.sequence + 1) {
    const verdict = `This node is behind: ${ahead.name} has decided ${ahead.sequence}, this node ${now.sequence}.`
    return { isWell: false, verdict }
  }
  if (missingOf(now).length > now.validators.length - now.quorum) {
    const verdict = 'Nothing can be decided: too few validators can vote.'
    return { isWell: false, verdict }
  }
  if (!now.isWaiting) {
    const why = now.isMined
      ? 'no block lies deep enough below the head yet'
      : 'no transfer waits, and it is not time for an empty block'
    return { isWell: true, verdict: `There is nothing to decide: ${why}.` }
  }
  const verdict = `Finality does not move: a block waits to be decided, and none was in ${seconds(betweenMs)}.`
  return { isWell: false, verdict }
}

/** Why nothing is decided, the likeliest first. */
function reasonsOf(now: Agreement, missing: Diagnosis['missing']): string[] {
  const { quorum, validators } = now
  const present = validators.length - missing.length
  if (present < quorum)
    return [
      `It takes ${quorum} of the ${validators.length} validators, and this node can count on ${present}.`,
    ]
  if (!now.isActive) {
    const wanting = validators.filter(({ wantsViewChange }) => wantsViewChange).length
    return [
      `The validators are changing their leader: ${wanting} of the ${quorum} it takes want view ${now.view}; ${namesOf(now, validator => !validator.wantsViewChange)} did not say so yet.`,
    ]
  }
  const proposer = now.proposer === null ? 'no validator' : validators[now.proposer]!.name
  const [first] = now.phases
  if (first === undefined || votesIn(now, first) === 0)
    return [`Nothing was proposed in view ${now.view} yet; it is the turn of ${proposer}.`]
  const phase = now.phases.find(phase => votesIn(now, phase) < quorum) ?? now.phases.at(-1)!
  const absent = namesOf(now, ({ votedIn }) => !votedIn.includes(phase))
  return [
    `Of the ${quorum} votes to ${phase.toUpperCase()} that it takes in view ${now.view}, ${votesIn(now, phase)} are here; there is none of ${absent}.`,
  ]
}

/** How many validators' votes of a phase are here. */
export function votesIn({ validators }: Agreement, phase: string): number {
  return validators.filter(({ votedIn }) => votedIn.includes(phase)).length
}

/** Why validators that are connected do not vote: they ask the others first. */
const ASKS = 'asks for its own votes before it gives any'
const ASKS_HERE = 'this node, which does not vote yet'

function describeMissing(now: Agreement, missing: Diagnosis['missing']): string[] {
  if (missing.length === 0) return []
  const list = missing.map(({ name, why }) => `${name} (${why})`).join(', ')
  const spare = now.validators.length - missing.length - now.quorum
  if (spare < 0) {
    // Each waits for the others, and none of them has anything to show.
    const asking = missing.filter(({ why }) => why === ASKS || why === ASKS_HERE).length
    const isStuck = now.validators.length - (missing.length - asking) >= now.quorum
    return [
      `Missing: ${list}.`,
      ...(isStuck
        ? ['They wait for each other: if the folders of all are new, see docs/operating.md on starting over.']
        : []),
    ]
  }
  const more = spare === 0 ? 'no other may fail' : `${spare} more may fail`
  return [`Missing: ${list}. The others are enough; ${more}.`]
}

/** What is no reason by itself, and may become one. */
function warningsOf(now: Agreement): string[] {
  const warnings: string[] = []
  if (now.muted !== null) warnings.push(`This node does not vote: ${now.muted}.`)
  for (const { name, status } of now.validators) {
    if (status === null || Math.abs(status.clockAheadMs) <= now.futureLimitMs / 2) continue
    const where = status.clockAheadMs > 0 ? 'ahead of' : 'behind'
    warnings.push(
      `The clock of ${name} is ${seconds(Math.abs(status.clockAheadMs))} ${where} this node's; a block may be at most ${seconds(now.futureLimitMs)} ahead of a validator that votes on it.`,
    )
  }
  if (now.evidence.length > 0) {
    const liars = [...new Set(now.evidence.map(({ validator }) => validator.name))].join(', ')
    warnings.push(`There is evidence that ${liars} lied: see quorate evidence list.`)
  }
  return warnings
}

function missingOf(now: Agreement): { name: string; why: string }[] {
  const timeouts = now.validators.flatMap(({ status }) => (status === null ? [] : [status.timeoutMs]))
  const silenceMs = Math.max(SILENCE_MS, 2 * Math.min(now.timeoutMs, ...timeouts))
  return now.validators.flatMap(({ name, isLinked, status }, member) => {
    if (member === now.self) return now.muted === null ? [] : [{ name, why: ASKS_HERE }]
    if (!isLinked) return [{ name, why: 'not connected' }]
    if (status === null) return [{ name, why: 'connected, and has said nothing' }]
    if (status.ageMs > silenceMs) return [{ name, why: `silent for ${seconds(status.ageMs)}` }]
    return status.votes ? [] : [{ name, why: ASKS }]
  })
}

function furthest(now: Agreement): { name: string; sequence: number } | null {
  const known = now.validators.flatMap(({ name, status }) =>
    status === null ? [] : [{ name, sequence: status.sequence }],
  )
  return known.toSorted((a, b) => b.sequence - a.sequence)[0] ?? null
}

function namesOf(now: Agreement, isMeant: (validator: ValidatorReport) => boolean): string {
  return now.validators
    .filter(isMeant)
    .map(({ name }) => name)
    .join(', ')
}

/** A duration for people. */
export function seconds(ms: number): string {
  return ms < 10_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`
}
