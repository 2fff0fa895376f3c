// The form in which signatures go to a thread and senders come back: records of one size in one buffer, so
// that a batch is one transfer of memory instead of a thousand copied objects.
//
// A packed signature is digest (32 bytes), r (32), s (32), all big-endian as the libraries take them, and the
// parity of y (1). A packed sender is 1 and the address (20), or 21 zeros when there is none.

import { ADDRESS_BYTES, type Address, addressBytes } from '../chain/address.ts'
import { type Signature, signingHash, type Transaction } from '../chain/transaction.ts'
import { bigintFromBytes, toHex } from '../encoding/bytes.ts'

/** Bytes in the digest that is signed. */
export const DIGEST_BYTES = 32
/** Bytes in a packed signature. */
export const PACKED_SIGNATURE_BYTES = DIGEST_BYTES + 32 + 32 + 1
/** Bytes in a packed sender. */
export const PACKED_SENDER_BYTES = 1 + ADDRESS_BYTES

/**
 * Writes a signature over a 32-byte digest at `offset`: 97 bytes. Numbers that don't fit are written as
 * zero, which like them is a signature of no key. Throws a RangeError when the digest has another length.
 */
export function packSignature(
  into: Uint8Array,
  offset: number,
  digest: Uint8Array,
  { r, s, yParity }: Signature,
): void {
  if (digest.length !== DIGEST_BYTES) throw new RangeError(`a digest has 32 bytes, not ${digest.length}`)
  const view = new DataView(into.buffer, into.byteOffset + offset, PACKED_SIGNATURE_BYTES)
  into.set(digest, offset)
  writeU256(view, 32, r)
  writeU256(view, 64, s)
  view.setUint8(96, yParity)
}

/** The digest (32 bytes) and the signature in 97 packed bytes. */
export function unpackSignature(packed: Uint8Array): { digest: Uint8Array; signature: Signature } {
  const r = bigintFromBytes(packed.subarray(32, 64))
  const s = bigintFromBytes(packed.subarray(64, 96))
  const yParity = packed[96] as Signature['yParity']
  return { digest: packed.subarray(0, DIGEST_BYTES), signature: { r, s, yParity } }
}

/** The signatures of these transactions, 97 bytes each, in their order. */
export function packTransactions(transactions: readonly Transaction[]): Uint8Array<ArrayBuffer> {
  const packed = new Uint8Array(transactions.length * PACKED_SIGNATURE_BYTES)
  transactions.forEach((tx, index) => {
    packSignature(packed, index * PACKED_SIGNATURE_BYTES, signingHash(tx), tx)
  })
  return packed
}

/** Writes the sender at `index` into memory that is zero: 21 bytes. */
export function packSender(into: Uint8Array, index: number, sender: Address | null): void {
  if (sender === null) return
  into[index * PACKED_SENDER_BYTES] = 1
  into.set(addressBytes(sender), index * PACKED_SENDER_BYTES + 1)
}

/** The sender at `index` of packed senders. */
export function unpackSender(senders: Uint8Array, index: number): Address | null {
  const start = index * PACKED_SENDER_BYTES
  return senders[start] === 1 ? toHex(senders.subarray(start + 1, start + PACKED_SENDER_BYTES)) : null
}

function writeU256(view: DataView, offset: number, value: bigint): void {
  const fitting = value >= 0n && value >> 256n === 0n ? value : 0n
  // setBigUint64 keeps the lowest 64 bits. Ten times as fast as by way of hex digits.
  view.setBigUint64(offset, fitting >> 192n)
  view.setBigUint64(offset + 8, fitting >> 128n)
  view.setBigUint64(offset + 16, fitting >> 64n)
  view.setBigUint64(offset + 24, fitting)
}
