// The signer of something other than a transaction, such as a vote: a back end behind the 65-byte form of signature that
// votes have.

import type { Address } from '../chain/address.ts'
import { decodeSignature } from '../chain/compact-signature.ts'
import type { RecoveryBackend } from './backend.ts'

/**
 * A function that gives the signer of a 32-byte digest, or null when the 65 bytes are malformed, have a high s or
 * belong to no key. It throws a RangeError when the digest has another length.
 */
export function signerRecovery(
  backend: RecoveryBackend,
): (digest: Uint8Array, signature: Uint8Array) => Address | null {
  return (digest, bytes) => {
    const signature = decodeSignature(bytes)
    return signature === null ? null : backend.recover(digest, signature)
  }
}
