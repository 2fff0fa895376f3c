// What replicas say to each other, and its form on the wire.
//
//   kind 1 | fields, integers little-endian, lists with a CompactSize count
//
// Decoding refuses everything that is not exactly one message: every count has a bound that is checked before
// anything is allocated, and no byte may be left over.

import { type Block, decodeBlockInSteps, peekBlock, peekCoinbase } from '../chain/block.ts'
import { type BlockHeader, type BlockId, encodeHeader, HEADER_BYTES, readHeader } from '../chain/header.ts'
import { finish, type Steps } from '../chain/steps.ts'
import {
  decodeTransaction,
  TRANSACTION_BYTES_MAX,
  type Transaction,
  type TransactionId,
} from '../chain/transaction.ts'
import {
  ByteReader,
  ByteWriter,
  fromHex,
  fromReversedHex,
  MalformedBytes,
  readOrNull,
  toHex,
  toReversedHex,
} from '../encoding/bytes.ts'
import type { Rejection } from './verdict.ts'

/** What a node follows, said when a connection opens and from time to time. */
export interface Status {
  readonly genesisId: BlockId
  readonly chainId: bigint
  readonly headId: BlockId
  readonly height: number
  /** Cumulative work of the head. */
  readonly work: bigint
}

/** Everything replicas say. A request's id comes back in its answer. */
export type Message =
  | { readonly type: 'status'; readonly status: Status }
  /** Headers after the first id of the locator that is on the asked peer's chain. */
  | { readonly type: 'get-headers'; readonly requestId: number; readonly locator: readonly BlockId[] }
  | { readonly type: 'headers'; readonly requestId: number; readonly headers: readonly BlockHeader[] }
  | { readonly type: 'get-blocks'; readonly requestId: number; readonly ids: readonly BlockId[] }
  | { readonly type: 'blocks'; readonly requestId: number; readonly blocks: readonly Block[] }
  /** A new block, spread to all. */
  | { readonly type: 'block'; readonly block: Block }
  /** What the finality layer says, and the block that it speaks of for those who don't have it. */
  | { readonly type: 'finality'; readonly body: Uint8Array; readonly block: Block | null }
  /** Ids of transactions that wait in the sender's pool. A peer that lacks them asks for them. */
  | { readonly type: 'announce'; readonly ids: readonly TransactionId[] }
  | { readonly type: 'get-transactions'; readonly requestId: number; readonly ids: readonly TransactionId[] }
  /** Those of the transactions that are still there, in the order of the request, from the first that fits. */
  | {
      readonly type: 'transactions'
      readonly requestId: number
      readonly transactions: readonly Transaction[]
    }

/** A header, or its 80 bytes. */
export type OutgoingHeader = BlockHeader | { readonly raw: Uint8Array }

/** What a replica sends: headers and blocks that are only passed on need not be decoded for it. */
export type OutgoingMessage =
  | Message
  | { readonly type: 'headers'; readonly requestId: number; readonly headers: readonly OutgoingHeader[] }
  | { readonly type: 'blocks'; readonly requestId: number; readonly blocks: readonly Pick<Block, 'raw'>[] }

/** The kinds of message. */
export type MessageType = Message['type']

/** Bounds of one message. */
export const MESSAGE_LIMITS = {
  /** Bytes on the wire; a batch of blocks stops below it. */
  bytesMax: 9 * 1024 * 1024,
  locatorIdsMax: 64,
  headersMax: 2_000,
  blocksMax: 16,
  /** Bytes of blocks in one answer, unless the first alone is larger. */
  blocksBytesMax: 4 * 1024 * 1024,
  /** Bytes of what the finality layer says. */
  finalityBytesMax: 4 * 1024 * 1024 + 64,
  /** Transactions in one announcement, request or answer. */
  transactionsMax: 256,
  /** Bytes of transactions in one answer, unless the first alone is larger. */
  transactionsBytesMax: 128 * 1024,
  /** Bytes of such an answer: the largest transaction fits, and four bytes of length for each. */
  transactionsAnswerBytesMax: TRANSACTION_BYTES_MAX + 4 * 256 + 16,
} as const

/** The kinds of message, in the order of their first bytes. A change of any layout is another PROTOCOL (src/node/peer-links.ts). */
export const MESSAGE_TYPES: readonly MessageType[] = [
  'status',
  'get-headers',
  'headers',
  'get-blocks',
  'blocks',
  'block',
  'transactions',
  'finality',
  'announce',
  'get-transactions',
]

/** The bytes of a message. */
export function encodeMessage(message: OutgoingMessage): Uint8Array {
  const writer = new ByteWriter().u8(MESSAGE_TYPES.indexOf(message.type))
  switch (message.type) {
    case 'status':
      return writeStatus(writer, message.status).finish()
    case 'get-headers':
      return writeIds(writer.u32(message.requestId), message.locator).finish()
    case 'headers':
      writer.u32(message.requestId).compactSize(message.headers.length)
      for (const header of message.headers) writer.bytes('raw' in header ? header.raw : encodeHeader(header))
      return writer.finish()
    case 'get-blocks':
      return writeIds(writer.u32(message.requestId), message.ids).finish()
    case 'blocks':
      writer.u32(message.requestId).compactSize(message.blocks.length)
      for (const block of message.blocks) writer.sizedBytes(block.raw)
      return writer.finish()
    case 'block':
      return writer.bytes(message.block.raw).finish()
    case 'announce':
      return writeTransactionIds(writer, message.ids).finish()
    case 'get-transactions':
      return writeTransactionIds(writer.u32(message.requestId), message.ids).finish()
    case 'transactions':
      writer.u32(message.requestId).compactSize(message.transactions.length)
      for (const tx of message.transactions) writer.sizedBytes(tx.raw)
      return writer.finish()
    case 'finality':
      writer.sizedBytes(message.body)
      return (message.block === null ? writer : writer.bytes(message.block.raw)).finish()
  }
}

/** The message in these bytes, or why they are none. */
export function decodeMessage(bytes: Uint8Array): Message | Rejection {
  return finish(decodeMessageInSteps(bytes))
}

/** The same in steps, of which none takes much longer than a millisecond. */
export function* decodeMessageInSteps(bytes: Uint8Array): Steps<Message | Rejection> {
  if (bytes.length > MESSAGE_LIMITS.bytesMax) return 'message-too-large'
  try {
    const reader = new ByteReader(bytes)
    const message = yield* readMessage(reader)
    reader.end()
    return message
  } catch (error) {
    if (error instanceof Refused) return error.reason
    if (error instanceof MalformedBytes) return 'message-malformed'
    throw error
  }
}

/** The kind that a message says it is; null when there is no such kind. */
export function typeOfMessage(bytes: Uint8Array): MessageType | null {
  return MESSAGE_TYPES[bytes[0] ?? MESSAGE_TYPES.length] ?? null
}

/** What the first bytes of a message tell that may be large. */
export type MessagePeek =
  | { readonly type: 'headers'; readonly requestId: number }
  /** Null where the blocks do not even begin as blocks do. */
  | { readonly type: 'blocks'; readonly requestId: number; readonly blocks: readonly BlockPeek[] | null }
  | {
      readonly type: 'transactions'
      readonly requestId: number
      /** Null where the answer does not say it. */
      readonly count: number | null
      readonly answerBytes: number
    }
  | { readonly type: 'block'; readonly block: BlockPeek }
  | { readonly type: 'finality'; readonly attached: BlockPeek | 'malformed' | null }

/** What the beginning of a block tells, and its size. */
export interface BlockPeek {
  readonly header: BlockHeader
  readonly transactionCount: number
  /** The height that it says it has, proved by nothing; null where it has no coinbase record. */
  readonly height: number | null
  readonly bytes: number
}

/** Looks at a message without decoding it; null where it is small, or none. */
export function peekMessage(bytes: Uint8Array): MessagePeek | null {
  return readOrNull(() => {
    const reader = new ByteReader(bytes)
    const type = MESSAGE_TYPES[reader.u8()]
    switch (type) {
      case 'headers':
        return { type, requestId: reader.u32() }
      case 'blocks':
        return { type, requestId: reader.u32(), blocks: readOrNull(() => peekBlocks(reader)) }
      case 'transactions':
        return {
          type,
          requestId: reader.u32(),
          count: readOrNull(() => reader.compactSize(MESSAGE_LIMITS.transactionsMax)),
          answerBytes: bytes.length,
        }
      case 'block':
        return { type, block: readBlockPeek(reader.rest()) }
      case 'finality':
        reader.sizedBytes(MESSAGE_LIMITS.finalityBytesMax)
        return { type, attached: reader.remaining === 0 ? null : (peekOf(reader.rest()) ?? 'malformed') }
      case 'status':
      case 'get-headers':
      case 'get-blocks':
      case 'announce':
      case 'get-transactions':
      case undefined:
    }
    return null
  })
}

function peekBlocks(reader: ByteReader): BlockPeek[] {
  const blocks = readList(reader, MESSAGE_LIMITS.blocksMax, () =>
    readBlockPeek(reader.sizedBytes(MESSAGE_LIMITS.bytesMax)),
  )
  reader.end()
  return blocks
}

function readBlockPeek(raw: Uint8Array): BlockPeek {
  const peek = peekOf(raw)
  if (peek === null) throw new MalformedBytes('no block')
  return peek
}

function peekOf(raw: Uint8Array): BlockPeek | null {
  const peek = peekBlock(raw)
  return peek === null ? null : { ...peek, height: peekCoinbase(raw)?.height ?? null, bytes: raw.length }
}

/** The transactions of a message, whose senders will be asked for. */
export function transactionsIn(message: Message): readonly Transaction[] {
  switch (message.type) {
    case 'transactions':
      return message.transactions
    case 'block':
      return message.block.transactions
    case 'finality':
      return message.block?.transactions ?? []
    case 'blocks':
      return message.blocks.flatMap(block => block.transactions)
    case 'status':
    case 'get-headers':
    case 'headers':
    case 'get-blocks':
    case 'announce':
    case 'get-transactions':
      return []
  }
}

/** Those of the transactions, from the first on, that fit in one answer. */
export function fittingTransactions(transactions: readonly Transaction[]): readonly Transaction[] {
  let bytes = 0
  const end = transactions.findIndex((tx, index) => {
    bytes += tx.raw.length
    return index > 0 && bytes > MESSAGE_LIMITS.transactionsBytesMax
  })
  return end === -1 ? transactions : transactions.slice(0, end)
}

/** Carries the reason why an inner part was refused out of the reader. */
class Refused extends Error {
  readonly reason: Rejection

  constructor(reason: Rejection) {
    super(reason)
    this.reason = reason
  }
}

function* readMessage(reader: ByteReader): Steps<Message> {
  const type = MESSAGE_TYPES[reader.u8()]
  if (type === undefined) throw new MalformedBytes('unknown kind')
  switch (type) {
    case 'status':
      return { type, status: readStatus(reader) }
    case 'get-headers':
      return { type, requestId: reader.u32(), locator: readIds(reader, MESSAGE_LIMITS.locatorIdsMax) }
    case 'headers':
      return { type, requestId: reader.u32(), headers: readHeaders(reader) }
    case 'get-blocks':
      return { type, requestId: reader.u32(), ids: readIds(reader, MESSAGE_LIMITS.blocksMax) }
    case 'blocks':
      return {
        type,
        requestId: reader.u32(),
        blocks: yield* readListInSteps(reader, MESSAGE_LIMITS.blocksMax, readSizedBlock),
      }
    case 'block':
      return { type, block: acceptOrRefuse(yield* decodeBlockInSteps(reader.rest())) }
    case 'announce':
      return { type, ids: readTransactionIds(reader) }
    case 'get-transactions':
      return { type, requestId: reader.u32(), ids: readTransactionIds(reader) }
    case 'transactions':
      return {
        type,
        requestId: reader.u32(),
        transactions: yield* readListInSteps(reader, MESSAGE_LIMITS.transactionsMax, readSizedTransaction),
      }
    case 'finality':
      return {
        type,
        body: reader.sizedBytes(MESSAGE_LIMITS.finalityBytesMax),
        block: yield* readLastBlock(reader),
      }
  }
}

function writeStatus(writer: ByteWriter, status: Status): ByteWriter {
  return writer
    .bytes(fromReversedHex(status.genesisId))
    .u64(status.chainId)
    .bytes(fromReversedHex(status.headId))
    .u64(BigInt(status.height))
    .u256(status.work)
}

function readStatus(reader: ByteReader): Status {
  const genesisId = readId(reader)
  const chainId = reader.u64()
  const headId = readId(reader)
  const height = reader.u64()
  if (height > 2n ** 48n) throw new MalformedBytes('height out of bounds')
  return { genesisId, chainId, headId, height: Number(height), work: reader.u256() }
}

function writeIds(writer: ByteWriter, ids: readonly BlockId[]): ByteWriter {
  writer.compactSize(ids.length)
  for (const id of ids) writer.bytes(fromReversedHex(id))
  return writer
}

function readIds(reader: ByteReader, max: number): BlockId[] {
  return readList(reader, max, readId)
}

function readId(reader: ByteReader): BlockId {
  return toReversedHex(reader.bytes(32))
}

function writeTransactionIds(writer: ByteWriter, ids: readonly TransactionId[]): ByteWriter {
  writer.compactSize(ids.length)
  for (const id of ids) writer.bytes(fromHex(id))
  return writer
}

function readTransactionIds(reader: ByteReader): TransactionId[] {
  return readList(reader, MESSAGE_LIMITS.transactionsMax, () => toHex(reader.bytes(32)))
}

function readHeaders(reader: ByteReader): BlockHeader[] {
  const count = reader.compactSize(MESSAGE_LIMITS.headersMax)
  if (reader.remaining !== count * HEADER_BYTES) throw new MalformedBytes('header count')
  return Array.from({ length: count }, () => readHeader(reader))
}

function* readSizedBlock(reader: ByteReader): Steps<Block> {
  // In memory of its own: one block may be kept long after the rest of its answer.
  return acceptOrRefuse(yield* decodeBlockInSteps(reader.sizedBytes(MESSAGE_LIMITS.bytesMax).slice()))
}

/** The block in what is left, if anything is. */
function* readLastBlock(reader: ByteReader): Steps<Block | null> {
  return reader.remaining === 0 ? null : acceptOrRefuse(yield* decodeBlockInSteps(reader.rest()))
}

function* readSizedTransaction(reader: ByteReader): Steps<Transaction> {
  yield
  // In memory of its own: a transaction may be kept long after the rest of its batch.
  return acceptOrRefuse(decodeTransaction(reader.sizedBytes(TRANSACTION_BYTES_MAX).slice()))
}

function readList<T>(reader: ByteReader, max: number, read: (reader: ByteReader) => T): T[] {
  // biome-ignore lint/correctness/useYield: an item that is small has no steps
  const inSteps = function* (from: ByteReader): Steps<T> {
    return read(from)
  }
  return finish(readListInSteps(reader, max, inSteps))
}

function* readListInSteps<T>(
  reader: ByteReader,
  max: number,
  read: (reader: ByteReader) => Steps<T>,
): Steps<T[]> {
  const count = reader.compactSize(max)
  const list: T[] = []
  while (list.length < count) list.push(yield* read(reader))
  return list
}

function acceptOrRefuse<T>(decoded: T | Rejection): T {
  if (typeof decoded === 'string') throw new Refused(decoded as Rejection)
  return decoded as T
}
