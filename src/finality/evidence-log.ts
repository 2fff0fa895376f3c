// The proofs of lies that a node keeps: a few for each validator, one for each place in which it lied. They outlive a
// restart, and anybody can check them (evidence.ts).

import type { Evidence } from '../consensus/pbft/votes.ts'
import { ByteReader, MalformedBytes } from '../encoding/bytes.ts'
import { lieOf } from './evidence.ts'
import { encodeEvidence, readEvidence } from './evidence-record.ts'

/** Proofs that are kept of one validator's lies: one would do. */
const PER_MEMBER_MAX = 4

/** The proofs of one node, in the order in which they came. */
export class EvidenceLog {
  readonly #all: Evidence[] = []

  get all(): readonly Evidence[] {
    return this.#all
  }

  /** Takes a stored proof in. Throws `MalformedBytes`. */
  restore(bytes: Uint8Array): void {
    const reader = new ByteReader(bytes)
    this.#all.push(readEvidence(reader))
    if (reader.remaining > 0) throw new MalformedBytes('more than one proof')
  }

  /** Takes a proof in; the record to keep, or null for one that says nothing new or is one too many. */
  add(evidence: Evidence): { readonly key: string; readonly bytes: Uint8Array } | null {
    const known = this.#all.filter(({ member }) => member === evidence.member)
    if (known.length >= PER_MEMBER_MAX || known.some(other => isSamePlace(other, evidence))) return null
    this.#all.push(evidence)
    return { key: `${evidence.member}/${known.length}`, bytes: encodeEvidence(evidence) }
  }
}

function isSamePlace(one: Evidence, other: Evidence): boolean {
  const [a, b] = [lieOf(one), lieOf(other)]
  return a.type === b.type && a.phase === b.phase && a.sequence === b.sequence && a.view === b.view
}
