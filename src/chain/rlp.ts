// RLP, Ethereum's encoding of nested byte strings (Yellow Paper, appendix B).
//
// The decoder is strict: one value has one encoding, so anything but the shortest form, and any byte left
// over, is refused. That is what makes a transaction's hash unique (no malleability by re-encoding).

import { bigintFromBytes, bigintToBytes, concatBytes } from '../encoding/bytes.ts'

/** A byte string, or a list of items. */
export type RlpItem = Uint8Array | readonly RlpItem[]

const STRING = 0x80
const LIST = 0xc0
const SHORT_MAX = 55

/** The canonical encoding of an item. */
export function encodeRlp(item: RlpItem): Uint8Array {
  if (item instanceof Uint8Array) {
    if (item.length === 1 && item[0]! < STRING) return item
    return concatBytes(encodeLength(STRING, item.length), item)
  }
  const payload = concatBytes(...item.map(encodeRlp))
  return concatBytes(encodeLength(LIST, payload.length), payload)
}

/** An unsigned integer as RLP wants it: big-endian without leading zeros, zero being no bytes at all. */
export function rlpInteger(value: bigint): Uint8Array {
  const digits = value.toString(16)
  return value === 0n ? new Uint8Array() : bigintToBytes(value, Math.ceil(digits.length / 2))
}

/**
 * The item that the bytes encode, all of them, or null when they are not canonical RLP.
 * Lists nested deeper than `depthMax` are refused: the input comes from strangers.
 */
export function decodeRlp(bytes: Uint8Array, depthMax: number): RlpItem | null {
  const decoded = decodeItem(bytes, 0, bytes.length, depthMax)
  return decoded !== null && decoded.end === bytes.length ? decoded.item : null
}

/** How many bytes the item that starts at `start` takes by its own header, or null when no header fits there. */
export function rlpItemSize(bytes: Uint8Array, start: number): number | null {
  const header = decodeHeader(bytes, start, bytes.length)
  return header === null ? null : header.payloadEnd - start
}

interface Header {
  readonly kind: 'string' | 'list'
  readonly payloadStart: number
  readonly payloadEnd: number
}

function decodeItem(
  bytes: Uint8Array,
  start: number,
  limit: number,
  depthLeft: number,
): { item: RlpItem; end: number } | null {
  const header = decodeHeader(bytes, start, limit)
  if (header === null) return null
  const { kind, payloadStart, payloadEnd } = header
  if (kind === 'string') return { item: bytes.subarray(payloadStart, payloadEnd), end: payloadEnd }
  if (depthLeft === 0) return null
  const items: RlpItem[] = []
  for (let offset = payloadStart; offset < payloadEnd; ) {
    const inner = decodeItem(bytes, offset, payloadEnd, depthLeft - 1)
    if (inner === null) return null
    items.push(inner.item)
    offset = inner.end
  }
  return { item: items, end: payloadEnd }
}

function decodeHeader(bytes: Uint8Array, start: number, limit: number): Header | null {
  if (start >= limit) return null
  const first = bytes[start]!
  if (first < STRING) return { kind: 'string', payloadStart: start, payloadEnd: start + 1 }
  const kind = first < LIST ? 'string' : 'list'
  const short = first - (kind === 'string' ? STRING : LIST)
  const payloadStart = start + 1 + Math.max(0, short - SHORT_MAX)
  if (payloadStart > limit) return null
  const size = short <= SHORT_MAX ? short : decodeLongLength(bytes.subarray(start + 1, payloadStart))
  if (size === null || size > limit - payloadStart) return null
  // One byte below 0x80 stands for itself and may not be wrapped.
  if (kind === 'string' && size === 1 && bytes[payloadStart]! < STRING) return null
  return { kind, payloadStart, payloadEnd: payloadStart + size }
}

function decodeLongLength(bytes: Uint8Array): number | null {
  if (bytes[0] === 0 || bytes.length > 6) return null
  const size = Number(bigintFromBytes(bytes))
  return size > SHORT_MAX ? size : null
}

function encodeLength(offset: number, size: number): Uint8Array {
  if (size <= SHORT_MAX) return Uint8Array.of(offset + size)
  const length = rlpInteger(BigInt(size))
  return concatBytes(Uint8Array.of(offset + SHORT_MAX + length.length), length)
}
