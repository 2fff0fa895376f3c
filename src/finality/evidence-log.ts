// The proofs of lies that a node keeps: a few for each validator, one for each place in which it lied. They outlive a
// restart, and anybody can check them (evidence.ts).

import type { EvidenceKit, LogTypes } from '../consensus/kit.ts'
import { ByteReader, MalformedBytes } from '../encoding/bytes.ts'

/** A proof of a lie, of whatever protocol. */
export type Evidence = LogTypes['evidence']

/** Proofs that are kept of one validator's lies: one would do. */
const PER_MEMBER_MAX = 4

/** The proofs of one node, in the order in which they came. */
export class EvidenceLog {
  readonly #kit: EvidenceKit
  readonly #all: Evidence[] = []

  constructor(kit: EvidenceKit) {
    this.#kit = kit
  }

  get all(): readonly Evidence[] {
    return this.#all
  }

  /** Takes a stored proof in. Throws `MalformedBytes`. */
  restore(bytes: Uint8Array): void {
    const reader = new ByteReader(bytes)
    this.#all.push(this.#kit.read(reader))
    if (reader.remaining > 0) throw new MalformedBytes('more than one proof')
  }

  /** Takes a proof in; the record to keep, or null for one that says nothing new or is one too many. */
  add(evidence: Evidence): { readonly key: string; readonly bytes: Uint8Array } | null {
    const known = this.#all.filter(({ member }) => member === evidence.member)
    if (known.length >= PER_MEMBER_MAX || known.some(other => this.#isSamePlace(other, evidence))) return null
    this.#all.push(evidence)
    return { key: `${evidence.member}/${known.length}`, bytes: this.#kit.encode(evidence) }
  }

  #isSamePlace(one: Evidence, other: Evidence): boolean {
    const [a, b] = [this.#kit.lie(one), this.#kit.lie(other)]
    return a.type === b.type && a.phase === b.phase && a.sequence === b.sequence && a.view === b.view
  }
}
