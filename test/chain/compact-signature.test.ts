import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeSignature, encodeSignature } from '../../src/chain/compact-signature.ts'
import { SECP256K1_N as N, type Signature } from '../../src/chain/transaction.ts'

const good: Signature = { r: 0x0102n, s: 0x0304n, yParity: 1 }

test('the bytes are r, s and the parity, big-endian', () => {
  const bytes = encodeSignature(good)
  assert.equal(Buffer.from(bytes).toString('hex'), `${'00'.repeat(30)}0102${'00'.repeat(30)}030401`)
})

test('a signature reads as it was written', () => {
  const signature = fc.record(
    { r: fc.bigInt(1n, N - 1n), s: fc.bigInt(1n, N / 2n), yParity: fc.constantFrom(0 as const, 1 as const) },
    { noNullPrototype: true },
  )
  fc.assert(
    fc.property(signature, any => {
      assert.deepEqual(decodeSignature(encodeSignature(any)), any)
    }),
    { seed: 1 },
  )
})

const EDGES: readonly [says: string, signature: Signature, isOne: boolean][] = [
  ['the least r and s', { ...good, r: 1n, s: 1n }, true],
  ['the greatest r and s', { ...good, r: N - 1n, s: N / 2n }, true],
  ['r of 0', { ...good, r: 0n }, false],
  ['s of 0', { ...good, s: 0n }, false],
  ['r of n', { ...good, r: N }, false],
  ['the least high s', { ...good, s: N / 2n + 1n }, false],
  ['s of n', { ...good, s: N }, false],
  ['parity 2', { ...good, yParity: 2 as 0 }, false],
  ['parity 27', { ...good, yParity: 27 as 0 }, false],
]
for (const [says, signature, isOne] of EDGES) {
  test(`${says} ${isOne ? 'is' : 'is not'} part of a signature`, () => {
    assert.deepEqual(decodeSignature(encodeSignature(signature)), isOne ? signature : null)
  })
}

test('64 or 66 bytes are no signature', () => {
  const bytes = encodeSignature(good)
  assert.equal(decodeSignature(bytes.subarray(0, 64)), null)
  assert.equal(decodeSignature(Uint8Array.of(...bytes, 0)), null)
  assert.equal(decodeSignature(Uint8Array.of(...bytes.subarray(1), 0, 0)), null)
})
