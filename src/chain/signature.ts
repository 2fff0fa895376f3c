// ECDSA over secp256k1 (SEC 1, section 4.1), in the form Ethereum uses it: over a 32-byte digest, low s,
// with the parity that lets the public key be recovered. This is the reference; the faster back ends in
// src/signatures must agree with it.

import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import * as secp256k1 from '@noble/secp256k1'
import { bigintFromBytes, bigintToBytes, concatBytes } from '../encoding/bytes.ts'
import { type Address, addressOfPublicKey } from './address.ts'
import { type Signature, signingHash, type Transaction } from './transaction.ts'

secp256k1.hashes.sha256 = sha256
secp256k1.hashes.hmacSha256 = (key, message) => hmac(sha256, key, message)

/**
 * The address that signed a transaction, or null when its signature belongs to no key. It is a pure function of the
 * transaction and by far the most expensive check, so callers are given one with a cache.
 */
export type RecoverSender = (tx: Transaction) => Address | null

/**
 * Signs a 32-byte digest with a 32-byte secret key: deterministic (RFC 6979), low s. Throws a RangeError for a digest of
 * another length, which would be a message that nobody hashed, and an error for a key that is none.
 */
export function signDigest(digest: Uint8Array, secretKey: Uint8Array): Signature {
  if (digest.length !== 32) throw new RangeError(`a digest has 32 bytes, got ${digest.length}`)
  const bytes = secp256k1.sign(digest, secretKey, { prehash: false, format: 'recovered' })
  return {
    yParity: bytes[0] === 0 ? 0 : 1,
    r: bigintFromBytes(bytes.subarray(1, 33)),
    s: bigintFromBytes(bytes.subarray(33, 65)),
  }
}

/** The address whose key made this signature over a 32-byte digest, or null when there is none. */
export function recoverAddress(digest: Uint8Array, { yParity, r, s }: Signature): Address | null {
  try {
    const bytes = concatBytes(Uint8Array.of(yParity), bigintToBytes(r, 32), bigintToBytes(s, 32))
    const publicKey = secp256k1.recoverPublicKey(bytes, digest, { prehash: false })
    return addressOfPublicKey(secp256k1.Point.fromBytes(publicKey).toBytes(false))
  } catch {
    return null
  }
}

/** The sender of a transaction by the reference implementation: slow, always right. */
export function recoverSender(tx: Transaction): Address | null {
  return recoverAddress(signingHash(tx), tx)
}

/** The address of a 32-byte secret key. Throws when the key is out of range. */
export function addressOfSecretKey(secretKey: Uint8Array): Address {
  return addressOfPublicKey(secp256k1.getPublicKey(secretKey, false))
}

/** Whether 32 bytes are a secret key: an integer from 1 to n - 1. */
export function isSecretKey(bytes: Uint8Array): boolean {
  return secp256k1.utils.isValidSecretKey(bytes)
}
