// The coinbase record: leaf 0 of a block's Merkle tree, and so under its work. It holds what Bitcoin's header has no room for.
//
//   tag 8 | chain id 8 | height 8 | beneficiary 20 | state root 32 | receipts root 32 | gas used 8
//   | gas limit 8 | base fee 32 | transaction count 4 | extra nonce 1 + 8..100     (integers little-endian)
//
// It is longer than 64 bytes, so that it can never be taken for an inner node of the tree (CVE-2017-12842), and
// its tag keeps it from being taken for a transaction. The height makes every record, and so every id, unique
// (BIP 30, BIP 34).

import { type ByteReader, ByteWriter, fromHex, type Hex, MalformedBytes, toHex } from '../encoding/bytes.ts'
import { type Address, addressBytes } from './address.ts'

/** What a block claims besides its header. */
export interface CoinbaseRecord {
  readonly chainId: bigint
  readonly height: number
  /** The account that gets the reward and the tips. */
  readonly beneficiary: Address
  readonly stateRoot: Hex
  readonly receiptsRoot: Hex
  readonly gasUsed: bigint
  readonly gasLimit: bigint
  /** Wei per gas that is burned. */
  readonly baseFee: bigint
  readonly transactionCount: number
  /** 8 to 100 bytes that are the miner's to choose. */
  readonly extraNonce: Uint8Array
}

/** Bytes that an extra nonce has at least and at most. */
export const EXTRA_NONCE_BYTES = { min: 8, max: 100 } as const

/** Bytes of the longest coinbase record: the extra nonce and what stands before it. */
export const COINBASE_BYTES_MAX = 161 + EXTRA_NONCE_BYTES.max

const TAG = new TextEncoder().encode('quorate1')
const HEIGHT_MAX = 2n ** 48n

/** The bytes of a coinbase record. */
export function encodeCoinbase(record: CoinbaseRecord): Uint8Array {
  return new ByteWriter()
    .bytes(TAG)
    .u64(record.chainId)
    .u64(BigInt(record.height))
    .bytes(addressBytes(record.beneficiary))
    .bytes(fromHex(record.stateRoot))
    .bytes(fromHex(record.receiptsRoot))
    .u64(record.gasUsed)
    .u64(record.gasLimit)
    .u256(record.baseFee)
    .u32(record.transactionCount)
    .u8(record.extraNonce.length)
    .bytes(record.extraNonce)
    .finish()
}

/** The coinbase record that comes next; throws `MalformedBytes` when none does. */
export function readCoinbase(reader: ByteReader): CoinbaseRecord {
  if (toHex(reader.bytes(TAG.length)) !== toHex(TAG)) throw new MalformedBytes('not a coinbase record')
  const chainId = reader.u64()
  const height = reader.u64()
  if (height > HEIGHT_MAX) throw new MalformedBytes('height out of bounds')
  return {
    chainId,
    height: Number(height),
    beneficiary: toHex(reader.bytes(20)),
    stateRoot: toHex(reader.bytes(32)),
    receiptsRoot: toHex(reader.bytes(32)),
    gasUsed: reader.u64(),
    gasLimit: reader.u64(),
    baseFee: reader.u256(),
    transactionCount: reader.u32(),
    extraNonce: readExtraNonce(reader),
  }
}

function readExtraNonce(reader: ByteReader): Uint8Array {
  const size = reader.u8()
  if (size < EXTRA_NONCE_BYTES.min || size > EXTRA_NONCE_BYTES.max)
    throw new MalformedBytes('extra nonce out of bounds')
  return reader.bytes(size)
}
