// What this node can prove of validators that lie: it persists each proof (evidence-log.ts) and raises an alarm. Where two
// certificates for one decision show that more than f validators are faulty, it names those that are proven to have lied,
// and stops.

import type { Decision } from '../consensus/log.ts'
import type { CommitteeContext } from './committee-context.ts'
import { COMMITTEE_KEYS } from './committee-records.ts'
import type { Evidence, EvidenceLog } from './evidence-log.ts'
import { describeEvidence, describeLie, type EvidenceReport } from './evidence-report.ts'
import { describeConflict } from './halt-reasons.ts'

/** The proofs of one node, and what follows from them. */
export class Accusations {
  readonly #context: CommitteeContext
  /** Null where nothing is signed. */
  #log: EvidenceLog | null = null

  constructor(context: CommitteeContext) {
    this.#context = context
  }

  /** Takes the proofs that were persisted. */
  start(log: EvidenceLog | null): void {
    this.#log = log
  }

  get proofs(): readonly Evidence[] {
    return this.#log?.all ?? []
  }

  /** The proofs in JSON. */
  describe(): EvidenceReport[] {
    const { kit, genesisId, validators } = this.#context.options
    if (kit.signed === null) return []
    const network = { genesisId, validators, kit: kit.signed.evidence }
    return this.proofs.map(evidence => describeEvidence(evidence, network))
  }

  onEvidence(evidence: Evidence): void {
    const record = this.#log?.add(evidence) ?? null
    if (record === null) return
    const context = this.#context
    context.emit({ type: 'persist', key: COMMITTEE_KEYS.evidence(record.key), value: record.bytes })
    const lie = describeLie(context.options.kit.signed!.evidence.lie(evidence))
    context.alarm(`validator ${context.nameOf(evidence.member)} ${lie}`)
  }

  onConflict(first: Decision, second: Decision): void {
    const network = this.#context.options
    const { kit } = network
    for (const evidence of kit.signed?.evidence.between(first, second) ?? []) this.onEvidence(evidence)
    const proven = [...new Set(this.proofs.map(({ member }) => member))].sort((a, b) => a - b)
    const liars = proven.map(member => this.#context.nameOf(member))
    this.#context.halt(describeConflict(first, second, { network, liars }))
  }
}
