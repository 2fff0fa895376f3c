import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { peekCoinbase } from '../../src/chain/block.ts'
import type { BlockId } from '../../src/chain/header.ts'
import { Disk } from '../../src/lab/cluster/disk.ts'
import type { Effect, Write } from '../../src/replica/effects.ts'
import { KEYS } from '../../src/replica/records.ts'
import { addressNumber } from '../chain/examples.ts'
import { ChainBuilder, smallGenesis, transfer } from './small-chain.ts'
import { effectsOf, TestNode } from './test-node.ts'

const NOW_MS = new ChainBuilder().genesis.header.header.time * 1000 + 1e8

/** A disk with these batches, all durable. */
function diskWith(batches: readonly (readonly Write[])[]): Disk {
  const disk = new Disk()
  for (const batch of batches) {
    disk.write(batch)
    disk.sync()
  }
  return disk
}

function contentOf(disk: Disk): Map<string, string> {
  return new Map([...disk.entries('')].map(([key, value]) => [key, Buffer.from(value).toString('hex')]))
}

// ---- an empty database

test('an empty database gets the whole network in one batch, and the head is the genesis block', () => {
  const genesis = smallGenesis()
  const node = new TestNode(genesis)
  const effects = node.step({ type: 'start' })
  assert.equal(effectsOf(effects, 'persist').length, 1)
  assert.equal(effectsOf(effects, 'head').length, 0)
  assert.equal(node.headId, genesis.block.id)
  assert.equal([...node.disk.entries(KEYS.accounts)].length, 9)
})

test('a second start on the same disk writes nothing', () => {
  const node = new TestNode(smallGenesis()).start()
  const again = new TestNode(node.genesis, { disk: node.disk })
  assert.equal(effectsOf(again.step({ type: 'start' }), 'persist').length, 0)
  assert.equal(again.replica.tree.base.execution.state.root(), node.genesis.state.root())
})

test('the database of another network is refused by name', () => {
  const node = new TestNode(smallGenesis()).start()
  const other = smallGenesis({ work: { blockTimeSeconds: 3 } })
  assert.throws(() => new TestNode(other, { disk: node.disk }), {
    name: 'OtherNetwork',
    message: `the data belongs to the network with genesis ${node.genesis.block.id}, not ${other.block.id}`,
  })
})

// ---- a database that does not fit together: of a record that is not what was written, damage.test.ts

/** A node with final blocks, a branch beside the head and a transaction of its own, on depth 3. */
function grownNode(): TestNode {
  const genesis = smallGenesis({ finality: { depth: 3 } })
  const builder = new ChainBuilder(genesis)
  const main = builder.extend(builder.root, 6, step => ({ transactions: [transfer(1, step - 1)] }))
  const side = builder.mine(main[4]!, { extra: 1 })
  const node = new TestNode(genesis, { nowMs: NOW_MS }).start()
  node.feed([...main, side])
  const own = transfer(2, 0)
  node.submit(own.raw)
  assert.equal(node.replica.tree.base.chained.height, 3)
  return node
}

const grown = grownNode()
const openTip = [...grown.disk.entries(KEYS.openBlocks)].at(-1)![0]
const firstOpen = [...grown.disk.entries(KEYS.openBlocks)][0]![0]
const baseId = grown.replica.tree.base.chained.id
const headId = grown.headId

function keyIn(prefix: string): string {
  return [...grown.disk.entries(prefix)][0]![0]
}

/** The node's disk with another record written for one, or none. */
function damaged(key: string, change: (value: Uint8Array) => Uint8Array | null): TestNode {
  const disk = diskWith(grown.batches)
  const value = disk.get(key)
  assert.ok(value !== null, `${key} is not there`)
  disk.write([{ key, value: change(value) }])
  disk.sync()
  return new TestNode(grown.genesis, { disk, nowMs: NOW_MS })
}

function flipped(value: Uint8Array, index: number): Uint8Array {
  const copy = value.slice()
  copy[index]! ^= 0x10
  return copy
}

const AT_START: readonly { key: string; missing: RegExp | null; cut: RegExp; flip: RegExp }[] = [
  {
    key: 'genesis',
    missing: /record genesis is missing/,
    cut: /record genesis is damaged/,
    flip: /belongs to the network with genesis/,
  },
  {
    key: 'base',
    missing: /record base is missing/,
    cut: /record base is damaged/,
    flip: /record block\/0x[0-9a-f]{64} is missing/,
  },
  {
    key: KEYS.account(addressNumber(1)),
    missing: /the accounts on disk do not have the state root of block 3/,
    cut: /record account\/0x0{39}1 is damaged/,
    flip: /the accounts on disk do not have the state root of block 3/,
  },
  {
    key: KEYS.block(baseId),
    missing: new RegExp(`record block/${baseId} is missing`),
    cut: new RegExp(`record block/${baseId} is damaged`),
    flip: new RegExp(`record block/${baseId} is damaged`),
  },
  {
    key: KEYS.block(headId),
    missing: new RegExp(`record block/${headId} is missing`),
    cut: new RegExp(`record block/${headId} is damaged`),
    flip: new RegExp(`record block/${headId} is damaged`),
  },
  {
    key: firstOpen,
    missing: /has no parent on disk/,
    cut: new RegExp(`record ${firstOpen} is damaged`),
    flip: /record block\/0x[0-9a-f]{64} is missing/,
  },
  // Without it the branch ends one block earlier, which is a state that was.
  {
    key: openTip,
    missing: null,
    cut: new RegExp(`record ${openTip} is damaged`),
    flip: /record block\/0x[0-9a-f]{64} is missing/,
  },
  {
    key: keyIn(KEYS.pooledTransactions),
    missing: null,
    cut: /record pooled\/0x[0-9a-f]{64} is damaged/,
    flip: /record pooled\/0x[0-9a-f]{64} is damaged/,
  },
]

for (const { key, missing, cut, flip } of AT_START) {
  const name = key.slice(0, 30)
  test(`a start finds out that ${name} is missing, cut or changed, and says so`, () => {
    const start = (change: (value: Uint8Array) => Uint8Array | null) => () =>
      void damaged(key, change).start()
    if (missing === null) assert.doesNotThrow(start(() => null))
    else
      assert.throws(
        start(() => null),
        missing,
      )
    assert.throws(
      start(value => value.slice(0, -1)),
      { name: 'CorruptStore', message: cut },
    )
    for (const index of [0, 10, 31])
      assert.throws(
        start(value => flipped(value, index)),
        flip,
      )
  })
}

const finalTx = keyIn('tx/')
const finalId = finalTx.slice('tx/'.length) as BlockId
const finalBlockId = grown.replica.view.headerAt(1)!.id

const WHEN_READ: readonly { key: string; read: (node: TestNode) => unknown; message: RegExp }[] = [
  {
    key: KEYS.final(1),
    read: node => node.replica.view.headerAt(1),
    message: /record final\/0{14}1 is (missing|damaged)/,
  },
  {
    key: KEYS.block(finalBlockId),
    read: node => node.replica.view.blockAt(1),
    message: new RegExp(`record block/${finalBlockId} is (missing|damaged)`),
  },
]

for (const { key, read, message } of WHEN_READ) {
  test(`a reader of ${key.slice(0, 21)} is told that it is missing, cut or changed`, () => {
    const reads = (change: (value: Uint8Array) => Uint8Array | null) => () =>
      read(damaged(key, change).start())
    assert.throws(
      reads(() => null),
      { name: 'CorruptStore', message },
    )
    assert.throws(
      reads(value => value.slice(0, -1)),
      { name: 'CorruptStore', message },
    )
    assert.throws(
      reads(value => flipped(value, 40)),
      { name: 'CorruptStore', message },
    )
  })
}

test('a final transaction is not looked for in a wrong place', () => {
  const locate = (node: TestNode) => () => node.replica.view.locate(finalId)
  assert.equal(locate(damaged(finalTx, () => null).start())(), null)
  const damage = { name: 'CorruptStore', message: `record ${finalTx} is damaged` }
  assert.throws(locate(damaged(finalTx, value => value.slice(0, -1)).start()), damage)
  assert.throws(locate(damaged(finalTx, value => flipped(value, 8)).start()), damage)
  assert.throws(locate(damaged(finalTx, value => Uint8Array.of(2, ...value.slice(1))).start()), damage)
})

test('a block on disk that is invalid is reported: rules are not bent for what was once accepted', () => {
  const builder = new ChainBuilder(grown.genesis)
  const bad = builder.mine(builder.root, { spoil: coinbase => ({ ...coinbase, gasUsed: 1n }) })
  const disk = diskWith(new TestNode(grown.genesis).start().batches)
  const open = Buffer.from(bad.chained.id.slice(2), 'hex').reverse()
  disk.write([
    { key: KEYS.block(bad.chained.id), value: bad.block.raw },
    { key: KEYS.openBlock(0), value: new Uint8Array(open) },
  ])
  disk.sync()
  assert.throws(
    () => new TestNode(grown.genesis, { disk }).start(),
    /on disk is invalid: block-gas-used-wrong/,
  )
})

// ---- the same after a restart

/** What matters of a node, to compare two. */
function summary(node: TestNode) {
  const { tree, pool, view } = node.replica
  return {
    head: tree.head.chained,
    base: tree.base.chained,
    blocks: [...tree.blocks()].map(entry => [entry.chained.id, entry.execution.state.root()]),
    tips: Array.from(tree.tips(), entry => entry.chained.id),
    main: Array.from({ length: node.height + 1 }, (_, height) => view.headerAt(height)),
    own: [...node.disk.entries(KEYS.pooledTransactions)].map(([key]) => key),
    pooledOwn: [...node.disk.entries(KEYS.pooledTransactions)].map(([key]) => {
      const id = key.slice(KEYS.pooledTransactions.length) as BlockId
      return pool.get(id) !== undefined || tree.including(id) !== undefined
    }),
  }
}

const arbitraryRun = fc.array(
  fc.record({
    /** Which of the last blocks it stands on: 0 is the newest. */
    back: fc.constantFrom(0, 0, 0, 0, 1, 2, 3),
    from: fc.integer({ min: 1, max: 3 }),
    isOwn: fc.boolean(),
  }),
  { minLength: 6, maxLength: 18 },
)

test('after any run, and a crash after any of its batches, the start finds a head that was and what was acknowledged', () => {
  const genesis = smallGenesis({ finality: { depth: 4 } })
  let reorganisations = 0
  let finals = 0
  const property = fc.property(arbitraryRun, steps => {
    const builder = new ChainBuilder(genesis)
    const blocks = [builder.root]
    const node = new TestNode(genesis, { nowMs: NOW_MS }).start()
    const after = [{ batches: node.batches.length, head: node.headId, summary: summary(node) }]
    const acknowledged: { batches: number; id: BlockId }[] = []
    const note = (effects: readonly Effect[]): void => {
      for (const { reorganised } of effectsOf(effects, 'head')) if (reorganised > 0) reorganisations += 1
      finals += effectsOf(effects, 'final').length
      after.push({ batches: node.batches.length, head: node.headId, summary: summary(node) })
    }
    for (const [index, { back, from, isOwn }] of steps.entries()) {
      const parent = blocks.at(-1 - Math.min(back, blocks.length - 1))!
      const { nonce } = parent.execution.state.get(addressNumber(from))
      const tx = transfer(from, nonce, { value: BigInt(index) })
      if (isOwn && index % 3 === 0) {
        const effects = node.submit(tx.raw)
        if (effectsOf(effects, 'reply').some(({ result }) => 'id' in result))
          acknowledged.push({ batches: node.batches.length, id: tx.id })
        note(effects)
      }
      const block = builder.mine(parent, { transactions: isOwn ? [tx] : [], extra: index })
      blocks.push(block)
      note(node.feed([block]))
    }
    for (let kept = 1; kept <= node.batches.length; kept++) {
      const restarted = new TestNode(genesis, { disk: diskWith(node.batches.slice(0, kept)), nowMs: NOW_MS })
      restarted.start()
      const then = after.findLast(({ batches }) => batches <= kept)!
      assert.deepEqual(summary(restarted), then.summary)
      for (const { batches, id } of acknowledged) {
        if (batches > kept) continue
        const { view, pool, outcomes } = restarted.replica
        const isKnown =
          view.locate(id) !== null || pool.get(id) !== undefined || outcomes.get(id) !== undefined
        // Its nonce may have been used by another, which was told when that happened.
        const isReplaced = node.batches
          .slice(0, kept)
          .some(batch => batch.some(({ key, value }) => key === KEYS.pooled(id) && value === null))
        assert.ok(isKnown || isReplaced, `${id} is lost after ${kept} batches`)
      }
    }
    const again = node.restarted()
    assert.deepEqual(contentOf(again.disk), contentOf(node.disk))
  })
  fc.assert(property, { numRuns: 12 })
  assert.ok(reorganisations > 0 && finals > 0, 'the runs were too quiet')
})

test('the order in which equal branches came outlives a restart', () => {
  const builder = new ChainBuilder()
  const [a, b] = [builder.mine(builder.root, { extra: 1 }), builder.mine(builder.root, { extra: 2 })]
  for (const order of [
    [a, b],
    [b, a],
  ]) {
    const node = new TestNode(builder.genesis, { nowMs: NOW_MS }).start()
    node.feed(order)
    assert.equal(node.headId, order[0]!.chained.id)
    assert.equal(node.restarted().headId, order[0]!.chained.id)
  }
})

test('what comes after a restart is kept beside what came before it', () => {
  const builder = new ChainBuilder()
  const run = builder.extend(builder.root, 4)
  let node = new TestNode(builder.genesis, { nowMs: NOW_MS }).start()
  for (const entry of run) {
    node.feed([entry])
    node = node.restarted()
    assert.equal(node.headId, entry.chained.id)
  }
  assert.equal([...node.disk.entries(KEYS.openBlocks)].length, 4)
})

test('a block that was too new for today is taken from the disk all the same', () => {
  const builder = new ChainBuilder()
  const block = builder.mine(builder.root)
  const node = new TestNode(builder.genesis, { nowMs: NOW_MS }).start()
  node.feed([block])
  const early = new TestNode(builder.genesis, { disk: node.disk, nowMs: 0 }).start()
  assert.equal(early.headId, block.chained.id)
})

test('every block record belongs to a final block or to an open one', () => {
  const open = new Set(
    [...grown.disk.entries(KEYS.openBlocks)].map(([, id]) => Buffer.from(id.toReversed()).toString('hex')),
  )
  for (const [key, raw] of grown.disk.entries('block/')) {
    const id = key.slice('block/0x'.length)
    const height = peekCoinbase(raw)!.height
    const isFinal = height <= 3 && grown.replica.view.headerAt(height)?.id === `0x${id}`
    assert.ok(isFinal !== open.has(id), `${key} at height ${height}`)
  }
})
