// The proof that a block is final, as a node gives it to a wallet or a light client: the headers from the block up to
// the one that the validators decided, and the certificate of that decision. A reader with the genesis file needs
// nothing else to check it (see verify-proof.ts).

import type { Address } from '../chain/address.ts'
import { type BlockHeader, type BlockId, blockId, encodeHeader, HEADER_BYTES } from '../chain/header.ts'
import { LOG_PROTOCOLS } from '../consensus/catalogue.ts'
import { takeNumber, takeSignature } from '../consensus/json-fields.ts'
import type { SomeCertificate } from '../consensus/signed.ts'
import { type Hex, toHex } from '../encoding/bytes.ts'
import { Fields, type Json, readBytes } from '../encoding/fields.ts'
import { VALIDATORS_MAX, type ValidatorSet } from './validators.ts'
import { takeAddress, takeBlockId } from './vote-json.ts'

/** A finality proof in JSON. */
export interface FinalityProof {
  readonly genesisId: BlockId
  readonly chainId: number
  /** The height is only what the node says: headers do not carry it. */
  readonly block: { readonly id: BlockId; readonly height: number }
  /** 80 bytes each, from the block itself to the one that was decided, each naming the one before it. */
  readonly headers: readonly Hex[]
  readonly certificate: {
    /** The one by which the network's protocol decides. */
    readonly phase: string
    readonly sequence: number
    readonly view: number
    readonly value: BlockId
    readonly signatures: readonly { readonly validator: Address; readonly signature: Hex }[]
  }
}

/** What a proof is made of. */
export interface ProvenBlock {
  readonly genesisId: BlockId
  readonly chainId: bigint
  readonly validators: ValidatorSet
  readonly height: number
  /** At least the block's own. */
  readonly headers: readonly BlockHeader[]
  /** Of the decision on the last of the headers. */
  readonly certificate: SomeCertificate
}

const DECIDING_PHASES = [...new Set(LOG_PROTOCOLS.flatMap(({ signed }) => signed?.decidingPhase ?? []))]

/** Headers in a proof at most: those from a block up to the next one that has a certificate of its own. */
export const PROOF_HEADERS_MAX = 2_000

/** The proof in JSON. Throws a RangeError when the certificate is not about the last header. */
export function describeFinalityProof(proven: ProvenBlock): FinalityProof {
  const { genesisId, chainId, validators, height, headers, certificate } = proven
  const ids = headers.map(blockId)
  const [id, value] = [ids[0], ids.at(-1)]
  if (
    id === undefined ||
    value === undefined ||
    certificate.value !== value ||
    !DECIDING_PHASES.includes(certificate.phase)
  )
    throw new RangeError('the certificate is not a decision about the last header')
  const { phase, sequence, view } = certificate
  const signatures = certificate.signatures.map(({ member, signature }) => ({
    validator: validators.validators[member]!.address,
    signature: toHex(signature),
  }))
  return {
    genesisId,
    chainId: Number(chainId),
    block: { id, height },
    headers: headers.map(header => toHex(encodeHeader(header))),
    certificate: { phase, sequence, view, value, signatures },
  }
}

/** A proof from outside; only its form is checked. Throws `InvalidField`. */
export function readFinalityProof(proof: unknown): FinalityProof {
  const fields = new Fields('', proof)
  const genesisId = takeBlockId(fields, 'genesisId')
  const chainId = fields.integer('chainId', { min: 1, max: Number.MAX_SAFE_INTEGER })
  const block = readBlock(fields.object('block'))
  const headers = fields.parse('headers', `a list of 1 to ${PROOF_HEADERS_MAX} headers in hex`, readHeaders)
  const certificate = readCertificate(fields.object('certificate'))
  fields.end()
  return { genesisId, chainId, block, headers, certificate }
}

function readBlock(fields: Fields): FinalityProof['block'] {
  const block = { id: takeBlockId(fields, 'id'), height: takeNumber(fields, 'height') }
  fields.end()
  return block
}

function readHeaders(value: Json): readonly Hex[] | null {
  if (!Array.isArray(value) || value.length < 1 || value.length > PROOF_HEADERS_MAX) return null
  const headers = value.map((header: Json) => readBytes(header, HEADER_BYTES))
  return headers.every(header => header !== null) ? headers : null
}

function readCertificate(fields: Fields): FinalityProof['certificate'] {
  const phase = fields.parse(
    'phase',
    DECIDING_PHASES.join(' or '),
    value => DECIDING_PHASES.find(known => known === value) ?? null,
  )
  const sequence = takeNumber(fields, 'sequence')
  const view = takeNumber(fields, 'view')
  const value = takeBlockId(fields, 'value')
  const path = fields.path('signatures')
  const signatures = fields.parse('signatures', `a list of at most ${VALIDATORS_MAX}`, readSignatureList)
  fields.end()
  return {
    phase,
    sequence,
    view,
    value,
    signatures: signatures.map((entry, index) => readSignature(new Fields(`${path}[${index}]`, entry))),
  }
}

function readSignatureList(value: Json): readonly Json[] | null {
  return Array.isArray(value) && value.length <= VALIDATORS_MAX ? value : null
}

function readSignature(fields: Fields): FinalityProof['certificate']['signatures'][number] {
  const entry = {
    validator: takeAddress(fields, 'validator'),
    signature: takeSignature(fields, 'signature'),
  }
  fields.end()
  return entry
}
