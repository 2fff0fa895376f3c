import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { encodeHeader } from '../../src/chain/header.ts'
import type { Transaction } from '../../src/chain/transaction.ts'
import { ByteWriter } from '../../src/encoding/bytes.ts'
import { decodeMessage, encodeMessage } from '../../src/replica/message-codec.ts'
import {
  fittingTransactions,
  MESSAGE_LIMITS,
  type Message,
  transactionsIn,
} from '../../src/replica/messages.ts'
import { ChainBuilder, transfer } from './small-chain.ts'

const builder = new ChainBuilder()
const [one, two] = [transfer(1, 0), transfer(2, 0, { type: 'legacy' })]
const run = builder.extend(builder.root, 3, step => ({ transactions: step === 2 ? [one, two] : [] }))
const ids = run.map(entry => entry.chained.id)

const MESSAGES: readonly Message[] = [
  {
    type: 'status',
    status: {
      genesisId: builder.root.chained.id,
      chainId: 2n ** 64n - 1n,
      headId: ids[2]!,
      height: 2 ** 48,
      work: 2n ** 256n - 1n,
    },
  },
  { type: 'get-headers', requestId: 2 ** 32 - 1, locator: ids },
  { type: 'get-headers', requestId: 0, locator: [] },
  { type: 'headers', requestId: 1, headers: run.map(entry => entry.chained.header) },
  { type: 'headers', requestId: 1, headers: [] },
  { type: 'get-blocks', requestId: 2, ids },
  { type: 'get-blocks', requestId: 2, ids: [] },
  { type: 'blocks', requestId: 3, blocks: run.map(entry => entry.block) },
  { type: 'blocks', requestId: 3, blocks: [] },
  { type: 'block', block: run[1]!.block },
  { type: 'transactions', requestId: 4, transactions: [one, two] },
  { type: 'transactions', requestId: 4, transactions: [] },
  { type: 'announce', ids: [one.id, two.id] },
  { type: 'get-transactions', requestId: 5, ids: [one.id, two.id] },
  { type: 'finality', body: Uint8Array.of(1, 2, 3), block: null },
  { type: 'finality', body: new Uint8Array(), block: run[1]!.block },
]

for (const message of MESSAGES) {
  const bytes = encodeMessage(message)
  const name = `${message.type} of ${bytes.length} bytes`

  test(`${name} is read as it was written`, () => assert.deepEqual(decodeMessage(bytes), message))

  test(`${name} is refused when cut anywhere or followed by a byte`, () => {
    // A block after what the finality layer says may be missing.
    const withoutBlock =
      message.type === 'finality' && message.block !== null
        ? encodeMessage({ ...message, block: null }).length
        : -1
    for (let size = 0; size < bytes.length; size++) {
      if (size === withoutBlock) continue
      assert.equal(typeof decodeMessage(bytes.slice(0, size)), 'string', `the first ${size} bytes`)
    }
    assert.equal(typeof decodeMessage(Uint8Array.of(...bytes, 0)), 'string')
  })

  test(`${name} with a byte changed is refused or another message, never a throw`, () => {
    for (let index = 0; index < bytes.length; index++) {
      const changed = bytes.slice()
      changed[index]! ^= 0x81
      const decoded = decodeMessage(changed)
      if (typeof decoded !== 'string') assert.deepEqual(encodeMessage(decoded), changed)
    }
  })
}

// ---- limits

const id = new Uint8Array(32)
const header = encodeHeader(run[0]!.chained.header)
const block = run[0]!.block.raw

/** A request or an answer with this many items of a list. */
function listMessage(kind: number, item: (writer: ByteWriter) => void, count: number): Uint8Array {
  const writer = new ByteWriter().u8(kind)
  if (kind !== ANNOUNCE) writer.u32(7)
  writer.compactSize(count)
  for (let index = 0; index < count; index++) item(writer)
  return writer.finish()
}

const ANNOUNCE = 8

const LIMITS: readonly { name: string; kind: number; max: number; item: (writer: ByteWriter) => void }[] = [
  {
    name: 'a locator',
    kind: 1,
    max: MESSAGE_LIMITS.locatorIdsMax,
    item: writer => writer.bytes(id),
  },
  { name: 'headers', kind: 2, max: MESSAGE_LIMITS.headersMax, item: writer => writer.bytes(header) },
  {
    name: 'a request for blocks',
    kind: 3,
    max: MESSAGE_LIMITS.blocksMax,
    item: writer => writer.bytes(id),
  },
  { name: 'blocks', kind: 4, max: MESSAGE_LIMITS.blocksMax, item: writer => writer.sizedBytes(block) },
  {
    name: 'transactions',
    kind: 6,
    max: MESSAGE_LIMITS.transactionsMax,
    item: writer => writer.sizedBytes(one.raw),
  },
  {
    name: 'an announcement',
    kind: ANNOUNCE,
    max: MESSAGE_LIMITS.transactionsMax,
    item: writer => writer.bytes(id),
  },
  {
    name: 'a request for transactions',
    kind: 9,
    max: MESSAGE_LIMITS.transactionsMax,
    item: writer => writer.bytes(id),
  },
]

for (const { name, kind, max, item } of LIMITS) {
  test(`${name}: ${max} are read, one more is refused`, () => {
    assert.equal(typeof decodeMessage(listMessage(kind, item, max)), 'object')
    assert.equal(decodeMessage(listMessage(kind, item, max + 1)), 'message-malformed')
  })

  test(`${name}: a count without its items costs nothing`, () => {
    const honest = new ByteWriter().compactSize(max).finish()
    for (const size of [honest, [0xfd, 0xff, 0xff], [0xfe, 0xff, 0xff, 0xff, 0xff], Array(9).fill(0xff)]) {
      const bytes = Uint8Array.of(kind, ...(kind === ANNOUNCE ? [] : [7, 0, 0, 0]), ...size)
      assert.equal(decodeMessage(bytes), 'message-malformed')
    }
  })
}

test('what is longer than a message may be is refused before it is looked at', () => {
  assert.equal(decodeMessage(new Uint8Array(MESSAGE_LIMITS.bytesMax + 1)), 'message-too-large')
  assert.equal(decodeMessage(new Uint8Array(MESSAGE_LIMITS.bytesMax)), 'message-malformed')
})

test('an unknown kind, and no bytes at all, are refused', () => {
  for (const bytes of [[], [10], [255], [10, 0, 0, 0, 0]])
    assert.equal(decodeMessage(Uint8Array.of(...bytes)), 'message-malformed')
})

test('a height beyond 2^48 is refused: it would not be exact', () => {
  const status = MESSAGES[0] as Extract<Message, { type: 'status' }>
  const bytes = encodeMessage({ ...status, status: { ...status.status, height: 2 ** 48 + 1 } })
  assert.equal(decodeMessage(bytes), 'message-malformed')
})

test('a reason from within is kept: a bad transaction, a body of another header, a mutated body', () => {
  const highS = transfer(1, 0).raw.slice(0, -1)
  const cut = new ByteWriter().u8(6).u32(7).compactSize(1).sizedBytes(highS).finish()
  assert.equal(decodeMessage(cut), 'tx-malformed')
  const other = encodeMessage({ type: 'block', block: run[1]!.block })
  other[1 + 36]! ^= 1
  assert.equal(decodeMessage(other), 'block-merkle-mismatch')
  const huge = new ByteWriter().u8(6).u32(7).compactSize(1).sizedBytes(new Uint8Array(200_000)).finish()
  assert.equal(decodeMessage(huge), 'message-malformed')
})

test('random bytes never throw', () => {
  const kind = fc.integer({ min: 0, max: 11 })
  fc.assert(
    fc.property(kind, fc.uint8Array({ maxLength: 300 }), (first, rest) => {
      const decoded = decodeMessage(Uint8Array.of(first, ...rest))
      if (typeof decoded !== 'string') assert.deepEqual(encodeMessage(decoded), Uint8Array.of(first, ...rest))
    }),
    { numRuns: 3_000 },
  )
})

test('a block and a transaction keep no more memory than they need', () => {
  const { block } = run[1]!
  const answer = decodeMessage(encodeMessage({ type: 'blocks', requestId: 1, blocks: [block, block] }))
  assert.ok(typeof answer === 'object' && answer.type === 'blocks')
  for (const { raw } of answer.blocks) assert.equal(raw.buffer.byteLength, raw.length)
  const batch = decodeMessage(encodeMessage({ type: 'transactions', requestId: 1, transactions: [one, two] }))
  assert.ok(typeof batch === 'object' && batch.type === 'transactions')
  for (const { raw } of batch.transactions) assert.equal(raw.buffer.byteLength, raw.length)
})

// ---- transactions in messages

test('the transactions of a message are those whose senders will be asked for', () => {
  const counts = MESSAGES.map(message => [message.type, transactionsIn(message).length])
  assert.deepEqual(
    counts.filter(([, count]) => count !== 0),
    [
      ['blocks', 2],
      ['block', 2],
      ['transactions', 2],
      ['finality', 2],
    ],
  )
})

test('an answer holds the first of the transactions that fit in it, and one at least', () => {
  const sizes = fc.array(fc.constantFrom(10, 10, 10, 1_000, 60_000, 131_072), { maxLength: 40 })
  fc.assert(
    fc.property(sizes, list => {
      const transactions = list.map(size => ({ ...one, raw: new Uint8Array(size) }))
      const fitting = fittingTransactions(transactions)
      assert.deepEqual(fitting, transactions.slice(0, fitting.length))
      const bytesOf = (some: readonly Transaction[]) => some.reduce((sum, { raw }) => sum + raw.length, 0)
      assert.ok(fitting.length <= 1 || bytesOf(fitting) <= MESSAGE_LIMITS.transactionsBytesMax)
      assert.ok(fitting.length > 0 || list.length === 0)
      const message = { type: 'transactions', requestId: 1, transactions: fitting } as const
      assert.ok(encodeMessage(message).length <= MESSAGE_LIMITS.transactionsAnswerBytesMax)
      if (fitting.length < list.length)
        assert.ok(bytesOf(transactions.slice(0, fitting.length + 1)) > MESSAGE_LIMITS.transactionsBytesMax)
    }),
  )
})

// ---- what the finality layer says

const said = (bytes: number): Message => ({ type: 'finality', body: new Uint8Array(bytes), block: null })

test('what the finality layer says may be so long and no longer', () => {
  const { finalityBytesMax } = MESSAGE_LIMITS
  assert.deepEqual(decodeMessage(encodeMessage(said(finalityBytesMax))), said(finalityBytesMax))
  assert.equal(decodeMessage(encodeMessage(said(finalityBytesMax + 1))), 'message-malformed')
})

test('any body, with any block or none, is read as it was written', () => {
  const blocks = fc.constantFrom(null, ...run.map(entry => entry.block))
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), blocks, (body, block) => {
      const message: Message = { type: 'finality', body, block }
      assert.deepEqual(decodeMessage(encodeMessage(message)), message)
    }),
  )
})

test('a false block that comes with a message is refused for what is wrong with it', () => {
  const bytes = encodeMessage({ type: 'finality', body: Uint8Array.of(1), block: run[1]!.block })
  bytes[1 + 2 + 36]! ^= 1
  assert.equal(decodeMessage(bytes), 'block-merkle-mismatch')
})
