// Receipts, computed from the block alone: a transfer that is in a block succeeded and used its intrinsic
// gas. Clients with strict schemas take no field more than these.

import type { Address } from '../chain/address.ts'
import type { Block } from '../chain/block.ts'
import { effectiveTip } from '../chain/fees.ts'
import { intrinsicGas } from '../chain/gas.ts'
import type { Json } from '../encoding/fields.ts'
import type { RpcBackend } from './backend.ts'
import { chooseBlock } from './block-choice.ts'
import type { Outcome } from './outcome.ts'
import { BLOCK, HASH, LATEST, optional, type Params, required } from './parameters.ts'
import { quantity } from './quantity.ts'
import { withSenders } from './senders.ts'

/** The bloom filter of no logs: 256 bytes. */
export const NO_LOGS_BLOOM = `0x${'00'.repeat(256)}`

/** `eth_getTransactionReceipt`: null until the transaction is on the main chain. */
export function getTransactionReceipt(backend: RpcBackend, params: Params): Outcome {
  const place = backend.replica.view.locate(required(params, 0, HASH))
  if (place === null) return null
  const { block, index } = place
  let before = 0n
  for (const tx of block.transactions.slice(0, index)) before += intrinsicGas(tx)
  const tx = block.transactions[index]!
  return withSenders(backend, block, [tx], senderAt => receiptOf(block, index, senderAt(index), before))
}

/** `eth_getBlockReceipts`: all receipts of a block, in order, or null. */
export function getBlockReceipts(backend: RpcBackend, params: Params): Outcome {
  const block = chooseBlock(backend.replica, optional(params, 0, BLOCK, LATEST))?.block
  if (block === undefined) return null
  return withSenders(backend, block, block.transactions, senderAt => {
    let before = 0n
    return block.transactions.map((tx, index) => {
      const receipt = receiptOf(block, index, senderAt(index), before)
      before += intrinsicGas(tx)
      return receipt
    })
  })
}

function receiptOf(block: Block, index: number, sender: Address | null, gasBefore: bigint): Json {
  const tx = block.transactions[index]!
  const { baseFee, height } = block.coinbase
  const gasUsed = intrinsicGas(tx)
  return {
    transactionHash: tx.id,
    transactionIndex: quantity(index),
    blockHash: block.id,
    blockNumber: quantity(height),
    from: sender,
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
