// The registry: every method there is. What is not here answers -32601, on which clients that probe fall
// back. There is no `eth_sendTransaction`, `eth_sign` or `personal_…` and there will be none: the node has no
// keys.

import { getBalance, getCode, getStorageAt, getTransactionCount } from './accounts.ts'
import type { RpcBackend } from './backend.ts'
import { blockNumber, getBlockByHash, getBlockByNumber } from './blocks.ts'
import { call, estimateGas } from './calls.ts'
import { CODES, RpcError } from './errors.ts'
import { feeHistory, gasPrice, maxPriorityFeePerGas } from './fees.ts'
import { finalityReport, getEvidence, getFinalityProof } from './finality.ts'
import { getLogs } from './logs.ts'
import { coinbase, hashrate, isMining, mine, stopMining } from './mining.ts'
import {
  accounts,
  chainId,
  clientVersion,
  counters,
  isListening,
  keccak,
  networkVersion,
  peerCount,
  peers,
  syncing,
} from './network.ts'
import type { Outcome } from './outcome.ts'
import type { Params } from './parameters.ts'
import { poolContent, poolContentFrom, poolStatus } from './pool.ts'
import { PRICES, type Price } from './price.ts'
import { getAccountProof, getInclusionProof } from './proofs.ts'
import { getBlockReceipts, getTransactionReceipt } from './receipts.ts'
import { finalityStatus, getTransactionStatus, status, tips } from './status.ts'
import {
  getBlockTransactionCount,
  getTransactionByBlockAndIndex,
  getTransactionByHash,
  sendRawTransaction,
} from './transactions.ts'

/** Answers one call. Throws `RpcError`; anything else that it throws is a fault of the node. */
type Method = (backend: RpcBackend, params: Params) => Outcome

/** A method, and what it costs: there is none without a price. */
export interface Priced {
  readonly answer: Method
  readonly price: Price
}

/** The methods by name. */
export const METHODS: ReadonlyMap<string, Priced> = new Map<string, Priced>([
  ['eth_accounts', { answer: accounts, price: PRICES.memory }],
  ['eth_blockNumber', { answer: blockNumber, price: PRICES.memory }],
  ['eth_call', { answer: call, price: PRICES.blocks }],
  ['eth_chainId', { answer: chainId, price: PRICES.memory }],
  ['eth_coinbase', { answer: coinbase, price: PRICES.memory }],
  ['eth_estimateGas', { answer: estimateGas, price: PRICES.state }],
  ['eth_feeHistory', { answer: feeHistory, price: PRICES.fees }],
  ['eth_gasPrice', { answer: gasPrice, price: PRICES.tip }],
  ['eth_getBalance', { answer: getBalance, price: PRICES.state }],
  ['eth_getBlockByHash', { answer: getBlockByHash, price: PRICES.blocks }],
  ['eth_getBlockByNumber', { answer: getBlockByNumber, price: PRICES.blocks }],
  ['eth_getBlockReceipts', { answer: getBlockReceipts, price: PRICES.blocks }],
  ['eth_getBlockTransactionCountByHash', { answer: getBlockTransactionCount, price: PRICES.blocks }],
  ['eth_getBlockTransactionCountByNumber', { answer: getBlockTransactionCount, price: PRICES.blocks }],
  ['eth_getCode', { answer: getCode, price: PRICES.blocks }],
  ['eth_getLogs', { answer: getLogs, price: PRICES.blocks }],
  ['eth_getStorageAt', { answer: getStorageAt, price: PRICES.blocks }],
  ['eth_getTransactionByBlockHashAndIndex', { answer: getTransactionByBlockAndIndex, price: PRICES.blocks }],
  [
    'eth_getTransactionByBlockNumberAndIndex',
    { answer: getTransactionByBlockAndIndex, price: PRICES.blocks },
  ],
  ['eth_getTransactionByHash', { answer: getTransactionByHash, price: PRICES.blocks }],
  ['eth_getTransactionCount', { answer: getTransactionCount, price: PRICES.state }],
  ['eth_getTransactionReceipt', { answer: getTransactionReceipt, price: PRICES.blocks }],
  ['eth_hashrate', { answer: hashrate, price: PRICES.memory }],
  ['eth_maxPriorityFeePerGas', { answer: maxPriorityFeePerGas, price: PRICES.tip }],
  ['eth_mining', { answer: isMining, price: PRICES.memory }],
  ['eth_sendRawTransaction', { answer: sendRawTransaction, price: PRICES.submission }],
  ['eth_syncing', { answer: syncing, price: PRICES.memory }],
  ['net_listening', { answer: isListening, price: PRICES.memory }],
  ['net_peerCount', { answer: peerCount, price: PRICES.memory }],
  ['net_version', { answer: networkVersion, price: PRICES.memory }],
  ['txpool_content', { answer: poolContent, price: PRICES.memory }],
  ['txpool_contentFrom', { answer: poolContentFrom, price: PRICES.memory }],
  ['txpool_status', { answer: poolStatus, price: PRICES.memory }],
  ['web3_clientVersion', { answer: clientVersion, price: PRICES.memory }],
  ['web3_sha3', { answer: keccak, price: PRICES.memory }],
  ['quorate_counters', { answer: counters, price: PRICES.memory }],
  ['quorate_finalityReport', { answer: finalityReport, price: PRICES.blocks }],
  ['quorate_finalityStatus', { answer: finalityStatus, price: PRICES.blocks }],
  ['quorate_getAccountProof', { answer: getAccountProof, price: PRICES.state }],
  ['quorate_getEvidence', { answer: getEvidence, price: PRICES.memory }],
  ['quorate_getFinalityProof', { answer: getFinalityProof, price: PRICES.headers }],
  ['quorate_getInclusionProof', { answer: getInclusionProof, price: PRICES.blocks }],
  ['quorate_getTransactionStatus', { answer: getTransactionStatus, price: PRICES.blocks }],
  ['quorate_peers', { answer: peers, price: PRICES.memory }],
  ['quorate_status', { answer: status, price: PRICES.blocks }],
  ['quorate_tips', { answer: tips, price: PRICES.memory }],
])

/** The methods that change what the node does: only for callers that show its cookie. A server may be given others. */
export const CONTROL_METHODS: ReadonlyMap<string, Priced> = new Map<string, Priced>([
  ['quorate_mine', { answer: mine, price: PRICES.memory }],
  ['quorate_stopMining', { answer: stopMining, price: PRICES.memory }],
])

/** Whether a method changes anything. */
export function isEffective(name: string, controlMethods: ReadonlyMap<string, Priced>): boolean {
  return name === 'eth_sendRawTransaction' || controlMethods.has(name)
}

/** The client of a call, and what it may change. */
export interface MethodAccess {
  /** Whether the caller has shown the cookie. */
  readonly isTrusted: boolean
  readonly controlMethods: ReadonlyMap<string, Priced>
}

/** The method of this name. Throws -32601, and -32001 for a control method where the cookie was not shown. */
export function findMethod(name: string, { isTrusted, controlMethods }: MethodAccess): Priced {
  const method = METHODS.get(name)
  if (method !== undefined) return method
  const control = controlMethods.get(name)
  if (control === undefined) {
    const text = `the method ${name.slice(0, 100)} does not exist/is not available`
    throw new RpcError(CODES.methodNotFound, text)
  }
  if (!isTrusted) throw new RpcError(CODES.cookieNeeded, `${name} needs the node's cookie`)
  return control
}
