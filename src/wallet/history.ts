// What an address sent, received and mined lately. A node keeps no index of addresses, so blocks are read from the head
// backwards, as many as are asked for.
//
// Blocks are asked for by number, in batches, and the chain may reorganise in between: each block must be the parent
// of the one read before it, or the reading stops.

import { type Address, parseAddress } from '../chain/address.ts'
import type { TransactionId } from '../chain/transaction.ts'
import type { Hex } from '../encoding/bytes.ts'
import type { Fields, Json } from '../encoding/fields.ts'
import {
  formatQuantity,
  hashField,
  InvalidAnswer,
  objectsField,
  quantityField,
  readObject,
} from './rpc-answer.ts'
import { type RpcClient, RpcError } from './rpc-client.ts'

/** One thing that happened to an address. */
export interface HistoryEntry {
  /** `self` is a transaction to its own sender; `mined` is the reward and the tips of a block. */
  readonly direction: 'in' | 'out' | 'self' | 'mined'
  /** Null for `mined`, and where a contract was created. */
  readonly counterparty: Address | null
  /** Wei that the transaction carries; for `mined` what was earned, or null when the reward is not known. */
  readonly value: bigint | null
  /** Wei that the address paid to have it mined; 0 unless it is the sender. */
  readonly fee: bigint
  /** False when the transaction failed: its fee was paid, its value stayed. */
  readonly succeeded: boolean
  readonly blockNumber: bigint
  readonly blockHash: Hex
  /** Seconds since 1970, by the block's own clock. */
  readonly time: bigint
  /** Null for `mined`. */
  readonly id: TransactionId | null
}

/** How far to read; every field has a default. */
export interface HistoryOptions {
  /** How many blocks, the head's counted: 1,000. */
  readonly blocks?: number
  /** How many blocks are asked for at a time: 10. A node takes at most 100. */
  readonly batchSize?: number
  /** Wei that the block at a height issued: `rewardAt` with the network's rules. */
  readonly rewardAt?: (height: number) => bigint
  readonly signal?: AbortSignal
}

/** The chain changed while it was being read; what came before is of a branch that may be gone. */
export class ChainReorganised extends Error {
  override name = 'ChainReorganised'

  constructor(blockNumber: bigint) {
    super(`the chain reorganised at block ${blockNumber} while its history was read: read it again`)
  }
}

/**
 * The history of an address, newest first. Throws `ChainReorganised`, and what `RpcClient.batch` throws.
 */
export async function* readHistory(
  client: RpcClient,
  address: Address,
  options: HistoryOptions = {},
): AsyncGenerator<HistoryEntry, void, void> {
  const { blocks = 1_000, batchSize = 10, signal } = options
  const head = await client.quantity('eth_blockNumber', [], signal)
  const last = atLeast(head - BigInt(blocks) + 1n, 0n)
  let child: BlockAnswer | null = null
  for (let from = head; from >= last; from -= BigInt(batchSize)) {
    const size = Math.min(batchSize, Number(from - last + 1n))
    for (const block of await askBlocks(client, from, size, signal)) {
      if (child !== null && child.parentHash !== block.hash) throw new ChainReorganised(block.number)
      child = block
      yield* entriesOf(client, address, block, options)
    }
  }
}

interface BlockAnswer {
  readonly hash: Hex
  readonly parentHash: Hex
  readonly number: bigint
  readonly timestamp: bigint
  readonly miner: Address
  readonly baseFee: bigint
  readonly transactions: readonly TransactionAnswer[]
}

interface TransactionAnswer {
  readonly id: TransactionId
  readonly from: Address
  readonly to: Address | null
  readonly value: bigint
}

interface ReceiptAnswer {
  readonly id: TransactionId
  readonly gasUsed: bigint
  readonly effectiveGasPrice: bigint
  readonly succeeded: boolean
}

async function askBlocks(
  client: RpcClient,
  from: bigint,
  size: number,
  signal: AbortSignal | undefined,
): Promise<BlockAnswer[]> {
  const method = 'eth_getBlockByNumber'
  const numbers = Array.from({ length: size }, (_, index) => from - BigInt(index))
  const calls = numbers.map(number => ({ method, params: [formatQuantity(number), true] }))
  const outcomes = await client.batch(calls, signal)
  return outcomes.map((outcome, index) => {
    if (outcome instanceof RpcError) throw outcome
    // The node had a longer chain a moment ago.
    if (outcome === null) throw new ChainReorganised(numbers[index]!)
    const block = readObject(method, outcome, readBlock)
    if (block.number !== numbers[index]) throw new InvalidAnswer(method, 'it is another block')
    return block
  })
}

async function* entriesOf(
  client: RpcClient,
  address: Address,
  block: BlockAnswer,
  { rewardAt, signal }: HistoryOptions,
): AsyncGenerator<HistoryEntry, void, void> {
  const own = block.transactions.filter(({ from, to }) => from === address || to === address)
  const isMiner = block.miner === address && block.number > 0n
  if (own.length === 0 && !isMiner) return
  const receipts = block.transactions.length === 0 ? NO_RECEIPTS : await askReceipts(client, block, signal)
  const place = { blockNumber: block.number, blockHash: block.hash, time: block.timestamp }
  if (isMiner) {
    const value = rewardAt === undefined ? null : rewardAt(Number(block.number)) + tipsOf(block, receipts)
    yield { direction: 'mined', counterparty: null, value, fee: 0n, succeeded: true, ...place, id: null }
  }
  for (const transaction of own.toReversed()) {
    const receipt = receipts.get(transaction.id)
    if (receipt === undefined) throw new InvalidAnswer('eth_getBlockReceipts', 'a receipt is missing')
    yield { ...entryOf(address, transaction, receipt), ...place }
  }
}

function entryOf(address: Address, { id, from, to, value }: TransactionAnswer, receipt: ReceiptAnswer) {
  const isSender = from === address
  const direction = isSender ? (to === address ? 'self' : 'out') : 'in'
  const counterparty = isSender ? to : from
  const fee = isSender ? receipt.gasUsed * receipt.effectiveGasPrice : 0n
  return { direction, counterparty, value, fee, succeeded: receipt.succeeded, id } as const
}

/** The beneficiary gets what was paid above the base fee, which is burned (EIP-1559). */
function tipsOf({ baseFee }: BlockAnswer, receipts: ReadonlyMap<TransactionId, ReceiptAnswer>): bigint {
  let tips = 0n
  for (const receipt of receipts.values()) tips += receipt.gasUsed * (receipt.effectiveGasPrice - baseFee)
  return tips
}

const NO_RECEIPTS: ReadonlyMap<TransactionId, ReceiptAnswer> = new Map()

async function askReceipts(
  client: RpcClient,
  block: BlockAnswer,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<TransactionId, ReceiptAnswer>> {
  const method = 'eth_getBlockReceipts'
  const answer = await client.call(method, [block.hash], signal)
  if (answer === null) throw new ChainReorganised(block.number)
  if (!Array.isArray(answer)) throw new InvalidAnswer(method, 'expected a list')
  const receipts = answer.map((item: unknown) => readObject(method, item, readReceipt))
  return new Map(receipts.map(receipt => [receipt.id, receipt]))
}

function readBlock(fields: Fields): BlockAnswer {
  return {
    hash: hashField(fields, 'hash'),
    parentHash: hashField(fields, 'parentHash'),
    number: quantityField(fields, 'number'),
    timestamp: quantityField(fields, 'timestamp'),
    miner: fields.parse('miner', 'an address', readAddress),
    baseFee: quantityField(fields, 'baseFeePerGas'),
    transactions: objectsField(fields, 'transactions', readTransaction),
  }
}

function readTransaction(fields: Fields): TransactionAnswer {
  return {
    id: hashField(fields, 'hash'),
    from: fields.parse('from', 'an address', readAddress),
    to: readRecipient(fields),
    value: quantityField(fields, 'value'),
  }
}

function readRecipient(fields: Fields): Address | null {
  const { address } = fields.parse('to', 'an address or null', value => {
    const address = readAddress(value)
    return address === null && value !== null ? null : { address }
  })
  return address
}

/** Nodes write addresses in lower case or with the checksum of EIP-55. */
function readAddress(value: Json): Address | null {
  return typeof value === 'string' ? parseAddress(value) : null
}

function readReceipt(fields: Fields): ReceiptAnswer {
  return {
    id: hashField(fields, 'transactionHash'),
    gasUsed: quantityField(fields, 'gasUsed'),
    effectiveGasPrice: quantityField(fields, 'effectiveGasPrice'),
    succeeded: quantityField(fields, 'status') === 1n,
  }
}

function atLeast(value: bigint, least: bigint): bigint {
  return value < least ? least : value
}
