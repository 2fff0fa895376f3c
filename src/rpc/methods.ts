// The registry: every method there is. What is not here answers -32601, on which clients that probe fall
// back. There is no `eth_sendTransaction`, `eth_sign` or `personal_…` and there will be none: the node has no
// keys.

import { getBalance, getCode, getStorageAt, getTransactionCount } from './accounts.ts'
import type { RpcBackend } from './backend.ts'
import { blockNumber, getBlockByHash, getBlockByNumber } from './blocks.ts'
import { call, estimateGas } from './calls.ts'
import { feeHistory, gasPrice, maxPriorityFeePerGas } from './fees.ts'
import { finalityReport, getEvidence, getFinalityProof } from './finality.ts'
import { getLogs } from './logs.ts'
import { coinbase, hashrate, isMining, mine, stopMining } from './mining.ts'
import {
  accounts,
  chainId,
  clientVersion,
  counters,
  cutOff,
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
import { getAccountProof, getInclusionProof } from './proofs.ts'
import { getBlockReceipts, getTransactionReceipt } from './receipts.ts'
import { finalityStatus, getTransactionStatus, status, tips } from './status.ts'
import {
  getBlockTransactionCount,
  getTransactionByBlockAndIndex,
  getTransactionByHash,
  sendRawTransaction,
} from './transactions.ts'

/** Answers one call. Throws `RpcError`; whatever else it throws is a fault of the node. */
export type Method = (backend: RpcBackend, params: Params) => Outcome

/** The methods by name. */
export const METHODS: ReadonlyMap<string, Method> = new Map<string, Method>([
  ['eth_accounts', accounts],
  ['eth_blockNumber', blockNumber],
  ['eth_call', call],
  ['eth_chainId', chainId],
  ['eth_coinbase', coinbase],
  ['eth_estimateGas', estimateGas],
  ['eth_feeHistory', feeHistory],
  ['eth_gasPrice', gasPrice],
  ['eth_getBalance', getBalance],
  ['eth_getBlockByHash', getBlockByHash],
  ['eth_getBlockByNumber', getBlockByNumber],
  ['eth_getBlockReceipts', getBlockReceipts],
  ['eth_getBlockTransactionCountByHash', getBlockTransactionCount],
  ['eth_getBlockTransactionCountByNumber', getBlockTransactionCount],
  ['eth_getCode', getCode],
  ['eth_getLogs', getLogs],
  ['eth_getStorageAt', getStorageAt],
  ['eth_getTransactionByBlockHashAndIndex', getTransactionByBlockAndIndex],
  ['eth_getTransactionByBlockNumberAndIndex', getTransactionByBlockAndIndex],
  ['eth_getTransactionByHash', getTransactionByHash],
  ['eth_getTransactionCount', getTransactionCount],
  ['eth_getTransactionReceipt', getTransactionReceipt],
  ['eth_hashrate', hashrate],
  ['eth_maxPriorityFeePerGas', maxPriorityFeePerGas],
  ['eth_mining', isMining],
  ['eth_sendRawTransaction', sendRawTransaction],
  ['eth_syncing', syncing],
  ['net_listening', isListening],
  ['net_peerCount', peerCount],
  ['net_version', networkVersion],
  ['txpool_content', poolContent],
  ['txpool_contentFrom', poolContentFrom],
  ['txpool_status', poolStatus],
  ['web3_clientVersion', clientVersion],
  ['web3_sha3', keccak],
  ['quorate_counters', counters],
  ['quorate_finalityReport', finalityReport],
  ['quorate_finalityStatus', finalityStatus],
  ['quorate_getAccountProof', getAccountProof],
  ['quorate_getEvidence', getEvidence],
  ['quorate_getFinalityProof', getFinalityProof],
  ['quorate_getInclusionProof', getInclusionProof],
  ['quorate_getTransactionStatus', getTransactionStatus],
  ['quorate_peers', peers],
  ['quorate_status', status],
  ['quorate_tips', tips],
])

/** The methods that change what the node does: only for who has its cookie. */
export const CONTROL_METHODS: ReadonlyMap<string, Method> = new Map<string, Method>([
  ['quorate_cutOff', cutOff],
  ['quorate_mine', mine],
  ['quorate_stopMining', stopMining],
])

/** The methods that change anything. */
export const EFFECTIVE_METHODS: ReadonlySet<string> = new Set([
  'eth_sendRawTransaction',
  ...CONTROL_METHODS.keys(),
])
