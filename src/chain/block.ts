// A block: header, coinbase record, transactions, and the checks that need nothing but the block itself.
//
//   header 80 | CompactSize of 1 + n | coinbase record | raw transaction 1 … n
//
// Every part tells its own size, so the form is what a Bitcoin miner submits after getblocktemplate. The Merkle
// tree has the SHA-256d of the coinbase record and of each raw transaction as leaves.

import { ByteReader, ByteWriter, type Hex, MalformedBytes, readOrNull, toReversedHex } from './bytes.ts'
import { COINBASE_BYTES_MAX, type CoinbaseRecord, encodeCoinbase, readCoinbase } from './coinbase.ts'
import { sha256d } from './hash.ts'
import { type BlockHeader, type BlockId, blockId, encodeHeader, HEADER_BYTES, readHeader } from './header.ts'
import { merkleRoot } from './merkle.ts'
import { decodeTransaction, type Transaction, transactionSize } from './transaction.ts'

/** A decoded block and the bytes it was read from. */
export interface Block {
  readonly id: BlockId
  readonly header: BlockHeader
  readonly coinbase: CoinbaseRecord
  readonly transactions: readonly Transaction[]
  readonly raw: Uint8Array
}

/** Bytes of a block besides its transactions at most: header, count (a CompactSize of up to 5), coinbase record. */
export const BLOCK_OVERHEAD_BYTES = HEADER_BYTES + 5 + COINBASE_BYTES_MAX

/**
 * Why a body is not the one that its header commits to. These faults say nothing about the block behind the id:
 * another body may be right, so they must never be remembered under the id.
 */
export type BodyRejection = 'block-malformed' | 'block-mutated' | 'block-merkle-mismatch'

/** The block in these bytes with its body checked against its header, or why there is none. */
export function decodeBlock(raw: Uint8Array): Block | BodyRejection {
  const block = readOrNull(() => readBlock(raw))
  if (block === null) return 'block-malformed'
  const { root, isMutated } = merkleRoot(leavesOf(block))
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

/** The block made of these parts. */
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

/** The Merkle root that a header with this content must have. */
export function contentRoot(content: Pick<Block, 'coinbase' | 'transactions'>): Hex {
  return toReversedHex(merkleRoot(leavesOf(content)).root)
}

function readBlock(raw: Uint8Array): Block {
  const reader = new ByteReader(raw)
  const header = readHeader(reader)
  const count = reader.compactSize(reader.remaining)
  const coinbase = readCoinbase(reader)
  if (coinbase.transactionCount !== count - 1) throw new MalformedBytes('transaction count')
  const transactions: Transaction[] = []
  while (transactions.length < count - 1) transactions.push(readTransaction(raw, reader))
  reader.end()
  return { id: blockId(header), header, coinbase, transactions, raw }
}

function readTransaction(raw: Uint8Array, reader: ByteReader): Transaction {
  const size = transactionSize(raw, reader.offset)
  if (size === null) throw new MalformedBytes('no transaction')
  const tx = decodeTransaction(reader.bytes(size))
  if (typeof tx === 'string') throw new MalformedBytes(tx)
  return tx
}
