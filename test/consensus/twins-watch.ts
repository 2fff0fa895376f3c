// What is seen of an honest instance in a Twins scenario, one input after the other: what it bound itself to, what it
// prepared, whether it broke a rule that one alone can break, and what the search wants to have seen in some runs. The
// names of the rules are those of oracle.ts.

import type { Value } from '../../src/consensus/log.ts'
import { PBFT } from '../../src/consensus/pbft/kit.ts'
import type { PbftMessage } from '../../src/consensus/pbft/messages.ts'
import type { Certificate } from '../../src/consensus/pbft/votes.ts'
import type { MemberIndex } from '../../src/consensus/process.ts'
import type { Effect, Seals } from './twins-instance.ts'

/** Runs in which none of these ever happens prove nothing. */
export const SIGHTS = [
  'decides in the first view',
  'decides in a later view',
  'leaves a view with a prepared value',
  'enters a view that begins with a prepared value',
  'prepares another value than before',
  'shows evidence',
] as const
export type Sight = (typeof SIGHTS)[number]

export interface Seen {
  /** What it signed, by what it is about. */
  readonly claims: ReadonlyMap<string, string>
  /** The values that it prepared, by sequence number and view. */
  readonly prepared: ReadonlyMap<string, Value>
  readonly sights: ReadonlySet<Sight>
  readonly view: number
  /** The rule that it broke first. */
  readonly wrong: string | null
}

export const NOTHING_SEEN: Seen = {
  claims: new Map(),
  prepared: new Map(),
  sights: new Set(),
  view: 0,
  wrong: null,
}

export interface Watched {
  readonly n: number
  readonly seals: Seals
  readonly member: MemberIndex
  /** The one that may be accused. */
  readonly liar: MemberIndex
}

const { claims: claimsOf } = PBFT.anatomy

/** What is seen once an instance did this. */
export function see(before: Seen, effects: readonly Effect[], watched: Watched): Seen {
  return effects.reduce((seen, effect) => seeEffect(seen, effect, watched), before)
}

function seeEffect(seen: Seen, effect: Effect, watched: Watched): Seen {
  switch (effect.type) {
    case 'send':
    case 'reply':
    case 'broadcast':
      return seeMessage(seen, effect.message)
    case 'persist':
      return effect.record === null ? seen : seeRecord(seen, effect.record, watched)
    case 'decide': {
      const { sequence, view, phase } = effect.decision
      const isFirst = view === 0
      const next = withSight(seen, isFirst ? 'decides in the first view' : 'decides in a later view')
      const isRight = phase === 'commit' && isProven(effect.decision, watched)
      return isRight && isProposed(effect.decision)
        ? next
        : broken(next, `S7: decides ${sequence} by no proof`)
    }
    case 'evidence': {
      const isLiar = effect.evidence.member === watched.liar
      return isLiar ? withSight(seen, 'shows evidence') : broken(seen, 'evidence: accuses an honest one')
    }
    case 'conflict':
      return broken(seen, 'S1: knows of two decisions')
    case 'diverged':
      return broken(seen, 'P4: another state than the others')
    case 'exhausted':
      return broken(seen, 'S6: no view is left')
    // A copy that heard of the other one's vote first says its own value with that one's signature.
    case 'refuse': {
      const isOfLiar = [watched.liar, watched.n].includes(Number(effect.from))
      return isOfLiar ? seen : broken(seen, `refuse: ${effect.reason} from ${effect.from}`)
    }
    case 'set-timer':
    case 'clear-timer':
    case 'behind':
    case 'missing':
      return seen
  }
}

function seeMessage(seen: Seen, message: PbftMessage): Seen {
  const isLeaving = message.type === 'view-change' && message.prepared.length > 0
  const next = isLeaving ? withSight(seen, 'leaves a view with a prepared value') : seen
  const news = claimsOf(message).filter(({ about, value }) => next.claims.get(about) !== value)
  if (news.length === 0) return next
  const twice = news.find(({ about }) => next.claims.has(about))
  if (twice !== undefined) return broken(next, `S4: ${twice.about} is ${twice.value} and another before`)
  return {
    ...next,
    claims: new Map([...next.claims, ...news.map(({ about, value }) => [about, value] as const)]),
  }
}

type StoredRecord = NonNullable<Extract<Effect, { type: 'persist' }>['record']>

function seeRecord(seen: Seen, record: StoredRecord, watched: Watched): Seen {
  switch (record.type) {
    case 'view':
      return record.view < seen.view
        ? broken(seen, 'S6: goes back to a view')
        : { ...seen, view: record.view }
    case 'new-view':
      return record.message.proposals.length === 0
        ? seen
        : withSight(seen, 'enters a view that begins with a prepared value')
    case 'slot':
      return record.prepared === null ? seen : seePrepared(seen, record.prepared, watched)
    case 'stable':
      return seen
  }
}

function seePrepared(seen: Seen, certificate: Certificate, watched: Watched): Seen {
  const { sequence, view, value } = certificate
  const about = `${sequence} prepared in view ${view}`
  if (seen.prepared.get(about) === value) return seen
  if (!isProven(certificate, watched)) return broken(seen, `S7: ${about} by no proof`)
  const isOther = [...seen.prepared].some(([key, known]) => key.startsWith(`${sequence} `) && known !== value)
  const next = isOther ? withSight(seen, 'prepares another value than before') : seen
  return { ...next, prepared: new Map([...seen.prepared, [about, value]]) }
}

function withSight(seen: Seen, sight: Sight): Seen {
  return seen.sights.has(sight) ? seen : { ...seen, sights: new Set([...seen.sights, sight]) }
}

function broken(seen: Seen, wrong: string): Seen {
  return seen.wrong === null ? { ...seen, wrong } : seen
}

/** Only what an instance proposed may be decided, and for nothing but its sequence number. */
function isProposed({ sequence, value }: Certificate): boolean {
  return new RegExp(`^${sequence}:\\d'?@\\d+$`).test(value)
}

/** The naive verifier: it shares nothing with the protocol but the shape of a certificate. */
function isProven({ phase, sequence, view, value, signatures }: Certificate, { n, seals }: Watched): boolean {
  const members = new Set(signatures.map(({ member }) => member))
  const isSigned = signatures.every(({ member, signature }) =>
    seals.isSigned({ phase, sequence, view, value }, member, signature),
  )
  return members.size === signatures.length && 3 * (n - members.size) < n && isSigned
}
