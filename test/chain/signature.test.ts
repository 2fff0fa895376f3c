import assert from 'node:assert/strict'
import { createECDH, createPublicKey, verify } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { sha256 } from '../../src/chain/hash.ts'
import {
  addressOfSecretKey,
  isSecretKey,
  recoverAddress,
  recoverSender,
  signDigest,
} from '../../src/chain/signature.ts'
import { SECP256K1_N, signingHash } from '../../src/chain/transaction.ts'
import { bigintToBytes, concatBytes, fromHex, toHex } from '../../src/encoding/bytes.ts'
import { exampleFields, exampleTransaction } from './examples.ts'

const text = (value: string): Uint8Array => new TextEncoder().encode(value)
const key = (number: bigint): Uint8Array => bigintToBytes(number, 32)
const KEY = fromHex(`0x${'46'.repeat(32)}`)
const DIGEST = sha256(text('quorate'))

const ADDRESSES: readonly [says: string, secretKey: Uint8Array, address: string][] = [
  ['1', key(1n), '0x7e5f4552091a69125d5dfcb7b8c2659029395bdf'],
  ["EIP-155's example", KEY, '0x9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f'],
  [
    'the first of the development mnemonic',
    fromHex('0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80'),
    '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266',
  ],
]
for (const [says, secretKey, address] of ADDRESSES) {
  test(`the key that is ${says} has its known address`, () =>
    assert.equal(addressOfSecretKey(secretKey), address))
}

test('only a digest of 32 bytes is signed', () => {
  for (const size of [0, 31, 33, 64])
    assert.throws(() => signDigest(new Uint8Array(size), KEY), /^RangeError: a digest has 32 bytes, got/)
})

// RFC 6979 over secp256k1 with SHA-256: the vectors that Haskoin, Trezor and python-ecdsa share.
const DETERMINISTIC: readonly [secretKey: bigint, message: string, r: bigint, s: bigint][] = [
  [
    1n,
    'Satoshi Nakamoto',
    0x934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d8n,
    0x2442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5n,
  ],
  [
    1n,
    'All those moments will be lost in time, like tears in rain. Time to die...',
    0x8600dbd41e348fe5c9465ab92d23e3db8b98b873beecd930736488696438cb6bn,
    0x547fe64427496db33bf66019dacbf0039c04199abb0122918601db38a72cfc21n,
  ],
  [
    SECP256K1_N - 1n,
    'Satoshi Nakamoto',
    0xfd567d121db66e382991534ada77a6bd3106f0a1098c231e47993447cd6af2d0n,
    0x6b39cd0eb1bc8603e159ef5c20a5c8ad685a45b06ce9bebed3f153d10d93bed5n,
  ],
  [
    0xf8b8af8ce3c7cca5e300d33939540c10d45ce001b8f252bfbc57ba0342904181n,
    'Alan Turing',
    0x7063ae83e7f62bbb171798131b4a0564b956930092b33b07b395615d9ec7e15cn,
    0x58dfcc1e00a35e1572f366ffe34ba0fc47db1e7189759b9fb233c5b05ab388ean,
  ],
]
for (const [secretKey, message, r, s] of DETERMINISTIC) {
  test(`key ${secretKey % 1000n} signs ${JSON.stringify(message.slice(0, 16))} as RFC 6979 says`, () => {
    const signature = signDigest(sha256(text(message)), key(secretKey))
    assert.deepEqual([signature.r, signature.s], [r, s])
  })
}

test("EIP-155's signing hash gets EIP-155's signature", () => {
  const hash = fromHex('0xdaf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53')
  assert.deepEqual(signDigest(hash, KEY), {
    yParity: 0,
    r: 18515461264373351373200002665853028612451056578545711640558177340181847433846n,
    s: 46948507304638947509940763649030358759909902576025900602547168820602576006531n,
  })
})

/** Verified by OpenSSL. */
function isValidForOpenssl(message: Uint8Array, secretKey: Uint8Array, r: bigint, s: bigint): boolean {
  const pair = createECDH('secp256k1')
  pair.setPrivateKey(secretKey)
  const point = pair.getPublicKey()
  const [x, y] = [point.subarray(1, 33).toString('base64url'), point.subarray(33).toString('base64url')]
  const publicKey = createPublicKey({ key: { kty: 'EC', crv: 'secp256k1', x, y }, format: 'jwk' })
  const signature = concatBytes(bigintToBytes(r, 32), bigintToBytes(s, 32))
  return verify('sha256', message, { key: publicKey, dsaEncoding: 'ieee-p1363' }, signature)
}

const someKey = fc.bigInt({ min: 1n, max: SECP256K1_N - 1n }).map(key)

test('what is signed is valid to OpenSSL, has a low s, and shows its signer', () => {
  fc.assert(
    fc.property(someKey, fc.uint8Array({ maxLength: 40 }), (secretKey, message) => {
      const digest = sha256(message)
      const signature = signDigest(digest, secretKey)
      assert.ok(isValidForOpenssl(message, secretKey, signature.r, signature.s))
      assert.ok(signature.s > 0n && signature.s <= SECP256K1_N / 2n)
      const address = addressOfSecretKey(secretKey)
      assert.equal(recoverAddress(digest, signature), address)
      const otherParity = signature.yParity === 0 ? 1 : 0
      assert.notEqual(recoverAddress(digest, { ...signature, yParity: otherParity }), address)
      assert.notEqual(recoverAddress(sha256(digest), signature), address)
    }),
    { numRuns: 15 },
  )
})

const NOBODYS: readonly [says: string, r: bigint, s: bigint][] = [
  ['r is 0', 0n, 1n],
  ['s is 0', 1n, 0n],
  ['r is the order', SECP256K1_N, 1n],
  ['s is the order', 1n, SECP256K1_N],
  ['r does not fit in 32 bytes', 2n ** 256n, 1n],
  ['s does not fit in 32 bytes', 1n, 2n ** 256n],
  ['r is negative', -1n, 1n],
  ['r is no x coordinate of the curve', 5n, 1n],
  ['r is the order less 1, no x coordinate either', SECP256K1_N - 1n, 1n],
]
for (const [says, r, s] of NOBODYS) {
  test(`there is no signer, and nothing is thrown, when ${says}`, () => {
    for (const yParity of [0, 1] as const) assert.equal(recoverAddress(DIGEST, { yParity, r, s }), null)
  })
}

const GENERATOR_X = 0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798n

test('there is no signer when the key recovered would be the point at infinity', () => {
  // Q = (s R - z G) / r vanishes for R = G and s = z; G has an even y.
  const z = BigInt(toHex(DIGEST)) % SECP256K1_N
  assert.equal(recoverAddress(DIGEST, { yParity: 0, r: GENERATOR_X, s: z }), null)
})

test('the sender of a transaction is the signer of its signing hash', () => {
  for (const type of ['legacy', 'eip1559'] as const) {
    const fields = exampleFields({ type })
    const tx = exampleTransaction({ type }, signDigest(signingHash(fields), KEY))
    assert.equal(recoverSender(tx), addressOfSecretKey(KEY))
  }
})

test('a secret key is 32 bytes from 1 to n - 1', () => {
  for (const number of [1n, 2n, SECP256K1_N - 1n]) assert.ok(isSecretKey(key(number)))
  for (const number of [0n, SECP256K1_N, SECP256K1_N + 1n, 2n ** 256n - 1n])
    assert.ok(!isSecretKey(key(number)))
  for (const size of [0, 31, 33]) assert.ok(!isSecretKey(new Uint8Array(size).fill(1)))
})

test('no address is given for what is no secret key', () => {
  for (const number of [0n, SECP256K1_N]) assert.throws(() => addressOfSecretKey(key(number)))
})
