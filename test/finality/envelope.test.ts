import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { helloDigest } from '../../src/finality/envelope.ts'
import { message } from '../consensus/pbft/arbitraries.ts'
import { decodeEnvelope, type Envelope, encodeEnvelope } from './pbft-envelope.ts'
import { idOf } from './test-validators.ts'

const clockMs = fc.nat().map(value => value * 1_000)
const hello: Envelope = {
  clockMs: 1_800_000_000_123,
  content: { type: 'hello', member: 99, signature: new Uint8Array(65).fill(7) },
}

test('any message with any clock is read as it was written', () => {
  fc.assert(
    fc.property(clockMs, message, (clockMs, message) => {
      const envelope: Envelope = { clockMs, content: { type: 'protocol', message } }
      assert.deepEqual(decodeEnvelope(encodeEnvelope(envelope)), envelope)
    }),
  )
})

test('a hello is read as it was written, and refused when cut anywhere or followed by a byte', () => {
  const bytes = encodeEnvelope(hello)
  assert.deepEqual(decodeEnvelope(bytes), hello)
  for (let size = 0; size < bytes.length; size++) assert.equal(decodeEnvelope(bytes.slice(0, size)), null)
  assert.equal(decodeEnvelope(Uint8Array.of(...bytes, 0)), null)
})

test('random bytes are no envelope, and never throw', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 3 }), fc.uint8Array({ maxLength: 300 }), (kind, rest) => {
      const bytes = Uint8Array.of(kind, ...rest)
      const envelope = decodeEnvelope(bytes)
      if (envelope !== null) assert.deepEqual(encodeEnvelope(envelope), bytes)
    }),
    { numRuns: 3_000 },
  )
})

test('a clock beyond 2^48 is refused: it would not be exact', () => {
  const bytes = encodeEnvelope({ ...hello, clockMs: 2 ** 48 })
  assert.notEqual(decodeEnvelope(bytes), null)
  assert.equal(decodeEnvelope(encodeEnvelope({ ...hello, clockMs: 2 ** 48 + 1 })), null)
})

test('a hello signs the network, the validators and the peer', () => {
  const domain = { chainId: 1n, genesisId: idOf('a'), validatorSetId: idOf('set') }
  const digests = [
    helloDigest(domain, 'peer'),
    helloDigest(domain, 'peel'),
    helloDigest({ ...domain, chainId: 2n }, 'peer'),
    helloDigest({ ...domain, genesisId: idOf('b') }, 'peer'),
    helloDigest({ ...domain, validatorSetId: idOf('other') }, 'peer'),
  ]
  assert.equal(new Set(digests.map(String)).size, digests.length)
})
