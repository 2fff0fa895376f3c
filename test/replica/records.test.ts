import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { ByteReader } from '../../src/encoding/bytes.ts'
import {
  CorruptStore,
  encodeCertificatePlace,
  encodeChainedHeader,
  encodeFinal,
  encodeHeight,
  encodeId,
  encodePosition,
  KEYS,
  readBlockRecord,
  readCertificatePlace,
  readChainedHeader,
  readFinal,
  readHeight,
  readId,
  readPosition,
  readRecord,
} from '../../src/replica/records.ts'
import { ChainBuilder, tipOf } from './small-chain.ts'

const builder = new ChainBuilder()
const tip = tipOf(builder.extend(builder.root, 13))

const RECORDS: readonly {
  readonly name: string
  readonly bytes: Uint8Array
  readonly value: unknown
  readonly read: (reader: ByteReader) => unknown
  /** Whether any flipped bit is seen, or only a wrong length. */
  readonly isChecked: boolean
}[] = [
  { name: 'an id', bytes: encodeId(tip.chained.id), value: tip.chained.id, read: readId, isChecked: false },
  {
    name: 'a header with its place',
    bytes: encodeChainedHeader(tip.chained),
    value: tip.chained,
    read: readChainedHeader,
    isChecked: false,
  },
  {
    name: 'the first header with its place',
    bytes: encodeChainedHeader(builder.root.chained),
    value: builder.root.chained,
    read: readChainedHeader,
    isChecked: false,
  },
  {
    name: 'a final header',
    bytes: encodeFinal(tip.chained),
    value: { id: tip.chained.id, header: tip.chained.header },
    read: readFinal,
    isChecked: true,
  },
  {
    name: 'the position of a transaction',
    bytes: encodePosition({ height: 2 ** 40, index: 2 ** 32 - 1 }),
    value: { height: 2 ** 40, index: 2 ** 32 - 1 },
    read: readPosition,
    isChecked: false,
  },
  {
    name: 'the height of a certificate above',
    bytes: encodeCertificatePlace({ type: 'above', height: 2 ** 40 }),
    value: { type: 'above', height: 2 ** 40 },
    read: readCertificatePlace,
    isChecked: false,
  },
  {
    name: 'a height',
    bytes: encodeHeight(2 ** 48),
    value: 2 ** 48,
    read: readHeight,
    isChecked: false,
  },
]

for (const { name, bytes, value, read, isChecked } of RECORDS) {
  test(`${name} is read as it was written`, () => assert.deepEqual(readRecord('key', bytes, read), value))

  test(`${name} that is missing, cut or too long is called by its key`, () => {
    assert.throws(() => readRecord('some/key', null, read), new CorruptStore('record some/key is missing'))
    const damaged = new CorruptStore('record some/key is damaged')
    for (let size = 0; size < bytes.length; size++)
      assert.throws(() => readRecord('some/key', bytes.slice(0, size), read), damaged)
    assert.throws(() => readRecord('some/key', Uint8Array.of(...bytes, 0), read), damaged)
  })

  if (isChecked) {
    test(`${name} with any bit flipped is seen to be damaged`, () => {
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        const flipped = bytes.slice()
        flipped[bit >> 3]! ^= 1 << (bit & 7)
        assert.throws(() => readRecord('key', flipped, read), CorruptStore)
      }
    })
  }
}

test('a schedule that began before 1970 is kept', () => {
  const chained = { ...tip.chained, scheduleStart: -7 }
  assert.deepEqual(readRecord('key', encodeChainedHeader(chained), readChainedHeader), chained)
})

test('a block record must hold the very block of its key', () => {
  const { id } = tip.chained
  const { raw } = tip.block
  assert.deepEqual(readBlockRecord(id, raw), tip.block)
  assert.throws(() => readBlockRecord(id, null), new CorruptStore(`record block/${id} is missing`))
  const damaged = new CorruptStore(`record block/${id} is damaged`)
  assert.throws(() => readBlockRecord(id, builder.root.block.raw), damaged)
  for (let index = 0; index < raw.length; index++) {
    const flipped = raw.slice()
    flipped[index]! ^= 1
    assert.throws(() => readBlockRecord(id, flipped), damaged)
  }
})

test('a certificate that is here is kept whole, whatever its bytes are', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), bytes => {
      const place = { type: 'here' as const, bytes }
      assert.deepEqual(readRecord('key', encodeCertificatePlace(place), readCertificatePlace), place)
    }),
  )
})

test('keys sort as their numbers do', () => {
  fc.assert(
    fc.property(fc.nat(2 ** 48), fc.nat(2 ** 48), (a, b) => {
      assert.equal(KEYS.final(a) < KEYS.final(b), a < b)
      assert.equal(KEYS.openBlock(a) < KEYS.openBlock(b), a < b)
      assert.equal(KEYS.certificate(a) < KEYS.certificate(b), a < b)
      assert.equal(KEYS.decision(a) < KEYS.decision(b), a < b)
    }),
  )
})
