// The signer of a digest (public key recovery, SEC 1, section 4.1.6), behind one small interface, so that fast third-party
// code can replace the reference in src/chain/signature.ts. A back end must give the
// reference's verdict for every input: two nodes that disagree about one signature disagree about the chain.

import { type Address, addressOfPublicKey } from '../chain/address.ts'
import type { Signature } from '../chain/transaction.ts'
import { concatBytes } from '../encoding/bytes.ts'
import { DIGEST_BYTES, PACKED_SIGNATURE_BYTES, packSignature } from './packed.ts'

/** Which code recovers: libsecp256k1 as native code, the same as WebAssembly, or the reference. */
export type BackendName = 'native' | 'wasm' | 'noble'

/** Recovers the signers of signatures, null for a signature of no key; and makes signatures. */
export interface RecoveryBackend {
  readonly name: BackendName
  /** The signer of a 32-byte digest. Throws a RangeError when the digest has another length. */
  recover(digest: Uint8Array, signature: Signature): Address | null
  /** The same for 97 bytes as `packSignature` writes them. */
  recoverPacked(packed: Uint8Array): Address | null
  /**
   * Signs a 32-byte digest with a 32-byte secret key: 65 bytes (see src/chain/compact-signature.ts), low s,
   * deterministic (RFC 6979; but libsecp256k1 does not take a digest of n or above modulo n for the nonce). Throws
   * when the key is none.
   */
  sign(digest: Uint8Array, secretKey: Uint8Array): Uint8Array
}

/**
 * What a library offers: the public key (65 bytes, uncompressed) of a 32-byte digest, r and s (64 bytes,
 * big-endian) and a recovery id, or null. The answer is read before the next call, so it may be reused.
 */
export type RecoverPublicKey = (digest: Uint8Array, rs: Uint8Array, id: RecoveryId) => Uint8Array | null

/** What a library offers: r and s (64 bytes, low s, RFC 6979) and the recovery id. Throws for what is no key. */
export type SignRecoverable = (
  digest: Uint8Array,
  secretKey: Uint8Array,
) => { readonly rs: Uint8Array; readonly id: number }

/** The parity of R's y; 2 more when R's x is r + n (SEC 1, section 4.1.6), which no transaction can say. */
export type RecoveryId = 0 | 1 | 2 | 3

const SECRET_KEY_BYTES = 32

/** A back end made of a library's recovery and its signing. */
export function backendOf(
  name: BackendName,
  recoverPublicKey: RecoverPublicKey,
  signRecoverable: SignRecoverable,
): RecoveryBackend {
  const scratch = new Uint8Array(PACKED_SIGNATURE_BYTES)
  const recoverPacked = (packed: Uint8Array): Address | null => {
    const digest = packed.subarray(0, DIGEST_BYTES)
    const rs = packed.subarray(DIGEST_BYTES, PACKED_SIGNATURE_BYTES - 1)
    const id = packed[PACKED_SIGNATURE_BYTES - 1]!
    // Libraries take an id above 3 for a mistake in the program, the reference for a bad signature.
    const publicKey = isRecoveryId(id) ? recoverPublicKey(digest, rs, id) : null
    return publicKey === null ? null : addressOfPublicKey(publicKey)
  }
  return {
    name,
    recoverPacked,
    recover(digest, signature) {
      packSignature(scratch, 0, digest, signature)
      return recoverPacked(scratch)
    },
    sign(digest, secretKey) {
      // Libraries that fill up what is too short would sign with another key than the one meant.
      if (digest.length !== DIGEST_BYTES || secretKey.length !== SECRET_KEY_BYTES)
        throw new RangeError(`a digest and a key have 32 bytes, not ${digest.length} and ${secretKey.length}`)
      const { rs, id } = signRecoverable(digest, secretKey)
      // Ids above 1 are for an r that passed n, which happens once in 2^127 signatures.
      if (id > 1) throw new Error(`a signature with the recovery id ${id}`)
      return concatBytes(rs, Uint8Array.of(id))
    },
  }
}

function isRecoveryId(id: number): id is RecoveryId {
  return id <= 3
}
