// Reading what a node answers. A node is a stranger: a quantity is checked by its pattern before it becomes a number
// (Ethereum's JSON-RPC specification, "Hex encoding"; reading first takes seconds for a long text), an object's fields
// are taken one by one, and text that is shown to a person loses what a terminal would obey.

import { type Address, parseAddress } from '../chain/address.ts'
import type { Hex } from '../encoding/bytes.ts'
import { Fields, InvalidField, type Json } from '../encoding/fields.ts'

/** A node answered something that is no answer to the question. */
export class InvalidAnswer extends Error {
  override name = 'InvalidAnswer'
  readonly method: string

  constructor(method: string, problem: string, options?: ErrorOptions) {
    super(`the node's answer to ${method} is invalid: ${printable(problem)}`, options)
    this.method = method
  }
}

/** The number in `0x0`, `0x1f`: at most 256 bits, no leading zeros; null when it is anything else. */
export function parseQuantity(value: unknown): bigint | null {
  return typeof value === 'string' && /^0x(?:0|[1-9a-f][0-9a-f]{0,63})$/.test(value) ? BigInt(value) : null
}

/** A number as JSON-RPC writes it. Throws a RangeError below zero. */
export function formatQuantity(value: bigint): Hex {
  if (value < 0n) throw new RangeError(`a quantity is not negative, got ${value}`)
  return `0x${value.toString(16)}`
}

/** A hash or transaction id, 32 bytes in lower-case hex after 0x; null when it is anything else. */
export function parseHash(value: unknown): Hex | null {
  return typeof value === 'string' && /^0x[0-9a-f]{64}$/.test(value) ? (value as Hex) : null
}

/** What `read` makes of an answer that must be an object. Throws `InvalidAnswer`. */
export function readObject<T>(method: string, answer: unknown, read: (fields: Fields) => T): T {
  return readAnswer(method, () => read(new Fields('answer', answer)))
}

/** What `read` returns; its `InvalidField` becomes a fault of the node. Throws `InvalidAnswer`. */
export function readAnswer<T>(method: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw error instanceof InvalidField ? new InvalidAnswer(method, error.message) : error
  }
}

/** A field that is a quantity. Throws `InvalidField`. */
export function quantityField(fields: Fields, name: string): bigint {
  return fields.parse(name, 'a quantity such as 0x1f', parseQuantity)
}

/** A field that is a quantity, as it was written. Throws `InvalidField`. */
export function quantityText(fields: Fields, name: string): Hex {
  return formatQuantity(quantityField(fields, name))
}

/** A field that is an address, as it was written. Throws `InvalidField`. */
export function addressField(fields: Fields, name: string): Address {
  return fields.parse(name, 'an address', value => (typeof value === 'string' ? parseAddress(value) : null))
}

/** A field that is a text, in one line for a person. Throws `InvalidField`. */
export function textField(fields: Fields, name: string): string {
  return fields.parse(name, 'a text', value => (typeof value === 'string' ? printable(value) : null))
}

/** A field that is a hash. Throws `InvalidField`. */
export function hashField(fields: Fields, name: string): Hex {
  return fields.parse(name, '32 bytes in hex', parseHash)
}

/** A field that is a list whose items `read` understands. Throws `InvalidField`. */
export function listField<T>(fields: Fields, name: string, read: (item: Json) => T | null): T[] {
  return fields.parse(name, 'a list', value => {
    if (!Array.isArray(value)) return null
    const items = value.map(read)
    return items.includes(null) ? null : (items as T[])
  })
}

/** A field that is a list of objects, each read by `read`. Throws `InvalidField`. */
export function objectsField<T>(fields: Fields, name: string, read: (item: Fields) => T): T[] {
  const items = listField(fields, name, item => item)
  return items.map((item, index) => read(new Fields(`${fields.path(name)}[${index}]`, item)))
}

/** Text of a stranger for a person: one line, without control characters, at most 300 characters. */
export function printable(text: string): string {
  return text.slice(0, 300).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '\ufffd')
}
