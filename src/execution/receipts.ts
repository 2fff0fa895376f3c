// Receipts: the outcome of each transaction of a block, and the root that the block commits to.
//
// The root is the Merkle tree of RFC 6962, section 2.1: leaves and nodes are hashed with different first bytes
// and an odd node is promoted, so that no two lists share a root.

import { sha256 } from '../chain/hash.ts'
import { ByteWriter, concatBytes, type Hex, toHex } from '../encoding/bytes.ts'

/** The outcome of one transaction. A transfer that could fail is not put in a block, so every status is success. */
export interface Receipt {
  readonly gasUsed: bigint
  /** Gas of the block up to and including this transaction. */
  readonly cumulativeGasUsed: bigint
  /** Wei per gas that was paid, base fee included. */
  readonly effectiveGasPrice: bigint
}

const STATUS_SUCCESS = 1

/** The root over the receipts of a block, in order. */
export function receiptsRoot(receipts: readonly Receipt[]): Hex {
  return toHex(listRoot(receipts.map(encodeReceipt)))
}

function encodeReceipt(receipt: Receipt): Uint8Array {
  return new ByteWriter()
    .u8(STATUS_SUCCESS)
    .u64(receipt.cumulativeGasUsed)
    .u256(receipt.effectiveGasPrice)
    .finish()
}

function listRoot(entries: readonly Uint8Array[]): Uint8Array {
  if (entries.length === 0) return sha256(new Uint8Array())
  if (entries.length === 1) return sha256(concatBytes(Uint8Array.of(0), entries[0]!))
  // The largest power of two below the length goes left.
  let half = 1
  while (half * 2 < entries.length) half *= 2
  return sha256(
    concatBytes(Uint8Array.of(1), listRoot(entries.slice(0, half)), listRoot(entries.slice(half))),
  )
}
