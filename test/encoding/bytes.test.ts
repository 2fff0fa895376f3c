import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  ByteReader,
  ByteWriter,
  bigintFromBytes,
  bigintFromBytesLe,
  bigintToBytes,
  concatBytes,
  equalBytes,
  fromHex,
  fromReversedHex,
  isHex,
  MalformedBytes,
  readOrNull,
  toHex,
  toReversedHex,
} from '../../src/encoding/bytes.ts'

const bytes = fc.uint8Array({ maxLength: 80 })

const HEX: readonly [text: string, isCanonical: boolean][] = [
  ['0x', true],
  ['0x00ff', true],
  ['0xFF', false],
  ['0xf', false],
  ['ff', false],
  ['', false],
  ['0X00', false],
  ['0x0g', false],
  ['0x00\n', false],
]
for (const [text, isCanonical] of HEX) {
  const says = `${JSON.stringify(text)} is ${isCanonical ? '' : 'not '}canonical hex`
  test(says, () => assert.equal(isHex(text), isCanonical))
}

test('hex and bytes turn into each other', () => {
  fc.assert(
    fc.property(bytes, value => {
      const hex = toHex(value)
      assert.ok(isHex(hex))
      assert.equal(hex, `0x${Buffer.from(value).toString('hex')}`)
      assert.deepEqual(fromHex(hex), value)
      assert.deepEqual(fromHex(`0x${hex.slice(2).toUpperCase()}`), value)
      assert.deepEqual(fromReversedHex(toReversedHex(value)), value)
      assert.equal(toReversedHex(value), toHex(Uint8Array.from(value).reverse()))
    }),
  )
})

test('reversing leaves the bytes given as they were', () => {
  const value = Uint8Array.of(1, 2, 3)
  assert.equal(toReversedHex(value), '0x030201')
  assert.deepEqual(value, Uint8Array.of(1, 2, 3))
})

for (const text of ['', '00', '0x0', '0x0g', 'x00']) {
  test(`${JSON.stringify(text)} is refused as hex`, () => assert.throws(() => fromHex(text)))
}

test('parts are joined in order, and equality is of length and content', () => {
  fc.assert(
    fc.property(fc.array(bytes, { maxLength: 5 }), parts => {
      assert.deepEqual(
        [...concatBytes(...parts)],
        parts.flatMap(part => [...part]),
      )
    }),
  )
  assert.ok(equalBytes(Uint8Array.of(), Uint8Array.of()))
  assert.ok(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2)))
  assert.ok(!equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 3)))
  assert.ok(!equalBytes(Uint8Array.of(1), Uint8Array.of(1, 2)))
  assert.ok(!equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1)))
})

test('integers and bytes turn into each other, in both orders', () => {
  assert.equal(bigintFromBytes(Uint8Array.of()), 0n)
  assert.equal(bigintFromBytesLe(Uint8Array.of()), 0n)
  assert.equal(bigintFromBytes(Uint8Array.of(1, 2)), 0x0102n)
  assert.equal(bigintFromBytesLe(Uint8Array.of(1, 2)), 0x0201n)
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }), value => {
      assert.equal(bigintFromBytes(bigintToBytes(value, 32)), value)
      assert.equal(bigintFromBytesLe(bigintToBytes(value, 32).reverse()), value)
    }),
  )
})

const MISFITS: readonly [value: bigint, size: number][] = [
  [256n, 1],
  [-1n, 1],
  [1n, 0],
  [2n ** 256n, 32],
]
for (const [value, size] of MISFITS) {
  test(`${value} does not fit in ${size} bytes`, () => assert.throws(() => bigintToBytes(value, size)))
}

test('a record reads back as it was written, however long', () => {
  const record = fc.record({
    u8: fc.integer({ min: 0, max: 255 }),
    u32: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    u64: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    u256: fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }),
    bytes: fc.uint8Array({ maxLength: 700 }),
    rest: bytes,
  })
  fc.assert(
    fc.property(record, value => {
      const written = new ByteWriter()
        .u8(value.u8)
        .u32(value.u32)
        .u64(value.u64)
        .u256(value.u256)
        .sizedBytes(value.bytes)
        .bytes(value.rest)
        .finish()
      // Inside a larger buffer, as messages from the network are.
      const reader = new ByteReader(concatBytes(Uint8Array.of(9, 9), written).subarray(2))
      assert.equal(reader.u8(), value.u8)
      assert.equal(reader.u32(), value.u32)
      assert.equal(reader.u64(), value.u64)
      assert.equal(reader.u256(), value.u256)
      assert.deepEqual(reader.sizedBytes(700), value.bytes)
      assert.equal(reader.offset, written.length - value.rest.length)
      assert.deepEqual(reader.rest(), value.rest)
      assert.equal(reader.remaining, 0)
      reader.end()
    }),
  )
})

test('integers are little-endian', () => {
  const written = new ByteWriter().u32(0x01020304).u64(5n).u256(6n).finish()
  assert.equal(toHex(written), `0x04030201${'05'.padEnd(16, '0')}${'06'.padEnd(64, '0')}`)
})

for (const value of [-1n, 2n ** 64n]) {
  test(`${value} is not written as 64 bits`, () => assert.throws(() => new ByteWriter().u64(value)))
}
for (const value of [-1n, 2n ** 256n]) {
  test(`${value} is not written as 256 bits`, () => assert.throws(() => new ByteWriter().u256(value)))
}

test('a number that does not fit in its field is refused, not wrapped', () => {
  const refused = (write: (writer: ByteWriter) => unknown): void =>
    assert.throws(() => write(new ByteWriter()), RangeError)
  for (const value of [-1, 0.5, Number.NaN, 256]) refused(writer => writer.u8(value))
  for (const value of [-1, 0.5, Number.NaN, 2 ** 32]) {
    refused(writer => writer.u32(value))
    refused(writer => writer.compactSize(value))
  }
  for (const value of [-1n, 2n ** 64n]) refused(writer => writer.u64(value))
  for (const value of [-1n, 2n ** 256n]) refused(writer => writer.u256(value))
})

test('what was finished does not change when more is written', () => {
  const writer = new ByteWriter().u8(1)
  const first = writer.finish()
  writer.u8(2)
  assert.deepEqual(first, Uint8Array.of(1))
  assert.deepEqual(writer.finish(), Uint8Array.of(1, 2))
})

// Bitcoin's developer reference, "CompactSize unsigned integers".
const COMPACT_SIZES: readonly [value: number, encoded: string][] = [
  [0, '0x00'],
  [252, '0xfc'],
  [253, '0xfdfd00'],
  [515, '0xfd0302'],
  [65_535, '0xfdffff'],
  [65_536, '0xfe00000100'],
  [4_294_967_295, '0xfeffffffff'],
]
for (const [value, encoded] of COMPACT_SIZES) {
  test(`the CompactSize of ${value} is ${encoded}`, () => {
    assert.equal(toHex(new ByteWriter().compactSize(value).finish()), encoded)
    assert.equal(new ByteReader(fromHex(encoded)).compactSize(2 ** 32), value)
    assert.equal(new ByteReader(fromHex(encoded)).compactSize(value), value)
    if (value > 0)
      assert.throws(() => new ByteReader(fromHex(encoded)).compactSize(value - 1), MalformedBytes)
  })
}
for (const encoded of [
  '0xfd0000',
  '0xfdfc00',
  '0xfe00000000',
  '0xfeffff0000',
  '0xff0000000001000000',
  '0xfd01',
]) {
  test(`${encoded} is no CompactSize: longer than needed, too large or cut off`, () => {
    assert.throws(() => new ByteReader(fromHex(encoded)).compactSize(2 ** 52), MalformedBytes)
  })
}

const READS: readonly [name: string, size: number, read: (reader: ByteReader) => unknown][] = [
  ['u8', 1, reader => reader.u8()],
  ['u32', 4, reader => reader.u32()],
  ['u64', 8, reader => reader.u64()],
  ['u256', 32, reader => reader.u256()],
  ['bytes', 5, reader => reader.bytes(5)],
]
for (const [name, size, read] of READS) {
  test(`${name} takes ${size} bytes and not one less`, () => {
    const reader = new ByteReader(new Uint8Array(size))
    read(reader)
    assert.equal(reader.remaining, 0)
    assert.throws(() => read(new ByteReader(new Uint8Array(size - 1))), MalformedBytes)
  })
}

test('a byte left over is malformed', () => {
  assert.throws(() => new ByteReader(Uint8Array.of(1)).end(), MalformedBytes)
})

test('only malformed bytes become null; a bug stays an error', () => {
  const empty = new ByteReader(new Uint8Array())
  assert.equal(
    readOrNull(() => empty.u8()),
    null,
  )
  assert.equal(
    readOrNull(() => 7),
    7,
  )
  const bug = (): never => {
    throw new TypeError('bug')
  }
  assert.throws(() => readOrNull(bug), TypeError)
})
