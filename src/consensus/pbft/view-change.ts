// The view change of PBFT (Castro and Liskov, section 4.4) as pure functions: what a VIEW-CHANGE may claim, and what a
// new view must propose again. Every backup computes it itself and trusts no other member.

import { NO_VALUE, type Value } from '../log.ts'
import { quorumOf } from '../quorum.ts'
import type { Signing } from '../signed.ts'
import { isCertificate, isMember } from './certificate.ts'
import { isSuspectList, primaryOfView } from './leader-schedule.ts'
import type { NewView, Statement, ViewChange } from './messages.ts'
import type { Departure, PreparedClaim } from './votes.ts'

/** What both sides of a check know. */
export interface ViewChangeRules {
  readonly n: number
  /** Sequence numbers above a stable checkpoint that a replica takes part in. */
  readonly window: number
  /** Whether each decision names the one before it, so that it proves all before it as a stable checkpoint does. */
  readonly isSequential: boolean
  readonly signing: Signing<Statement>
}

/** The sequence number of a view change's stable checkpoint: 0 before the first. */
function stableSequence({ stable }: Pick<ViewChange, 'stable'>): number {
  return stable === null ? 0 : stable.sequence
}

/** What a view change says, without what proves it. */
export function departureOf(message: Omit<ViewChange, 'from' | 'signature' | 'type'>): Departure {
  const prepared = message.prepared.map(({ sequence, view, value }) => ({ sequence, view, value }))
  const { view, suspects } = message
  return { view, sequence: stableSequence(message), prepared, suspects }
}

/** What a view change's signature is over. */
export function viewChangeStatement(message: Omit<ViewChange, 'from' | 'signature' | 'type'>): Statement {
  return { phase: 'view-change', ...departureOf(message) }
}

/** What a new view's signature is over. */
export function newViewStatement(message: Omit<NewView, 'signature' | 'type'>): Statement {
  const sequence = Math.max(0, ...message.viewChanges.map(stableSequence))
  const proposals = message.proposals.map(({ sequence, value }) => ({ sequence, value }))
  return { phase: 'new-view', view: message.view, sequence, proposals }
}

/** Whether a view change is signed and proves all that it claims. */
export function isViewChange(message: ViewChange, rules: ViewChangeRules): boolean {
  const { n, window, isSequential, signing } = rules
  const { view, from, stable, prepared } = message
  if (!isMember(from, n) || !Number.isSafeInteger(view) || view < 1) return false
  // The cheap rules first, then one signature, then the many.
  if (stable !== null && stable.phase !== 'checkpoint' && !(isSequential && stable.phase === 'commit'))
    return false
  const low = stableSequence(message)
  const isInOrder = prepared.every(({ sequence, view: preparedView, phase }, index) => {
    const least = index === 0 ? low : prepared[index - 1]!.sequence
    const isInWindow = sequence > least && sequence <= low + window
    return isInWindow && preparedView >= 0 && preparedView < view && phase !== 'checkpoint'
  })
  if (!isInOrder || !isSuspectList(message.suspects, n)) return false
  if (!signing.isSigned(viewChangeStatement(message), from, message.signature)) return false
  return [...(stable === null ? [] : [stable]), ...prepared].every(proof => isCertificate(proof, n, signing))
}

/**
 * O of section 4.4: for each sequence number above the latest stable checkpoint that anyone prepared, or that lies
 * below one, the value prepared in the highest view, or none. A quorum that decided a value in an earlier view has a
 * member in every n − f view changes, so what was decided is proposed again.
 */
export function proposalsOf(viewChanges: readonly ViewChange[]): { sequence: number; value: Value }[] {
  const low = Math.max(0, ...viewChanges.map(stableSequence))
  const highest = new Map<number, PreparedClaim>()
  for (const claim of viewChanges.flatMap(({ prepared }) => prepared)) {
    const known = highest.get(claim.sequence)
    if (known === undefined || claim.view > known.view) highest.set(claim.sequence, claim)
  }
  const high = Math.max(low, ...highest.keys())
  return Array.from({ length: high - low }, (_, index) => {
    const sequence = low + 1 + index
    return { sequence, value: highest.get(sequence)?.value ?? NO_VALUE }
  })
}

/** Whether a new view follows from n − f valid view changes, and proposes again exactly what it must. */
export function isNewView(message: NewView, rules: ViewChangeRules): boolean {
  const { view, viewChanges, proposals } = message
  const { n, signing } = rules
  if (!Number.isSafeInteger(view) || view < 1) return false
  const senders = new Set(viewChanges.map(({ from }) => from))
  if (senders.size !== viewChanges.length || senders.size < quorumOf(n)) return false
  if (viewChanges.some(change => change.view !== view)) return false
  const primary = primaryOfView(view, n)
  if (!signing.isSigned(newViewStatement(message), primary, message.signature)) return false
  if (!viewChanges.every(change => isViewChange(change, rules))) return false
  const expected = proposalsOf(viewChanges)
  if (expected.length !== proposals.length) return false
  return proposals.every(({ sequence, value, signature }, index) => {
    const isExpected = expected[index]!.sequence === sequence && expected[index]!.value === value
    return isExpected && signing.isSigned({ phase: 'prepare', sequence, view, value }, primary, signature)
  })
}
