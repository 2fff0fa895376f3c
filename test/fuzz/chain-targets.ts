// The decoders of blocks, transactions, states, messages and records: what peers send, and what a disk gives back.

import { assembleBlock, decodeBlock, peekBlock, peekCoinbase } from '../../src/chain/block.ts'
import { encodeCoinbase, readCoinbase } from '../../src/chain/coinbase.ts'
import { decodeCompact, encodeCompact } from '../../src/chain/compact.ts'
import { decodeSignature, encodeSignature } from '../../src/chain/compact-signature.ts'
import { decodeHeader, encodeHeader } from '../../src/chain/header.ts'
import { decodeRlp, encodeRlp } from '../../src/chain/rlp.ts'
import { decodeTransaction, encodeTransaction, transactionSize } from '../../src/chain/transaction.ts'
import { ByteReader, readOrNull } from '../../src/encoding/bytes.ts'
import { decodeAccount, encodeAccount } from '../../src/execution/state.ts'
import { decodeMessage, encodeMessage } from '../../src/replica/message-codec.ts'
import { peekMessage } from '../../src/replica/message-peek.ts'
import type { Message } from '../../src/replica/messages.ts'
import { openRecord, sealRecord } from '../../src/replica/record-seal.ts'
import {
  encodeCertificatePlace,
  encodeChainedHeader,
  encodeFinal,
  encodeHeight,
  encodeId,
  encodePosition,
  encodeSenders,
  readBlockRecord,
  readCertificatePlace,
  readChainedHeader,
  readFinal,
  readFinalHeaderBytes,
  readHeight,
  readId,
  readPosition,
  readRecord,
  readSenders,
} from '../../src/replica/records.ts'
import { encodeUndo, readUndo } from '../../src/replica/undo.ts'
import {
  PACKED_SIGNATURE_BYTES,
  packSignature,
  unpackSender,
  unpackSignature,
} from '../../src/signatures/packed.ts'
import { addressNumber } from '../chain/examples.ts'
import { ChainBuilder, transfer } from '../replica/small-chain.ts'
import type { Target } from './target.ts'

const builder = new ChainBuilder()
const transactions = [
  transfer(1, 0),
  transfer(2, 0, { type: 'legacy' }),
  transfer(3, 0, { data: new Uint8Array(60).fill(3) }),
]
const run = builder.extend(builder.root, 3, step => ({
  transactions: step === 2 ? transactions.slice(0, 2) : [],
}))
const ids = run.map(({ chained }) => chained.id)
const blocks = run.map(({ block }) => block)
const [first] = run
const { chained } = run[2]!
const addresses = [1, 2, 3].map(number => addressNumber(number))
const before = new Map(addresses.map((address, index) => [address, { nonce: 7n, balance: BigInt(index) }]))

const MESSAGES: readonly Message[] = [
  {
    type: 'status',
    status: {
      genesisId: ids[0]!,
      chainId: 2n ** 64n - 1n,
      headId: ids[2]!,
      height: 2 ** 48,
      work: 2n ** 256n - 1n,
    },
  },
  { type: 'get-headers', requestId: 2 ** 32 - 1, locator: ids },
  { type: 'headers', requestId: 1, headers: blocks.map(({ header }) => header) },
  { type: 'get-blocks', requestId: 2, ids },
  { type: 'blocks', requestId: 3, blocks },
  { type: 'block', block: blocks[1]! },
  { type: 'announce', ids: transactions.map(({ id }) => id) },
  { type: 'get-transactions', requestId: 4, ids: transactions.map(({ id }) => id) },
  { type: 'transactions', requestId: 4, transactions },
  { type: 'finality', body: Uint8Array.of(1, 2, 3), block: null },
  { type: 'finality', body: new Uint8Array(), block: blocks[1]! },
]

/** A reader's record, whole. */
const whole = <T>(bytes: Uint8Array, read: (reader: ByteReader) => T): T | null =>
  readOrNull(() => {
    const reader = new ByteReader(bytes)
    const result = read(reader)
    reader.end()
    return result
  })
const orNull = <T>(value: T | null, encode: (value: T) => Uint8Array): Uint8Array | null =>
  value === null ? null : encode(value)
const four = (bits: number): Uint8Array => Uint8Array.of(bits >>> 24, bits >>> 16, bits >>> 8, bits)
const record = <T>(
  name: string,
  samples: readonly Uint8Array[],
  read: (reader: ByteReader) => T,
  encode: (value: T) => Uint8Array | 'taken',
): Target => ({
  covers: [`replica/records.ts ${name}`, 'replica/records.ts readRecord'],
  samples,
  refusals: ['CorruptStore'],
  take: bytes => encode(readRecord('key', bytes, read)),
})

const packed = new Uint8Array(PACKED_SIGNATURE_BYTES)
packSignature(packed, 0, new Uint8Array(32).fill(1), { r: 1n, s: 2n, yParity: 1 })

export const CHAIN_TARGETS: readonly Target[] = [
  {
    covers: ['replica/message-codec.ts decodeMessage', 'replica/message-peek.ts peekMessage'],
    samples: MESSAGES.map(encodeMessage),
    take: bytes => {
      peekMessage(bytes)
      const message = decodeMessage(bytes)
      return typeof message === 'string' ? null : encodeMessage(message)
    },
  },
  {
    covers: ['chain/block.ts decodeBlock', 'chain/block.ts peekCoinbase', 'chain/block.ts peekBlock'],
    samples: blocks.map(({ raw }) => raw),
    take: bytes => {
      peekCoinbase(bytes)
      peekBlock(bytes)
      const block = decodeBlock(bytes)
      return typeof block === 'string'
        ? null
        : assembleBlock(block.header, block.coinbase, block.transactions).raw
    },
  },
  {
    covers: ['chain/header.ts readHeader', 'chain/header.ts decodeHeader'],
    samples: blocks.map(({ header }) => encodeHeader(header)),
    take: bytes => orNull(decodeHeader(bytes), encodeHeader),
  },
  {
    covers: ['chain/coinbase.ts readCoinbase'],
    samples: blocks.map(({ coinbase }) => encodeCoinbase(coinbase)),
    take: bytes => orNull(whole(bytes, readCoinbase), encodeCoinbase),
  },
  {
    covers: ['chain/transaction.ts decodeTransaction', 'chain/transaction.ts transactionSize'],
    samples: transactions.map(({ raw }) => raw),
    take: bytes => {
      transactionSize(bytes, bytes.length >> 1)
      const tx = decodeTransaction(bytes)
      return typeof tx === 'string' ? null : encodeTransaction(tx, tx)
    },
  },
  {
    covers: ['chain/rlp.ts decodeRlp'],
    samples: transactions.map(({ raw }) => (raw[0]! < 0xc0 ? raw.slice(1) : raw)),
    take: bytes => orNull(decodeRlp(bytes, 16), encodeRlp),
  },
  {
    covers: ['chain/compact.ts decodeCompact'],
    samples: [0x1d00ffff, 0x207fffff, 0x1f00ffff, 0x01010000].map(four),
    take: bytes => {
      const bits = new DataView(Uint8Array.of(0, 0, 0, 0, ...bytes).buffer).getUint32(bytes.length)
      const target = decodeCompact(bits)
      return target === null || bytes.length !== 4 ? null : four(encodeCompact(target))
    },
  },
  {
    covers: ['chain/compact-signature.ts decodeSignature'],
    samples: [
      encodeSignature({ r: 1n, s: 2n, yParity: 1 }),
      encodeSignature({ r: 2n ** 250n, s: 2n ** 254n, yParity: 0 }),
    ],
    take: bytes => orNull(decodeSignature(bytes), encodeSignature),
  },
  {
    covers: ['execution/state.ts decodeAccount'],
    samples: [encodeAccount({ nonce: 7n, balance: 2n ** 255n })],
    take: bytes => orNull(decodeAccount(bytes), encodeAccount),
  },
  {
    covers: ['signatures/packed.ts unpackSignature', 'signatures/packed.ts unpackSender'],
    samples: [packed],
    take: bytes => {
      // Its records have one size, which whoever hands memory to a thread keeps to.
      const fitted = new Uint8Array(PACKED_SIGNATURE_BYTES)
      fitted.set(bytes.subarray(0, PACKED_SIGNATURE_BYTES))
      unpackSignature(fitted)
      unpackSender(fitted, 0)
      return 'taken'
    },
  },
  record('readChainedHeader', [chained, first!.chained].map(encodeChainedHeader), readChainedHeader, value =>
    Number.isSafeInteger(value.height) && Number.isSafeInteger(value.scheduleStart)
      ? encodeChainedHeader(value)
      : 'taken',
  ),
  record(
    'readFinal',
    blocks.map(({ id, header }) => encodeFinal({ id, header })),
    readFinal,
    encodeFinal,
  ),
  record('readId', ids.map(encodeId), readId, encodeId),
  record('readFinalHeaderBytes', blocks.map(encodeFinal), readFinalHeaderBytes, () => 'taken'),
  record('readPosition', [encodePosition({ height: 7, index: 3 })], readPosition, value =>
    Number.isSafeInteger(value.height) ? encodePosition(value) : 'taken',
  ),
  record(
    'readCertificatePlace',
    [
      encodeCertificatePlace({ type: 'here', bytes: Uint8Array.of(1, 2, 3) }),
      encodeCertificatePlace({ type: 'above', height: 9 }),
    ],
    readCertificatePlace,
    () => 'taken',
  ),
  record('readSenders', [encodeSenders(addresses), encodeSenders([])], readSenders, encodeSenders),
  {
    covers: ['replica/undo.ts readUndo'],
    samples: [encodeUndo({ changes: before, before })],
    refusals: ['CorruptStore'],
    take: bytes => {
      const before = new Map(readRecord('key', bytes, readUndo).entries())
      return encodeUndo({ changes: before, before })
    },
  },
  record('readHeight', [encodeHeight(12)], readHeight, value =>
    Number.isSafeInteger(value) ? encodeHeight(value) : 'taken',
  ),
  {
    covers: ['replica/records.ts readBlockRecord'],
    samples: blocks.map(({ raw }) => raw),
    refusals: ['CorruptStore'],
    take: bytes => readBlockRecord(blocks[1]!.id, bytes).raw,
  },
  {
    covers: ['replica/record-seal.ts openRecord'],
    samples: [sealRecord('key', Uint8Array.of(1, 2, 3)), sealRecord('key', new Uint8Array())],
    refusals: ['CorruptStore'],
    take: bytes => sealRecord('key', openRecord('key', bytes)),
  },
]
