// A secret key under a password, and back: AES-128-CTR with the first half of the derived key, and a MAC, Keccak-256 of
// the second half and the ciphertext, that is checked before anything is decrypted (Web3 Secret Storage, version 3).
//
// Every secret that is made here is cleared before it is let go, as far as JavaScript can.

import { createCipheriv, createDecipheriv, randomBytes, timingSafeEqual } from 'node:crypto'
import { keccak256 } from '../chain/hash.ts'
import { addressOfSecretKey, isSecretKey } from '../chain/signature.ts'
import { concatBytes } from '../encoding/bytes.ts'
import { deriveKey, type ScryptCost } from './key-derivation.ts'
import { type EncryptedKey, InvalidKeystore } from './keystore-file.ts'

/** The password does not open the key file (or the file's ciphertext or MAC is damaged: the two can't be told apart). */
export class WrongPassword extends Error {
  override name = 'WrongPassword'
  readonly path: string

  constructor(path: string) {
    super(`the password does not open ${path}: check it and try again`)
    this.path = path
  }
}

/** Puts a 32-byte secret key under a password (UTF-8 bytes) with a new salt and iv. The caller clears both. */
export async function encryptSecretKey(
  secretKey: Uint8Array,
  password: Uint8Array,
  cost: ScryptCost,
): Promise<EncryptedKey> {
  const { n, r, p } = cost
  const derivation = { kind: 'scrypt', n, r, p, salt: randomBytes(32) } as const
  const iv = randomBytes(16)
  const derived = await deriveKey(derivation, password)
  try {
    const cipher = createCipheriv('aes-128-ctr', derived.subarray(0, 16), iv)
    const ciphertext = concatBytes(cipher.update(secretKey), cipher.final())
    const mac = macOf(derived, ciphertext)
    return { address: addressOfSecretKey(secretKey), derivation, iv, ciphertext, mac }
  } finally {
    derived.fill(0)
  }
}

/**
 * The 32-byte secret key under a password (UTF-8 bytes). The caller clears both; `path` is for messages. Throws
 * `WrongPassword`, or `InvalidKeystore` when the file holds no key or another address's.
 */
export async function decryptSecretKey(
  key: EncryptedKey,
  password: Uint8Array,
  path: string,
): Promise<Uint8Array> {
  const derived = await deriveKey(key.derivation, password)
  try {
    if (!timingSafeEqual(macOf(derived, key.ciphertext), key.mac)) throw new WrongPassword(path)
    const decipher = createDecipheriv('aes-128-ctr', derived.subarray(0, 16), key.iv)
    const plain = decipher.update(key.ciphertext)
    // A key is a number: some programs leave out the zeros that it begins with.
    const secretKey = Buffer.alloc(32)
    secretKey.set(plain, 32 - plain.length)
    plain.fill(0)
    const problem = checkSecretKey(secretKey, key)
    if (problem === null) return secretKey
    secretKey.fill(0)
    throw new InvalidKeystore(path, problem)
  } finally {
    derived.fill(0)
  }
}

function macOf(derived: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  const body = concatBytes(derived.subarray(16, 32), ciphertext)
  const mac = keccak256(body)
  body.fill(0)
  return mac
}

/** The MAC covers neither the address nor the iv, so what comes out is checked against the first. */
function checkSecretKey(secretKey: Uint8Array, { address }: EncryptedKey): string | null {
  if (!isSecretKey(secretKey)) return 'what it holds is not a secp256k1 key'
  const actual = addressOfSecretKey(secretKey)
  return address === null || address === actual
    ? null
    : `address: says ${address}, but the key is ${actual}'s`
}
