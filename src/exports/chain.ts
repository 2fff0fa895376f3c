// `quorate/chain`: what a network, a transaction and a block are, the checks that make them valid, and what a block does
// to the state. Everything here is pure and synchronous: bytes and plain data in, a value or the name of a rule out;
// nothing reads a clock or a file.
//
// Ids, hashes and addresses are lower-case hex strings with 0x; amounts are bigint wei, 10^18 to a coin; times are
// seconds since 1970. A check returns what it has checked, or a kebab-case string that names the broken rule.

export { type Address, checksumAddress, parseAddress } from '../chain/address.ts'
export { formatAmount, parseAmount } from '../chain/amount.ts'
export {
  assembleBlock,
  type Block,
  type BodyRejection,
  contentRoot,
  decodeBlock,
} from '../chain/block.ts'
export type { CoinbaseRecord } from '../chain/coinbase.ts'
export { decodeCompact, encodeCompact, workOfTarget } from '../chain/compact.ts'
export { nextBaseFee } from '../chain/fees.ts'
export { intrinsicGas } from '../chain/gas.ts'
export { type BlockHeader, type BlockId, blockId, encodeHeader, meetsTarget } from '../chain/header.ts'
export {
  type ChainedHeader,
  chainHeader,
  type HeaderRejection,
  requiredBits,
  type WorkRules,
} from '../chain/header-chain.ts'
export { medianTimePast } from '../chain/median-time-past.ts'
export { addressOfSecretKey, type RecoverSender, recoverSender, signDigest } from '../chain/signature.ts'
export {
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
export type { Hex } from '../encoding/bytes.ts'
export { InvalidField } from '../encoding/fields.ts'
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
export { type Account, type AccountProof, State, verifyAccountProof } from '../execution/state.ts'
