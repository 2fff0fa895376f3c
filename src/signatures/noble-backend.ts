// The reference as a back end: slow, always right. Tests hold the fast back ends against it; a node never
// chooses it.

import { encodeSignature } from '../chain/compact-signature.ts'
import { recoverAddress, signDigest } from '../chain/signature.ts'
import type { RecoveryBackend } from './backend.ts'
import { unpackSignature } from './packed.ts'

/** Noble's recovery and signing, as src/chain uses it. */
export const nobleBackend: RecoveryBackend = {
  name: 'noble',
  recover: recoverAddress,
  recoverPacked(packed) {
    const { digest, signature } = unpackSignature(packed)
    return recoverAddress(digest, signature)
  },
  sign: (digest, secretKey) => encodeSignature(signDigest(digest, secretKey)),
}
