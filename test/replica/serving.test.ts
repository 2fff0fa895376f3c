import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeBlock } from '../../src/chain/block.ts'
import { equalBytes } from '../../src/encoding/bytes.ts'
import { MESSAGE_LIMITS } from '../../src/replica/messages.ts'
import { headersAfter, storedBlocks } from '../../src/replica/serving.ts'
import { accepted } from '../chain/examples.ts'
import { ChainBuilder, idsOf, smallGenesis, tipOf, transfer } from './small-chain.ts'
import { TestNode } from './test-node.ts'

const genesis = smallGenesis({ finality: { depth: 4 }, blocks: { bytesMax: 8 * 1024 * 1024 } })
const builder = new ChainBuilder(genesis)
const main = builder.extend(builder.root, 12)
const side = builder.extend(main[8]!, 2, step => ({ extra: step }))
const node = new TestNode(genesis).start()
node.nowMs += 1_000_000
node.feed([...main, ...side])
const { view } = node.replica
const unknown = `0x${'cd'.repeat(32)}` as const

const heightsAfter = (...locator: readonly string[]): number[] =>
  headersAfter(view, locator as `0x${string}`[], { headHeight: 12, headersMax: 2_000 }).map(
    ({ raw }) => main.findIndex(entry => equalBytes(entry.block.raw.subarray(0, 80), raw)) + 1,
  )
const upFrom = (height: number): number[] => Array.from({ length: 12 - height }, (_, i) => height + 1 + i)

test('headers follow the first id of the locator that is on the main chain', () => {
  const [open, final] = [main[10]!.chained.id, main[2]!.chained.id]
  assert.deepEqual(heightsAfter(open), upFrom(11))
  assert.deepEqual(heightsAfter(final), upFrom(3))
  assert.deepEqual(heightsAfter(unknown, open, final), upFrom(11))
  assert.deepEqual(heightsAfter(tipOf(side).chained.id, final), upFrom(3))
})

test('a peer that is level with us gets nothing, and one that knows nothing of ours gets all', () => {
  assert.deepEqual(heightsAfter(main[11]!.chained.id), [])
  assert.deepEqual(heightsAfter(unknown), upFrom(0))
  assert.deepEqual(heightsAfter(), upFrom(0))
})

test('no answer has more headers than were allowed', () => {
  const long = { mainHeight: () => null, headerBytesAt: () => new Uint8Array(80) }
  for (const headersMax of [1, 2_000])
    assert.equal(
      headersAfter(long as unknown as typeof view, [], { headHeight: 4_999, headersMax }).length,
      headersMax,
    )
})

test('blocks are given in the order asked for, whether final, open or beside the main chain', () => {
  const wanted = [side[1]!, main[0]!, main[11]!]
  const given = storedBlocks(view, [unknown, ...idsOf(wanted)] as `0x${string}`[])
  assert.deepEqual(
    given.map(({ raw }) => accepted(decodeBlock(raw)).id),
    idsOf(wanted),
  )
})

test('an answer ends before its bytes pass the bound, and the first block always fits', () => {
  const rich = new ChainBuilder(genesis)
  const big = (from: number, nonce: number) =>
    transfer(from, nonce, { data: new Uint8Array(120_000), gasLimit: 501_000n })
  const large = rich.extend(rich.root, 4, step => ({
    transactions: Array.from({ length: 14 }, (_, index) => big(1, (step - 1) * 14 + index)),
  }))
  const holder = new TestNode(genesis).start()
  holder.nowMs += 1_000_000
  holder.feed(large)
  const ids = idsOf(large) as `0x${string}`[]
  assert.equal(large[0]!.block.raw.length > MESSAGE_LIMITS.blocksBytesMax / 3, true)
  assert.equal(storedBlocks(holder.replica.view, ids).length, 2)
  const huge = { rawBlock: () => new Uint8Array(8 * 1024 * 1024) }
  assert.equal(storedBlocks(huge as unknown as typeof view, ids).length, 1)
})
