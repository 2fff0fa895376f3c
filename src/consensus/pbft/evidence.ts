// Proof that a member of PBFT lies: two statements with its signature, of which an honest member never signs both, however
// many faults there are around it. Either two votes of one phase, view and sequence number for different
// values; or a commit, and a later view change that leaves out what was committed to (omission.ts).

import { fromHex, toHex } from '../../encoding/bytes.ts'
import { Fields, type Json } from '../../encoding/fields.ts'
import { takeNumber, takeSignature, takeValue } from '../json-fields.ts'
import type { Lie } from '../kit.ts'
import type { MemberIndex } from '../process.ts'
import type { Signature } from '../signed.ts'
import { MEMBERS_MAX } from '../wire-fields.ts'
import type { Statement } from './messages.ts'
import { SLOTS_MAX } from './view-change-wire.ts'
import { VOTE_PHASES } from './vote-fields.ts'
import type {
  Certificate,
  Contradiction,
  Departure,
  Evidence,
  Omission,
  PreparedClaim,
  Suspect,
  Vote,
  VotePhase,
  VoteWithSignature,
} from './votes.ts'

/** What evidence is about. */
export function lieOf(evidence: Evidence): Lie & { readonly phase: VotePhase } {
  const vote = evidence.type === 'contradiction' ? evidence.first : evidence.vote
  const { phase, sequence, view } = vote
  const leftFor = evidence.type === 'contradiction' ? null : evidence.departure.view
  return { type: evidence.type, phase, sequence, view, leftFor }
}

/** Why no honest member is to blame, or null when evidence convicts its signer. */
export function reasonAgainst(evidence: Evidence): string | null {
  switch (evidence.type) {
    case 'contradiction':
      return checkContradiction(evidence.first, evidence.second)
    case 'omission':
      return checkOmission(evidence.vote, evidence.departure)
  }
}

/** What is signed in evidence, in its order. */
export function statementsOf(
  evidence: Evidence,
): { what: string; statement: Statement; signature: Signature }[] {
  switch (evidence.type) {
    case 'contradiction': {
      const { first, second } = evidence
      return [
        { what: 'first vote', statement: first, signature: first.signature },
        { what: 'second vote', statement: second, signature: second.signature },
      ]
    }
    case 'omission': {
      const { vote, departure } = evidence
      const left: Statement = { phase: 'view-change', ...departure }
      return [
        { what: 'vote', statement: vote, signature: vote.signature },
        { what: 'view change', statement: left, signature: departure.signature },
      ]
    }
  }
}

/**
 * The lies that two certificates for one decision prove. Of two views an honest member may have signed both: in the
 * later one it votes for what is proposed again, and others may have hidden what it had committed to.
 */
export function contradictionsBetween(one: Certificate, other: Certificate): Contradiction[] {
  if (one.view !== other.view) return []
  const { signatures, ...vote } = one
  return signatures.flatMap(({ member, signature }) => {
    const again = other.signatures.find(signed => signed.member === member)
    if (again === undefined) return []
    const [first, second] = [
      { ...vote, signature },
      { ...vote, value: other.value, signature: again.signature },
    ]
    return [{ type: 'contradiction', member, first, second }]
  })
}

/** The statements of evidence in JSON. */
export function evidenceToJson(evidence: Evidence): { readonly [field: string]: Json } {
  switch (evidence.type) {
    case 'contradiction':
      return { first: voteToJson(evidence.first), second: voteToJson(evidence.second) }
    case 'omission': {
      const { view, sequence, prepared, suspects, signature } = evidence.departure
      const claims = prepared.map(claim => ({ ...claim }))
      const members = suspects.map(suspect => ({ ...suspect }))
      const departure = { view, sequence, prepared: claims, suspects: members, signature: toHex(signature) }
      return { vote: voteToJson(evidence.vote), departure }
    }
  }
}

/** Evidence against a member, from the fields that `evidenceToJson` wrote. Throws `InvalidField`. */
export function takeEvidence(type: Evidence['type'], member: MemberIndex, fields: Fields): Evidence {
  switch (type) {
    case 'contradiction': {
      const first = takeVote(fields.object('first'))
      return { type, member, first, second: takeVote(fields.object('second')) }
    }
    case 'omission': {
      const vote = takeVote(fields.object('vote'))
      return { type, member, vote, departure: takeDeparture(fields.object('departure')) }
    }
  }
}

/** Why no honest member is to blame for both votes, or null when they contradict each other. */
function checkContradiction(first: Vote, second: Vote): string | null {
  if (first.phase !== second.phase) return 'the votes are of different phases'
  if (first.sequence !== second.sequence) return 'the votes are about different sequence numbers'
  if (first.view !== second.view) return 'the votes are of different views'
  if (first.value === second.value) return 'the votes are for the same value'
  // The state after a sequence number does not depend on the view in which it was decided.
  if (first.phase === 'checkpoint' && first.view !== 0) return 'a checkpoint has no view other than 0'
  return null
}

/** Why an honest member may have signed both, or null when it can't. */
function checkOmission(vote: Vote, departure: Departure): string | null {
  if (vote.phase !== 'commit') return 'the vote is no commit'
  if (departure.view <= vote.view) return 'the view change is not for a later view than that of the vote'
  if (departure.sequence >= vote.sequence)
    return 'the sequence number of the vote is stable by the view change'
  for (const { sequence, view, value } of departure.prepared) {
    if (sequence !== vote.sequence) continue
    if (view > vote.view) return 'the view change tells of a later view than that of the vote'
    if (view === vote.view && value === vote.value) return 'the view change tells of what was voted for'
  }
  return null
}

function voteToJson({ phase, sequence, view, value, signature }: VoteWithSignature): Json {
  return { phase, sequence, view, value, signature: toHex(signature) }
}

function takeDeparture(fields: Fields): Omission['departure'] {
  const place = { view: takeNumber(fields, 'view'), sequence: takeNumber(fields, 'sequence') }
  const list = fields.parse('prepared', `a list of at most ${SLOTS_MAX}`, value =>
    Array.isArray(value) && value.length <= SLOTS_MAX ? value : null,
  )
  const prepared = list.map((claim, index) => takeClaim(new Fields(fields.path(`prepared.${index}`), claim)))
  const named = fields.parse('suspects', `a list of at most ${MEMBERS_MAX}`, value =>
    Array.isArray(value) && value.length <= MEMBERS_MAX ? value : null,
  )
  const suspects = named.map((suspect, index) =>
    takeSuspect(new Fields(fields.path(`suspects.${index}`), suspect)),
  )
  const departure = { ...place, prepared, suspects, signature: fromHex(takeSignature(fields, 'signature')) }
  fields.end()
  return departure
}

function takeSuspect(fields: Fields): Suspect {
  const suspect = {
    member: fields.integer('member', { min: 0, max: MEMBERS_MAX - 1 }),
    until: takeNumber(fields, 'until'),
  }
  fields.end()
  return suspect
}

function takeClaim(fields: Fields): PreparedClaim {
  const claim = {
    sequence: takeNumber(fields, 'sequence'),
    view: takeNumber(fields, 'view'),
    value: takeValue(fields, 'value'),
  }
  fields.end()
  return claim
}

function takeVote(fields: Fields): VoteWithSignature {
  const expected = `one of ${VOTE_PHASES.join(', ')}`
  const phase = fields.parse('phase', expected, value => VOTE_PHASES.find(name => name === value) ?? null)
  const vote = {
    phase,
    sequence: takeNumber(fields, 'sequence'),
    view: takeNumber(fields, 'view'),
    value: takeValue(fields, 'value'),
    signature: fromHex(takeSignature(fields, 'signature')),
  }
  fields.end()
  return vote
}
