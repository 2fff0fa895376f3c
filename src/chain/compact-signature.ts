// A signature as 65 bytes, the form in which validators' votes carry it:
//
//   r 32 | s 32 | parity of y 1       (big-endian, as SEC 1 and Ethereum write numbers)
//
// There is exactly one form of each signature: with s also n − s would do, so s is at most n / 2 (EIP-2).

import { bigintFromBytes, bigintToBytes, concatBytes } from '../encoding/bytes.ts'
import { SECP256K1_N, type Signature } from './transaction.ts'

/** Bytes in a signature. */
const SIGNATURE_BYTES = 65

/** The 65 bytes of a signature. Throws when r or s has more than 256 bits. */
export function encodeSignature({ r, s, yParity }: Signature): Uint8Array {
  return concatBytes(bigintToBytes(r, 32), bigintToBytes(s, 32), Uint8Array.of(yParity))
}

/** The signature in 65 bytes, or null when these are none: of another length, out of range, or with a high s. */
export function decodeSignature(bytes: Uint8Array): Signature | null {
  const yParity = bytes[SIGNATURE_BYTES - 1]
  if (bytes.length !== SIGNATURE_BYTES || (yParity !== 0 && yParity !== 1)) return null
  const r = bigintFromBytes(bytes.subarray(0, 32))
  const s = bigintFromBytes(bytes.subarray(32, 64))
  const isInRange = r > 0n && r < SECP256K1_N && s > 0n && s <= SECP256K1_N / 2n
  return isInRange ? { r, s, yParity } : null
}
