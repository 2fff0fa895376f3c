import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { sha256 as reference } from '@noble/hashes/sha2.js'
import fc from 'fast-check'
import { keccak256, sha256, sha256d, sha256Stream } from '../../src/chain/hash.ts'
import { fromHex, toHex } from '../../src/encoding/bytes.ts'

const text = (value: string): Uint8Array => new TextEncoder().encode(value)
const hex = (digits: string): Uint8Array => fromHex(`0x${digits}`)
const MILLION_A = new Uint8Array(1_000_000).fill(0x61)
const BITS_448 = 'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq'
const BITS_896 =
  'abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu'

// NIST: FIPS 180-4's examples, and CAVP's SHA256ShortMsg.rsp (CAVS 11.0), among them the lengths at which the
// padding takes another block.
const SHA256: readonly [what: string, message: Uint8Array, digest: string][] = [
  ['nothing', text(''), 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
  ['abc', text('abc'), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
  ['448 bits', text(BITS_448), '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1'],
  ['896 bits', text(BITS_896), 'cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1'],
  ['a million a', MILLION_A, 'cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0'],
  ['1 byte', hex('d3'), '28969cdfa74a12c82f3bad960b0b000aca2ac329deea5c2328ebc6f2ba9802c1'],
  ['2 bytes', hex('11af'), '5ca7133fa735326081558ac312c620eeca9970d1e70a4b95533d956f072d1f98'],
  ['3 bytes', hex('b4190e'), 'dff2e73091f6c05e528896c4c831b9448653dc2ff043528f6769437bc7b975c2'],
  ['4 bytes', hex('74ba2521'), 'b16aa56be3880d18cd41e68384cf1ec8c17680c45a02b1575dc1518923ae8b0e'],
  ['8 bytes', hex('5738c929c4f4ccb6'), '963bb88f27f512777aab6c8b1a02c70ec0ad651d428f870036e1917120fb48bf'],
  [
    '12 bytes',
    hex('9baf69cba317f422fe26a9a0'),
    'fe56287cd657e4afc50dba7a3a54c2a6324b886becdcd1fae473b769e551a09b',
  ],
  [
    '15 bytes',
    hex('294af4802e5e925eb1c6cc9c724f09'),
    'dcbaf335360de853b9cddfdafb90fa75567d0d3d58af8db9d764113aef570125',
  ],
  [
    '16 bytes',
    hex('0a27847cdc98bd6f62220b046edd762b'),
    '80c25ec1600587e7f28b18b1b18e3cdc89928e39cab3bc25e4d4a4c139bcedc4',
  ],
  [
    '32 bytes',
    hex('09fc1accc230a205e4a208e64a8f204291f581a12756392da4b8c0cf5ef02b95'),
    '4f44c1c7fbebb6f9601829f3897bfd650c56fa07844be76489076356ac1886a4',
  ],
  [
    '33 bytes',
    hex('0546f7b8682b5b95fd32385faf25854cb3f7b40cc8fa229fbd52b16934aab388a7'),
    'b31ad3cd02b10db282b3576c059b746fb24ca6f09fef69402dc90ece7421cbb7',
  ],
  [
    '36 bytes',
    hex('4e3d8ac36d61d9e51480831155b253b37969fe7ef49db3b39926f3a00b69a36774366000'),
    'bf9d5e5b5393053f055b380baed7e792ae85ad37c0ada5fd4519542ccc461cf3',
  ],
  [
    '56 bytes',
    hex(
      '2d52447d1244d2ebc28650e7b05654bad35b3a68eedc7f8515306b496d75f3e73385dd1b002625024b81a02f2fd6dffb6e6d561cb7d0bd7a',
    ),
    'cfb88d6faf2de3a69d36195acec2e255e2af2b7d933997f348e09f6ce5758360',
  ],
  [
    '63 bytes',
    hex(
      'e2f76e97606a872e317439f1a03fcd92e632e5bd4e7cbc4e97f1afc19a16fde92d77cbe546416b51640cddb92af996534dfd81edb17c4424cf1ac4d75aceeb',
    ),
    '18041bd4665083001fba8c5411d2d748e8abbfdcdfd9218cb02b68a78e7d4c23',
  ],
  [
    '64 bytes',
    hex(
      '5a86b737eaea8ee976a0a24da63e7ed7eefad18a101c1211e2b3650c5187c2a8a650547208251f6d4237e661c7bf4c77f335390394c37fa1a9f9be836ac28509',
    ),
    '42e61e174fbb3897d6dd6cef3dd2802fe67b331953b06114a65c772859dfc1aa',
  ],
]
for (const [what, message, digest] of SHA256) {
  test(`the SHA-256 of ${what} is NIST's`, () => assert.equal(toHex(sha256(message)), `0x${digest}`))
}

test('SHA-256, whole or piece by piece, and SHA-256d agree with @noble/hashes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(300), (message, cut) => {
      assert.deepEqual(sha256(message), reference(message))
      assert.deepEqual(sha256d(message), reference(reference(message)))
      const stream = sha256Stream()
      stream.update(message.subarray(0, cut))
      stream.update(message.subarray(cut))
      assert.deepEqual(stream.digest(), reference(message))
    }),
  )
})

test('a hash has memory of its own, which no later hash writes to', () => {
  const first = sha256(text('abc'))
  const copy = Uint8Array.from(first)
  for (let index = 0; index < 1_000; index++) sha256(Uint8Array.of(index & 0xff, index >> 8))
  assert.deepEqual(first, copy)
})

// KeccakKAT-3.zip, ShortMsgKAT_256.txt, and https://www.di-mgt.com.au/sha_testvectors.html for the texts.
const KECCAK256: readonly [what: string, message: Uint8Array, digest: string][] = [
  ['nothing', text(''), 'c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470'],
  ['1 byte', hex('cc'), 'eead6dbfc7340a56caedc044696a168870549a6a7f6f56961e84a54bd9970b8a'],
  ['2 bytes', hex('41fb'), 'a8eaceda4d47b3281a795ad9e1ea2122b407baf9aabcb9e18b5717b7873537d2'],
  ['3 bytes', hex('1f877c'), '627d7bc1491b2ab127282827b8de2d276b13d7d70fb4c5957fdf20655bc7ac30'],
  ['4 bytes', hex('c1ecfdfc'), 'b149e766d7612eaf7d55f74e1a4fdd63709a8115b14f61fcd22aa4abc8b8e122'],
  [
    '32 bytes',
    hex('9f2fcc7c90de090d6b87cd7e9718c1ea6cb21118fc2d5de9f97e5db6ac1e9c10'),
    '24dd2ee02482144f539f810d2caa8a7b75d0fa33657e47932122d273c3f6f6d1',
  ],
  ['abc', text('abc'), '4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45'],
  ['448 bits', text(BITS_448), '45d3b367a6904e6e8d502ee04999a7c27647f91fa845d456525fd352ae3d7371'],
  ['896 bits', text(BITS_896), 'f519747ed599024f3882238e5ab43960132572b7345fbeb9a90769dafd21ad67'],
  ['a million a', MILLION_A, 'fadae6b49f129bbb812be8407b7b2894f34aecf6dbd1f9b0f0c7e9853098fc96'],
]
for (const [what, message, digest] of KECCAK256) {
  test(`the Keccak-256 of ${what} is the Keccak team's`, () =>
    assert.equal(toHex(keccak256(message)), `0x${digest}`))
}

test('Keccak-256 is not the SHA-3 of FIPS 202', () => {
  assert.notEqual(toHex(keccak256(text('abc'))), `0x${createHash('sha3-256').update('abc').digest('hex')}`)
})

test('Keccak-256 agrees with the permutation written down plainly, at every length about a block', () => {
  for (const size of [0, 1, 7, 8, 9, 55, 134, 135, 136, 137, 271, 272, 273]) {
    const message = Uint8Array.from({ length: size }, (_, index) => index * 7 + size)
    assert.equal(toHex(keccak256(message)), toHex(plainKeccak256(message)), `${size} bytes`)
  }
})

const RATE = 136
const LANE = 2n ** 64n - 1n

/** "The Keccak reference", version 3.0, section 1: 24 rounds over 5 × 5 lanes, padding 1 0* 1. */
function plainKeccak256(message: Uint8Array): Uint8Array {
  const padded = new Uint8Array((Math.floor(message.length / RATE) + 1) * RATE)
  padded.set(message)
  padded[message.length]! ^= 0x01
  padded[padded.length - 1]! ^= 0x80
  const view = new DataView(padded.buffer)
  let lanes: bigint[] = Array(25).fill(0n)
  for (let block = 0; block < padded.length; block += RATE) {
    lanes = lanes.map((lane, index) =>
      index < RATE / 8 ? lane ^ view.getBigUint64(block + index * 8, true) : lane,
    )
    lanes = permute(lanes)
  }
  const digest = new DataView(new ArrayBuffer(32))
  for (let index = 0; index < 4; index++) digest.setBigUint64(index * 8, lanes[index]!, true)
  return new Uint8Array(digest.buffer)
}

function permute(input: readonly bigint[]): bigint[] {
  let lanes = [...input]
  const rotate = (lane: bigint, by: number): bigint =>
    ((lane << BigInt(by % 64)) | (lane >> BigInt(64 - (by % 64)))) & LANE
  let register = 1
  for (let round = 0; round < 24; round++) {
    const parity = [0, 1, 2, 3, 4].map(x => [0, 5, 10, 15, 20].reduce((sum, y) => sum ^ lanes[x + y]!, 0n))
    lanes = lanes.map((lane, i) => lane ^ parity[(i + 4) % 5]! ^ rotate(parity[(i + 1) % 5]!, 1))
    const turned = [...lanes]
    for (let step = 0, x = 1, y = 0; step < 24; step++) {
      const [nextX, nextY] = [y, (2 * x + 3 * y) % 5]
      turned[nextX + 5 * nextY] = rotate(lanes[x + 5 * y]!, ((step + 1) * (step + 2)) / 2)
      x = nextX
      y = nextY
    }
    lanes = turned.map((lane, i) => {
      const y = i - (i % 5)
      return lane ^ (~turned[y + ((i + 1) % 5)]! & LANE & turned[y + ((i + 2) % 5)]!)
    })
    for (let power = 0; power < 7; power++) {
      if (register & 1) lanes[0]! ^= 1n << (2n ** BigInt(power) - 1n)
      register = register & 0x80 ? ((register << 1) ^ 0x171) & 0xff : register << 1
    }
  }
  return lanes
}
