// Account addresses: the last 20 bytes of the Keccak-256 of a public key (Yellow Paper, section 4), written
// with the mixed-case checksum of EIP-55 for people and in lower case as keys.

import { fromHex, type Hex, toHex } from '../encoding/bytes.ts'
import { keccak256 } from './hash.ts'

/** An address as a key: 0x and 40 lower-case hex digits. */
export type Address = Hex

/** Bytes in an address. */
export const ADDRESS_BYTES = 20

const ADDRESS_PATTERN = /^0x[0-9a-f]{40}$/

/** The address of an uncompressed public key (65 bytes, the first being 0x04). */
export function addressOfPublicKey(publicKey: Uint8Array): Address {
  return toHex(keccak256(publicKey.subarray(1)).subarray(-ADDRESS_BYTES))
}

/**
 * The address as people see it: EIP-55, where the case of the letters is a checksum. A text, and no `Address`: what is a key
 * is in lower case (`parseAddress` leads back).
 */
export function checksumAddress(address: Address): string {
  const hash = toHex(keccak256(new TextEncoder().encode(address.slice(2))))
  const digits = [...address].map((digit, index) =>
    index >= 2 && hash[index]! >= '8' ? digit.toUpperCase() : digit,
  )
  return digits.join('')
}

/**
 * An address as a person wrote it, or null when it is none: 40 digits after 0x, all in one case or with a
 * correct EIP-55 checksum.
 */
export function parseAddress(text: string): Address | null {
  if (!/^0x[0-9a-fA-F]{40}$/.test(text)) return null
  const address = text.toLowerCase() as Address
  const digits = text.slice(2)
  const isOneCase = digits === digits.toLowerCase() || digits === digits.toUpperCase()
  return isOneCase || checksumAddress(address) === text ? address : null
}

/**
 * The 20 bytes of an address. Throws a RangeError for any text but 0x and 40 lower-case hex digits: in another case the same
 * account would have two keys.
 */
export function addressBytes(address: Address): Uint8Array {
  if (!ADDRESS_PATTERN.test(address))
    throw new RangeError(
      `expected an address of 0x and 40 lower-case hex digits, got ${JSON.stringify(address)}`,
    )
  return fromHex(address)
}
