// The two hash functions of the chain: SHA-256 (FIPS 180-4) for blocks and state, Keccak-256 (the padding
// of the original submission, not of FIPS 202) for what Ethereum defines: transactions and addresses.

import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js'
import { keccak_256 } from '@noble/hashes/sha3.js'

/** SHA-256: 32 bytes. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return nobleSha256(bytes)
}

/** Bitcoin's SHA-256d, SHA-256 of SHA-256: 32 bytes. */
export function sha256d(bytes: Uint8Array): Uint8Array {
  return nobleSha256(nobleSha256(bytes))
}

/** Ethereum's Keccak-256: 32 bytes. */
export function keccak256(bytes: Uint8Array): Uint8Array {
  return keccak_256(bytes)
}

/** SHA-256 of bytes that come in pieces. */
export interface HashStream {
  update(bytes: Uint8Array): unknown
  digest(): Uint8Array
}

/** A new SHA-256 that is fed piece by piece. */
export function sha256Stream(): HashStream {
  return nobleSha256.create()
}
