/**
 * Real Bitcoin headers, as `getblockheader <id> false` prints them. Sources: blocks 0 and 1 are in every node; block
 * 125552 is the worked example of https://en.bitcoin.it/wiki/Block_hashing_algorithm.
 */
import { createHash } from 'node:crypto'

export const REAL_HEADERS = [
  {
    name: 'block 0',
    hex:
      '0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e' +
      '67768f617fc81bc3888a51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c',
    id: '000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f',
    target: 0xffffn << 208n,
    nonce: 2083236893,
  },
  {
    name: 'block 1',
    hex:
      '010000006fe28c0ab6f1b372c1a6a246ae63f74f931e8365e15a089c68d6190000000000982051fd1e4ba744bbbe680e' +
      '1fee14677ba1a3c3540bf7b1cdb606e857233e0e61bc6649ffff001d01e36299',
    id: '00000000839a8e6886ab5951d76f411475428afc90947ee320161bbf18eb6048',
    target: 0xffffn << 208n,
    nonce: 2573394689,
  },
  {
    name: 'block 125552',
    hex:
      '0100000081cd02ab7e569e8bcd9317e2fe99f2de44d49ab2b8851ba4a308000000000000e320b6c2fffc8d750423db8b' +
      '1eb942ae710e951ed797f7affc8892b0f1fc122bc7f5d74df2b9441a42a14695',
    id: '00000000000000001e8d6829a8a21adc5d38d0a473b144b6765798e61f98bd1d',
    target: 0x44b9f2n << 184n,
    nonce: 2504433986,
  },
] as const

/** Block 0 of Bitcoin. */
export const GENESIS = { ...REAL_HEADERS[0], header: Buffer.from(REAL_HEADERS[0].hex, 'hex') }

/** SHA-256d of the header with this nonce, as the little-endian number it is, by OpenSSL. */
export function workOf(header: Uint8Array, nonce: number): bigint {
  const bytes = Buffer.from(header)
  bytes.writeUInt32LE(nonce, 76)
  const sha256 = (data: Uint8Array) => createHash('sha256').update(data).digest()
  return BigInt(`0x${sha256(sha256(bytes)).reverse().toString('hex')}`)
}
