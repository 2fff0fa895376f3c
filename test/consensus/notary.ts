// Signatures for tests: none can be made without the key, and each says what it is over. A signature is a number
// that this notary gave out for one statement of one member; what it did not give out is a forgery.

import type { MemberIndex } from '../../src/consensus/process.ts'
import type { Signature, Signing } from '../../src/consensus/signed.ts'

/** A statement as text, the same whatever the order of its fields. */
export function textOf(statement: unknown): string {
  if (Array.isArray(statement)) return `[${statement.map(textOf).join()}]`
  if (statement === null || typeof statement !== 'object') return String(statement)
  const entries = Object.entries(statement).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([key, value]) => `${key}:${textOf(value)}`).join()}}`
}

/** Whether two statements have the same fields with the same values; no text is made of either. */
function isSame(first: unknown, second: unknown): boolean {
  if (first === second) return true
  if (typeof first !== 'object' || typeof second !== 'object' || first === null || second === null)
    return false
  if (Array.isArray(first) !== Array.isArray(second)) return false
  const keys = Object.keys(first) as never[]
  return (
    keys.length === Object.keys(second).length &&
    keys.every(key => Object.hasOwn(second, key) && isSame(first[key], second[key]))
  )
}

/** Gives out signatures, and knows what each of them is over. */
export class Notary {
  readonly #numbers = new Map<string, number>()
  readonly #signed: { readonly member: MemberIndex; readonly statement: unknown }[] = []

  /** The key of one member, or of a node that only follows. */
  keyOf<Statement>(self: MemberIndex | null): Signing<Statement> {
    return {
      self,
      sign: statement => {
        if (self === null) throw new Error('a node that only follows has no key')
        return this.#sign(self, statement)
      },
      isSigned: (statement, member, signature) => this.isSigned(statement, member, signature),
    }
  }

  isSigned(statement: unknown, member: MemberIndex, signature: Signature): boolean {
    if (signature.length !== 4) return false
    const number = new DataView(signature.buffer, signature.byteOffset).getUint32(0)
    const signed = this.#signed[number]
    return signed?.member === member && isSame(signed.statement, statement)
  }

  #sign(member: MemberIndex, statement: unknown): Signature {
    const text = `${member} ${textOf(statement)}`
    let number = this.#numbers.get(text)
    if (number === undefined) {
      number = this.#signed.push({ member, statement: structuredClone(statement) }) - 1
      this.#numbers.set(text, number)
    }
    const signature = new Uint8Array(4)
    new DataView(signature.buffer).setUint32(0, number)
    return signature
  }
}
