import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as zlib from 'node:zlib'
import fc from 'fast-check'
import { crc32, openRecord, sealRecord } from '../../src/replica/record-seal.ts'
import { CorruptStore } from '../../src/replica/records.ts'

const KEY = 'finality/vote/view'
const RECORD = Uint8Array.from({ length: 40 }, (_, index) => index * 7)
const damaged = new CorruptStore(`record ${KEY} is damaged`)

test('CRC-32 is that of the catalogue and of zlib, whole and in parts', () => {
  assert.equal(crc32(new TextEncoder().encode('123456789')), 0xcbf43926)
  const property = fc.property(fc.uint8Array(), fc.uint8Array(), (first, second) => {
    assert.equal(crc32(first), zlib.crc32(first))
    assert.equal(crc32(second, crc32(first)), crc32(Uint8Array.of(...first, ...second)))
    assert.equal(crc32(second, crc32(first)), zlib.crc32(second, zlib.crc32(first)))
  })
  fc.assert(property)
})

test('a record comes back as it was sealed, whichever code computed the checksum', () => {
  const property = fc.property(fc.string(), fc.uint8Array(), (key, record) => {
    const sealed = sealRecord(key, record)
    assert.deepEqual(openRecord(key, sealed), record)
    assert.deepEqual(sealRecord(key, record, zlib.crc32), sealed)
    assert.deepEqual(openRecord(key, sealed, zlib.crc32), record)
  })
  fc.assert(property)
})

test('a seal opens wherever in memory it stands', () => {
  const sealed = sealRecord(KEY, RECORD)
  assert.deepEqual(openRecord(KEY, Uint8Array.of(1, ...sealed, 2).subarray(1, -1)), RECORD)
})

test('any bit that flipped, in record or seal, is seen, and told by the key', () => {
  const sealed = sealRecord(KEY, RECORD)
  for (let bit = 0; bit < sealed.length * 8; bit++) {
    const flipped = sealed.slice()
    flipped[bit >> 3]! ^= 1 << (bit & 7)
    assert.throws(() => openRecord(KEY, flipped), damaged)
  }
})

test('a record that is cut, too long or empty is seen', () => {
  const sealed = sealRecord(KEY, RECORD)
  for (let size = 0; size < sealed.length; size++)
    assert.throws(() => openRecord(KEY, sealed.slice(0, size)), damaged)
  assert.throws(() => openRecord(KEY, Uint8Array.of(...sealed, 0)), damaged)
  assert.deepEqual(openRecord(KEY, sealRecord(KEY, new Uint8Array())), new Uint8Array())
})

test('a sector of zeros is no record', () => {
  for (let size = 0; size < 64; size++) assert.throws(() => openRecord(KEY, new Uint8Array(size)), damaged)
})

test('the record of another key is seen', () => {
  const keys = ['a', 'b', 'final/000000000000001', 'final/000000000000002', 'final/000000000000010']
  for (const key of keys)
    for (const other of keys.filter(name => name !== key))
      assert.throws(
        () => openRecord(other, sealRecord(key, RECORD)),
        new CorruptStore(`record ${other} is damaged`),
      )
})
