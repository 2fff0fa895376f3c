// From a password to a key: scrypt (RFC 7914) or PBKDF2-HMAC-SHA-256 (RFC 8018), as the Web3 Secret Storage definition
// uses them. Both run on Node's thread pool, so that a node's or a command's event loop stays free meanwhile.
//
// The costs are read from files of unknown origin. Their memory and work are bounded, since costs that are too high exhaust
// the machine that opens the file. Costs that are too low are no reason to refuse a key to its owner: they raise a warning.

import { pbkdf2, scrypt } from 'node:crypto'
import { promisify } from 'node:util'
import { scryptAsync as scryptInSteps } from '@noble/hashes/scrypt.js'

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

/** Less than geth's light N is guessed fast. */
const N_WEAK = 2 ** 12
const MEMORY_BYTES_MAX = 512 * 2 ** 20
/** N r p at most: 32 times geth's standard, half a minute. */
const WORK_MAX = 2 ** 26
// RFC 8018, section 4.2, calls 1,000 the least; ten times what is usual today is the most.
const ITERATIONS_WEAK = 1_000
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
  if (isBetween(iterations, 1, ITERATIONS_MAX)) return null
  const bounds = `1 to ${ITERATIONS_MAX}`
  return { field: 'c', problem: `expected a whole number from ${bounds}, got ${iterations}` }
}

/** Why a key file of these costs protects its key badly, or null. */
export function checkWeakness(derivation: KeyDerivation): string | null {
  const isScrypt = derivation.kind === 'scrypt'
  const [name, cost, least] = isScrypt
    ? ['n', derivation.n, N_WEAK]
    : ['c', derivation.iterations, ITERATIONS_WEAK]
  return cost >= least ? null : `its password is guessed fast (${name} = ${cost}, less than ${least})`
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
  // RFC 7914, section 2, wants N below 2^(16 r), and OpenSSL refuses more; the definition's own vector has more.
  if (N >= 2 ** (16 * r)) {
    const key = await scryptInSteps(password, salt, { N, r, p, dkLen: DERIVED_KEY_BYTES, maxmem: 2 ** 31 })
    const copy = Buffer.from(key)
    key.fill(0)
    return copy
  }
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
  if (!isBetween(n, 2, Number.MAX_SAFE_INTEGER) || !Number.isInteger(Math.log2(n)))
    return { field: 'n', problem: `expected a power of two from 2 on, got ${n}` }
  for (const [field, value] of [
    ['r', r],
    ['p', p],
  ] as const)
    if (!isBetween(value, 1, WORK_MAX))
      return { field, problem: `expected a whole number from 1 on, got ${value}` }
  if (128 * r * Math.max(n, p) > MEMORY_BYTES_MAX)
    return {
      field: 'n',
      problem: `with r = ${r} and p = ${p} it takes more than 512 MiB of memory, got ${n}`,
    }
  if (n * r * p > WORK_MAX)
    return {
      field: 'n',
      problem: `with r = ${r} and p = ${p} at most ${WORK_MAX / (r * p)} is allowed, got ${n}`,
    }
  return null
}

function isBetween(value: number, min: number, max: number): boolean {
  return Number.isInteger(value) && value >= min && value <= max
}
