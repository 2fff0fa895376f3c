// libsecp256k1 as native code, from the npm package secp256k1: an optional dependency with prebuilt binaries
// for some platforms. Where there is none the package's main file silently falls back to elliptic,
// which is slower than WebAssembly and one implementation more to trust; so this loads the bindings, which
// throw instead.

import { createRequire } from 'node:module'
import { backendOf, type RecoverPublicKey, type RecoveryBackend } from './backend.ts'

interface Bindings {
  /** Throws an Error for a signature without a key, and for arguments of a wrong form. */
  ecdsaRecover(
    rs: Uint8Array,
    id: number,
    digest: Uint8Array,
    compressed: boolean,
    output: Uint8Array,
  ): Uint8Array
  /** Deterministic (RFC 6979), low s. Throws an Error for what is no secret key. */
  ecdsaSign(digest: Uint8Array, secretKey: Uint8Array): { signature: Uint8Array; recid: number }
}

// As secp256k1 5.0.2 words them (lib/index.js); package.json pins that version.
const NO_KEY_MESSAGES = ['Signature could not be parsed', 'Public key could not be recover']

/** The native back end, or null where there is no build of it for this platform. */
export function loadNativeBackend(): RecoveryBackend | null {
  const bindings = loadBindings()
  if (bindings === null) return null
  const publicKey = new Uint8Array(65)
  const recover: RecoverPublicKey = (digest, rs, id) => {
    try {
      return bindings.ecdsaRecover(rs, id, digest, false, publicKey)
    } catch (error) {
      if (error instanceof Error && NO_KEY_MESSAGES.includes(error.message)) return null
      throw error
    }
  }
  return backendOf('native', recover, (digest, secretKey) => {
    const { signature, recid } = bindings.ecdsaSign(digest, secretKey)
    return { rs: signature, id: recid }
  })
}

function loadBindings(): Bindings | null {
  try {
    return createRequire(import.meta.url)('secp256k1/bindings.js') as Bindings
  } catch {
    return null
  }
}
