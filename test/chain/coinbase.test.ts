import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type CoinbaseRecord,
  EXTRA_NONCE_BYTES,
  encodeCoinbase,
  readCoinbase,
} from '../../src/chain/coinbase.ts'
import { ByteReader, concatBytes, MalformedBytes, toHex } from '../../src/encoding/bytes.ts'

const RECORD: CoinbaseRecord = {
  chainId: 0x0102n,
  height: 0x0304,
  beneficiary: `0x${'11'.repeat(20)}`,
  stateRoot: `0x${'22'.repeat(32)}`,
  receiptsRoot: `0x${'33'.repeat(32)}`,
  gasUsed: 0x0506n,
  gasLimit: 0x0708n,
  baseFee: 0x090an,
  transactionCount: 0x0b0c,
  extraNonce: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8),
}

const read = (bytes: Uint8Array): CoinbaseRecord => readCoinbase(new ByteReader(bytes))
const isMalformed = (bytes: Uint8Array): void => assert.throws(() => read(bytes), MalformedBytes)

test('a record is laid out as its file says', () => {
  const layout = [
    '71756f7261746531', // quorate1
    '0201000000000000',
    '0403000000000000',
    '11'.repeat(20),
    '22'.repeat(32),
    '33'.repeat(32),
    '0605000000000000',
    '0807000000000000',
    `0a09${'00'.repeat(30)}`,
    '0c0b0000',
    '08',
    '0102030405060708',
  ]
  assert.equal(toHex(encodeCoinbase(RECORD)), `0x${layout.join('')}`)
})

const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
const hexOf = (size: number) => fc.uint8Array({ minLength: size, maxLength: size }).map(toHex)
const someRecord: fc.Arbitrary<CoinbaseRecord> = fc.record(
  {
    chainId: u64,
    height: fc.integer({ min: 0, max: 2 ** 48 }),
    beneficiary: hexOf(20),
    stateRoot: hexOf(32),
    receiptsRoot: hexOf(32),
    gasUsed: u64,
    gasLimit: u64,
    baseFee: fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }),
    transactionCount: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    extraNonce: fc.uint8Array({ minLength: EXTRA_NONCE_BYTES.min, maxLength: EXTRA_NONCE_BYTES.max }),
  },
  { noNullPrototype: true },
)

test('every record reads back, and only from the bytes that it was written as', () => {
  fc.assert(
    fc.property(someRecord, record => {
      const bytes = encodeCoinbase(record)
      const reader = new ByteReader(concatBytes(bytes, Uint8Array.of(0xff)))
      assert.deepEqual(readCoinbase(reader), record)
      assert.equal(reader.remaining, 1)
      assert.deepEqual(encodeCoinbase(read(bytes)), bytes)
    }),
  )
})

test('no record is as short as two hashes, so none can be taken for an inner node of the tree', () => {
  assert.ok(encodeCoinbase({ ...RECORD, extraNonce: new Uint8Array(EXTRA_NONCE_BYTES.min) }).length > 64)
  for (let size = 0; size < EXTRA_NONCE_BYTES.min; size++) {
    isMalformed(encodeCoinbase({ ...RECORD, extraNonce: new Uint8Array(size) }))
  }
})

test('an extra nonce has 8 to 100 bytes', () => {
  for (const size of [8, 100]) {
    const extraNonce = new Uint8Array(size).fill(7)
    assert.deepEqual(read(encodeCoinbase({ ...RECORD, extraNonce })).extraNonce, extraNonce)
  }
  for (const size of [7, 101, 255]) {
    isMalformed(encodeCoinbase({ ...RECORD, extraNonce: new Uint8Array(size) }))
  }
})

test('heights go to 2^48, where doubles are still exact', () => {
  assert.equal(read(encodeCoinbase({ ...RECORD, height: 2 ** 48 })).height, 2 ** 48)
  isMalformed(encodeCoinbase({ ...RECORD, height: 2 ** 48 + 1 }))
  isMalformed(encodeCoinbase({ ...RECORD, height: 2 ** 52 }))
})

test('a record that is cut off anywhere is malformed', () => {
  const bytes = encodeCoinbase(RECORD)
  for (let size = 0; size < bytes.length; size++) isMalformed(bytes.subarray(0, size))
})

test('a record with any other tag is malformed', () => {
  for (let index = 0; index < 8; index++) {
    const bytes = encodeCoinbase(RECORD)
    bytes[index]! ^= 1
    isMalformed(bytes)
  }
})

test('two heights never share a record (BIP 30, BIP 34)', () => {
  assert.notDeepEqual(encodeCoinbase(RECORD), encodeCoinbase({ ...RECORD, height: RECORD.height + 1 }))
})
