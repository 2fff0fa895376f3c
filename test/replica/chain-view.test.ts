import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KEYS } from '../../src/replica/records.ts'
import { addressNumber } from '../chain/examples.ts'
import { ChainBuilder, smallGenesis, transfer } from './small-chain.ts'
import { TestNode } from './test-node.ts'

//     0 ── 1 ── 2 ── 3 ── 4 ── 5          depth 2: the base is 3
//                         └── side
const genesis = smallGenesis({ finality: { depth: 2 } })
const builder = new ChainBuilder(genesis)
const main = builder.extend(builder.root, 5, step => ({ transactions: [transfer(1, step - 1)] }))
const side = builder.mine(main[3]!, { extra: 1 })
const node = new TestNode(genesis).start()
node.nowMs += 60_000
node.feed([...main, side])
const { view } = node.replica
const chain = [builder.root, ...main]

test('headers and blocks of the main chain are found by height, above and below the base', () => {
  assert.equal(node.replica.tree.base.chained.height, 3)
  for (const [height, entry] of chain.entries()) {
    assert.deepEqual(view.headerAt(height)?.header, entry.chained.header)
    assert.deepEqual(view.blockAt(height), entry.block)
  }
})

test('beyond the ends of the chain there is nothing', () => {
  for (const height of [-1, 6, 1000]) {
    assert.equal(view.headerAt(height), null)
    assert.equal(view.blockAt(height), null)
  }
})

test('a block is found by its id, and whether it is on the main chain', () => {
  for (const [height, entry] of chain.entries()) {
    assert.deepEqual(view.block(entry.chained.id), { block: entry.block, height, isMain: true })
    assert.equal(view.mainHeight(entry.chained.id), height)
    assert.deepEqual(view.rawBlock(entry.chained.id), entry.block.raw)
  }
  assert.deepEqual(view.block(side.chained.id), { block: side.block, height: 5, isMain: false })
  assert.equal(view.mainHeight(side.chained.id), null)
  assert.deepEqual(view.rawBlock(side.chained.id), side.block.raw)
})

test('an unknown id is nowhere', () => {
  const id = `0x${'ab'.repeat(32)}` as const
  assert.equal(view.block(id), null)
  assert.equal(view.mainHeight(id), null)
  assert.equal(view.rawBlock(id), null)
  assert.equal(view.locate(id), null)
})

test('a transaction is found in the block that holds it, above and below the base', () => {
  for (const [index, entry] of main.entries()) {
    const found = view.locate(transfer(1, index).id)
    assert.deepEqual(found, { block: entry.block, index: 0 })
  }
})

test('the senders of a block are known without recovering them, above and below the base, and after a restart', () => {
  for (const one of [node, node.restarted()])
    for (const entry of main) assert.deepEqual(one.replica.view.sendersOf(entry.block), [addressNumber(1)])
  assert.deepEqual(view.sendersOf(builder.root.block), [])
})

test('of blocks that became final before senders were kept none are known', () => {
  const old = node.restarted()
  const key = KEYS.senders(2)
  old.disk.write([{ key, value: null }])
  assert.equal(old.replica.view.sendersOf(main[1]!.block), null)
  old.disk.write([{ key, value: new Uint8Array(40) }])
  assert.throws(() => old.replica.view.sendersOf(main[1]!.block), {
    name: 'CorruptStore',
    message: `record ${key} is damaged`,
  })
})
