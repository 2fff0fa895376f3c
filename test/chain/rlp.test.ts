import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeRlp, encodeRlp, type RlpItem, rlpInteger, rlpItemSize } from '../../src/chain/rlp.ts'
import { bigintFromBytes, concatBytes, fromHex, toHex } from '../../src/encoding/bytes.ts'

/** As rlptest.json writes an item: a text stands for its characters, a number for its integer. */
type Written = string | bigint | Uint8Array | readonly Written[]

function itemOf(written: Written): RlpItem {
  if (typeof written === 'bigint') return rlpInteger(written)
  if (typeof written === 'string') return new TextEncoder().encode(written)
  return written instanceof Uint8Array ? written : written.map(itemOf)
}

const LOREM =
  'Lorem ipsum dolor sit amet, consectetur adipiscing elit. Curabitur mauris magna, suscipit sed vehicula non, iaculis faucibus tortor. Proin suscipit ultricies malesuada. Duis tortor elit, dictum quis tristique eu, ultrices at risus. Morbi a est imperdiet mi ullamcorper aliquet suscipit nec lorem. Aenean quis leo mollis, vulputate elit varius, consequat enim. Nulla ultrices turpis justo, et posuere urna consectetur nec. Proin non convallis metus. Donec tempor ipsum in mauris congue sollicitudin. Vestibulum ante ipsum primis in faucibus orci luctus et ultrices posuere cubilia Curae; Suspendisse convallis sem vel massa faucibus, eget lacinia lacus tempor. Nulla quis ultricies purus. Proin auctor rhoncus nibh condimentum mollis. Aliquam consequat enim at metus luctus, a eleifend purus egestas. Curabitur at nibh metus. Nam bibendum, neque at auctor tristique, lorem libero aliquet arcu, non interdum tellus lectus sit amet eros. Cras rhoncus, metus ac ornare cursus, dolor justo ultrices metus, at ullamcorper volutpat'
const ASDF: Written = ['asdf', 'qwer', 'zxcv']
const ASDF_HEX = 'cf84617364668471776572847a786376'
// https://github.com/ethereum/tests, RLPTests/rlptest.json.
const VALID: readonly [name: string, written: Written, encoded: string][] = [
  ['emptystring', '', '80'],
  ['bytestring00', '\u0000', '00'],
  ['bytestring01', '\u0001', '01'],
  ['bytestring7F', '\u007f', '7f'],
  ['shortstring', 'dog', '83646f67'],
  [
    'shortstring2',
    'Lorem ipsum dolor sit amet, consectetur adipisicing eli',
    'b74c6f72656d20697073756d20646f6c6f722073697420616d65742c20636f6e7365637465747572206164697069736963696e6720656c69',
  ],
  [
    'longstring',
    'Lorem ipsum dolor sit amet, consectetur adipisicing elit',
    'b8384c6f72656d20697073756d20646f6c6f722073697420616d65742c20636f6e7365637465747572206164697069736963696e6720656c6974',
  ],
  ['longstring2', LOREM, `b90400${Buffer.from(LOREM).toString('hex')}`],
  ['zero', 0n, '80'],
  ['smallint', 1n, '01'],
  ['smallint2', 16n, '10'],
  ['smallint3', 79n, '4f'],
  ['smallint4', 127n, '7f'],
  ['mediumint1', 128n, '8180'],
  ['mediumint2', 1000n, '8203e8'],
  ['mediumint3', 100000n, '830186a0'],
  ['mediumint4', 83729609699884896815286331701780722n, '8f102030405060708090a0b0c0d0e0f2'],
  [
    'mediumint5',
    105315505618206987246253880190783558935785933862974822347068935681n,
    '9c0100020003000400050006000700080009000a000b000c000d000e01',
  ],
  ['emptylist', [], 'c0'],
  ['stringlist', ['dog', 'god', 'cat'], 'cc83646f6783676f6483636174'],
  ['multilist', ['zw', [4n], 1n], 'c6827a77c10401'],
  [
    'shortListMax1',
    ['asdf', 'qwer', 'zxcv', 'asdf', 'qwer', 'zxcv', 'asdf', 'qwer', 'zxcv', 'asdf', 'qwer'],
    'f784617364668471776572847a78637684617364668471776572847a78637684617364668471776572847a78637684617364668471776572',
  ],
  ['longList1', Array(4).fill(ASDF), `f840${ASDF_HEX.repeat(4)}`],
  ['longList2', Array(32).fill(ASDF), `f90200${ASDF_HEX.repeat(32)}`],
  ['listsoflists', [[[], []], []], 'c4c2c0c0c0'],
  ['listsoflists2', [[], [[]], [[], [[]]]], 'c7c0c1c0c3c0c1c0'],
  [
    'dictTest1',
    [
      ['key1', 'val1'],
      ['key2', 'val2'],
      ['key3', 'val3'],
      ['key4', 'val4'],
    ],
    'ecca846b6579318476616c31ca846b6579328476616c32ca846b6579338476616c33ca846b6579348476616c34',
  ],
  ['bigint', 2n ** 256n, `a101${'00'.repeat(32)}`],
]
for (const [name, written, encoded] of VALID) {
  test(`rlptest ${name} is encoded so, and decodes`, () => {
    const item = itemOf(written)
    assert.equal(toHex(encodeRlp(item)), `0x${encoded}`)
    assert.deepEqual(decodeRlp(fromHex(`0x${encoded}`), 8), item)
    assert.equal(rlpItemSize(fromHex(`0x${encoded}ff`), 0), encoded.length / 2)
  })
}

// https://github.com/ethereum/tests, RLPTests/invalidRLPTest.json: all.
const INVALID: readonly [name: string, encoded: string][] = [
  ['int32Overflow', 'bf0f000000000000021111'],
  ['int32Overflow2', 'ff0f000000000000021111'],
  ['wrongSizeList', 'f80180'],
  ['wrongSizeList2', 'f80100'],
  ['incorrectLengthInArray', 'b9002100dc2b275d0f74e8a53e6f4ec61b27f24278820be3f82ea2110e582081b0565df0'],
  [
    'randomRLP',
    'f861f83eb9002100dc2b275d0f74e8a53e6f4ec61b27f24278820be3f82ea2110e582081b0565df027b90015002d5ef8325ae4d034df55d4b58d0dfba64d61ddd17be00000b9001a00dae30907045a2f66fa36f2bb8aa9029cbb0b8a7b3b5c435ab331',
  ],
  ['bytesShouldBeSingleByte00', '8100'],
  ['bytesShouldBeSingleByte01', '8101'],
  ['bytesShouldBeSingleByte7F', '817f'],
  [
    'leadingZerosInLongLengthArray1',
    'b90040000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f',
  ],
  ['leadingZerosInLongLengthArray2', 'b800'],
  [
    'leadingZerosInLongLengthList1',
    'fb00000040000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f',
  ],
  ['leadingZerosInLongLengthList2', 'f800'],
  ['nonOptimalLongLengthArray1', 'b81000112233445566778899aabbccddeeff'],
  ['nonOptimalLongLengthArray2', 'b801ff'],
  ['nonOptimalLongLengthList1', 'f810000102030405060708090a0b0c0d0e0f'],
  ['nonOptimalLongLengthList2', 'f803112233'],
  // Not of the file: ends and lengths that lie.
  ['nothing at all', ''],
  ['a string cut off', '83646f'],
  ['a list cut off', 'c5836f67'],
  ['a long length cut off', 'b9ff'],
  ['a byte after the item', '83646f6700'],
  ['an item that passes its list', 'c283646f67'],
  ['a list in a list that passes it', 'c2c483646f67'],
  ['a length beyond what a double holds', `bf${'ff'.repeat(8)}`],
  ['the length of 55 written long', `b837${'61'.repeat(55)}`],
]
for (const [name, encoded] of INVALID) {
  test(`${name} (${encoded.slice(0, 24)}) is refused`, () =>
    assert.equal(decodeRlp(fromHex(`0x${encoded}`), 8), null))
}

const someItem: fc.Arbitrary<RlpItem> = fc.letrec<{ item: RlpItem }>(tie => ({
  item: fc.oneof(
    { maxDepth: 4 },
    fc.oneof(fc.uint8Array({ maxLength: 4 }), fc.uint8Array({ minLength: 54, maxLength: 58 })),
    fc.array(tie('item'), { maxLength: 5 }),
  ),
})).item

/** The definition of appendix B, as plainly as it is written. */
function plainRlp(item: RlpItem): Buffer {
  const length = (offset: number, size: number): Buffer => {
    if (size < 56) return Buffer.of(offset + size)
    const digits = size.toString(16)
    const be = Buffer.from(digits.padStart(digits.length + (digits.length % 2), '0'), 'hex')
    return Buffer.concat([Buffer.of(offset + 55 + be.length), be])
  }
  if (item instanceof Uint8Array) {
    if (item.length === 1 && item[0]! < 128) return Buffer.from(item)
    return Buffer.concat([length(128, item.length), item])
  }
  const inner = Buffer.concat(item.map(plainRlp))
  return Buffer.concat([length(192, inner.length), inner])
}

test('every item is encoded as appendix B says, decodes, and tells its own size', () => {
  fc.assert(
    fc.property(someItem, fc.uint8Array({ maxLength: 3 }), (item, after) => {
      const encoded = encodeRlp(item)
      assert.equal(toHex(encoded), toHex(plainRlp(item)))
      assert.deepEqual(decodeRlp(encoded, 6), item)
      assert.equal(rlpItemSize(concatBytes(after, encoded, after), after.length), encoded.length)
    }),
  )
})

test('one item has one encoding: what decodes is what its item encodes to', () => {
  // Bytes that often begin like lists and strings, or are encodings with one byte changed.
  const nearly = fc
    .tuple(someItem, fc.nat(), fc.nat(255))
    .map(([item, index, value]) => encodeRlp(item).with(index % encodeRlp(item).length, value))
  const prefix = fc.constantFrom(0x80, 0x81, 0xb7, 0xb8, 0xb9, 0xc0, 0xc1, 0xc3, 0xf7, 0xf8, 0xf9)
  const bytes = fc.array(fc.oneof(prefix, fc.nat(255)), { maxLength: 12 }).map(list => Uint8Array.from(list))
  fc.assert(
    fc.property(fc.oneof(nearly, bytes), encoded => {
      const item = decodeRlp(encoded, 20)
      if (item !== null) assert.equal(toHex(encodeRlp(item)), toHex(encoded))
    }),
    { numRuns: 1000 },
  )
})

test('lists nested deeper than allowed are refused, also when they would overflow the stack', () => {
  const nested = (depth: number): Uint8Array => {
    let item: RlpItem = []
    for (let level = 1; level < depth; level++) item = [item]
    return encodeRlp(item)
  }
  assert.notEqual(decodeRlp(nested(4), 4), null)
  assert.equal(decodeRlp(nested(5), 4), null)
  assert.equal(decodeRlp(Uint8Array.of(0xc0), 0), null)
  assert.deepEqual(decodeRlp(Uint8Array.of(0x80), 0), new Uint8Array())
  const deep: Uint8Array[] = []
  for (let size = 0, level = 0; level < 30_000; level++) {
    const header =
      size < 56
        ? Uint8Array.of(0xc0 + size)
        : concatBytes(Uint8Array.of(0xf7 + rlpInteger(BigInt(size)).length), rlpInteger(BigInt(size)))
    deep.push(header)
    size += header.length
  }
  assert.equal(decodeRlp(concatBytes(...deep.reverse()), 4), null)
})

test('an integer has no leading zeros, and zero has no bytes', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 300n }), value => {
      const bytes = rlpInteger(value)
      assert.notEqual(bytes[0], 0)
      assert.equal(bigintFromBytes(bytes), value)
    }),
  )
  assert.equal(rlpInteger(0n).length, 0)
})

test('past the end there is no item', () => {
  assert.equal(rlpItemSize(new Uint8Array(), 0), null)
  assert.equal(rlpItemSize(Uint8Array.of(0x83, 1, 2), 0), null)
  assert.equal(rlpItemSize(Uint8Array.of(0x01), 1), null)
})
