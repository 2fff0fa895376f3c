// Checks a finality proof with nothing but the genesis file: step by step, slowly, and with none of the code by which
// nodes come to agree. Only the bytes of a statement are written by the same function,
// and signatures are recovered by the reference implementation.

import { sha256d } from '../chain/hash.ts'
import type { BlockId } from '../chain/header.ts'
import type { SignedKit } from '../consensus/kit.ts'
import { fromHex, toReversedHex } from '../encoding/bytes.ts'
import { Fields, InvalidField } from '../encoding/fields.ts'
import { parseGenesis } from '../execution/genesis.ts'
import { type FinalityProof, readFinalityProof } from './finality-proof.ts'
import { requireSigned } from './protocol.ts'
import { referenceRecover, statementDigest } from './signing.ts'
import { readValidators, type ValidatorSet } from './validators.ts'

/** The block that is final, and the names of the validators that signed the decision, in their order. */
export interface VerifiedProof {
  readonly block: BlockId
  readonly signers: readonly string[]
}

/** Why something proves nothing, in one line. */
export interface Refused {
  readonly refused: string
}

/**
 * What a proof proves in the network of this genesis file: that the block with this id is final. It proves no height:
 * `block.height` of the proof is what the node says, since headers do not carry it. Throws `InvalidField` for a genesis file
 * that is none, or that names no validators.
 */
export function verifyFinalityProof(genesisFile: unknown, proof: unknown): VerifiedProof | Refused {
  const genesis = parseGenesis(genesisFile)
  const validators = readValidators(new Fields('finality', genesis.finality))
  const read = readForm(proof)
  if ('refused' in read) return read
  if (read.genesisId !== genesis.block.id || BigInt(read.chainId) !== genesis.blocks.chainId)
    return { refused: 'the proof is about another network' }
  const reason = checkHeaders(read) ?? checkSignatures(read, validators, requireSigned(genesis))
  if (reason !== null) return { refused: reason }
  const signed = new Set(read.certificate.signatures.map(({ validator }) => validator))
  const signers = validators.validators.filter(({ address }) => signed.has(address)).map(({ name }) => name)
  return { block: read.block.id, signers }
}

function readForm(proof: unknown): FinalityProof | Refused {
  try {
    return readFinalityProof(proof)
  } catch (error) {
    if (error instanceof InvalidField) return { refused: `not a finality proof: ${error.message}` }
    throw error
  }
}

/** The headers lead from the block to what was decided. */
function checkHeaders({ block, headers, certificate }: FinalityProof): string | null {
  let expected = block.id
  for (const [index, hex] of headers.entries()) {
    const bytes = fromHex(hex)
    const id = toReversedHex(sha256d(bytes))
    // After the first, which must be the block itself, each names the one before it.
    if (index === 0 && id !== expected) return 'the first header is not the block'
    if (index > 0 && toReversedHex(bytes.subarray(4, 36)) !== expected)
      return `header ${index} does not follow the one before it`
    expected = id
  }
  return certificate.value === expected ? null : 'the certificate is about another block than the last header'
}

/** At least n − f distinct validators signed one and the same statement, and no other signer is named. */
function checkSignatures(proof: FinalityProof, validators: ValidatorSet, signed: SignedKit): string | null {
  const { phase, sequence, view, value, signatures } = proof.certificate
  const domain = {
    chainId: BigInt(proof.chainId),
    genesisId: proof.genesisId,
    validatorSetId: validators.id,
  }
  if (phase !== signed.decidingPhase) return `a ${phase} decides nothing in this network`
  const statement = signed.encodeStatement(signed.voteStatement({ phase, sequence, view, value }))
  const digest = statementDigest(domain, statement)
  const counted = new Set<string>()
  for (const { validator, signature } of signatures) {
    if (!validators.validators.some(({ address }) => address === validator))
      return `${validator} is not a validator`
    if (counted.has(validator)) return `${validator} is counted twice`
    if (referenceRecover(digest, fromHex(signature)) !== validator)
      return `the signature of ${validator} is not its ${phase.toUpperCase()} for this block, view and sequence number`
    counted.add(validator)
  }
  const n = validators.validators.length
  const needed = n - Math.floor((n - 1) / 3)
  return counted.size >= needed ? null : `${counted.size} of the ${needed} signatures that it takes`
}
