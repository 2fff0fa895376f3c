// Proof that a validator lies: two statements with its signature under both, of which an honest validator never signs
// both, however many faults there are around it. Either two votes of one phase, view and sequence number for different
// values; or a commit, and a later view change that leaves out what was committed to (consensus/pbft/omission.ts).

import { parseGenesis } from '../chain/genesis.ts'
import type { BlockId } from '../chain/header.ts'
import type { Statement } from '../consensus/pbft/messages.ts'
import type {
  Departure,
  Evidence,
  PreparedClaim,
  Suspect,
  Vote,
  VoteWithSignature,
} from '../consensus/pbft/votes.ts'
import { fromHex, type Hex, toHex } from '../encoding/bytes.ts'
import { Fields, InvalidField } from '../encoding/fields.ts'
import { VOTE_PHASES } from './encoding.ts'
import { referenceRecover, statementDigest } from './signing.ts'
import {
  readValidatorName,
  readValidators,
  VALIDATORS_MAX,
  type Validator,
  type ValidatorSet,
} from './validators.ts'
import type { Refused } from './verify-proof.ts'
import { takeAddress, takeBlockId, takeNumber, takeSignature, takeValue } from './vote-json.ts'
import { SLOTS_MAX } from './wire.ts'

/** A signed vote in JSON. */
export interface SignedVote extends Vote {
  readonly signature: Hex
}

/** A signed view change in JSON: what its validator said of itself when it left its view. */
export interface SignedDeparture extends Departure {
  readonly signature: Hex
}

/** Whom evidence in JSON accuses, and in which network. */
interface Accusation {
  readonly genesisId: BlockId
  readonly validator: Validator
}

/** Two votes in JSON. */
export interface ContradictionReport extends Accusation {
  readonly type: 'contradiction'
  readonly first: SignedVote
  readonly second: SignedVote
}

/** A commit in JSON, and the view change that leaves it out. */
export interface OmissionReport extends Accusation {
  readonly type: 'omission'
  readonly vote: SignedVote
  readonly departure: SignedDeparture
}

/** Evidence in JSON. */
export type EvidenceReport = ContradictionReport | OmissionReport

/** Who lied, and about what. */
export interface VerifiedEvidence {
  readonly type: Evidence['type']
  readonly validator: Validator
  readonly phase: Vote['phase']
  readonly sequence: number
  readonly view: number
  /** The view for which it left; null where it voted twice. */
  readonly leftFor: number | null
}

/** What a lie was about: both kinds of evidence say it. */
export type Lie = Pick<VerifiedEvidence, 'type' | 'phase' | 'sequence' | 'view' | 'leftFor'>

/** A lie in a few words, which follow the name of the validator. */
export function describeLie({ type, phase, sequence, view, leftFor }: Lie): string {
  switch (type) {
    case 'contradiction':
      return `signed two different ${phase}s for decision ${sequence} in view ${view}`
    case 'omission':
      return `signed a ${phase} for decision ${sequence} in view ${view} and left it out when it left for view ${leftFor}`
  }
}

/** What evidence, or its report, is about. */
export function lieOf(evidence: Evidence | EvidenceReport): Lie {
  const vote = evidence.type === 'contradiction' ? evidence.first : evidence.vote
  const { phase, sequence, view } = vote
  const leftFor = evidence.type === 'contradiction' ? null : evidence.departure.view
  return { type: evidence.type, phase, sequence, view, leftFor }
}

/** Evidence in JSON. */
export function describeEvidence(
  evidence: Evidence,
  network: { readonly genesisId: BlockId; readonly validators: ValidatorSet },
): EvidenceReport {
  const { name, address } = network.validators.validators[evidence.member]!
  const accusation = { genesisId: network.genesisId, validator: { name, address } }
  switch (evidence.type) {
    case 'contradiction': {
      const [first, second] = [evidence.first, evidence.second].map(describeVote) as [SignedVote, SignedVote]
      return { type: evidence.type, ...accusation, first, second }
    }
    case 'omission': {
      const { view, sequence, prepared, suspects, signature } = evidence.departure
      const departure = { view, sequence, prepared, suspects, signature: toHex(signature) }
      return { type: evidence.type, ...accusation, vote: describeVote(evidence.vote), departure }
    }
  }
}

/** Whom a report convicts in the network of this genesis file. Throws `InvalidField` when that is none. */
export function verifyEvidence(genesisFile: unknown, report: unknown): VerifiedEvidence | Refused {
  const genesis = parseGenesis(genesisFile)
  const validators = readValidators(new Fields('finality', genesis.finality))
  const read = readForm(report)
  if ('refused' in read) return read
  const { validator } = read
  if (read.genesisId !== genesis.block.id) return { refused: 'the evidence is about another network' }
  // The name is what a reader will see, so it must be the right one.
  const isKnown = validators.validators.some(
    ({ name, address }) => name === validator.name && address === validator.address,
  )
  if (!isKnown) return { refused: `${validator.name} (${validator.address}) is not a validator` }
  const reason = reasonAgainst(read)
  if (reason !== null) return { refused: reason }
  const domain = {
    chainId: genesis.blocks.chainId,
    genesisId: genesis.block.id,
    validatorSetId: validators.id,
  }
  for (const { what, statement, signature } of statementsOf(read))
    if (referenceRecover(statementDigest(domain, statement), fromHex(signature)) !== validator.address)
      return { refused: `${validator.name} did not sign the ${what}` }
  return { validator, ...lieOf(read) }
}

/** Why no honest validator is to blame, or null when evidence convicts whoever signed it. */
export function reasonAgainst(evidence: Evidence | EvidenceReport): string | null {
  switch (evidence.type) {
    case 'contradiction':
      return checkContradiction(evidence.first, evidence.second)
    case 'omission':
      return checkOmission(evidence.vote, evidence.departure)
  }
}

/** What is signed in a report, in its order. */
function statementsOf(report: EvidenceReport): { what: string; statement: Statement; signature: Hex }[] {
  switch (report.type) {
    case 'contradiction':
      return [
        { what: 'first vote', statement: report.first, signature: report.first.signature },
        { what: 'second vote', statement: report.second, signature: report.second.signature },
      ]
    case 'omission': {
      const { vote, departure } = report
      return [
        { what: 'vote', statement: vote, signature: vote.signature },
        {
          what: 'view change',
          statement: { phase: 'view-change', ...departure },
          signature: departure.signature,
        },
      ]
    }
  }
}

/** Why no honest validator is to blame for both votes, or null when they contradict each other. */
function checkContradiction(first: Vote, second: Vote): string | null {
  if (first.phase !== second.phase) return 'the votes are of different phases'
  if (first.sequence !== second.sequence) return 'the votes are about different sequence numbers'
  if (first.view !== second.view) return 'the votes are of different views'
  if (first.value === second.value) return 'the votes are for the same value'
  // The state after a sequence number does not depend on the view in which it was decided.
  if (first.phase === 'checkpoint' && first.view !== 0) return 'a checkpoint has no view other than 0'
  return null
}

/** Why an honest validator may have signed both, or null when it can't. */
function checkOmission(vote: Vote, departure: Departure): string | null {
  if (vote.phase !== 'commit') return 'the vote is no commit'
  if (departure.view <= vote.view) return 'the view change is not for a later view than that of the vote'
  if (departure.sequence >= vote.sequence) return 'the view change calls settled what the vote is about'
  for (const { sequence, view, value } of departure.prepared) {
    if (sequence !== vote.sequence) continue
    if (view > vote.view) return 'the view change tells of a later view than that of the vote'
    if (view === vote.view && value === vote.value) return 'the view change tells of what was voted for'
  }
  return null
}

function describeVote(vote: VoteWithSignature): SignedVote {
  const { phase, sequence, view, value, signature } = vote
  return { phase, sequence, view, value, signature: toHex(signature) }
}

function readForm(report: unknown): EvidenceReport | Refused {
  try {
    return readEvidenceReport(report)
  } catch (error) {
    if (error instanceof InvalidField) return { refused: `not evidence: ${error.message}` }
    throw error
  }
}

/** A report as anybody may have written it; only its form is checked. Throws `InvalidField`. */
export function readEvidenceReport(report: unknown): EvidenceReport {
  const fields = new Fields('', report)
  const type = takeType(fields)
  const genesisId = takeBlockId(fields, 'genesisId')
  const accusation = { genesisId, validator: takeValidator(fields.object('validator')) }
  const statements =
    type === 'contradiction'
      ? { type, first: takeVote(fields.object('first')), second: takeVote(fields.object('second')) }
      : { type, vote: takeVote(fields.object('vote')), departure: takeDeparture(fields.object('departure')) }
  fields.end()
  return { ...accusation, ...statements }
}

/** Files that say nothing of their kind are of when there was only one. */
function takeType(fields: Fields): Evidence['type'] {
  if (!fields.has('type')) return 'contradiction'
  return fields.parse('type', 'contradiction or omission', value =>
    value === 'contradiction' || value === 'omission' ? value : null,
  )
}

function takeDeparture(fields: Fields): SignedDeparture {
  const place = { view: takeNumber(fields, 'view'), sequence: takeNumber(fields, 'sequence') }
  const list = fields.parse('prepared', `a list of at most ${SLOTS_MAX}`, value =>
    Array.isArray(value) && value.length <= SLOTS_MAX ? value : null,
  )
  const prepared = list.map((claim, index) => takeClaim(new Fields(fields.path(`prepared.${index}`), claim)))
  const named = fields.parse('suspects', `a list of at most ${VALIDATORS_MAX}`, value =>
    Array.isArray(value) && value.length <= VALIDATORS_MAX ? value : null,
  )
  const suspects = named.map((suspect, index) =>
    takeSuspect(new Fields(fields.path(`suspects.${index}`), suspect)),
  )
  const departure = { ...place, prepared, suspects, signature: takeSignature(fields, 'signature') }
  fields.end()
  return departure
}

function takeSuspect(fields: Fields): Suspect {
  const suspect = {
    member: fields.integer('member', { min: 0, max: VALIDATORS_MAX - 1 }),
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

function takeValidator(fields: Fields): Validator {
  const name = fields.parse('name', 'the name of a validator', readValidatorName)
  const address = takeAddress(fields, 'address')
  fields.end()
  return { name, address }
}

function takeVote(fields: Fields): SignedVote {
  const expected = `one of ${VOTE_PHASES.join(', ')}`
  const phase = fields.parse('phase', expected, value => VOTE_PHASES.find(name => name === value) ?? null)
  const vote = {
    phase,
    sequence: takeNumber(fields, 'sequence'),
    view: takeNumber(fields, 'view'),
    value: takeValue(fields, 'value'),
    signature: takeSignature(fields, 'signature'),
  }
  fields.end()
  return vote
}
