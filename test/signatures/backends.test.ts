import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { decodeSignature, encodeSignature } from '../../src/chain/compact-signature.ts'
import { addressOfSecretKey, recoverAddress, signDigest } from '../../src/chain/signature.ts'
import { SECP256K1_N as N, type Signature } from '../../src/chain/transaction.ts'
import { bigintFromBytes, bigintToBytes, fromHex } from '../../src/encoding/bytes.ts'
import type { RecoveryBackend } from '../../src/signatures/backend.ts'
import { chooseBackend, loadBackend } from '../../src/signatures/choose-backend.ts'
import { PACKED_SIGNATURE_BYTES, packSignature, unpackSignature } from '../../src/signatures/packed.ts'
import { signerRecovery } from '../../src/signatures/signer-recovery.ts'
import { secretKeyOf } from './transactions.ts'

/** The prime of the field (SEC 2, section 2.4.1). */
const P = 2n ** 256n - 2n ** 32n - 977n
const G_X = 0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798n
const U256_MAX = 2n ** 256n - 1n
const EDGE_KEYS = [1n, 2n, N / 2n, N - 1n].map(value => bigintToBytes(value, 32))
const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 })

const native = await loadBackend('native')
const wasm = await loadBackend('wasm')
const noble = await loadBackend('noble')

for (const [name, backend] of Object.entries({ native, wasm, noble })) {
  const isThere = backend !== null
  describe(`the back end ${name}`, { skip: isThere ? false : 'no build for this platform' }, () => {
    if (isThere) itGivesTheVerdictOfTheReference(backend)
    if (isThere) itSignsAsTheReferenceDoes(backend)
  })
}

function itGivesTheVerdictOfTheReference(backend: RecoveryBackend): void {
  const agree = (digest: Uint8Array, signature: Signature): void => {
    const expected = recoverAddress(digest, signature)
    const shown = `${signature.r} ${signature.s} ${signature.yParity}`
    assert.equal(backend.recover(digest, signature), expected, shown)
    const packed = new Uint8Array(PACKED_SIGNATURE_BYTES + 9).fill(0xff)
    packSignature(packed, 4, digest, signature)
    assert.equal(backend.recoverPacked(packed.subarray(4, 4 + PACKED_SIGNATURE_BYTES)), expected, shown)
  }

  test('recovers the sender of the example of EIP-155', () => {
    const digest = fromHex('0xdaf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53')
    const r = 0x28ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276n
    const s = 0x67cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83n
    const sender = backend.recover(digest, { r, s, yParity: 0 })
    assert.equal(sender, '0x9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f')
  })

  test('recovers the signer', () => {
    for (let number = 0; number < 20; number++) {
      const [digest, key] = [secretKeyOf(1000 + number), secretKeyOf(number)]
      assert.equal(backend.recover(digest, signDigest(digest, key)), addressOfSecretKey(key))
    }
  })

  test('agrees with the reference about signatures, also with a bit flipped, a high s or the other parity', () => {
    const tampering = fc.option(fc.record({ field: fc.constantFrom('digest', 'r', 's'), bit: fc.nat(255) }))
    const cases = fc.record({
      key: fc.nat(99),
      digest: bytes32,
      tampering,
      twin: fc.boolean(),
      flip: fc.boolean(),
    })
    const property = fc.property(cases, ({ key, digest, tampering, twin, flip }) => {
      let { yParity, r, s } = signDigest(digest, secretKeyOf(key))
      if (twin) s = N - s
      if (flip) yParity = yParity === 0 ? 1 : 0
      const mask = tampering === null ? 0n : 1n << BigInt(tampering.bit)
      const isDigest = tampering?.field === 'digest'
      const signed = isDigest ? bigintToBytes(bigintFromBytes(digest) ^ mask, 32) : digest
      if (tampering?.field === 'r') r ^= mask
      if (tampering?.field === 's') s ^= mask
      agree(signed, { yParity, r, s })
    })
    fc.assert(property, { seed: 1, numRuns: 100 })
  })

  test('agrees with the reference about numbers that are no signature', () => {
    const number = fc.oneof(
      fc.bigInt(0n, U256_MAX),
      fc.bigInt(0n, P - N),
      near(0n),
      near(N),
      near(P),
      near(2n ** 256n),
    )
    const cases = fc.record({ digest: bytes32, r: number, s: number, yParity: fc.constantFrom(0, 1) })
    const property = fc.property(cases, ({ digest, ...signature }) => agree(digest, signature))
    fc.assert(property, { seed: 2, numRuns: 100 })
  })

  test('agrees with the reference at every edge of r and s', () => {
    const digest = secretKeyOf(7)
    const edges = [
      -1n,
      0n,
      1n,
      5n,
      P - N - 1n,
      P - N,
      P - N + 1n,
      N / 2n,
      N / 2n + 1n,
      N - 1n,
      N,
      N + 1n,
      G_X,
    ]
    const numbers = [...edges, P - 1n, P, P + 1n, U256_MAX, U256_MAX + 1n, U256_MAX + 2n]
    for (const r of numbers)
      for (const s of [-1n, 0n, 1n, N / 2n, N - 1n, N, U256_MAX, U256_MAX + 1n])
        for (const yParity of [0, 1] as const) agree(digest, { r, s, yParity })
  })

  test('takes r for the x of R where r + n would be an x as well', () => {
    // Below p - n an r stands for two x. Parities of 2 and 3 would mean r + n; no transaction can carry them.
    const digest = secretKeyOf(8)
    let signers = 0
    for (let r = 1n; r < 12n; r++) {
      const verdicts = [0, 1, 2, 3, 4, 255].map(yParity => {
        const signature = { r, s: 3n, yParity: yParity as 0 | 1 }
        agree(digest, signature)
        return backend.recover(digest, signature)
      })
      const [even, odd, evenAbove, , ...beyond] = verdicts
      assert.deepEqual(beyond, [null, null])
      if (even !== null) assert.notEqual(even, odd)
      if (even !== null && evenAbove !== null) assert.notEqual(even, evenAbove)
      signers += verdicts.filter(sender => sender !== null).length
    }
    assert.ok(signers > 8)
  })

  test('finds no signer where the public key would be the point at infinity', () => {
    // R = G and s = h make Q = (sR - hG) / r = 0; with -G for R the key is a point.
    for (const digest of [
      secretKeyOf(9),
      bigintToBytes(1n, 32),
      bigintToBytes(N - 1n, 32),
      bigintToBytes(N + 5n, 32),
    ]) {
      const s = bigintFromBytes(digest) % N
      assert.equal(backend.recover(digest, { r: G_X, s, yParity: 0 }), null)
      assert.notEqual(backend.recover(digest, { r: G_X, s, yParity: 1 }), null)
      agree(digest, { r: G_X, s, yParity: 0 })
      agree(digest, { r: G_X, s, yParity: 1 })
    }
  })

  test('takes digests modulo n', () => {
    for (const digest of [0n, 1n, N - 1n, N, N + 1n, P, U256_MAX]) {
      agree(bigintToBytes(digest, 32), { r: G_X, s: 17n, yParity: 1 })
    }
    const five = backend.recover(bigintToBytes(5n, 32), { r: G_X, s: 17n, yParity: 1 })
    assert.equal(backend.recover(bigintToBytes(N + 5n, 32), { r: G_X, s: 17n, yParity: 1 }), five)
  })

  test('keeps nothing of one call in the next', () => {
    const [first, second] = [secretKeyOf(10), secretKeyOf(11)]
    const signature = signDigest(first, secretKeyOf(1))
    const sender = backend.recover(first, signature)
    backend.recover(second, signDigest(second, secretKeyOf(2)))
    assert.equal(backend.recover(first, { ...signature, s: 0n }), null)
    assert.equal(backend.recover(first, signature), sender)
  })
}

function itSignsAsTheReferenceDoes(backend: RecoveryBackend): void {
  test('signs with the very bytes of the reference', () => {
    const cases = fc.record({ digest: bytes32, key: fc.nat(99) })
    const property = fc.property(cases, ({ digest, key }) => {
      const signature = backend.sign(digest, secretKeyOf(key))
      assert.equal(signature.length, 65)
      assert.deepEqual(signature, encodeSignature(signDigest(digest, secretKeyOf(key))))
      assert.deepEqual(decodeSignature(signature), signDigest(digest, secretKeyOf(key)))
    })
    fc.assert(property, { seed: 4, numRuns: 100 })
  })

  test('signs digests and with keys at the edges as the reference does', () => {
    for (const digest of [0n, 1n, N - 1n].map(value => bigintToBytes(value, 32)))
      for (const key of EDGE_KEYS)
        assert.deepEqual(backend.sign(digest, key), encodeSignature(signDigest(digest, key)))
  })

  test('signs digests of n and above soundly, though not always with the bytes of the reference', () => {
    // RFC 6979 takes the digest modulo n for the nonce, libsecp256k1 as it is: one digest in 2^128.
    for (const digest of [N, N + 1n, U256_MAX].map(value => bigintToBytes(value, 32)))
      for (const key of EDGE_KEYS) {
        const signature = decodeSignature(backend.sign(digest, key))
        assert.equal(signature && recoverAddress(digest, signature), addressOfSecretKey(key))
      }
  })

  test('leaves the digest and the key as they were', () => {
    const [digest, key] = [secretKeyOf(20), secretKeyOf(21)]
    backend.sign(digest, key)
    assert.deepEqual([digest, key], [secretKeyOf(20), secretKeyOf(21)])
  })

  test('signs with nothing that is no secret key', () => {
    for (const key of [0n, N, N + 1n, U256_MAX])
      assert.throws(() => backend.sign(secretKeyOf(0), bigintToBytes(key, 32)), `${key}`)
    for (const size of [0, 31, 33])
      assert.throws(() => backend.sign(secretKeyOf(0), new Uint8Array(size).fill(1)))
  })

  test('gives the signer of 65 bytes, and null when they are malformed', () => {
    const [digest, key] = [secretKeyOf(30), secretKeyOf(31)]
    const signerOf = signerRecovery(backend)
    const signature = backend.sign(digest, key)
    assert.equal(signerOf(digest, signature), addressOfSecretKey(key))
    const { r, s, yParity } = signDigest(digest, key)
    const twin = encodeSignature({ r, s: N - s, yParity: yParity === 0 ? 1 : 0 })
    const parity2 = encodeSignature({ r: 1n, s: 3n, yParity: 2 as 0 })
    for (const malformed of [
      twin,
      parity2,
      signature.subarray(1),
      Uint8Array.of(...signature, 0),
      new Uint8Array(),
    ])
      assert.equal(signerOf(digest, malformed), null)
  })

  test('agrees with the reference about 65 bytes that are no signature', () => {
    const property = fc.property(bytes32, fc.uint8Array({ minLength: 64, maxLength: 64 }), (digest, rs) => {
      for (const parity of [0, 1, 2]) {
        const bytes = Uint8Array.of(...rs, parity)
        const signature = decodeSignature(bytes)
        const expected = signature === null ? null : recoverAddress(digest, signature)
        assert.equal(signerRecovery(backend)(digest, bytes), expected)
      }
    })
    fc.assert(property, { seed: 5, numRuns: 60 })
  })
}

test('a digest of another length than 32 bytes is a mistake, not a verdict', () => {
  for (const backend of [native, wasm]) {
    const recover = () => backend?.recover(new Uint8Array(31), { r: 1n, s: 1n, yParity: 0 })
    const sign = () => backend?.sign(new Uint8Array(31), secretKeyOf(0))
    if (backend !== null) assert.throws(recover, RangeError)
    if (backend !== null) assert.throws(sign, RangeError)
  }
})

test('a packed signature says what was packed', () => {
  const number = fc.oneof(fc.bigInt(0n, U256_MAX), near(0n), fc.constant(U256_MAX))
  const cases = fc.record({ digest: bytes32, r: number, s: number, yParity: fc.constantFrom(0, 1) })
  const property = fc.property(cases, ({ digest, ...signature }) => {
    const packed = new Uint8Array(PACKED_SIGNATURE_BYTES)
    packSignature(packed, 0, digest, signature)
    const [r, s] = [signature.r < 0n ? 0n : signature.r, signature.s < 0n ? 0n : signature.s]
    assert.deepEqual(unpackSignature(packed), { digest, signature: { ...signature, r, s } })
  })
  fc.assert(property, { seed: 3, numRuns: 200 })
})

test('the fastest back end of the machine is chosen', async () => {
  assert.equal((await chooseBackend()).name, native === null ? 'wasm' : 'native')
})

test('without a native build WebAssembly is chosen, never elliptic', () => {
  // node-gyp-build looks for builds in this folder instead of the package's.
  const env = { ...process.env, SECP256K1_PREBUILD: import.meta.dirname, PREBUILDS_ONLY: '1' }
  const url = new URL('../../src/signatures/choose-backend.ts', import.meta.url).href
  const code = `const { chooseBackend, loadBackend } = await import('${url}')
    console.log((await chooseBackend()).name, await loadBackend('native'))`
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
    env,
    encoding: 'utf8',
  })
  assert.equal(stdout, 'wasm null\n')
})

function near(value: bigint): fc.Arbitrary<bigint> {
  return fc.bigInt(value - 3n, value + 3n)
}
