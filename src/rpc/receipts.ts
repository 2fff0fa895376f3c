// Receipts, computed from the block alone: a transfer that is in a block succeeded and used its intrinsic
// gas. Clients with strict schemas take no field more than these.

import type { Block } from '../chain/block.ts'
import { effectiveTip } from '../chain/fees.ts'
import type { Json } from '../chain/fields.ts'
import { intrinsicGas } from '../chain/transaction.ts'
import type { Replica } from '../replica/replica.ts'
import type { RpcBackend } from './backend.ts'
import { chooseBlock } from './block-choice.ts'
import { BLOCK, HASH, LATEST, optional, type Params, required } from './parameters.ts'
import { quantity } from './quantity.ts'

/** The bloom filter of no logs: 256 bytes. */
export const NO_LOGS_BLOOM = `0x${'00'.repeat(256)}`

/** `eth_getTransactionReceipt`: null until the transaction is on the main chain. */
export function getTransactionReceipt({ replica }: RpcBackend, params: Params): Json {
  const place = replica.view.locate(required(params, 0, HASH))
  if (place === null) return null
  const { block, index } = place
  let before = 0n
  for (const tx of block.transactions.slice(0, index)) before += intrinsicGas(tx)
  return receiptOf(replica, block, index, before)
}

/** `eth_getBlockReceipts`: all receipts of a block, in order, or null. */
export function getBlockReceipts({ replica }: RpcBackend, params: Params): Json {
  const block = chooseBlock(replica, optional(params, 0, BLOCK, LATEST))?.block
  if (block === undefined) return null
  let before = 0n
  return block.transactions.map((tx, index) => {
    const receipt = receiptOf(replica, block, index, before)
    before += intrinsicGas(tx)
    return receipt
  })
}

function receiptOf(replica: Replica, block: Block, index: number, gasBefore: bigint): Json {
  const tx = block.transactions[index]!
  const { baseFee, height } = block.coinbase
  const gasUsed = intrinsicGas(tx)
  return {
    transactionHash: tx.id,
    transactionIndex: quantity(index),
    blockHash: block.id,
    blockNumber: quantity(height),
    from: replica.senderOf(tx),
    to: tx.to,
    cumulativeGasUsed: quantity(gasBefore + gasUsed),
    gasUsed: quantity(gasUsed),
    effectiveGasPrice: quantity(baseFee + effectiveTip(tx, baseFee)),
    contractAddress: null,
    logs: [],
    logsBloom: NO_LOGS_BLOOM,
    type: tx.type === 'legacy' ? '0x0' : '0x2',
    status: '0x1',
  }
}
