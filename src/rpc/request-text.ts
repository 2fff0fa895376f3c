// From the bytes of a request to its JSON value. What JSON.parse would swallow is refused: bytes that are no
// UTF-8, nesting without bound, and member names that reach into prototypes once an object is copied by
// assignment.

import type { Json } from '../chain/fields.ts'
import { CODES, RpcError } from './errors.ts'

/** Names that no request needs and that turn a careless copy into an attack. */
const FORBIDDEN_NAMES: readonly string[] = ['__proto__', 'constructor', 'prototype']

const QUOTE = 0x22
const BACKSLASH = 0x5c
const [OPEN_LIST, CLOSE_LIST] = [0x5b, 0x5d]
const [OPEN_OBJECT, CLOSE_OBJECT] = [0x7b, 0x7d]

/**
 * The JSON value in these bytes. Throws -32700 when there is none and -32600 when it is not to be touched.
 */
export function parseRequestText(bytes: Uint8Array, depthMax: number): Json {
  // Before parsing: a megabyte of brackets makes fifty of objects.
  if (depthOf(bytes) > depthMax) {
    throw new RpcError(CODES.invalidRequest, `the request is nested deeper than ${depthMax}`)
  }
  const value = parseJson(bytes)
  assertPlainNames(value)
  return value
}

function parseJson(bytes: Uint8Array): Json {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    throw new RpcError(CODES.parseError, 'the request is not JSON')
  }
}

/** How deep lists and objects lie in each other, brackets in strings not counted. */
function depthOf(bytes: Uint8Array): number {
  let depth = 0
  let deepest = 0
  let isString = false
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index]!
    if (isString) {
      if (byte === BACKSLASH) index++
      else if (byte === QUOTE) isString = false
    } else if (byte === QUOTE) isString = true
    else if (byte === OPEN_LIST || byte === OPEN_OBJECT) deepest = Math.max(deepest, ++depth)
    else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) depth--
  }
  return deepest
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
