// Reading the parameters of a call: each kind of parameter says what it expects and what it makes of a JSON
// value, and any other value is refused with -32602 and a text that names the place.

import type { Address } from '../chain/address.ts'
import type { Hex } from '../encoding/bytes.ts'
import type { Json } from '../encoding/fields.ts'
import { CODES, RpcError } from './errors.ts'
import { parseData, parseHash, parseQuantity } from './quantity.ts'

/** The parameters of a call, by position. */
export type Params = readonly Json[]

/** A kind of parameter: `read` answers null for what is not one. */
export interface Kind<T> {
  readonly expected: string
  readonly read: (value: Json) => T | null
}

/** Which block a call is about. */
export type BlockParameter =
  | { readonly tag: BlockTag }
  | { readonly number: bigint }
  | { readonly hash: Hex; readonly requireCanonical: boolean }

/** The blocks that have a name. */
export type BlockTag = 'earliest' | 'latest' | 'pending' | 'safe' | 'finalized'

const BLOCK_TAGS: readonly string[] = ['earliest', 'latest', 'pending', 'safe', 'finalized']

/** An address in any letter case; its checksum (EIP-55) is not checked, as in other nodes. */
export const ADDRESS: Kind<Address> = {
  expected: 'an address: 0x and 40 hex digits',
  read: value =>
    typeof value === 'string' && /^0x[0-9a-fA-F]{40}$/.test(value) ? (value.toLowerCase() as Address) : null,
}

/** The id of a block or of a transaction. */
export const HASH: Kind<Hex> = { expected: 'a hash: 0x and 64 hex digits', read: parseHash }

/** A number of at most 256 bits. */
export const QUANTITY: Kind<bigint> = {
  expected: 'a quantity such as 0x1f: hex without leading zeros, at most 256 bits',
  read: parseQuantity,
}

/** Bytes. */
export const DATA: Kind<Uint8Array> = { expected: 'bytes: 0x and pairs of hex digits', read: parseData }

/** A place in a contract's storage: up to 32 bytes. */
export const SLOT: Kind<string> = {
  expected: 'a storage slot: 0x and at most 64 hex digits',
  read: value => (typeof value === 'string' && /^0x[0-9a-fA-F]{0,64}$/.test(value) ? value : null),
}

/** True or false. */
export const FLAG: Kind<boolean> = {
  expected: 'true or false',
  read: value => (typeof value === 'boolean' ? value : null),
}

/** A block by number, tag, hash, or an object of EIP-1898. */
export const BLOCK: Kind<BlockParameter> = {
  expected: `a block: a quantity, a hash, ${BLOCK_TAGS.join(', ')}, or {"blockHash"} or {"blockNumber"}`,
  read: value => readPlainBlock(value) ?? readBlockObject(value),
}

/** The block that a call is about when it names none. */
export const LATEST: BlockParameter = { tag: 'latest' }

/** The parameter at this place. Throws -32602. */
export function required<T>(params: Params, index: number, kind: Kind<T>): T {
  const value = params[index]
  const result = value === undefined ? null : kind.read(value)
  if (result === null)
    throw invalidParams(`parameter ${index + 1}: expected ${kind.expected}, got ${shown(value)}`)
  return result
}

/** The parameter at this place, or `fallback` where there is none or null. Throws -32602. */
export function optional<T, F>(params: Params, index: number, kind: Kind<T>, fallback: F): T | F {
  return (params[index] ?? null) === null ? fallback : required(params, index, kind)
}

/** A member of an object in the parameters; undefined where it is absent or null. Throws -32602. */
export function member<T>(
  object: { readonly [key: string]: Json },
  name: string,
  kind: Kind<T>,
): T | undefined {
  const value = Object.hasOwn(object, name) ? object[name] : undefined
  if (value === undefined || value === null) return undefined
  const result = kind.read(value)
  if (result === null) throw invalidParams(`${name}: expected ${kind.expected}, got ${shown(value)}`)
  return result
}

/** Whether a JSON value is an object, not a list. */
export function isObject(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The error for parameters that do not fit. */
export function invalidParams(text: string): RpcError {
  return new RpcError(CODES.invalidParams, text)
}

function readPlainBlock(value: Json): BlockParameter | null {
  if (typeof value !== 'string') return null
  if (BLOCK_TAGS.includes(value)) return { tag: value as BlockTag }
  const hash = parseHash(value)
  if (hash !== null) return { hash, requireCanonical: false }
  const number = parseQuantity(value)
  return number === null ? null : { number }
}

function readBlockObject(value: Json): BlockParameter | null {
  if (!isObject(value)) return null
  const hash = member(value, 'blockHash', HASH)
  const number = member(value, 'blockNumber', BLOCK_NUMBER)
  const requireCanonical = member(value, 'requireCanonical', FLAG) ?? false
  if (hash === undefined) return number ?? null
  return number === undefined ? { hash, requireCanonical } : null
}

const BLOCK_NUMBER: Kind<BlockParameter> = {
  expected: 'a quantity or a block tag',
  read: value => {
    const block = readPlainBlock(value)
    return block !== null && 'hash' in block ? null : block
  },
}

function shown(value: Json | undefined): string {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}
