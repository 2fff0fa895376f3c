// A block: header, coinbase record, transactions, and the checks that need nothing but the block itself.
//
//   header 80 | CompactSize of 1 + n | coinbase record | raw transaction 1 … n
//
// Every part tells its own size, so the form is what a Bitcoin miner submits after getblocktemplate. The Merkle
// tree has the SHA-256d of the coinbase record and of each raw transaction as leaves.

import {
  ByteReader,
  ByteWriter,
  type Hex,
  MalformedBytes,
  readOrNull,
  toReversedHex,
} from '../encoding/bytes.ts'
import { type CoinbaseRecord, encodeCoinbase, readCoinbase } from './coinbase.ts'
import { sha256d } from './hash.ts'
import { type BlockHeader, type BlockId, blockId, encodeHeader, readHeader } from './header.ts'
import { merkleRoot, merkleRootInSteps } from './merkle.ts'
import { finish, type Steps } from './steps.ts'
import { decodeTransaction, type Transaction, transactionSize } from './transaction.ts'

/** A decoded block and the bytes it was read from. */
export interface Block {
  readonly id: BlockId
  readonly header: BlockHeader
  readonly coinbase: CoinbaseRecord
  readonly transactions: readonly Transaction[]
  /** The bytes that were decoded, not a copy; `raw` of each transaction is a view on them. */
  readonly raw: Uint8Array
}

/** Transactions that are decoded in one step: a fraction of a millisecond. */
const TRANSACTIONS_PER_STEP = 16

/**
 * Why a body is not the one that its header commits to. These faults say nothing about the block behind the id:
 * another body may be right, so they must never be remembered under the id.
 */
export type BodyRejection = 'block-malformed' | 'block-mutated' | 'block-merkle-mismatch'

/**
 * The block in these bytes (header 80, CompactSize of 1 + n, coinbase record, n transactions), or why there is none. The
 * body is checked against the header's Merkle root; work, time and state are not: see `chainHeader` and `executeBlock`.
 */
export function decodeBlock(raw: Uint8Array): Block | BodyRejection {
  return finish(decodeBlockInSteps(raw))
}

/** The same in steps: to decode the largest block takes a second. */
export function* decodeBlockInSteps(raw: Uint8Array): Steps<Block | BodyRejection> {
  const block = yield* readBlock(raw)
  if (block === null) return 'block-malformed'
  const leaves = [sha256d(encodeCoinbase(block.coinbase))]
  for (const tx of block.transactions) {
    leaves.push(sha256d(tx.raw))
    if (leaves.length % TRANSACTIONS_PER_STEP === 0) yield
  }
  const { root, isMutated } = yield* merkleRootInSteps(leaves)
  if (isMutated) return 'block-mutated'
  return toReversedHex(root) === block.header.merkleRoot ? block : 'block-merkle-mismatch'
}

/** The coinbase record that stored bytes of a block hold, without decoding the rest; null when they are none. */
export function peekCoinbase(raw: Uint8Array): CoinbaseRecord | null {
  return readOrNull(() => {
    const reader = new ByteReader(raw)
    readHeader(reader)
    reader.compactSize(raw.length)
    return readCoinbase(reader)
  })
}

/** How a block begins: its header, and how many transactions it says that it has. Null where it begins otherwise. */
export function peekBlock(raw: Uint8Array): { header: BlockHeader; transactionCount: number } | null {
  return readOrNull(() => {
    const reader = new ByteReader(raw)
    const header = readHeader(reader)
    return { header, transactionCount: reader.compactSize(raw.length) - 1 }
  })
}

/** The block made of these parts, with its bytes and id. Nothing is checked. */
export function assembleBlock(
  header: BlockHeader,
  coinbase: CoinbaseRecord,
  transactions: readonly Transaction[],
): Block {
  const writer = new ByteWriter()
    .bytes(encodeHeader(header))
    .compactSize(1 + transactions.length)
    .bytes(encodeCoinbase(coinbase))
  for (const tx of transactions) writer.bytes(tx.raw)
  return { id: blockId(header), header, coinbase, transactions, raw: writer.finish() }
}

/** The Merkle leaves of a block's content: the coinbase record first. */
export function leavesOf(content: Pick<Block, 'coinbase' | 'transactions'>): Uint8Array[] {
  return [sha256d(encodeCoinbase(content.coinbase)), ...content.transactions.map(tx => sha256d(tx.raw))]
}

/** The Merkle root that a header with this content must have: 32 bytes as hex, in Bitcoin's reversed order. */
export function contentRoot(content: Pick<Block, 'coinbase' | 'transactions'>): Hex {
  return toReversedHex(merkleRoot(leavesOf(content)).root)
}

/** The block in these bytes, whatever its header commits to; null when there is none. */
function* readBlock(raw: Uint8Array): Steps<Block | null> {
  const reader = new ByteReader(raw)
  const start = readOrNull(() => readStart(reader))
  if (start === null) return null
  const transactions: Transaction[] = []
  while (transactions.length < start.coinbase.transactionCount) {
    const tx = readOrNull(() => readTransaction(raw, reader))
    if (tx === null) return null
    transactions.push(tx)
    if (transactions.length % TRANSACTIONS_PER_STEP === 0) yield
  }
  return reader.remaining > 0 ? null : { id: blockId(start.header), ...start, transactions, raw }
}

function readStart(reader: ByteReader): Pick<Block, 'header' | 'coinbase'> {
  const header = readHeader(reader)
  const count = reader.compactSize(reader.remaining)
  const coinbase = readCoinbase(reader)
  if (coinbase.transactionCount !== count - 1) throw new MalformedBytes('transaction count')
  return { header, coinbase }
}

function readTransaction(raw: Uint8Array, reader: ByteReader): Transaction {
  const size = transactionSize(raw, reader.offset)
  if (size === null) throw new MalformedBytes('no transaction')
  const tx = decodeTransaction(reader.bytes(size))
  if (typeof tx === 'string') throw new MalformedBytes(tx)
  return tx
}
