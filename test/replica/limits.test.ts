import assert from 'node:assert/strict'
import { test } from 'node:test'
import { REPLICA_LIMITS, type ReplicaLimits } from '../../src/replica/limits.ts'
import { MESSAGE_LIMITS } from '../../src/replica/messages.ts'
import { KEYS } from '../../src/replica/records.ts'
import { ChainBuilder, fees, START_MS, tipOf, transfer } from './small-chain.ts'
import { announcedIn, sentOf, TestNetwork, TestNode } from './test-node.ts'

const builder = new ChainBuilder()
const main = builder.extend(builder.root, 30)

const nodeWith = (limits: Partial<ReplicaLimits>): TestNode =>
  new TestNode(builder.genesis, { nowMs: START_MS + 10_000_000, limits }).start()

test('no replica sends more at once than a message may hold', () => {
  assert.ok(REPLICA_LIMITS.headersMax <= MESSAGE_LIMITS.headersMax)
  assert.ok(REPLICA_LIMITS.bodiesMax <= MESSAGE_LIMITS.blocksMax)
  assert.ok(REPLICA_LIMITS.gossipTransactionsMax <= MESSAGE_LIMITS.transactionsMax)
})

test('where one transaction is a batch, each is announced at once and alone, also to a peer that connects later', () => {
  const node = nodeWith({ gossipTransactionsMax: 1 })
  node.connect('p')
  for (const nonce of [0, 1]) assert.equal(sentOf(node.submit(transfer(1, nonce).raw), 'announce').length, 1)
  const told = sentOf(node.connect('late'), 'announce')
  assert.deepEqual(
    told.map(({ message }) => message.ids.length),
    [1, 1],
  )
})

test('a pool holds what it is allowed to, and an evicted transaction has its outcome', () => {
  const node = nodeWith({ pool: { ...REPLICA_LIMITS.pool, transactionsMax: 1 } })
  const [first, better] = [transfer(1, 0), transfer(2, 0, fees(9, 9))]
  node.submit(first.raw)
  node.submit(better.raw)
  assert.deepEqual(
    [...node.replica.pool.entries()].map(({ tx }) => tx.id),
    [better.id],
  )
  assert.deepEqual(node.replica.outcomes.get(first.id), { status: 'dropped', reason: 'tx-pool-full' })
})

test('a submitted transaction that was evicted and comes back from peers is tracked as before', () => {
  const node = nodeWith({ pool: { ...REPLICA_LIMITS.pool, transactionsMax: 1 } })
  const [first, better] = [transfer(1, 0), transfer(2, 0, fees(9, 9))]
  node.submit(first.raw)
  node.submit(better.raw)
  assert.equal(node.disk.get(KEYS.pooled(first.id)), null)
  node.startMining(1)
  node.finishMining()
  node.pull('p', first)
  assert.equal(node.replica.outcomes.get(first.id), undefined)
  assert.ok(node.disk.isDurable(KEYS.pooled(first.id)))
  assert.notEqual(node.restarted().replica.pool.get(first.id), undefined)
  assert.deepEqual(announcedIn(node.connect('late')), [`late ${first.id}`])
})

test('a replica that may send and request little at once catches up all the same', () => {
  const limits = { ...REPLICA_LIMITS, headersMax: 4, bodiesMax: 2, bodiesAheadMax: 3 }
  const network = new TestNetwork(builder.genesis, tipOf(main).chained.header.time * 1000, { limits })
  const [ahead, behind] = network.add('ahead', 'behind')
  ahead!.feed(main)
  network.connect('ahead', 'behind')
  network.run(30_000)
  assert.equal(behind!.headId, tipOf(main).chained.id)
  for (const { message } of sentOf(network.done('behind', 'send'), 'get-blocks'))
    assert.ok(message.ids.length <= 2)
  for (const { message } of sentOf(network.done('ahead', 'send'), 'headers'))
    assert.ok(message.headers.length <= 4)
})
