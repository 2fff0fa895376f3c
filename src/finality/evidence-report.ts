// Proofs of lies for people and other programs: in JSON, with the validator that they accuse and its network, and in a few
// words. evidence.ts reads and checks them again.

import type { BlockId } from '../chain/header.ts'
import type { EvidenceKit, Lie } from '../consensus/kit.ts'
import type { Json } from '../encoding/fields.ts'
import type { Evidence } from './evidence-log.ts'
import type { Validator, ValidatorSet } from './validators.ts'

/** Evidence in JSON: the validator that it accuses, and its network; then the statements, by the protocol's names for them. */
export interface EvidenceReport {
  readonly type: Lie['type']
  readonly genesisId: BlockId
  readonly validator: Validator
  readonly [statement: string]: Json | Validator
}

/** Evidence in JSON. */
export function describeEvidence(
  evidence: Evidence,
  network: {
    readonly genesisId: BlockId
    readonly validators: ValidatorSet
    readonly kit: EvidenceKit
  },
): EvidenceReport {
  const { name, address } = network.validators.validators[evidence.member]!
  const accusation = { genesisId: network.genesisId, validator: { name, address } }
  return { type: network.kit.lie(evidence).type, ...accusation, ...network.kit.toJson(evidence) }
}

/** A lie in a few words, which follow the name of the validator. */
export function describeLie({ type, phase, sequence, view, leftFor }: Lie): string {
  switch (type) {
    case 'contradiction':
      return `signed two different ${phase}s for decision ${sequence} in view ${view}`
    case 'omission':
      return `signed a ${phase} for decision ${sequence} in view ${view} and left it out when it left for view ${leftFor}`
  }
}
