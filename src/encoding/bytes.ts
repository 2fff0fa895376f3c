// Bytes and their hexadecimal form.
//
// Inside the program an id, a hash or an address that serves as a key is a lower-case hex string with
// 0x before it; everything that is hashed or sent is a Uint8Array. Our own binary records are
// little-endian, as Bitcoin's are; only what Ethereum defines (RLP, signatures) is big-endian.

import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'

/** Bytes as text: 0x and an even number of lower-case hex digits. */
export type Hex = `0x${string}`

const HEX_PATTERN = /^0x(?:[0-9a-f]{2})*$/

/** Whether a string is bytes in our canonical form: 0x, lower case, an even number of digits. */
export function isHex(text: string): text is Hex {
  return HEX_PATTERN.test(text)
}

/** Bytes to lower-case hex with 0x before it. */
export function toHex(bytes: Uint8Array): Hex {
  return `0x${bytesToHex(bytes)}`
}

/** Hex with 0x before it, of either case, to bytes. Throws on anything else. */
export function fromHex(hex: string): Uint8Array {
  if (!hex.startsWith('0x'))
    throw new Error(`hex must start with 0x, got ${JSON.stringify(hex.slice(0, 20))}`)
  return hexToBytes(hex.slice(2))
}

/** Bytes to hex in the opposite order: the way Bitcoin shows a hash, so that work is seen as zeros in front. */
export function toReversedHex(bytes: Uint8Array): Hex {
  return toHex(bytes.toReversed())
}

/** The bytes whose `toReversedHex` is the given text. */
export function fromReversedHex(hex: Hex): Uint8Array {
  return fromHex(hex).reverse()
}

/** All the parts, one after the other. */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  let size = 0
  for (const part of parts) size += part.length
  const whole = new Uint8Array(size)
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
  }
  return whole
}

/** Whether two byte strings are the same. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index])
}

/** A big-endian unsigned integer of any length; no bytes are zero. */
export function bigintFromBytes(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt(`0x${bytesToHex(bytes)}`)
}

/** A little-endian unsigned integer of any length; no bytes are zero. */
export function bigintFromBytesLe(bytes: Uint8Array): bigint {
  return bigintFromBytes(bytes.toReversed())
}

/** A non-negative integer as `size` big-endian bytes. Throws a RangeError when it does not fit. */
export function bigintToBytes(value: bigint, size: number): Uint8Array {
  const digits = value.toString(16)
  if (value < 0n || digits.length > size * 2) throw new RangeError(`${value} does not fit in ${size} bytes`)
  return hexToBytes(digits.padStart(size * 2, '0'))
}

/** Writes a record field by field, little-endian, into memory that grows as needed. */
export class ByteWriter {
  #bytes = new Uint8Array(256)
  #view = new DataView(this.#bytes.buffer)
  #size = 0

  /** One byte. Throws a RangeError, as every other field does, for a number that does not fit. */
  u8(value: number): this {
    if ((value & 0xff) !== value) throw new RangeError(`${value} does not fit in 8 bits`)
    this.#grow(1)
    this.#view.setUint8(this.#size, value)
    this.#size += 1
    return this
  }

  /** Four bytes. */
  u32(value: number): this {
    if (value >>> 0 !== value) throw new RangeError(`${value} does not fit in 32 bits`)
    this.#grow(4)
    this.#view.setUint32(this.#size, value, true)
    this.#size += 4
    return this
  }

  /** Eight bytes. */
  u64(value: bigint): this {
    assertFits(value, 64n)
    this.#grow(8)
    this.#view.setBigUint64(this.#size, value, true)
    this.#size += 8
    return this
  }

  /** Thirty-two bytes. */
  u256(value: bigint): this {
    return this.bytes(bigintToBytes(value, 32).reverse())
  }

  /** Bitcoin's CompactSize: 1, 3 or 5 bytes for a number below 2^32, always the shortest form. */
  compactSize(value: number): this {
    if (value < 0xfd) return this.u8(value)
    if (value <= 0xffff)
      return this.u8(0xfd)
        .u8(value & 0xff)
        .u8(value >>> 8)
    return this.u8(0xfe).u32(value)
  }

  /** The bytes as they are. */
  bytes(value: Uint8Array): this {
    this.#grow(value.length)
    this.#bytes.set(value, this.#size)
    this.#size += value.length
    return this
  }

  /** The bytes with their CompactSize length before them. */
  sizedBytes(value: Uint8Array): this {
    return this.compactSize(value.length).bytes(value)
  }

  /** All that was written, in memory of its own. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#size)
  }

  #grow(more: number): void {
    if (this.#size + more <= this.#bytes.length) return
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#size + more))
    larger.set(this.#bytes.subarray(0, this.#size))
    this.#bytes = larger
    this.#view = new DataView(larger.buffer)
  }
}

/** Thrown by a `ByteReader` when the bytes are not the record that was expected. */
export class MalformedBytes extends Error {
  override name = 'MalformedBytes'
}

/** Reads what a `ByteWriter` wrote. Every read past the end or out of bounds throws `MalformedBytes`. */
export class ByteReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #offset = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get offset(): number {
    return this.#offset
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1))
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true)
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#take(8), true)
  }

  u256(): bigint {
    return bigintFromBytesLe(this.bytes(32))
  }

  /** A CompactSize in its shortest form and not above `max`. */
  compactSize(max: number): number {
    const first = this.u8()
    const value =
      first < 0xfd
        ? first
        : first === 0xfd
          ? this.u8() | (this.u8() << 8)
          : first === 0xfe
            ? this.u32()
            : null
    const least = first < 0xfd ? 0 : first === 0xfd ? 0xfd : 0x10000
    if (value === null || value < least || value > max) throw new MalformedBytes('count out of bounds')
    return value
  }

  /** The next `size` bytes, as a view on the input. */
  bytes(size: number): Uint8Array {
    const start = this.#take(size)
    return this.#bytes.subarray(start, start + size)
  }

  /** Bytes with their length before them, at most `max` of them. */
  sizedBytes(max: number): Uint8Array {
    return this.bytes(this.compactSize(max))
  }

  /** All that is left. */
  rest(): Uint8Array {
    return this.bytes(this.remaining)
  }

  /** Throws unless everything was read. */
  end(): void {
    if (this.remaining !== 0) throw new MalformedBytes(`${this.remaining} bytes too many`)
  }

  #take(size: number): number {
    if (size > this.remaining) throw new MalformedBytes('unexpected end')
    const start = this.#offset
    this.#offset += size
    return start
  }
}

/** The result of `read`, or null when the bytes turn out to be malformed. */
export function readOrNull<T>(read: () => T): T | null {
  try {
    return read()
  } catch (error) {
    if (error instanceof MalformedBytes) return null
    throw error
  }
}

function assertFits(value: bigint, bits: bigint): void {
  if (value < 0n || value >> bits !== 0n) throw new RangeError(`${value} does not fit in ${bits} bits`)
}
