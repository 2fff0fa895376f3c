import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { assembleBlock, type Block, contentRoot, decodeBlock, leavesOf } from '../../src/chain/block.ts'
import { type CoinbaseRecord, encodeCoinbase } from '../../src/chain/coinbase.ts'
import { sha256d } from '../../src/chain/hash.ts'
import { type BlockHeader, blockId, encodeHeader, HEADER_BYTES, NO_BLOCK } from '../../src/chain/header.ts'
import { rlpInteger } from '../../src/chain/rlp.ts'
import type { Transaction } from '../../src/chain/transaction.ts'
import { ByteWriter, concatBytes, fromHex, toHex } from '../../src/encoding/bytes.ts'
import { accepted, addressNumber, exampleTransaction, RULES } from './examples.ts'

function coinbaseFor(transactionCount: number): CoinbaseRecord {
  return {
    chainId: RULES.chainId,
    height: 1,
    beneficiary: addressNumber(9),
    stateRoot: `0x${'22'.repeat(32)}`,
    receiptsRoot: `0x${'33'.repeat(32)}`,
    gasUsed: 21_000n * BigInt(transactionCount),
    gasLimit: RULES.gasLimit,
    baseFee: 1n,
    transactionCount,
    extraNonce: new Uint8Array(8),
  }
}

/** Transactions that differ, legacy ones among them. */
function transactions(count: number): Transaction[] {
  return Array.from({ length: count }, (_, index) =>
    exampleTransaction({ type: index % 2 === 0 ? 'eip1559' : 'legacy', nonce: BigInt(index) }),
  )
}

function headerFor(content: Pick<Block, 'coinbase' | 'transactions'>): BlockHeader {
  return {
    version: 0x20000000,
    previous: NO_BLOCK,
    merkleRoot: contentRoot(content),
    time: 1_700_000_000,
    bits: 0x207fffff,
    nonce: 7,
  }
}

function makeBlock(count: number): Block {
  const content = { coinbase: coinbaseFor(count), transactions: transactions(count) }
  return assembleBlock(headerFor(content), content.coinbase, content.transactions)
}

/** The bytes of a block whose parts need not fit one another. */
function rawOf(
  header: BlockHeader,
  coinbase: CoinbaseRecord,
  items: readonly Uint8Array[],
  count = 1 + items.length,
): Uint8Array {
  const writer = new ByteWriter()
    .bytes(encodeHeader(header))
    .compactSize(count)
    .bytes(encodeCoinbase(coinbase))
  for (const item of items) writer.bytes(item)
  return writer.finish()
}

// ---- Good blocks ----

for (const count of [0, 1, 2, 3, 5, 300]) {
  test(`a block with ${count} transactions reads back from its bytes`, () => {
    const block = makeBlock(count)
    const decoded = accepted(decodeBlock(block.raw))
    assert.equal(decoded.id, blockId(block.header))
    assert.deepEqual(decoded, block)
  })
}

test('a block is its header, a count, its coinbase record and its raw transactions, one after the other', () => {
  const block = makeBlock(2)
  const parts = [
    encodeHeader(block.header),
    Uint8Array.of(3),
    encodeCoinbase(block.coinbase),
    ...block.transactions.map(tx => tx.raw),
  ]
  assert.equal(toHex(block.raw), toHex(concatBytes(...parts)))
  const many = makeBlock(300).raw
  assert.equal(toHex(many.subarray(HEADER_BYTES, HEADER_BYTES + 3)), '0xfd2d01')
})

test('the leaves are the double hashes of the coinbase record and of each raw transaction', () => {
  const block = makeBlock(2)
  const items = [encodeCoinbase(block.coinbase), ...block.transactions.map(tx => tx.raw)]
  assert.deepEqual(leavesOf(block), items.map(sha256d))
})

test('a block without transactions has its coinbase record’s hash for a root', () => {
  const block = makeBlock(0)
  const hash = sha256d(encodeCoinbase(block.coinbase))
  assert.deepEqual(fromHex(block.header.merkleRoot).reverse(), hash)
})

// ---- CVE-2012-2459 ----

test('a true header with a tail repeated is refused for its body, and its honest body stays good', () => {
  for (const count of [2, 4, 5, 6, 9]) {
    const block = makeBlock(count)
    const items = block.transactions.map(tx => tx.raw)
    // A count that is the honest one gives the lie away before the tree does.
    for (const repeated of [1, 2, 4]) {
      const raw = rawOf(block.header, block.coinbase, [...items, ...items.slice(-repeated)])
      assert.equal(decodeBlock(raw), 'block-malformed')
    }
    assert.equal(accepted(decodeBlock(block.raw)).id, block.id)
  }
})

// What a miner can make on purpose: a coinbase record that counts the repeated tail, under a root that the body
// without the tail has too. [transactions, how many of the last are repeated]: with the coinbase record before them.
const TAILS: readonly [count: number, repeated: number][] = [
  [2, 1],
  [4, 1],
  [5, 2],
  [8, 1],
  [9, 2],
  [11, 4],
]
for (const [count, repeated] of TAILS) {
  test(`of ${count} transactions the last ${repeated} repeated are called mutated, whatever the count says`, () => {
    const list = transactions(count)
    const twice = [...list, ...list.slice(-repeated)]
    const coinbase = coinbaseFor(twice.length)
    const header = headerFor({ coinbase, transactions: list })
    assert.equal(contentRoot({ coinbase, transactions: twice }), header.merkleRoot, 'the roots are the same')
    const raw = (transactions: readonly Transaction[]): Uint8Array =>
      rawOf(
        header,
        coinbase,
        transactions.map(tx => tx.raw),
      )
    assert.equal(decodeBlock(raw(twice)), 'block-mutated')
    assert.equal(decodeBlock(raw(list)), 'block-malformed')
    assert.equal(
      decodeBlock(
        rawOf(
          header,
          coinbase,
          list.map(tx => tx.raw),
          twice.length + 1,
        ),
      ),
      'block-malformed',
    )
  })
}

test('two equal transactions that are no pair of the tree are no mutation: that is for execution to refuse', () => {
  const [first, second] = transactions(2) as [Transaction, Transaction]
  const content = { coinbase: coinbaseFor(3), transactions: [first, second, first] }
  const block = assembleBlock(headerFor(content), content.coinbase, content.transactions)
  assert.equal(accepted(decodeBlock(block.raw)).id, block.id)
})

// ---- Bodies that are not the header's ----

test('a body that the header does not commit to is a mismatch', () => {
  const block = makeBlock(3)
  const items = block.transactions.map(tx => tx.raw)
  const others: readonly (readonly Uint8Array[])[] = [
    items.toReversed(),
    items.with(1, exampleTransaction({ nonce: 99n }).raw),
    items.with(0, items[2]!).with(2, items[0]!),
  ]
  for (const other of others) {
    assert.equal(decodeBlock(rawOf(block.header, block.coinbase, other)), 'block-merkle-mismatch')
  }
  const poorer = { ...block.coinbase, beneficiary: addressNumber(10) }
  assert.equal(decodeBlock(rawOf(block.header, poorer, items)), 'block-merkle-mismatch')
  const unrelated = { ...block.header, merkleRoot: `0x${'00'.repeat(32)}` as const }
  assert.equal(decodeBlock(rawOf(unrelated, block.coinbase, items)), 'block-merkle-mismatch')
})

test('a count other than that of the coinbase record is malformed, also where the root is right', () => {
  for (const [claimed, real] of [
    [0, 1],
    [1, 0],
    [2, 3],
    [3, 2],
    [2 ** 32 - 1, 0],
  ] as const) {
    const content = { coinbase: coinbaseFor(claimed), transactions: transactions(real) }
    const items = content.transactions.map(tx => tx.raw)
    assert.equal(decodeBlock(rawOf(headerFor(content), content.coinbase, items)), 'block-malformed')
  }
})

test('a count of nothing is malformed: the coinbase record is always there', () => {
  const block = makeBlock(0)
  assert.equal(decodeBlock(rawOf(block.header, block.coinbase, [], 0)), 'block-malformed')
})

const COUNTS: readonly [says: string, encoded: string][] = [
  ['3 in three bytes', 'fd0300'],
  ['3 in five bytes', 'fe03000000'],
  ['3 in nine bytes', 'ff0300000000000000'],
  ['2^32 - 1', 'feffffffff'],
  ['2^64 - 1', 'ffffffffffffffffff'],
  ['2^53', 'ff0000000000002000'],
]
for (const [says, encoded] of COUNTS) {
  test(`a count written as ${says} is malformed, and costs nothing`, () => {
    const raw = makeBlock(2).raw
    const start = raw.subarray(0, HEADER_BYTES)
    const changed = concatBytes(start, fromHex(`0x${encoded}`), raw.subarray(HEADER_BYTES + 1))
    const before = process.memoryUsage().arrayBuffers
    for (let round = 0; round < 100; round++) assert.equal(decodeBlock(changed), 'block-malformed')
    assert.ok(process.memoryUsage().arrayBuffers - before < 2 ** 24)
  })
}

test('a transaction that claims four gigabytes is malformed, and costs nothing', () => {
  const block = makeBlock(0)
  const coinbase = coinbaseFor(1)
  const liar = concatBytes(Uint8Array.of(0xf7 + 4), rlpInteger(2n ** 32n - 1n))
  assert.equal(decodeBlock(rawOf(block.header, coinbase, [liar])), 'block-malformed')
  assert.equal(
    decodeBlock(rawOf(block.header, coinbase, [concatBytes(Uint8Array.of(2), liar)])),
    'block-malformed',
  )
})

const NO_TRANSACTIONS: readonly [says: string, item: Uint8Array][] = [
  ['nothing', new Uint8Array()],
  ['a byte', Uint8Array.of(1)],
  ['a string', Uint8Array.of(0x83, 1, 2, 3)],
  ['an empty list', Uint8Array.of(0xc0)],
  ['another coinbase record', encodeCoinbase(coinbaseFor(1))],
  [
    'a transaction in a string',
    concatBytes(Uint8Array.of(0xb8, transactions(1)[0]!.raw.length), transactions(1)[0]!.raw),
  ],
]
for (const [says, item] of NO_TRANSACTIONS) {
  test(`${says} where a transaction should be is malformed, also where the root is right`, () => {
    const coinbase = coinbaseFor(1)
    const fake = { ...transactions(1)[0]!, raw: item }
    const header = headerFor({ coinbase, transactions: [fake] })
    assert.equal(decodeBlock(rawOf(header, coinbase, [item])), 'block-malformed')
  })
}

// ---- Any bytes ----

test('a block that is cut off anywhere, or goes on, is malformed', () => {
  const { raw } = makeBlock(2)
  for (let size = 0; size < raw.length; size++) {
    assert.equal(decodeBlock(raw.subarray(0, size)), 'block-malformed', `${size} bytes`)
  }
  for (const after of [0, 0x80, 0xc0]) {
    assert.equal(decodeBlock(concatBytes(raw, Uint8Array.of(after))), 'block-malformed')
  }
})

test('with any byte changed, a block has another id or no good body', () => {
  const block = makeBlock(3)
  for (const [index, byte] of block.raw.entries()) {
    for (const flip of [1, 0x80, 0xff]) {
      const changed = decodeBlock(block.raw.with(index, byte ^ flip))
      if (typeof changed !== 'string') assert.notEqual(changed.id, block.id, `byte ${index}`)
      if (index >= HEADER_BYTES) assert.equal(typeof changed, 'string', `byte ${index}`)
    }
  }
})

test('any bytes at all give a block or a reason, and never throw', () => {
  const noise = fc.uint8Array({ maxLength: 400 })
  const head = makeBlock(2).raw.subarray(0, HEADER_BYTES + 1)
  const afterHead = noise.map(bytes => concatBytes(head, bytes))
  const afterCoinbase = noise.map(bytes =>
    concatBytes(head, encodeCoinbase(coinbaseFor(2)), Uint8Array.of(0xf8, bytes.length & 0xff), bytes),
  )
  fc.assert(
    fc.property(fc.oneof(noise, afterHead, afterCoinbase), raw => {
      const result = decodeBlock(raw)
      if (typeof result !== 'string') assert.deepEqual(result.raw, raw)
    }),
    { numRuns: 500 },
  )
})

test('several bytes changed at once never give the same block', () => {
  const block = makeBlock(2)
  const edits = fc.array(fc.tuple(fc.nat(block.raw.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(edits, list => {
      const raw = Uint8Array.from(block.raw)
      for (const [index, value] of list) raw[index] = value
      const result = decodeBlock(raw)
      if (typeof result !== 'string' && result.id === block.id) assert.deepEqual(raw, block.raw)
    }),
    { numRuns: 300 },
  )
})
