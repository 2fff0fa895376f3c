// Block headers: Bitcoin's 80 bytes, so that any Bitcoin miner can mine this chain.
//
//   version 4 | previous 32 | merkle root 32 | time 4 | bits 4 | nonce 4       (integers little-endian)
//
// The id is the SHA-256d of these bytes. As a key and before people it is written in Bitcoin's reversed order.

import {
  ByteReader,
  ByteWriter,
  bigintFromBytesLe,
  fromReversedHex,
  type Hex,
  toReversedHex,
} from '../encoding/bytes.ts'
import { sha256d } from './hash.ts'

/** A block's id: the SHA-256d of its header, reversed, so that its work shows as zeros in front. */
export type BlockId = Hex

/** Bytes in a header. */
export const HEADER_BYTES = 80

/** The id that the genesis block names as its parent. */
export const NO_BLOCK: BlockId = `0x${'00'.repeat(32)}`

/** The fields of a header. The version is free for miners to use (BIP 320) and has no meaning here. */
export interface BlockHeader {
  readonly version: number
  readonly previous: BlockId
  readonly merkleRoot: Hex
  /** Seconds since 1970. */
  readonly time: number
  /** The target in compact form. */
  readonly bits: number
  readonly nonce: number
}

/** The 80 bytes of a header. */
export function encodeHeader(header: BlockHeader): Uint8Array {
  return new ByteWriter()
    .u32(header.version)
    .bytes(fromReversedHex(header.previous))
    .bytes(fromReversedHex(header.merkleRoot))
    .u32(header.time)
    .u32(header.bits)
    .u32(header.nonce)
    .finish()
}

/** The header in the next 80 bytes; every 80 bytes are one. */
export function readHeader(reader: ByteReader): BlockHeader {
  return {
    version: reader.u32(),
    previous: toReversedHex(reader.bytes(32)),
    merkleRoot: toReversedHex(reader.bytes(32)),
    time: reader.u32(),
    bits: reader.u32(),
    nonce: reader.u32(),
  }
}

/** The header in these bytes, or null unless there are 80 of them. */
export function decodeHeader(bytes: Uint8Array): BlockHeader | null {
  return bytes.length === HEADER_BYTES ? readHeader(new ByteReader(bytes)) : null
}

/** The id of a header. */
export function blockId(header: BlockHeader): BlockId {
  return toReversedHex(sha256d(encodeHeader(header)))
}

/** Whether an id, read as the little-endian number that Bitcoin takes it for, meets a target. */
export function meetsTarget(id: BlockId, target: bigint): boolean {
  return bigintFromBytesLe(fromReversedHex(id)) <= target
}
