// libsecp256k1 as WebAssembly, from @bitauth/libauth: a third of the native build's speed, on every platform.
// An instance is one memory with fixed places for its arguments, so each thread has its own.

import { instantiateSecp256k1 } from '@bitauth/libauth'
import { backendOf, type RecoverPublicKey, type RecoveryBackend } from './backend.ts'

/** A new instance of the WebAssembly back end; takes about 10 ms. */
export async function loadWasmBackend(): Promise<RecoveryBackend> {
  const secp256k1 = await instantiateSecp256k1()
  const recover: RecoverPublicKey = (digest, rs, id) => {
    const publicKey = secp256k1.recoverPublicKeyUncompressed(rs, id, digest)
    // Otherwise it is a message that says why there is none.
    return publicKey instanceof Uint8Array ? publicKey : null
  }
  return backendOf('wasm', recover, (digest, secretKey) => {
    const made = secp256k1.signMessageHashRecoverableCompact(secretKey, digest)
    if (typeof made === 'string') throw new Error(made)
    return { rs: made.signature, id: made.recoveryId }
  })
}
