// What a replica persists. Heights and arrivals have leading zeros, so that keys sort as numbers do. A store gives a
// record as it was written or not at all (record-seal.ts); here it is told whether it fits to what other records hold.
//   genesis            id of the genesis block          base         the last final block, as a chained header
//   account/<address>  the state after the base block   final/<height>     id and header of a final block
//   tx/<id>            height and index in a final block   senders/<height>   senders of a final block's transactions
//   block/<id>         a whole block, final or not      open/<arrival>     id of a block above the base
//   certificate/<height>   what proves a final block: the certificate, or the height of the block above that has one
//   decision/<sequence>    height of the block that the agreement's decision of this number made final
//   finality/<key>     what the finality layer keeps    undo/<height>      what a recent final block took from the state
//   pooled/<id>        a transaction submitted here that no final block holds yet

import { ADDRESS_BYTES, type Address, addressBytes } from '../chain/address.ts'
import { type Block, decodeBlock } from '../chain/block.ts'
import {
  type BlockHeader,
  type BlockId,
  blockId,
  encodeHeader,
  HEADER_BYTES,
  readHeader,
} from '../chain/header.ts'
import type { ChainedHeader } from '../chain/header-chain.ts'
import type { TransactionId } from '../chain/transaction.ts'
import {
  ByteReader,
  ByteWriter,
  fromReversedHex,
  MalformedBytes,
  readOrNull,
  toHex,
  toReversedHex,
} from '../encoding/bytes.ts'

/** The keys of the database. */
export const KEYS = {
  genesis: 'genesis',
  base: 'base',
  accounts: 'account/',
  account: (address: string) => `account/${address}`,
  final: (height: number) => `final/${sortable(height)}`,
  transaction: (id: TransactionId) => `tx/${id}`,
  blocks: 'block/',
  block: (id: BlockId) => `block/${id}`,
  openBlocks: 'open/',
  openBlock: (arrival: number) => `open/${sortable(arrival)}`,
  undo: (height: number) => `undo/${sortable(height)}`,
  senders: (height: number) => `senders/${sortable(height)}`,
  certificate: (height: number) => `certificate/${sortable(height)}`,
  decision: (sequence: number) => `decision/${sortable(sequence)}`,
  finality: 'finality/',
  pooledTransactions: 'pooled/',
  pooled: (id: TransactionId) => `pooled/${id}`,
} as const

/** The prefixes whose entries a replica reads when it starts. */
export const STARTING_PREFIXES: readonly string[] = [
  KEYS.accounts,
  KEYS.openBlocks,
  KEYS.pooledTransactions,
  KEYS.finality,
]

/** The database holds something that a replica never writes, or can't be read. */
export class CorruptStore extends Error {
  override name = 'CorruptStore'
}

/** What `read` makes of a record; throws `CorruptStore` naming the key when it is not one. */
export function readRecord<T>(key: string, value: Uint8Array | null, read: (reader: ByteReader) => T): T {
  const record =
    value === null
      ? null
      : readOrNull(() => {
          const reader = new ByteReader(value)
          const result = read(reader)
          reader.end()
          return result
        })
  if (record === null) throw new CorruptStore(`record ${key} is ${value === null ? 'missing' : 'damaged'}`)
  return record
}

/** The block that the record under this id must be; throws `CorruptStore` naming the key when it is not. */
export function readBlockRecord(id: BlockId, raw: Uint8Array | null): Block {
  const block = raw === null ? 'missing' : decodeBlock(raw)
  if (typeof block === 'string' || block.id !== id)
    throw new CorruptStore(`record ${KEYS.block(id)} is ${raw === null ? 'missing' : 'damaged'}`)
  return block
}

/** The 32 bytes of an id. */
export function encodeId(id: BlockId): Uint8Array {
  return fromReversedHex(id)
}

/** The id in the next 32 bytes. */
export function readId(reader: ByteReader): BlockId {
  return toReversedHex(reader.bytes(32))
}

/** A header with its place: id, height, work, header, schedule start and recent times. */
export function encodeChainedHeader(entry: ChainedHeader): Uint8Array {
  const writer = new ByteWriter()
    .bytes(encodeId(entry.id))
    .u64(BigInt(entry.height))
    .u256(entry.work)
    .bytes(encodeHeader(entry.header))
    .u64(BigInt.asUintN(64, BigInt(entry.scheduleStart)))
    .compactSize(entry.recentTimes.length)
  for (const time of entry.recentTimes) writer.u32(time)
  return writer.finish()
}

/** The record that `encodeChainedHeader` wrote. */
export function readChainedHeader(reader: ByteReader): ChainedHeader {
  const id = readId(reader)
  const height = Number(reader.u64())
  const work = reader.u256()
  const header = readHeader(reader)
  const scheduleStart = Number(BigInt.asIntN(64, reader.u64()))
  const count = reader.compactSize(11)
  return {
    id,
    height,
    work,
    header,
    scheduleStart,
    recentTimes: Array.from({ length: count }, () => reader.u32()),
  }
}

/** The id and header of a final block. */
export function encodeFinal(entry: { readonly id: BlockId; readonly header: BlockHeader }): Uint8Array {
  return new ByteWriter().bytes(encodeId(entry.id)).bytes(encodeHeader(entry.header)).finish()
}

/** The record that `encodeFinal` wrote. */
export function readFinal(reader: ByteReader): { id: BlockId; header: BlockHeader } {
  const id = readId(reader)
  const header = readHeader(reader)
  if (blockId(header) !== id) throw new MalformedBytes('not the header of this id')
  return { id, header }
}

/** The 80 bytes of the header of a final block, as peers want them: their seal alone is looked at, for there may be many. */
export function readFinalHeaderBytes(reader: ByteReader): Uint8Array {
  reader.bytes(32)
  return reader.bytes(HEADER_BYTES)
}

/** Where a final transaction is. */
export function encodePosition(position: { readonly height: number; readonly index: number }): Uint8Array {
  return new ByteWriter().u64(BigInt(position.height)).u32(position.index).finish()
}

/** The record that `encodePosition` wrote. */
export function readPosition(reader: ByteReader): { height: number; index: number } {
  return { height: Number(reader.u64()), index: reader.u32() }
}

/** The senders of a block's transactions, in order: 20 bytes each. */
export function encodeSenders(senders: readonly Address[]): Uint8Array {
  const writer = new ByteWriter()
  for (const sender of senders) writer.bytes(addressBytes(sender))
  return writer.finish()
}

/** The record that `encodeSenders` wrote. */
export function readSenders(reader: ByteReader): readonly Address[] {
  const senders: Address[] = []
  while (reader.remaining > 0) senders.push(toHex(reader.bytes(ADDRESS_BYTES)))
  return senders
}

/** Where the proof of a final block is: with the block itself, or with one above it. */
export type CertificatePlace =
  | { readonly type: 'here'; readonly bytes: Uint8Array }
  | { readonly type: 'above'; readonly height: number }

/** Where a certificate is: 0 and its bytes, or 1 and a height. */
export function encodeCertificatePlace(place: CertificatePlace): Uint8Array {
  const writer = new ByteWriter()
  return place.type === 'here'
    ? writer.u8(0).bytes(place.bytes).finish()
    : writer.u8(1).u64(BigInt(place.height)).finish()
}

/** The record that `encodeCertificatePlace` wrote. */
export function readCertificatePlace(reader: ByteReader): CertificatePlace {
  return reader.u8() === 0
    ? { type: 'here', bytes: reader.rest() }
    : { type: 'above', height: Number(reader.u64()) }
}

/** A height. */
export function encodeHeight(height: number): Uint8Array {
  return new ByteWriter().u64(BigInt(height)).finish()
}

/** The record that `encodeHeight` wrote. */
export function readHeight(reader: ByteReader): number {
  return Number(reader.u64())
}

function sortable(value: number): string {
  return value.toString().padStart(15, '0')
}
