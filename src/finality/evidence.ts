// Proof that a validator lies: two votes of one phase, view and sequence number, for different values, and its
// signature under both. An honest validator never signs such a pair, however many faults there are around it.

import { type ByteReader, ByteWriter, fromHex, type Hex, MalformedBytes, toHex } from '../chain/bytes.ts'
import { Fields, InvalidField } from '../chain/fields.ts'
import { parseGenesis } from '../chain/genesis.ts'
import type { BlockId } from '../chain/header.ts'
import type { Evidence, Vote } from '../consensus/contract.ts'
import {
  PHASE_BYTES,
  readMember,
  readNumber,
  readSignature,
  readValue,
  readVotePhase,
  VOTE_PHASES,
  writeMember,
  writeNumber,
  writeSignature,
  writeValue,
} from './encoding.ts'
import { referenceRecover, statementDigest } from './signing.ts'
import { readValidatorName, readValidators, type Validator, type ValidatorSet } from './validators.ts'
import type { Refused } from './verify-proof.ts'
import { takeAddress, takeBlockId, takeNumber, takeSignature, takeValue } from './vote-json.ts'

/** A signed vote in JSON. */
export interface SignedVote extends Vote {
  readonly signature: Hex
}

/** Evidence in JSON. */
export interface EvidenceReport {
  readonly genesisId: BlockId
  readonly validator: Validator
  readonly first: SignedVote
  readonly second: SignedVote
}

/** Who lied, and about what. */
export interface VerifiedEvidence {
  readonly validator: Validator
  readonly phase: Vote['phase']
  readonly sequence: number
  readonly view: number
}

/** Evidence in JSON. */
export function describeEvidence(
  evidence: Evidence,
  network: { readonly genesisId: BlockId; readonly validators: ValidatorSet },
): EvidenceReport {
  const { name, address } = network.validators.validators[evidence.member]!
  return {
    genesisId: network.genesisId,
    validator: { name, address },
    first: describeVote(evidence.first),
    second: describeVote(evidence.second),
  }
}

/** Whom a report convicts in the network of this genesis file. Throws `InvalidField` when that is none. */
export function verifyEvidence(genesisFile: unknown, report: unknown): VerifiedEvidence | Refused {
  const genesis = parseGenesis(genesisFile)
  const validators = readValidators(new Fields('finality', genesis.finality))
  const read = readForm(report)
  if ('refused' in read) return read
  const { validator, first, second } = read
  if (read.genesisId !== genesis.block.id) return { refused: 'the evidence is about another network' }
  // The name is what a reader will see, so it must be the right one.
  const isKnown = validators.validators.some(
    ({ name, address }) => name === validator.name && address === validator.address,
  )
  if (!isKnown) return { refused: `${validator.name} (${validator.address}) is not a validator` }
  const reason = checkContradiction(first, second)
  if (reason !== null) return { refused: reason }
  const domain = {
    chainId: genesis.blocks.chainId,
    genesisId: genesis.block.id,
    validatorSetId: validators.id,
  }
  const isSigned = ({ signature, ...vote }: SignedVote): boolean =>
    referenceRecover(statementDigest(domain, vote), fromHex(signature)) === validator.address
  if (!isSigned(first)) return { refused: `${validator.name} did not sign the first vote` }
  if (!isSigned(second)) return { refused: `${validator.name} did not sign the second vote` }
  return { validator, phase: first.phase, sequence: first.sequence, view: first.view }
}

/** Evidence as it is stored: member, phase, sequence, view, then value and signature of both votes. */
export function encodeEvidence({ member, first, second }: Evidence): Uint8Array {
  const reason = checkContradiction(first, second)
  if (reason !== null) throw new RangeError(reason)
  const writer = new ByteWriter()
  writeMember(writer, member)
  writer.u8(PHASE_BYTES[first.phase])
  writeNumber(writer, first.sequence)
  writeNumber(writer, first.view)
  for (const { value, signature } of [first, second]) {
    writeValue(writer, value)
    writeSignature(writer, signature)
  }
  return writer.finish()
}

/** The evidence in the next bytes. Throws `MalformedBytes`. */
export function readEvidence(reader: ByteReader): Evidence {
  const member = readMember(reader)
  const slot = { phase: readVotePhase(reader), sequence: readNumber(reader), view: readNumber(reader) }
  const first = { ...slot, value: readValue(reader), signature: readSignature(reader) }
  const second = { ...slot, value: readValue(reader), signature: readSignature(reader) }
  const reason = checkContradiction(first, second)
  if (reason !== null) throw new MalformedBytes(reason)
  return { member, first, second }
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

function describeVote(vote: Evidence['first']): SignedVote {
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
  const genesisId = takeBlockId(fields, 'genesisId')
  const validator = takeValidator(fields.object('validator'))
  const first = takeVote(fields.object('first'))
  const second = takeVote(fields.object('second'))
  fields.end()
  return { genesisId, validator, first, second }
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
