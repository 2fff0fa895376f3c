// What validators sign, as bytes (integers little-endian), and how it is signed and checked: ECDSA over secp256k1, the
// signer's address recovered from it. All that makes a statement what it is lies under the signature, the network too.
//
//   tag (sized) | chain id 8 | genesis id 32 | validator set 32 | phase 1 | view 8 | sequence 8 |
//   vote: value 32      view-change: count 4, then (sequence 8, view 8, value 32) of each, then
//                                    count 4, then (member 1, until 8) of each suspect
//                       new-view:    count 4, then (sequence 8, value 32) of each
//                       complaint:   nothing
//                       answer:      challenge 8, member 1, count 4, then (phase 1, sequence 8, view 8, value 32) of each

import type { Address } from '../chain/address.ts'
import { decodeSignature, encodeSignature } from '../chain/compact-signature.ts'
import { sha256 } from '../chain/hash.ts'
import type { BlockId } from '../chain/header.ts'
import { addressOfSecretKey, recoverAddress, signDigest } from '../chain/signature.ts'
import type { Statement } from '../consensus/pbft/messages.ts'
import type { Signing } from '../consensus/signed.ts'
import { ByteWriter, fromHex, fromReversedHex, type Hex, toHex } from '../encoding/bytes.ts'
import { isMember, isNumber, isValue, PHASE_BYTES, writeMember, writeNumber, writeValue } from './encoding.ts'
import type { ValidatorSet } from './validators.ts'

/** What makes a statement this network's and these validators'. */
export interface SigningDomain {
  readonly chainId: bigint
  readonly genesisId: BlockId
  readonly validatorSetId: Hex
}

/** Whose signature (65 bytes) over a 32-byte digest it is; null when it is malformed or nobody's. Never throws. */
export type RecoverSigner = (digest: Uint8Array, signature: Uint8Array) => Address | null

/** Signs a 32-byte digest with a 32-byte secret key: 65 bytes, deterministic (RFC 6979), low s. */
export type SignDigest = (digest: Uint8Array, secretKey: Uint8Array) => Uint8Array

/** What `createSigning` needs. */
export interface SigningOptions {
  readonly genesisId: BlockId
  readonly chainId: bigint
  readonly validators: ValidatorSet
  /** 32 bytes; null for one who only follows. */
  readonly secretKey: Uint8Array | null
  readonly recover: RecoverSigner
  /** The reference unless given. */
  readonly sign?: SignDigest
}

/** Signatures of validators that are remembered: a certificate is checked again whenever somebody shows it. */
const REMEMBERED_MAX = 4_096

const DOMAIN_TAG = new TextEncoder().encode('quorate/finality/1')

/** Signs as the validator whose key it is, if it is one's, and checks what all validators signed. */
export function createSigning(options: SigningOptions): Signing<Statement> {
  const { genesisId, chainId, validators, secretKey, recover, sign = referenceSign } = options
  const domain: SigningDomain = { genesisId, chainId, validatorSetId: validators.id }
  const self = secretKey === null ? null : validators.indexOf(addressOfSecretKey(secretKey))
  const signers = new Map<string, Address>()

  const signerOf = (digest: Uint8Array, signature: Uint8Array): Address | null => {
    const key = `${toHex(digest)}${toHex(signature)}`
    const known = signers.get(key)
    if (known !== undefined) return known
    const signer = recover(digest, signature)
    // Only validators can fill the memory: what strangers make up would push out what is needed.
    if (signer !== null && validators.indexOf(signer) !== null) rememberSigner(signers, key, signer)
    return signer
  }

  return {
    self,
    sign(statement) {
      if (secretKey === null || self === null) throw new Error('only a validator signs')
      return sign(statementDigest(domain, statement), secretKey)
    },
    isSigned(statement, member, signature) {
      const validator = validators.validators[member]
      if (validator === undefined || !isStatement(statement) || decodeSignature(signature) === null)
        return false
      return signerOf(statementDigest(domain, statement), signature) === validator.address
    },
  }
}

/** The 32 bytes that are signed. Throws a RangeError for what is no statement. */
export function statementDigest(domain: SigningDomain, statement: Statement): Uint8Array {
  const writer = new ByteWriter()
    .sizedBytes(DOMAIN_TAG)
    .u64(domain.chainId)
    .bytes(fromReversedHex(domain.genesisId))
    .bytes(fromHex(domain.validatorSetId))
    .u8(PHASE_BYTES[statement.phase])
  writeNumber(writer, statement.view)
  writeNumber(writer, statement.sequence)
  writeContent(writer, statement)
  return sha256(writer.finish())
}

/** Recovers with the reference implementation: slow, always right. */
export const referenceRecover: RecoverSigner = (digest, bytes) => {
  const signature = decodeSignature(bytes)
  return signature === null ? null : recoverAddress(digest, signature)
}

/** Signs with the reference implementation. */
export const referenceSign: SignDigest = (digest, secretKey) => encodeSignature(signDigest(digest, secretKey))

function writeContent(writer: ByteWriter, statement: Statement): void {
  switch (statement.phase) {
    case 'prepare':
    case 'commit':
    case 'checkpoint':
      writeValue(writer, statement.value)
      return
    case 'view-change':
      writer.u32(statement.prepared.length)
      for (const { sequence, view, value } of statement.prepared) {
        writeNumber(writer, sequence)
        writeNumber(writer, view)
        writeValue(writer, value)
      }
      writer.u32(statement.suspects.length)
      for (const { member, until } of statement.suspects) {
        writeMember(writer, member)
        writeNumber(writer, until)
      }
      return
    case 'new-view':
      writer.u32(statement.proposals.length)
      for (const { sequence, value } of statement.proposals) {
        writeNumber(writer, sequence)
        writeValue(writer, value)
      }
      return
    case 'complaint':
      return
    case 'answer':
      writeNumber(writer, statement.challenge)
      writeMember(writer, statement.member)
      writer.u32(statement.votes.length)
      for (const { phase, sequence, view, value } of statement.votes) {
        writer.u8(PHASE_BYTES[phase])
        writeNumber(writer, sequence)
        writeNumber(writer, view)
        writeValue(writer, value)
      }
  }
}

/** Whether all that a statement says has a form in bytes. */
function isStatement(statement: Statement): boolean {
  if (!isNumber(statement.view) || !isNumber(statement.sequence)) return false
  switch (statement.phase) {
    case 'prepare':
    case 'commit':
    case 'checkpoint':
      return isValue(statement.value)
    case 'view-change':
      return (
        statement.prepared.every(
          ({ sequence, view, value }) => isNumber(sequence) && isNumber(view) && isValue(value),
        ) && statement.suspects.every(({ member, until }) => isMember(member) && isNumber(until))
      )
    case 'new-view':
      return statement.proposals.every(({ sequence, value }) => isNumber(sequence) && isValue(value))
    case 'complaint':
      return true
    case 'answer':
      return (
        isNumber(statement.challenge) &&
        isMember(statement.member) &&
        statement.votes.every(
          ({ sequence, view, value }) => isNumber(sequence) && isNumber(view) && isValue(value),
        )
      )
  }
}

function rememberSigner(signers: Map<string, Address>, key: string, signer: Address): void {
  signers.set(key, signer)
  if (signers.size <= REMEMBERED_MAX) return
  for (const oldest of signers.keys()) {
    signers.delete(oldest)
    return
  }
}
