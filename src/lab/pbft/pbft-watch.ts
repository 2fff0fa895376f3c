// PBFT's watcher: it passes each message and record to the oracle that it concerns. By the names of docs/invariants.md:
// view-change-oracle.ts (P2), durability-oracle.ts (S5), recalled-votes.ts (S4 after a restart), candidate-oracle.ts (H1).

import type { PbftMessage, PbftRecord } from '../../consensus/pbft/messages.ts'
import type { Evidence } from '../../consensus/pbft/votes.ts'
import type { Effect, Input } from '../../replica/effects.ts'
import type { SimNode } from '../cluster/sim-node.ts'
import type { ProtocolWatch, Teller, WatchOptions } from '../oracle/protocol-watch.ts'
import { CandidateOracle } from './candidate-oracle.ts'
import { DurabilityOracle } from './durability-oracle.ts'
import { NaiveEvidence } from './naive-evidence.ts'
import { RecalledVotes } from './recalled-votes.ts'
import { ViewChangeOracle } from './view-change-oracle.ts'

/** The watcher of one committee that agrees by PBFT. */
export class PbftWatch implements ProtocolWatch {
  readonly #viewChanges: ViewChangeOracle
  readonly #durability: DurabilityOracle
  readonly #recalled: RecalledVotes
  readonly #evidence: NaiveEvidence
  /** Null where nothing is mined. */
  readonly #candidates: CandidateOracle | null

  constructor({ genesis, chain, votes, roster, signed, certificates, views }: WatchOptions) {
    this.#viewChanges = new ViewChangeOracle(votes, roster, signed, certificates)
    this.#durability = new DurabilityOracle(votes, roster, signed, views)
    this.#recalled = new RecalledVotes(roster, signed, this.#viewChanges)
    this.#evidence = new NaiveEvidence(votes)
    this.#candidates = genesis.work.isProved ? new CandidateOracle(genesis, chain, roster) : null
  }

  get viewChanges(): { readonly asked: number; readonly reproposing: number } {
    return this.#viewChanges.counts
  }

  rollBack(node: SimNode, member: number): void {
    this.#recalled.rollBack(node, member)
  }

  beforeMessage(node: SimNode, message: PbftMessage): void {
    this.#durability.beforeMessage(node, message)
  }

  onMessage(message: PbftMessage, { node, honest, member }: Teller): void {
    switch (message.type) {
      case 'view-change':
        return this.#viewChanges.noteViewChange(message, honest, member)
      case 'new-view':
        this.#candidates?.noteNewView(message)
        return this.#viewChanges.noteNewView(message, honest)
      case 'query':
        return this.#recalled.onQuery(node, message.challenge)
      case 'pre-prepare':
      case 'prepare':
      case 'commit':
      case 'checkpoint':
      case 'proof':
      case 'status':
      case 'complaint':
      case 'answer':
        return
    }
  }

  onRecord(node: SimNode, record: PbftRecord): void {
    if (record.type === 'new-view') this.#viewChanges.noteNewView(record.message, node.id)
  }

  convicts(evidence: Evidence): boolean {
    return this.#evidence.convicts(evidence)
  }

  afterStep(node: SimNode, input: Input, effects: readonly Effect[]): void {
    this.#recalled.afterStep(node, input)
    this.#candidates?.afterStep(node, effects)
  }

  afterStart(node: SimNode): void {
    this.#recalled.afterStart(node)
    this.#candidates?.afterStart(node)
  }
}
