import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeBlock } from '../../src/chain/block.ts'
import { chainHeader } from '../../src/chain/header-chain.ts'
import { executeBlock } from '../../src/execution/block-execution.ts'
import { ReplicaOutbox } from '../../src/replica/effects.ts'
import { Mempool } from '../../src/replica/mempool.ts'
import { Production } from '../../src/replica/production.ts'
import { addressNumber } from '../chain/examples.ts'
import {
  ChainBuilder,
  mineHeader,
  namedSender,
  START_MS,
  smallGenesis,
  transfer,
  unmineHeader,
} from './small-chain.ts'
import { effectsOf, TestNode } from './test-node.ts'
import { ValidatedNetwork } from './validators.ts'

const fresh = (): TestNode => new TestNode(smallGenesis()).start()
const templatesOf = (effects: Parameters<typeof effectsOf>[0]) =>
  effectsOf(effects, 'mine').map(({ template }) => template)

test('a node that mines makes a template on the head at once, and one that does not makes none', () => {
  const node = fresh()
  assert.deepEqual(templatesOf(node.submit(transfer(1, 0).raw)), [])
  const [template] = templatesOf(node.startMining())
  assert.equal(template?.header.previous, node.headId)
  assert.equal(template.height, 1)
})

test('a block that was found becomes the head and goes to all, after it is on disk', () => {
  const node = fresh()
  node.startMining()
  const effects = node.finishMining()
  assert.equal(effects[0]?.type, 'persist')
  const [broadcast] = effectsOf(effects, 'broadcast')
  assert.ok(broadcast?.message.type === 'block')
  assert.equal(broadcast.message.block.id, node.headId)
  assert.equal(node.replica.tree.head.block.coinbase.beneficiary, addressNumber(0x500))
})

test('a new head, mined here or by others, asks for a new template', () => {
  const node = fresh()
  const builder = new ChainBuilder(node.genesis)
  node.startMining()
  const [mined] = templatesOf(node.finishMining())
  assert.equal(mined?.header.previous, node.headId)
  const other = builder.extend(builder.root, 2)
  const effects = node.feed(other)
  assert.equal(node.height, 2)
  assert.equal(templatesOf(effects).at(-1)?.header.previous, node.headId)
})

test('so many blocks are mined and no more', () => {
  const node = fresh()
  node.startMining(3)
  for (let count = 1; count <= 3; count++) {
    assert.equal(node.replica.mining?.blocksLeft, 4 - count)
    const effects = node.finishMining()
    assert.equal(effectsOf(effects, 'stop-mining').length, count === 3 ? 1 : 0)
    assert.equal(effectsOf(effects, 'broadcast').length, 1)
  }
  assert.equal(node.replica.mining, null)
  assert.equal(node.height, 3)
})

test('without a number there is no end to mining', () => {
  const node = fresh()
  node.startMining()
  for (let count = 0; count < 3; count++) node.finishMining()
  assert.equal(node.replica.mining?.blocksLeft, null)
})

test('a node that mines checks its template once a second, and one that stopped does not', () => {
  const node = fresh()
  const timers = (effects: Parameters<typeof effectsOf>[0]): string[] =>
    effects.flatMap(effect =>
      (effect.type === 'set-timer' || effect.type === 'clear-timer') && effect.name === 'template'
        ? [effect.type]
        : [],
    )
  assert.deepEqual(timers(node.startMining()), ['set-timer'])
  assert.deepEqual(timers(node.timeout('template')), ['set-timer'])
  assert.deepEqual(timers(node.finishMining()), ['set-timer'])
  assert.deepEqual(timers(node.startMining(0)), ['clear-timer'])
})

test('after a nonce, true or false, the search goes on with a new template', () => {
  const node = fresh()
  node.startMining()
  const { id, header } = node.template!
  const effects = node.step({ type: 'mined', templateId: id, nonce: unmineHeader(header).nonce })
  assert.equal(templatesOf(effects).length, 1)
})

test('an order for no blocks is an order to stop', () => {
  const node = fresh()
  node.startMining()
  const effects = node.startMining(0)
  assert.equal(effectsOf(effects, 'stop-mining').length, 1)
  assert.equal(node.replica.mining, null)
})

test('a nonce that comes after mining was stopped makes no block', () => {
  const node = fresh()
  node.startMining()
  const { id, header } = node.template!
  node.step({ type: 'mining', beneficiary: null, blocks: null })
  assert.deepEqual(node.step({ type: 'mined', templateId: id, nonce: mineHeader(header).nonce }), [])
  assert.equal(node.height, 0)
})

test('a nonce for an unknown template, and a false one, make no block', () => {
  const node = fresh()
  node.startMining(1)
  const { id, header } = node.template!
  for (const [templateId, nonce] of [
    ['0x00', mineHeader(header).nonce],
    [id, unmineHeader(header).nonce],
  ] as const) {
    const effects = node.step({ type: 'mined', templateId, nonce })
    assert.equal(effectsOf(effects, 'broadcast').length, 0)
    assert.equal(node.height, 0)
    assert.equal(node.replica.mining?.blocksLeft, 1)
  }
})

test('a nonce for a template on an older head makes a block beside the main chain, and is sent all the same', () => {
  const node = fresh()
  const builder = new ChainBuilder(node.genesis)
  node.startMining()
  const { id, header } = node.template!
  node.feed([builder.mine(builder.root)])
  const headId = node.headId
  const effects = node.step({ type: 'mined', templateId: id, nonce: mineHeader(header).nonce })
  assert.equal(effectsOf(effects, 'broadcast').length, 1)
  assert.equal(effectsOf(effects, 'head').length, 0)
  assert.equal(node.headId, headId)
  assert.equal([...node.replica.tree.tips()].length, 2)
})

test('two nodes that mine for one account search different headers', () => {
  const [a, b] = [1, 2].map(salt => new TestNode(smallGenesis(), { salt }).start())
  a!.startMining()
  b!.startMining()
  assert.notEqual(a!.template!.header.merkleRoot, b!.template!.header.merkleRoot)
})

test('a transaction gets into the template at the next look, and nothing changes without one', () => {
  const node = fresh()
  node.startMining()
  node.nowMs += 1_000
  assert.deepEqual(templatesOf(node.timeout('template')), [])
  assert.deepEqual(templatesOf(node.submit(transfer(1, 0).raw)), [])
  node.nowMs += 1_000
  assert.equal(templatesOf(node.timeout('template')).length, 1)
  node.finishMining()
  assert.equal(node.replica.tree.head.block.transactions.length, 1)
})

test('after ten seconds a template is rebuilt for the sake of its time', () => {
  const node = fresh()
  node.startMining()
  const { time } = node.template!.header
  node.nowMs += 9_999
  assert.deepEqual(templatesOf(node.timeout('template')), [])
  node.nowMs += 1
  assert.equal(templatesOf(node.timeout('template'))[0]?.header.time, time + 10)
})

test('a clock that is set back does not let a template of the future live on', () => {
  const node = fresh()
  node.nowMs += 3_600_000
  node.startMining()
  const { time } = node.template!.header
  node.nowMs -= 1_800_000
  assert.equal(templatesOf(node.timeout('template'))[0]?.header.time, time - 1_800)
})

test('the beneficiary can be changed while mining', () => {
  const node = fresh()
  node.startMining()
  const [template] = templatesOf(node.startMining(null, addressNumber(0x501)))
  assert.ok(template !== undefined)
  node.finishMining()
  assert.equal(node.replica.tree.head.block.coinbase.beneficiary, addressNumber(0x501))
})

// ---- blocks without work

test('a block without work holds what waits, is valid as it is, and no two of them are the same', () => {
  const { genesis } = new ValidatedNetwork('pbft', 1)
  const { root } = new ChainBuilder(genesis)
  const outbox = new ReplicaOutbox()
  const production = new Production(genesis, outbox, Uint8Array.of(0, 0, 0, 1))
  const pool = new Mempool(genesis.blocks, { state: genesis.state, baseFee: 1n })
  const tx = transfer(1, 0)
  pool.add(tx, addressNumber(1))
  const made = [1, 2].map(() => production.build(root, pool, addressNumber(0x70), START_MS + 1_999))
  assert.notEqual(made[0]!.block.id, made[1]!.block.id)
  for (const { block, execution } of made) {
    assert.equal(block.coinbase.beneficiary, addressNumber(0x70))
    assert.equal(block.header.time, START_MS / 1000 + 1, 'the second that has begun')
    assert.deepEqual(
      block.transactions.map(({ id }) => id),
      [tx.id],
    )
    const chained = chainHeader(genesis.work, root.chained, block.header, START_MS / 1000)
    assert.ok(typeof chained === 'object', String(chained))
    const parent = { height: 0, coinbase: root.block.coinbase, state: genesis.state }
    const decoded = decodeBlock(block.raw)
    assert.ok(typeof decoded === 'object')
    const checked = executeBlock(genesis.blocks, parent, decoded, namedSender)
    assert.ok(typeof checked === 'object', String(checked))
    assert.equal(checked.state.root(), execution.state.root())
  }
  production.command({ beneficiary: addressNumber(0x71), blocksLeft: null })
  const { block } = production.build(root, pool, addressNumber(0x70), START_MS)
  assert.equal(
    block.coinbase.beneficiary,
    addressNumber(0x71),
    'the account that this node mines for gets the reward',
  )
  production.renew(root, pool, START_MS)
  assert.deepEqual(outbox.take(), [], 'and there is nothing to search for')
})
