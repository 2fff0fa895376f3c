// From the bytes of a request to its JSON value. What JSON.parse would swallow is refused: bytes that are no
// UTF-8, nesting without bound, and member names that reach into prototypes once an object is copied by
// assignment.

import type { Json } from '../encoding/fields.ts'
import { CODES, RpcError } from './errors.ts'
import type { RpcLimits } from './limits.ts'

/** Names that no request needs and that turn a careless copy into an attack. */
const FORBIDDEN_NAMES: readonly string[] = ['__proto__', 'constructor', 'prototype']

/** What TypeScript does not know of JSON yet (ECMAScript proposal "JSON.parse source text access"). */
const RAW_JSON = JSON as unknown as { rawJSON(text: string): object; isRawJSON(value: unknown): boolean }

/** What may be a number that a double does not hold. */
const LONG_NUMBER = /"id"\s*:\s*-?[0-9.eE+-]{16,}/

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const [OPEN_LIST, CLOSE_LIST] = [0x5b, 0x5d]
const [OPEN_OBJECT, CLOSE_OBJECT] = [0x7b, 0x7d]

/**
 * The JSON value in these bytes. Throws -32700 when there is none and -32600 when it is not to be touched.
 */
export function parseRequestText(
  bytes: Uint8Array,
  { depthMax, membersMax }: Pick<RpcLimits, 'depthMax' | 'membersMax'>,
): Json {
  // Before parsing: a megabyte of brackets makes fifty of objects.
  const { depth, members } = shapeOf(bytes, { depthMax, membersMax })
  if (depth > depthMax) {
    throw new RpcError(CODES.invalidRequest, `the request is nested deeper than ${depthMax}`)
  }
  if (members > membersMax) {
    throw new RpcError(CODES.invalidRequest, `the request has more than ${membersMax} members and items`)
  }
  const value = parseJson(bytes)
  assertPlainNames(value)
  return value
}

function parseJson(bytes: Uint8Array): Json {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return LONG_NUMBER.test(text) ? parseKeepingIds(text) : JSON.parse(text)
  } catch {
    throw new RpcError(CODES.parseError, 'the request is not JSON')
  }
}

/** An id with more digits than a double holds comes back as it came: `JSON.stringify` writes its text again. */
function parseKeepingIds(text: string): Json {
  const keep = (name: string, value: Json, { source }: { source?: string }): unknown =>
    name === 'id' && typeof value === 'number' && source !== undefined ? RAW_JSON.rawJSON(source) : value
  return JSON.parse(text, keep as never)
}

/** Whether an id is a number that is kept as its text. */
export function isExactNumber(id: unknown): boolean {
  return RAW_JSON.isRawJSON(id)
}

/**
 * How deep lists and objects lie in each other, and how many members and items they have: what is in strings aside. What
 * comes after one of the bounds is passed is not looked at.
 */
function shapeOf(
  bytes: Uint8Array,
  { depthMax, membersMax }: Pick<RpcLimits, 'depthMax' | 'membersMax'>,
): { depth: number; members: number } {
  let depth = 0
  let deepest = 0
  let members = 0
  let isString = false
  for (let index = 0; index < bytes.length && deepest <= depthMax && members < membersMax; index++) {
    const byte = bytes[index]!
    if (isString) {
      if (byte === BACKSLASH) index++
      else if (byte === QUOTE) isString = false
    } else if (byte === QUOTE) isString = true
    else if (byte === OPEN_LIST || byte === OPEN_OBJECT) deepest = Math.max(deepest, ++depth)
    else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) depth--
    else if (byte === COMMA) members++
  }
  return { depth: deepest, members: members + 1 }
}

function assertPlainNames(value: Json): void {
  if (typeof value !== 'object' || value === null) return
  if (Array.isArray(value)) {
    for (const item of value) assertPlainNames(item)
    return
  }
  for (const [name, item] of Object.entries(value)) {
    if (FORBIDDEN_NAMES.includes(name)) {
      throw new RpcError(CODES.invalidRequest, `the name ${name} is not allowed in a request`)
    }
    assertPlainNames(item)
  }
}
