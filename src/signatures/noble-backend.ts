// The reference as a back end: slow, always right. Tests hold the fast back ends against it; a node never
// chooses it.

import { recoverAddress } from '../chain/signature.ts'
import type { RecoveryBackend } from './backend.ts'
import { unpackSignature } from './packed.ts'

/** Noble's recovery, as src/chain uses it. */
export const nobleBackend: RecoveryBackend = {
  name: 'noble',
  recover: recoverAddress,
  recoverPacked(packed) {
    const { digest, signature } = unpackSignature(packed)
    return recoverAddress(digest, signature)
  },
}
