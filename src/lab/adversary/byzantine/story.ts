// What an equivocator knows of one slot, that is one sequence number in one view: the proposed values, and which member
// voted for which. With enough votes for either of them it can prove both.

import type { Value } from '../../../consensus/log.ts'
import type { Certificate, Vote } from '../../../consensus/pbft/votes.ts'
import type { MemberIndex } from '../../../consensus/process.ts'

/** One place. */
export class Story {
  readonly sequence: number
  readonly view: number
  readonly values = new Set<Value>()
  readonly told = new Set<Value>()
  /** The proposer and its signature, as votes carry them. */
  proposal: { readonly from: MemberIndex; readonly signature: Uint8Array } | null = null
  readonly #votes = new Map<string, Map<MemberIndex, Uint8Array>>()
  readonly #proved = new Set<string>()

  constructor(sequence: number, view: number) {
    this.sequence = sequence
    this.view = view
  }

  note({ phase, value }: Vote, member: MemberIndex, signature: Uint8Array): void {
    const key = `${phase}/${value}`
    const votes = this.#votes.get(key) ?? new Map<MemberIndex, Uint8Array>()
    this.#votes.set(key, votes.set(member, signature))
  }

  /** The certificate for a value, once. */
  certificate(phase: 'prepare' | 'commit', value: Value, quorum: number): Certificate | null {
    const key = `${phase}/${value}`
    const votes = [...(this.#votes.get(key) ?? [])].sort(([a], [b]) => a - b)
    if (votes.length < quorum || this.#proved.has(key)) return null
    this.#proved.add(key)
    const signatures = votes.map(([member, signature]) => ({ member, signature }))
    return { phase, sequence: this.sequence, view: this.view, value, signatures }
  }
}
