// Reading settings from JSON that a person wrote, or a node answered: every value is checked, none is defaulted
// in silence, and a fault names the field by its path.

import { fromHex, type Hex, isHex } from './bytes.ts'

/** A value that JSON can hold. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

/** A setting is missing, unknown, or not what it should be. The message names the field. */
export class InvalidField extends Error {
  override name = 'InvalidField'
  readonly field: string

  constructor(field: string, problem: string) {
    super(`${field}: ${problem}`)
    this.field = field
  }
}

/** So many bytes in hex, or null. */
export function readBytes(value: Json, size: number): Hex | null {
  return typeof value === 'string' && isHex(value) && fromHex(value).length === size ? value : null
}

/** One object of settings. Fields are taken one by one; `end` refuses any that nobody took. */
export class Fields {
  readonly #path: string
  readonly #left: Map<string, Json>

  /** `path` is what messages call this object; empty for the whole file. */
  constructor(path: string, value: unknown) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new InvalidField(path === '' ? 'file' : path, `expected an object, got ${describe(value)}`)
    }
    this.#path = path
    this.#left = new Map(Object.entries(value as Record<string, Json>))
  }

  /** Whether a field that was not taken yet is null; it is taken if so. */
  isNull(name: string): boolean {
    return this.#left.get(name) === null && this.#left.delete(name)
  }

  /** Whether a field that was not taken yet is a text without letters; it is taken if so. */
  isEmpty(name: string): boolean {
    return this.#left.get(name) === '' && this.#left.delete(name)
  }

  /** The names of the fields that were not taken yet. */
  names(): string[] {
    return [...this.#left.keys()]
  }

  /** Whether the field is there and was not taken yet. */
  has(name: string): boolean {
    return this.#left.has(name)
  }

  /** Any text of at most 100 characters. */
  text(name: string): string {
    return this.parse(name, 'a text of 1 to 100 characters', value =>
      typeof value === 'string' && value.length > 0 && value.length <= 100 ? value : null,
    )
  }

  /** A whole number within bounds. */
  integer(name: string, bounds: { min: number; max: number }): number {
    return this.parse(name, `a whole number from ${bounds.min} to ${bounds.max}`, value =>
      typeof value === 'number' && Number.isSafeInteger(value) && value >= bounds.min && value <= bounds.max
        ? value
        : null,
    )
  }

  /** A number within bounds. */
  number(name: string, bounds: { min: number; max: number }): number {
    return this.parse(name, `a number from ${bounds.min} to ${bounds.max}`, value =>
      typeof value === 'number' && value >= bounds.min && value <= bounds.max ? value : null,
    )
  }

  /** A field with fields of its own. */
  object(name: string): Fields {
    return new Fields(this.path(name), this.#take(name))
  }

  /** What `read` makes of the field; `expected` is said when it makes null of it. */
  parse<T>(name: string, expected: string, read: (value: Json) => T | null): T {
    const value = this.#take(name)
    const result = read(value)
    if (result === null)
      throw new InvalidField(this.path(name), `expected ${expected}, got ${describe(value)}`)
    return result
  }

  /** Throws when a field is left that nobody knows: a typing mistake must not pass for a default. */
  end(): void {
    for (const name of this.#left.keys()) throw new InvalidField(this.path(name), 'unknown field')
  }

  /** What messages call a field. */
  path(name: string): string {
    return this.#path === '' ? name : `${this.#path}.${name}`
  }

  #take(name: string): Json {
    const value = this.#left.get(name)
    if (value === undefined) throw new InvalidField(this.path(name), 'missing')
    this.#left.delete(name)
    return value
  }
}

/** JSON with sorted keys and no spaces: one text for one value. */
export function canonicalJson(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${canonicalJson(inner)}`).join(',')}}`
}

function describe(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}
