// Signatures for tests: nobody can make one without the key, and each says what it is over. A signature is a number
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

/** Gives out signatures, and knows what each of them is over. */
export class Notary {
  readonly #numbers = new Map<string, number>()
  readonly #texts: string[] = []

  /** The key of one member, or of one who only follows. */
  keyOf<Statement>(self: MemberIndex | null): Signing<Statement> {
    return {
      self,
      sign: statement => {
        if (self === null) throw new Error('one who only follows has no key')
        return this.#sign(`${self} ${textOf(statement)}`)
      },
      isSigned: (statement, member, signature) => this.isSigned(statement, member, signature),
    }
  }

  isSigned(statement: unknown, member: MemberIndex, signature: Signature): boolean {
    if (signature.length !== 4) return false
    const number = new DataView(signature.buffer, signature.byteOffset).getUint32(0)
    return this.#texts[number] === `${member} ${textOf(statement)}`
  }

  #sign(text: string): Signature {
    const number = this.#numbers.get(text) ?? this.#texts.push(text) - 1
    this.#numbers.set(text, number)
    const signature = new Uint8Array(4)
    new DataView(signature.buffer).setUint32(0, number)
    return signature
  }
}
