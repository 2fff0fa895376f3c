// The messages between replicas on the wire.
//
//   kind 1 | fields, integers little-endian, lists with a CompactSize count
//
// Decoding is strict: every count has a bound that is checked before anything is allocated, and no byte may be left over.

import { type Block, decodeBlockInSteps } from '../chain/block.ts'
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
  toHex,
  toReversedHex,
} from '../encoding/bytes.ts'
import { MESSAGE_LIMITS, MESSAGE_TYPES, type Message, type OutgoingMessage, type Status } from './messages.ts'
import type { Rejection } from './verdict.ts'

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
        blocks: yield* listInSteps(reader, MESSAGE_LIMITS.blocksMax, readSizedBlock),
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
        transactions: yield* listInSteps(reader, MESSAGE_LIMITS.transactionsMax, readSizedTransaction),
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
  return listOf(reader, max, readId)
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
  return listOf(reader, MESSAGE_LIMITS.transactionsMax, () => toHex(reader.bytes(32)))
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

/** A list of at most `max` items. Throws `MalformedBytes`. */
export function listOf<T>(reader: ByteReader, max: number, read: (reader: ByteReader) => T): T[] {
  // biome-ignore lint/correctness/useYield: an item that is small has no steps
  const inSteps = function* (from: ByteReader): Steps<T> {
    return read(from)
  }
  return finish(listInSteps(reader, max, inSteps))
}

function* listInSteps<T>(
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
