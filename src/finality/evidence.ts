// Proof that a validator lies, which the genesis file is enough to check: two statements with its signature, of which an
// honest validator never signs both, however many faults there are around it. Which statements those are is the protocol's
// (`EvidenceKit`); evidence-report.ts puts them in JSON, with the validator that they accuse and its network.

import type { BlockId } from '../chain/header.ts'
import { LOG_PROTOCOLS } from '../consensus/catalogue.ts'
import type { EvidenceKit, Lie } from '../consensus/kit.ts'
import { Fields, InvalidField } from '../encoding/fields.ts'
import { parseGenesis } from '../execution/genesis.ts'
import type { Evidence } from './evidence-log.ts'
import type { EvidenceReport } from './evidence-report.ts'
import { requireSigned } from './protocol.ts'
import { referenceRecover, statementDigest } from './signing.ts'
import { readValidatorName, readValidators, type Validator } from './validators.ts'
import type { Refused } from './verify-proof.ts'
import { takeAddress, takeBlockId } from './vote-json.ts'

/** A validator that lied, and about what. */
export interface VerifiedEvidence extends Lie {
  readonly validator: Validator
}

/** What a report is about. Throws `InvalidField` when it is none. */
export function lieOf(report: EvidenceReport): Lie {
  const { kit, evidence } = takeReport(report)
  return kit.lie(evidence)
}

/** The validator that a report convicts in the network of a genesis file. Throws `InvalidField` when that is malformed. */
export function verifyEvidence(genesisFile: unknown, report: unknown): VerifiedEvidence | Refused {
  const genesis = parseGenesis(genesisFile)
  const validators = readValidators(new Fields('finality', genesis.finality))
  const signed = requireSigned(genesis)
  const read = readForm(report)
  if ('refused' in read) return read
  const { kit, evidence, genesisId, validator } = read
  if (genesisId !== genesis.block.id) return { refused: 'the evidence is about another network' }
  // The name is what a reader will see, so it must be the right one.
  const isKnown = validators.validators.some(
    ({ name, address }) => name === validator.name && address === validator.address,
  )
  if (!isKnown) return { refused: `${validator.name} (${validator.address}) is not a validator` }
  const reason = kit.reasonAgainst(evidence)
  if (reason !== null) return { refused: reason }
  const domain = {
    chainId: genesis.blocks.chainId,
    genesisId: genesis.block.id,
    validatorSetId: validators.id,
  }
  for (const { what, statement, signature } of kit.statements(evidence)) {
    const digest = statementDigest(domain, signed.encodeStatement(statement))
    if (referenceRecover(digest, signature) !== validator.address)
      return { refused: `${validator.name} did not sign the ${what}` }
  }
  return { validator, ...kit.lie(evidence) }
}

/** A report from outside; only its form is checked. Throws `InvalidField`. */
export function readEvidenceReport(report: unknown): EvidenceReport {
  const { kit, evidence, genesisId, validator } = takeReport(report)
  return { type: kit.lie(evidence).type, genesisId, validator, ...kit.toJson(evidence) }
}

interface Report {
  readonly genesisId: BlockId
  readonly validator: Validator
  readonly kit: EvidenceKit
  readonly evidence: Evidence
}

function readForm(report: unknown): Report | Refused {
  try {
    return takeReport(report)
  } catch (error) {
    if (error instanceof InvalidField) return { refused: `not evidence: ${error.message}` }
    throw error
  }
}

function takeReport(report: unknown): Report {
  const fields = new Fields('', report)
  const type = takeType(fields)
  const genesisId = takeBlockId(fields, 'genesisId')
  const validator = takeValidator(fields.object('validator'))
  const kit = EVIDENCE_KITS.find(({ types }) => types.includes(type))!
  // A report names the validator; its place only the genesis file tells.
  const evidence = kit.takeJson(type, 0, fields)
  fields.end()
  return { genesisId, validator, kit, evidence }
}

const EVIDENCE_KITS = LOG_PROTOCOLS.flatMap(({ signed }) => (signed === null ? [] : [signed.evidence]))
const TYPES = [...new Set(EVIDENCE_KITS.flatMap(({ types }) => types))]

/** Files that say nothing of their kind are of when there was only one. */
function takeType(fields: Fields): Lie['type'] {
  if (!fields.has('type')) return 'contradiction'
  return fields.parse('type', TYPES.join(' or '), value => TYPES.find(type => type === value) ?? null)
}

function takeValidator(fields: Fields): Validator {
  const name = fields.parse('name', 'the name of a validator', readValidatorName)
  const address = takeAddress(fields, 'address')
  fields.end()
  return { name, address }
}
