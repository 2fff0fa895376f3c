import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeCompact } from '../../src/chain/compact.ts'
import {
  type BlockHeader,
  blockId,
  encodeHeader,
  HEADER_BYTES,
  meetsTarget,
  NO_BLOCK,
  readHeader,
} from '../../src/chain/header.ts'
import { ByteReader, fromHex, type Hex, toHex } from '../../src/encoding/bytes.ts'
import { bitcoinBlocksMissing, readBitcoinBlocks } from './bitcoin-blocks.ts'

// As every Bitcoin node has them. Block 125552 is the example of en.bitcoin.it/wiki/Block_hashing_algorithm; block
// 840000 is a header with version bits, at a target of 76 leading zero bits.
const FAMOUS: readonly [name: string, header: BlockHeader, id: Hex][] = [
  [
    'block 0',
    {
      version: 1,
      previous: NO_BLOCK,
      merkleRoot: '0x4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b',
      time: 1231006505,
      bits: 0x1d00ffff,
      nonce: 2083236893,
    },
    '0x000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f',
  ],
  [
    'block 170',
    {
      version: 1,
      previous: '0x000000002a22cfee1f2c846adbd12b3e183d4f97683f85dad08a79780a84bd55',
      merkleRoot: '0x7dac2c5666815c17a3b36427de37bb9d2e2c5ccec3f8633eb91a4205cb4c10ff',
      time: 1231731025,
      bits: 0x1d00ffff,
      nonce: 1889418792,
    },
    '0x00000000d1145790a8694403d4063f323d499e655c83426834d4ce2f8dd4a2ee',
  ],
  [
    'block 100000',
    {
      version: 1,
      previous: '0x000000000002d01c1fccc21636b607dfd930d31d01c3a62104612a1719011250',
      merkleRoot: '0xf3e94742aca4b5ef85488dc37c06c3282295ffec960994b2c0d5ac2a25a95766',
      time: 1293623863,
      bits: 0x1b04864c,
      nonce: 274148111,
    },
    '0x000000000003ba27aa200b1cecaad478d2b00432346c3f1f3986da1afd33e506',
  ],
  [
    'block 125552',
    {
      version: 1,
      previous: '0x00000000000008a3a41b85b8b29ad444def299fee21793cd8b9e567eab02cd81',
      merkleRoot: '0x2b12fcf1b09288fcaff797d71e950e71ae42b91e8bdb2304758dfcffc2b620e3',
      time: 1305998791,
      bits: 0x1a44b9f2,
      nonce: 2504433986,
    },
    '0x00000000000000001e8d6829a8a21adc5d38d0a473b144b6765798e61f98bd1d',
  ],
  [
    'block 840000',
    {
      version: 710926336,
      previous: '0x0000000000000000000172014ba58d66455762add0512355ad651207918494ab',
      merkleRoot: '0x031b417c3a1828ddf3d6527fc210daafcc9218e81f98257f88d4d43bd7a5894f',
      time: 1713571767,
      bits: 0x17034219,
      nonce: 3932395645,
    },
    '0x0000000000000000000320283a032748cef8227873ff4872689bf23f1cda83a5',
  ],
]
for (const [name, header, id] of FAMOUS) {
  test(`Bitcoin's ${name} has its id and its work`, () => {
    assert.equal(blockId(header), id)
    assert.ok(meetsTarget(id, decodeCompact(header.bits)!))
    assert.deepEqual(readHeader(new ByteReader(encodeHeader(header))), header)
  })
}

test('a header is laid out as its file says', () => {
  const bytes =
    '0100000081cd02ab7e569e8bcd9317e2fe99f2de44d49ab2b8851ba4a308000000000000' +
    'e320b6c2fffc8d750423db8b1eb942ae710e951ed797f7affc8892b0f1fc122b' +
    'c7f5d74df2b9441a42a14695'
  const [, header] = FAMOUS.find(([name]) => name === 'block 125552')!
  assert.equal(toHex(encodeHeader(header)), `0x${bytes}`)
})

test('the first 255 Bitcoin headers after genesis are linked, with the work that they claim', {
  skip: bitcoinBlocksMissing,
}, () => {
  const blocks = readBitcoinBlocks()
  assert.equal(blocks.length, 255)
  let previous = FAMOUS[0]![2]
  for (const { header } of blocks) {
    assert.equal(header.previous, previous)
    assert.equal(header.bits, 0x1d00ffff)
    previous = blockId(header)
    assert.ok(meetsTarget(previous, decodeCompact(header.bits)!))
    assert.deepEqual(readHeader(new ByteReader(encodeHeader(header))), header)
  }
  assert.equal(blockId(blocks[169]!.header), FAMOUS[1]![2])
})

const anyHeaderBytes = fc.uint8Array({ minLength: HEADER_BYTES, maxLength: HEADER_BYTES })

test('every 80 bytes are one header, and each of their bits is in its id', () => {
  fc.assert(
    fc.property(anyHeaderBytes, fc.nat(HEADER_BYTES - 1), fc.nat(7), (bytes, index, bit) => {
      const header = readHeader(new ByteReader(bytes))
      assert.deepEqual(encodeHeader(header), bytes)
      const changed = Uint8Array.from(bytes)
      changed[index]! ^= 1 << bit
      assert.notEqual(blockId(readHeader(new ByteReader(changed))), blockId(header))
    }),
  )
})

test('an id meets a target that is equal to it, and none below', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 1n, max: 2n ** 256n - 1n }), number => {
      const id: Hex = `0x${number.toString(16).padStart(64, '0')}`
      assert.ok(meetsTarget(id, number))
      assert.ok(!meetsTarget(id, number - 1n))
    }),
  )
})

test('the id is the reverse of the hash, so that work shows in front', () => {
  assert.equal(
    fromHex(FAMOUS[4]![2]).findIndex(byte => byte !== 0),
    9,
  )
})
