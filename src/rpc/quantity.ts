// Ethereum's two ways to write values in JSON ("Hex value encoding" of the execution APIs): quantities
// without leading zeros, data with two digits a byte. What comes in is checked by pattern before it is
// converted, because BigInt accepts more than a quantity and takes seconds for a text of millions of digits.

import { fromHex, type Hex } from '../encoding/bytes.ts'
import type { Json } from '../encoding/fields.ts'

// At most 256 bits; the case of digits does not matter.
const QUANTITY_PATTERN = /^0x(?:0|[1-9a-fA-F][0-9a-fA-F]{0,63})$/
const DIGITS_PATTERN = /^0x[0-9a-fA-F]*$/
const HASH_PATTERN = /^0x[0-9a-fA-F]{64}$/

/** A number that is not negative as a quantity: `0x0`, `0x1f`. */
export function quantity(value: bigint | number): Hex {
  return `0x${value.toString(16)}`
}

/** The number that a quantity of at most 256 bits stands for; null when it is none. */
export function parseQuantity(value: Json): bigint | null {
  return typeof value === 'string' && QUANTITY_PATTERN.test(value) ? BigInt(value) : null
}

/** The bytes that data stands for; null when it is none. */
export function parseData(value: Json): Uint8Array | null {
  const isData = typeof value === 'string' && value.length % 2 === 0 && DIGITS_PATTERN.test(value)
  return isData ? fromHex(value) : null
}

/** 32 bytes in lower case, as ids are everywhere; null when it is anything else. */
export function parseHash(value: Json): Hex | null {
  return typeof value === 'string' && HASH_PATTERN.test(value) ? (value.toLowerCase() as Hex) : null
}
