import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Rejection, verdictOn } from '../../src/replica/verdict.ts'

// What an honest peer can cause, with the way in which it does.
const IGNORED: readonly { reason: Rejection; because: string }[] = [
  { reason: 'tx-nonce-too-low', because: 'its head is behind ours' },
  { reason: 'tx-nonce-too-high', because: 'its head is ahead of ours' },
  { reason: 'tx-insufficient-funds', because: 'the payment that funds it is in a block we do not have' },
  { reason: 'tx-fee-below-base', because: 'its next block has a lower base fee' },
  { reason: 'tx-already-known', because: 'two peers pass on the same' },
  { reason: 'tx-underpriced', because: 'its pool asks for less' },
  { reason: 'tx-replacement-underpriced', because: 'it saw the rival first' },
  { reason: 'tx-sender-queue-full', because: 'its head holds some of that sender that wait here' },
  { reason: 'tx-pool-full', because: 'its pool has room' },
  { reason: 'header-time-too-new', because: 'its clock is ahead of ours' },
  { reason: 'block-tree-full', because: 'it has seen fewer branches' },
  { reason: 'block-below-final', because: 'it follows a branch that we have given up' },
  { reason: 'block-uncertified', because: 'it can not know yet which blocks are decided' },
  { reason: 'peer-other-network', because: 'it was given another genesis file' },
  { reason: 'peer-stalled', because: 'its line is slow' },
  { reason: 'peer-too-many', because: 'we have enough peers' },
]

// What no node with this code can send, however late it is and whatever it follows: it depends on the bytes
// alone, on the bytes and the genesis file, or on a block and its parent, and was checked before it was sent.
const PUNISHED: readonly Rejection[] = [
  'tx-too-large',
  'tx-type-unknown',
  'tx-malformed',
  'tx-nonce-too-large',
  'tx-fee-overflow',
  'tx-tip-above-fee',
  'tx-unprotected',
  'tx-signature-out-of-range',
  'tx-signature-high-s',
  'tx-wrong-chain',
  'tx-gas-below-intrinsic',
  'tx-gas-above-block',
  'tx-bytes-above-block',
  'tx-creates-contract',
  'tx-signature-invalid',
  'header-parent-wrong',
  'header-bits-wrong',
  'header-work-insufficient',
  'header-time-too-old',
  'block-malformed',
  'block-mutated',
  'block-merkle-mismatch',
  'block-too-large',
  'block-wrong-chain',
  'block-height-wrong',
  'block-gas-limit-wrong',
  'block-base-fee-wrong',
  'block-tx-invalid',
  'block-gas-used-wrong',
  'block-receipts-root-wrong',
  'block-state-root-wrong',
  'block-known-invalid',
  'message-malformed',
  'message-too-large',
  'peer-headers-unlinked',
  'finality-refused',
]

for (const { reason, because } of IGNORED) {
  test(`${reason} is no peer's fault: ${because}`, () => assert.equal(verdictOn(reason), 'ignore'))
}

for (const reason of PUNISHED) {
  test(`${reason} is the peer's fault`, () => assert.equal(verdictOn(reason), 'punish'))
}
