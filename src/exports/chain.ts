/**
 * `quorate/chain`: what a network, a transaction and a block are, the checks that make them valid, and what a block does to the
 * state. Pure and synchronous: bytes and plain data in, a value or the name of the broken rule out (docs/library.md).
 *
 * Ids, hashes and addresses are lower-case hex with 0x; amounts are bigint wei, 10^18 to a coin; times are seconds since 1970.
 * What was decoded shares memory with its bytes: `raw`, `data` and the extra nonce are views on them.
 *
 * @packageDocumentation
 */

export { type Address, checksumAddress, parseAddress } from '../chain/address.ts'
export { formatAmount, parseAmount } from '../chain/amount.ts'
export type { AsertParams } from '../chain/asert.ts'
export {
  assembleBlock,
  type Block,
  type BodyRejection,
  contentRoot,
  decodeBlock,
} from '../chain/block.ts'
export type { BlockLimits } from '../chain/block-size.ts'
export type { CoinbaseRecord } from '../chain/coinbase.ts'
export { decodeCompact, encodeCompact, workOfTarget } from '../chain/compact.ts'
export { nextBaseFee } from '../chain/fees.ts'
export { intrinsicGas } from '../chain/gas.ts'
export {
  type BlockHeader,
  type BlockId,
  blockId,
  decodeHeader,
  encodeHeader,
  meetsTarget,
} from '../chain/header.ts'
export {
  type ChainedHeader,
  chainHeader,
  firstHeader,
  type HeaderRejection,
  requiredBits,
  type WorkRules,
} from '../chain/header-chain.ts'
export {
  type InclusionRejection,
  type ProvenTransaction,
  verifyInclusionProof,
} from '../chain/inclusion-proof.ts'
export { medianTimePast, type RecentTimes } from '../chain/median-time-past.ts'
export { addressOfSecretKey, type RecoverSender, recoverSender, signDigest } from '../chain/signature.ts'
export {
  type AccessListEntry,
  type DecodeRejection,
  decodeTransaction,
  encodeTransaction,
  type Signature,
  signingHash,
  type Transaction,
  type TransactionFields,
  type TransactionId,
} from '../chain/transaction.ts'
export { type ChainRejection, checkTransaction, type TransactionRules } from '../chain/transaction-rules.ts'
export { fromHex, type Hex, toHex } from '../encoding/bytes.ts'
export { InvalidField, type Json } from '../encoding/fields.ts'
export {
  BlockExecution,
  type BlockRejection,
  type BlockRules,
  describeExecution,
  type Execution,
  executeBlock,
  type StateRejection,
} from '../execution/block-execution.ts'
export { type Genesis, parseGenesis } from '../execution/genesis.ts'
export type { Receipt } from '../execution/receipts.ts'
export type { RewardRules } from '../execution/reward.ts'
export { type Account, type AccountProof, State, verifyAccountProof } from '../execution/state.ts'
