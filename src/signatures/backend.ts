// Who signed a digest (public key recovery, SEC 1, section 4.1.6), behind one small interface, so that the
// fast code of others can stand in for the reference in src/chain/signature.ts. A back end must give the
// reference's verdict for every input: two nodes that disagree about one signature disagree about the chain.

import { type Address, addressOfPublicKey } from '../chain/address.ts'
import type { Signature } from '../chain/transaction.ts'
import { DIGEST_BYTES, PACKED_SIGNATURE_BYTES, packSignature } from './packed.ts'

/** Which code recovers: libsecp256k1 as native code, the same as WebAssembly, or the reference. */
export type BackendName = 'native' | 'wasm' | 'noble'

/** Recovers who made signatures. Both methods give null when the signature belongs to no key. */
export interface RecoveryBackend {
  readonly name: BackendName
  /** The signer of a 32-byte digest. Throws a RangeError when the digest has another length. */
  recover(digest: Uint8Array, signature: Signature): Address | null
  /** The same for 97 bytes as `packSignature` writes them. */
  recoverPacked(packed: Uint8Array): Address | null
}

/**
 * What a library offers: the public key (65 bytes, uncompressed) of a 32-byte digest, r and s (64 bytes,
 * big-endian) and a recovery id, or null. The answer is read before the next call, so it may be reused.
 */
export type RecoverPublicKey = (digest: Uint8Array, rs: Uint8Array, id: RecoveryId) => Uint8Array | null

/** The parity of R's y; 2 more when R's x is r + n (SEC 1, section 4.1.6), which no transaction can say. */
export type RecoveryId = 0 | 1 | 2 | 3

/** A back end made of a library's recovery. */
export function backendOf(name: BackendName, recoverPublicKey: RecoverPublicKey): RecoveryBackend {
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
  }
}

function isRecoveryId(id: number): id is RecoveryId {
  return id <= 3
}
