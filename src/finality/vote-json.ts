// Votes and signatures in JSON, as proofs and evidence show them to people. Reading checks the form of every field,
// and `InvalidField` names the first that is wrong.

import { type Address, parseAddress } from '../chain/address.ts'
import { SIGNATURE_BYTES } from '../chain/compact-signature.ts'
import { type BlockId, NO_BLOCK } from '../chain/header.ts'
import { NUMBER_MAX, type Value } from '../consensus/log.ts'
import { fromHex, type Hex, isHex } from '../encoding/bytes.ts'
import type { Fields, Json } from '../encoding/fields.ts'
import { isValue } from './encoding.ts'

/** The id of a block. */
export function takeBlockId(fields: Fields, name: string): BlockId {
  return fields.parse(name, '32 bytes in lower-case hex, not all zero', readId)
}

/** What is voted for: an id, or an empty text when nothing is. */
export function takeValue(fields: Fields, name: string): Value {
  return fields.parse(name, '32 bytes in lower-case hex, or an empty text', value =>
    typeof value === 'string' && isValue(value) ? value : null,
  )
}

/** A view, a sequence number or a height. */
export function takeNumber(fields: Fields, name: string): number {
  return fields.integer(name, { min: 0, max: NUMBER_MAX })
}

/** 65 bytes, whatever they say. */
export function takeSignature(fields: Fields, name: string): Hex {
  const expected = `${SIGNATURE_BYTES} bytes in lower-case hex`
  return fields.parse(name, expected, value => readBytes(value, SIGNATURE_BYTES))
}

/** Who signed, in any of the ways to write an address. */
export function takeAddress(fields: Fields, name: string): Address {
  return fields.parse(name, 'an address', value => (typeof value === 'string' ? parseAddress(value) : null))
}

/** So many bytes in hex, or null. */
export function readBytes(value: Json, size: number): Hex | null {
  return typeof value === 'string' && isHex(value) && fromHex(value).length === size ? value : null
}

function readId(value: Json): BlockId | null {
  const id = readBytes(value, 32)
  return id === NO_BLOCK ? null : id
}
