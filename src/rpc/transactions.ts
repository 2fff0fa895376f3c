// Transactions as clients see them, and the methods that find, count and
// hand them in.

import type { Address } from '../chain/address.ts'
import type { Block } from '../chain/block.ts'
import { effectiveTip } from '../chain/fees.ts'
import type { Transaction } from '../chain/transaction.ts'
import { toHex } from '../encoding/bytes.ts'
import type { Json } from '../encoding/fields.ts'
import type { PooledTransaction } from '../replica/sender-queue.ts'
import type { RpcBackend } from './backend.ts'
import { chooseBlock } from './block-choice.ts'
import { rejectionError } from './errors.ts'
import type { Outcome } from './outcome.ts'
import { BLOCK, DATA, HASH, LATEST, optional, type Params, QUANTITY, required } from './parameters.ts'
import { quantity } from './quantity.ts'
import { withSenders } from './senders.ts'

/** A transaction of a block. */
export function minedTransaction(block: Block, index: number, sender: Address | null): Json {
  const tx = block.transactions[index]!
  const { baseFee, height } = block.coinbase
  return {
    ...fieldsOf(tx, sender),
    gasPrice: quantity(baseFee + effectiveTip(tx, baseFee)),
    blockHash: block.id,
    blockNumber: quantity(height),
    blockTimestamp: quantity(block.header.time),
    transactionIndex: quantity(index),
  }
}

/** A transaction of the pool: its place is null. */
export function pooledTransaction({ tx, sender }: PooledTransaction): Json {
  return {
    ...fieldsOf(tx, sender),
    gasPrice: quantity(tx.maxFeePerGas),
    blockHash: null,
    blockNumber: null,
    blockTimestamp: null,
    transactionIndex: null,
  }
}

/** `eth_getTransactionByHash`: on the main chain, or in the pool, or null. */
export function getTransactionByHash(backend: RpcBackend, params: Params): Outcome {
  const { replica } = backend
  const id = required(params, 0, HASH)
  const place = replica.view.locate(id)
  if (place !== null) return transactionAt(backend, place.block, place.index)
  const pooled = replica.pool.get(id)
  return pooled === undefined ? null : pooledTransaction(pooled)
}

/** `eth_getTransactionByBlockHashAndIndex` and `…ByBlockNumberAndIndex`. */
export function getTransactionByBlockAndIndex(backend: RpcBackend, params: Params): Outcome {
  const found = chooseBlock(backend.replica, optional(params, 0, BLOCK, LATEST))
  const index = required(params, 1, QUANTITY)
  if (found === null || index >= found.block.transactions.length) return null
  return transactionAt(backend, found.block, Number(index))
}

/** `eth_getBlockTransactionCountByHash` and `…ByNumber`. */
export function getBlockTransactionCount({ replica }: RpcBackend, params: Params): Json {
  const found = chooseBlock(replica, optional(params, 0, BLOCK, LATEST))
  return found === null ? null : quantity(found.block.transactions.length)
}

/** `eth_sendRawTransaction`: the id, once the transaction is in the pool for good; or why it is not. */
export async function sendRawTransaction(backend: RpcBackend, params: Params): Promise<Json> {
  const result = await backend.submit(required(params, 0, DATA))
  if ('rejection' in result) throw rejectionError(result.rejection)
  return result.id
}

function transactionAt(backend: RpcBackend, block: Block, index: number): Outcome {
  const tx = block.transactions[index]!
  return withSenders(backend, block, [tx], senderAt => minedTransaction(block, index, senderAt(index)))
}

function fieldsOf(tx: Transaction, sender: Address | null): { readonly [key: string]: Json } {
  const isLegacy = tx.type === 'legacy'
  const v = isLegacy ? tx.chainId * 2n + 35n + BigInt(tx.yParity) : BigInt(tx.yParity)
  return {
    hash: tx.id,
    from: sender,
    nonce: quantity(tx.nonce),
    gas: quantity(tx.gasLimit),
    to: tx.to,
    value: quantity(tx.value),
    input: toHex(tx.data),
    type: isLegacy ? '0x0' : '0x2',
    chainId: quantity(tx.chainId),
    v: quantity(v),
    r: quantity(tx.r),
    s: quantity(tx.s),
    ...(isLegacy ? {} : eip1559Fields(tx)),
  }
}

function eip1559Fields(tx: Transaction): { readonly [key: string]: Json } {
  return {
    yParity: quantity(tx.yParity),
    maxFeePerGas: quantity(tx.maxFeePerGas),
    maxPriorityFeePerGas: quantity(tx.maxPriorityFeePerGas),
    accessList: tx.accessList.map(({ address, storageKeys }) => ({ address, storageKeys })),
  }
}
