// The file that keeps one secret key under a password: Web3 Secret Storage, version 3, as geth, ethers, cast and others
// write it (ethereum.org, developers/docs/data-structures-and-encoding/web3-secret-storage). Only the format is here:
// text to fields and back, every field checked.

import { type Address, parseAddress } from '../chain/address.ts'
import { Fields, InvalidField, type Json } from '../encoding/fields.ts'
import { checkKeyDerivation, DERIVED_KEY_BYTES, type KeyDerivation } from './key-derivation.ts'

/** A secret key under a password. */
export interface EncryptedKey {
  /** The address of the key; the definition lets a file omit it. */
  readonly address: Address | null
  readonly derivation: KeyDerivation
  /** The initial counter block of AES-128-CTR: 16 bytes. */
  readonly iv: Uint8Array
  /** 32 bytes, or fewer where a program left out the zeros that the key begins with. */
  readonly ciphertext: Uint8Array
  /** Keccak-256 of the second half of the derived key and the ciphertext: 32 bytes. */
  readonly mac: Uint8Array
}

/** A file is not a key file that can be opened safely. The message names the field; `path` names the file. */
export class InvalidKeystore extends Error {
  override name = 'InvalidKeystore'
  readonly path: string

  constructor(path: string, problem: string, options?: ErrorOptions) {
    super(`${path} is not a usable key file (Web3 Secret Storage v3): ${problem}`, options)
    this.path = path
  }
}

/** Bytes in the largest key file that is read; the usual one has 500. */
export const KEYSTORE_FILE_BYTES_MAX = 16 * 1024

/** The key in a file's text; `path` is for messages. Unknown fields are left alone. Throws `InvalidKeystore`. */
export function parseKeystoreFile(text: string, path: string): EncryptedKey {
  try {
    return readKeystore(new Fields('', parseObject(text)))
  } catch (error) {
    if (error instanceof InvalidField) throw new InvalidKeystore(path, error.message)
    throw error
  }
}

/** The text of a key file; `id` is its random UUID. */
export function formatKeystoreFile(id: string, key: EncryptedKey): string {
  const crypto = {
    cipher: 'aes-128-ctr',
    ciphertext: bareHex(key.ciphertext),
    cipherparams: { iv: bareHex(key.iv) },
    ...formatDerivation(key.derivation),
    mac: bareHex(key.mac),
  }
  const address = key.address === null ? {} : { address: key.address.slice(2) }
  return `${JSON.stringify({ version: 3, id, ...address, crypto }, null, 2)}\n`
}

function parseObject(text: string): unknown {
  let value: unknown
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ''), refusePrototype)
  } catch (error) {
    if (error instanceof InvalidField) throw error
    // The parser's own message quotes the text, which may be a bare key that a user took for a key file.
    throw new InvalidField('file', 'expected JSON')
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  throw new InvalidField('file', 'expected a JSON object')
}

function refusePrototype(name: string, value: unknown): unknown {
  if (name !== '__proto__' && name !== 'constructor' && name !== 'prototype') return value
  throw new InvalidField(name, 'no key file has such a field')
}

function readKeystore(file: Fields): EncryptedKey {
  file.parse('version', 'the number 3', value => (value === 3 ? value : null))
  const address = isSilent(file) ? null : file.parse('address', '40 hex digits', readAddress)
  // Early drafts of version 3 wrote the name with a capital, and some programs still do.
  const crypto = file.object(file.has('Crypto') ? 'Crypto' : 'crypto')
  crypto.parse('cipher', '"aes-128-ctr"', value => (value === 'aes-128-ctr' ? value : null))
  const derivation = readDerivation(crypto)
  const fault = checkKeyDerivation(derivation)
  if (fault !== null) throw new InvalidField(crypto.path(`kdfparams.${fault.field}`), fault.problem)
  return {
    address,
    derivation,
    iv: readBytes(crypto.object('cipherparams'), 'iv', 16),
    ciphertext: crypto.parse('ciphertext', '1 to 32 bytes in hex', value => {
      const bytes = readHex(value)
      return bytes !== null && bytes.length >= 1 && bytes.length <= 32 ? bytes : null
    }),
    mac: readBytes(crypto, 'mac', 32),
  }
}

/** Whether the file does not name its address: the field is missing or empty. */
function isSilent(file: Fields): boolean {
  return !file.has('address') || file.isNull('address') || file.isEmpty('address')
}

function readDerivation(crypto: Fields): KeyDerivation {
  const kind = crypto.parse('kdf', '"scrypt" or "pbkdf2"', value =>
    value === 'scrypt' || value === 'pbkdf2' ? value : null,
  )
  const params = crypto.object('kdfparams')
  params.parse('dklen', `the number ${DERIVED_KEY_BYTES}`, value =>
    value === DERIVED_KEY_BYTES ? value : null,
  )
  const salt = params.parse('salt', 'bytes in hex', readHex)
  const cost = (name: string) =>
    params.parse(name, 'a number', value => (typeof value === 'number' ? value : null))
  if (kind === 'scrypt') return { kind, n: cost('n'), r: cost('r'), p: cost('p'), salt }
  params.parse('prf', '"hmac-sha256"', value => (value === 'hmac-sha256' ? value : null))
  return { kind, iterations: cost('c'), salt }
}

function formatDerivation(derivation: KeyDerivation) {
  const { kind, salt } = derivation
  const common = { dklen: DERIVED_KEY_BYTES, salt: bareHex(salt) }
  if (kind === 'pbkdf2') {
    return { kdf: kind, kdfparams: { ...common, c: derivation.iterations, prf: 'hmac-sha256' } }
  }
  return { kdf: kind, kdfparams: { ...common, n: derivation.n, r: derivation.r, p: derivation.p } }
}

function readBytes(fields: Fields, name: string, size: number): Uint8Array {
  return fields.parse(name, `${size} bytes in hex`, value => {
    const bytes = readHex(value)
    return bytes?.length === size ? bytes : null
  })
}

/** Hex of either case; the definition writes no 0x, some programs do. */
function readHex(value: Json): Uint8Array | null {
  const digits = typeof value === 'string' ? /^(?:0x)?((?:[0-9a-fA-F]{2})*)$/.exec(value)?.[1] : undefined
  return digits === undefined ? null : Uint8Array.from(Buffer.from(digits, 'hex'))
}

function readAddress(value: Json): Address | null {
  const bytes = readHex(value)
  return bytes?.length === 20 ? parseAddress(`0x${bareHex(bytes)}`) : null
}

function bareHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
