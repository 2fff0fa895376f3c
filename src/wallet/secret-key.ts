// Secret keys of secp256k1 (a number from 1 to n - 1, 32 bytes big-endian; SEC 1, section 3.2.1) before they are put
// away: made at random, or read from what a person has.

import { randomBytes } from 'node:crypto'
import { isSecretKey } from '../chain/signature.ts'

/** The bytes given as a secret key are none. They are not repeated. */
export class InvalidSecretKey extends Error {
  override name = 'InvalidSecretKey'

  constructor() {
    super('not a secret key: expected 32 bytes that are a number from 1 to the order of secp256k1 less 1')
  }
}

/** A new secret key: 32 bytes from the operating system's generator. The caller clears it. */
export function randomSecretKey(): Uint8Array {
  const bytes = randomBytes(32)
  // About one in 2^128 is out of range.
  return isSecretKey(bytes) ? bytes : randomSecretKey()
}

/** The secret key in 64 hex digits, with or without 0x and white space around; null when there is none. */
export function parseSecretKey(text: string): Uint8Array | null {
  const digits = /^\s*(?:0x)?([0-9a-fA-F]{64})\s*$/.exec(text)?.[1]
  if (digits === undefined) return null
  const bytes = Buffer.from(digits, 'hex')
  return isSecretKey(bytes) ? bytes : null
}
