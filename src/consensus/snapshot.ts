// The state of a process as JSON in one form: what an explorer hashes and a diagram shows. Two states with equal
// snapshots must behave alike, so the order of maps and sets, in which a process may iterate, is part of it.

import { toHex } from '../encoding/bytes.ts'
import type { Snapshot } from './process.ts'

/**
 * Plain data as JSON: bytes as hex, maps as lists of pairs, sets as lists, the keys of objects in order. An object with
 * a `snapshot` of its own is that. Throws on what has no such form.
 */
export function snapshotOf(value: unknown): Snapshot {
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'number':
      return value
    case 'bigint':
      return value.toString()
    case 'object':
      return value === null ? null : snapshotOfObject(value)
    case 'undefined':
    case 'function':
    case 'symbol':
      throw new TypeError(`a ${typeof value} has no snapshot`)
  }
}

function snapshotOfObject(value: object): Snapshot {
  if (value instanceof Uint8Array) return toHex(value)
  if (value instanceof Map || value instanceof Set || Array.isArray(value)) return [...value].map(snapshotOf)
  if ('snapshot' in value) return snapshotOf(value.snapshot)
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([key, field]) => [key, snapshotOf(field)]))
}
