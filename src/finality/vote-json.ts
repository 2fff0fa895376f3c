// The parts of proofs and evidence in JSON that are the chain's: ids of blocks, and addresses. Reading checks the form of every
// field, and `InvalidField` names the first that is wrong. What is voted is in consensus/json-fields.ts.

import { type Address, parseAddress } from '../chain/address.ts'
import { type BlockId, NO_BLOCK } from '../chain/header.ts'
import { type Fields, type Json, readBytes } from '../encoding/fields.ts'

/** The id of a block. */
export function takeBlockId(fields: Fields, name: string): BlockId {
  return fields.parse(name, '32 bytes in lower-case hex, not all zero', readId)
}

/** An address, in any of the ways to write one. */
export function takeAddress(fields: Fields, name: string): Address {
  return fields.parse(name, 'an address', value => (typeof value === 'string' ? parseAddress(value) : null))
}

function readId(value: Json): BlockId | null {
  const id = readBytes(value, 32)
  return id === NO_BLOCK ? null : id
}
