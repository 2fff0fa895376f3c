// How validators sign, and how that is checked: ECDSA over secp256k1, the signer's address recovered from it. All that
// makes a statement what it is lies under the signature, the network too (integers little-endian).
//
//   tag (sized) | chain id 8 | genesis id 32 | validator set 32 | the protocol's statement

import type { Address } from '../chain/address.ts'
import { decodeSignature, encodeSignature } from '../chain/compact-signature.ts'
import { sha256 } from '../chain/hash.ts'
import type { BlockId } from '../chain/header.ts'
import { addressOfSecretKey, recoverAddress, signDigest } from '../chain/signature.ts'
import { BoundedMap } from '../collections/bounded-map.ts'
import type { Signing } from '../consensus/signed.ts'
import { ByteWriter, fromHex, fromReversedHex, type Hex, toHex } from '../encoding/bytes.ts'
import type { ValidatorSet } from './validators.ts'

/** What makes a statement this network's and these validators'. */
export interface SigningDomain {
  readonly chainId: bigint
  readonly genesisId: BlockId
  readonly validatorSetId: Hex
}

/** The signer of a signature (65 bytes) over a 32-byte digest; null when it is malformed or has no signer. Never throws. */
export type RecoverSigner = (digest: Uint8Array, signature: Uint8Array) => Address | null

/** Signs a 32-byte digest with a 32-byte secret key: 65 bytes, deterministic (RFC 6979), low s. */
export type SignDigest = (digest: Uint8Array, secretKey: Uint8Array) => Uint8Array

/** How the statements of a protocol are written. */
export interface StatementCodec<Statement> {
  isStatement(statement: Statement): boolean
  encodeStatement(statement: Statement): Uint8Array
}

/** What `createSigning` needs. */
export interface SigningOptions {
  readonly genesisId: BlockId
  readonly chainId: bigint
  readonly validators: ValidatorSet
  /** 32 bytes; null for a node that only follows. */
  readonly secretKey: Uint8Array | null
  readonly recover: RecoverSigner
  /** The reference unless given. */
  readonly sign?: SignDigest
}

/** Signatures of validators that are remembered: a certificate is checked again with each message that carries it. */
const REMEMBERED_MAX = 4_096

const DOMAIN_TAG = new TextEncoder().encode('quorate/finality/1')

/** Signs as the validator with this key, if there is one, and checks what all validators signed. */
export function createSigning<Statement>(
  statements: StatementCodec<Statement>,
  options: SigningOptions,
): Signing<Statement> {
  const { genesisId, chainId, validators, secretKey, recover, sign = referenceSign } = options
  const domain: SigningDomain = { genesisId, chainId, validatorSetId: validators.id }
  const self = secretKey === null ? null : validators.indexOf(addressOfSecretKey(secretKey))
  const signers = new BoundedMap<string, Address>(REMEMBERED_MAX)
  const digestOf = (statement: Statement): Uint8Array =>
    statementDigest(domain, statements.encodeStatement(statement))

  const signerOf = (digest: Uint8Array, signature: Uint8Array): Address | null => {
    const key = `${toHex(digest)}${toHex(signature)}`
    const known = signers.get(key)
    if (known !== undefined) return known
    const signer = recover(digest, signature)
    // Only validators can fill the memory: what strangers make up would push out what is needed.
    if (signer !== null && validators.indexOf(signer) !== null) signers.set(key, signer)
    return signer
  }

  return {
    self,
    sign(statement) {
      if (secretKey === null || self === null) throw new Error('only a validator signs')
      return sign(digestOf(statement), secretKey)
    },
    isSigned(statement, member, signature) {
      const validator = validators.validators[member]
      if (validator === undefined || !statements.isStatement(statement)) return false
      if (decodeSignature(signature) === null) return false
      return signerOf(digestOf(statement), signature) === validator.address
    },
  }
}

/** The 32 bytes that are signed, of a statement in bytes (`SignedKit.encodeStatement`). */
export function statementDigest(domain: SigningDomain, statement: Uint8Array): Uint8Array {
  const writer = new ByteWriter()
    .sizedBytes(DOMAIN_TAG)
    .u64(domain.chainId)
    .bytes(fromReversedHex(domain.genesisId))
    .bytes(fromHex(domain.validatorSetId))
    .bytes(statement)
  return sha256(writer.finish())
}

/** Recovers with the reference implementation: slow, always right. */
export const referenceRecover: RecoverSigner = (digest, bytes) => {
  const signature = decodeSignature(bytes)
  return signature === null ? null : recoverAddress(digest, signature)
}

/** Signs with the reference implementation. */
export const referenceSign: SignDigest = (digest, secretKey) => encodeSignature(signDigest(digest, secretKey))
