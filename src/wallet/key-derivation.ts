// From a password to a key: scrypt (RFC 7914) or PBKDF2-HMAC-SHA-256 (RFC 8018), as the Web3 Secret Storage definition
// uses them. Both run on Node's thread pool, so that a node's or a command's event loop stays free meanwhile.
//
// The costs stand in files that come from elsewhere. They are bounded on both sides: too little protects nobody, too
// much is a way to exhaust whoever opens the file.

import { pbkdf2, scrypt } from 'node:crypto'
import { promisify } from 'node:util'

/** scrypt's costs: N (how much memory, a power of two), r (block size) and p (how often in a row). */
export interface ScryptCost {
  readonly n: number
  readonly r: number
  readonly p: number
}

/** A function that makes a key of a password, with its salt and its costs. */
export type KeyDerivation =
  | (ScryptCost & { readonly kind: 'scrypt'; readonly salt: Uint8Array })
  | { readonly kind: 'pbkdf2'; readonly iterations: number; readonly salt: Uint8Array }

/** What a new key file costs to open: about a second and 256 MiB (geth's standard). */
export const SCRYPT_STANDARD: ScryptCost = { n: 2 ** 18, r: 8, p: 1 }

/** Cheap to open, and to guess: for tests and play money (geth's light). */
export const SCRYPT_LIGHT: ScryptCost = { n: 2 ** 12, r: 8, p: 6 }

/** Bytes of a derived key. */
export const DERIVED_KEY_BYTES = 32

const N_MIN = 2 ** 12
const N_MAX = 2 ** 20
const MEMORY_BYTES_MAX = 512 * 2 ** 20
// RFC 8018, section 4.2, calls 1,000 the least; ten times what is usual today is the most.
const ITERATIONS_MIN = 1_000
const ITERATIONS_MAX = 5_000_000
const SALT_BYTES_MIN = 8
const SALT_BYTES_MAX = 64

/** Why a derivation is refused: the field, as key files call it, and what is wrong with it. */
export interface DerivationFault {
  readonly field: 'salt' | 'n' | 'r' | 'p' | 'c'
  readonly problem: string
}

/** What is wrong with the costs or the salt, or null. */
export function checkKeyDerivation(derivation: KeyDerivation): DerivationFault | null {
  const { salt } = derivation
  if (!isBetween(salt.length, SALT_BYTES_MIN, SALT_BYTES_MAX)) {
    const problem = `expected ${SALT_BYTES_MIN} to ${SALT_BYTES_MAX} bytes, got ${salt.length}`
    return { field: 'salt', problem }
  }
  if (derivation.kind === 'scrypt') return checkScryptCost(derivation)
  const { iterations } = derivation
  if (isBetween(iterations, ITERATIONS_MIN, ITERATIONS_MAX)) return null
  const bounds = `${ITERATIONS_MIN} to ${ITERATIONS_MAX}`
  return { field: 'c', problem: `expected a whole number from ${bounds}, got ${iterations}` }
}

/**
 * The 32-byte key of a password (its UTF-8 bytes); the caller clears both. Throws a RangeError for a derivation with
 * a fault.
 */
export async function deriveKey(derivation: KeyDerivation, password: Uint8Array): Promise<Buffer> {
  const fault = checkKeyDerivation(derivation)
  if (fault !== null) throw new RangeError(`${fault.field}: ${fault.problem}`)
  const { salt } = derivation
  if (derivation.kind === 'pbkdf2') {
    return await pbkdf2Async(password, salt, derivation.iterations, DERIVED_KEY_BYTES, 'sha256')
  }
  const { n: N, r, p } = derivation
  // What OpenSSL counts: N + 2 blocks of 128 r bytes to mix, and p to start with.
  const maxmem = 128 * r * (N + p + 2)
  return await scryptAsync(password, salt, DERIVED_KEY_BYTES, { N, r, p, maxmem })
}

const pbkdf2Async = promisify(pbkdf2)
const scryptAsync = promisify<
  Uint8Array,
  Uint8Array,
  number,
  { N: number; r: number; p: number; maxmem: number },
  Buffer
>(scrypt)

function checkScryptCost({ n, r, p }: ScryptCost): DerivationFault | null {
  if (!isBetween(n, N_MIN, N_MAX) || !Number.isInteger(Math.log2(n))) {
    return { field: 'n', problem: `expected a power of two from ${N_MIN} to ${N_MAX}, got ${n}` }
  }
  if (!isBetween(r, 1, 16)) return { field: 'r', problem: `expected a whole number from 1 to 16, got ${r}` }
  if (!isBetween(p, 1, 16)) return { field: 'p', problem: `expected a whole number from 1 to 16, got ${p}` }
  if (128 * n * r > MEMORY_BYTES_MAX) {
    return { field: 'n', problem: `with r = ${r} at most 512 MiB of memory are allowed, got ${n}` }
  }
  // The definition's first scrypt vector broke this rule (n = 2^18, r = 1), and OpenSSL refuses it.
  if (n >= 2 ** (16 * r)) {
    return {
      field: 'n',
      problem: `with r = ${r} expected less than 2^${16 * r} (RFC 7914, section 2), got ${n}`,
    }
  }
  return null
}

function isBetween(value: number, min: number, max: number): boolean {
  return Number.isInteger(value) && value >= min && value <= max
}
