// The two hash functions of the chain: SHA-256 (FIPS 180-4) for blocks and state, Keccak-256 (the padding
// of the original submission, not of FIPS 202) for what Ethereum defines: transactions and addresses.
//
// SHA-256 is OpenSSL's, through Node: on inputs of a header's size it takes half the time of JavaScript, on a block a
// tenth. Keccak-256, which OpenSSL lacks in this form, is @noble/hashes; its SHA-256 is the reference in tests.

import { createHash, hash } from 'node:crypto'
import { keccak_256 } from '@noble/hashes/sha3.js'

/** SHA-256: 32 bytes. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return plain(hash('sha256', bytes, 'buffer'))
}

/** Bitcoin's SHA-256d, SHA-256 of SHA-256: 32 bytes. */
export function sha256d(bytes: Uint8Array): Uint8Array {
  return plain(hash('sha256', hash('sha256', bytes, 'buffer'), 'buffer'))
}

/** Ethereum's Keccak-256: 32 bytes. */
export function keccak256(bytes: Uint8Array): Uint8Array {
  return keccak_256(bytes)
}

/** SHA-256 of bytes that come in pieces. */
export interface HashStream {
  update(bytes: Uint8Array): unknown
  /** 32 bytes; may be asked for once. */
  digest(): Uint8Array
}

/** A new SHA-256 that is fed piece by piece. */
export function sha256Stream(): HashStream {
  const stream = createHash('sha256')
  return { update: bytes => stream.update(bytes), digest: () => plain(stream.digest()) }
}

/** The same memory as a Uint8Array: a Buffer is one, but its `slice` shares memory and it is not equal to one in tests. */
function plain({ buffer, byteOffset, length }: Buffer<ArrayBuffer>): Uint8Array {
  return new Uint8Array(buffer, byteOffset, length)
}
