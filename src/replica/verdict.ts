// What a rejection means for the peer that caused it: one table for every reason there is.
//
// `punish` is only for what no honest peer can send, whatever it knows and however late it is. Whatever may be due to time,
// to another head or to another policy is ignored.

import type { BodyRejection } from '../chain/block.ts'
import type { HeaderRejection } from '../chain/header-chain.ts'
import type { DecodeRejection } from '../chain/transaction.ts'
import type { ChainRejection } from '../chain/transaction-rules.ts'
import type { BlockRejection, StateRejection } from '../execution/block-execution.ts'

/** Why a mempool does not take a transaction. */
export type PoolRejection =
  | 'tx-already-known'
  | 'tx-underpriced'
  | 'tx-replacement-underpriced'
  | 'tx-sender-queue-full'
  | 'tx-pool-full'

/** Why a message is refused as such. */
export type MessageRejection =
  | 'message-malformed'
  | 'message-too-large'
  | 'peer-other-network'
  | 'peer-headers-unlinked'
  | 'peer-stalled'
  | 'peer-answer-unasked'
  | 'peer-too-many'
  | 'block-known-invalid'
  | 'block-tree-full'
  | 'block-below-final'
  | 'block-uncertified'
  | 'block-not-checkpoint'
  | 'finality-refused'

/** Every reason for which anything is refused. */
export type Rejection =
  | DecodeRejection
  | ChainRejection
  | StateRejection
  | PoolRejection
  | HeaderRejection
  | BodyRejection
  | BlockRejection
  | MessageRejection

const VERDICTS: { readonly [reason in Rejection]: 'ignore' | 'punish' } = {
  'tx-too-large': 'punish',
  'tx-type-unknown': 'punish',
  'tx-malformed': 'punish',
  'tx-nonce-too-large': 'punish',
  'tx-fee-overflow': 'punish',
  'tx-tip-above-fee': 'punish',
  'tx-unprotected': 'punish',
  'tx-signature-out-of-range': 'punish',
  'tx-signature-high-s': 'punish',
  'tx-wrong-chain': 'punish',
  'tx-gas-below-intrinsic': 'punish',
  'tx-gas-above-block': 'punish',
  'tx-bytes-above-block': 'punish',
  'tx-creates-contract': 'punish',
  'tx-signature-invalid': 'punish',
  'tx-nonce-too-low': 'ignore',
  'tx-nonce-too-high': 'ignore',
  'tx-insufficient-funds': 'ignore',
  'tx-fee-below-base': 'ignore',
  'tx-already-known': 'ignore',
  'tx-underpriced': 'ignore',
  'tx-replacement-underpriced': 'ignore',
  'tx-sender-queue-full': 'ignore',
  'tx-pool-full': 'ignore',
  'header-parent-wrong': 'punish',
  'header-bits-wrong': 'punish',
  'header-work-insufficient': 'punish',
  'header-time-too-old': 'punish',
  'header-time-too-new': 'ignore',
  'block-malformed': 'punish',
  'block-mutated': 'punish',
  'block-merkle-mismatch': 'punish',
  'block-too-large': 'punish',
  'block-wrong-chain': 'punish',
  'block-height-wrong': 'punish',
  'block-gas-limit-wrong': 'punish',
  'block-base-fee-wrong': 'punish',
  'block-tx-invalid': 'punish',
  'block-gas-used-wrong': 'punish',
  'block-receipts-root-wrong': 'punish',
  'block-state-root-wrong': 'punish',
  'block-known-invalid': 'punish',
  'block-tree-full': 'ignore',
  'block-below-final': 'ignore',
  'block-uncertified': 'ignore',
  // Its sender may be honest, and follow the other history.
  'block-not-checkpoint': 'ignore',
  'finality-refused': 'punish',
  'message-malformed': 'punish',
  'message-too-large': 'punish',
  'peer-other-network': 'ignore',
  'peer-headers-unlinked': 'punish',
  'peer-stalled': 'ignore',
  // It may have come too late.
  'peer-answer-unasked': 'ignore',
  'peer-too-many': 'ignore',
}

/** Whether the peer that caused a refusal is to blame for it. */
export function verdictOn(reason: Rejection): 'ignore' | 'punish' {
  return VERDICTS[reason]
}
