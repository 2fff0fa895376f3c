// The sender of a transaction is stored with its block: showing old ones checks no signature, least of all on the event loop.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Json } from '../../src/encoding/fields.ts'
import { KEYS } from '../../src/replica/records.ts'
import { alice, bob, hex, miner, type RpcClient, serve, TestNode, testGenesis, transfer } from './harness.ts'

const sent = [transfer(), transfer({ by: bob, to: alice.address }), transfer({ nonce: 1n })]
const from = [alice, bob, alice].map(({ address }) => address)

/** A node after a restart: block 1 is final and has three transfers, block 20 has one. `senderOf` counts on it. */
async function restarted(t: TestContext, change: (node: TestNode) => void = () => {}) {
  const first = new TestNode(testGenesis({ depth: 4 }))
  for (const tx of sent) first.pool(tx)
  const block = first.mine()
  first.mine(18)
  first.pool(transfer({ nonce: 2n }))
  first.mine(1, miner.address)
  change(first)
  const node = first.restarted()
  const asked = { senders: 0 }
  const senderOf = node.replica.senderOf.bind(node.replica)
  node.replica.senderOf = tx => {
    asked.senders += 1
    return senderOf(tx)
  }
  return { node, block, asked, client: await serve(t, node) }
}

/** The senders, by all methods that show them. */
async function fromOf(client: RpcClient, blockId: string): Promise<Json[]> {
  const all: Json[] = []
  for (const tx of sent) {
    all.push(((await client.result('eth_getTransactionReceipt', tx.id)) as { from: Json }).from)
    all.push(((await client.result('eth_getTransactionByHash', tx.id)) as { from: Json }).from)
  }
  for (const [method, name] of [
    ['eth_getTransactionByBlockHashAndIndex', blockId],
    ['eth_getTransactionByBlockNumberAndIndex', '0x1'],
  ] as const)
    for (const index of sent.keys())
      all.push(((await client.result(method, name, hex(index))) as { from: Json }).from)
  const receipts = (await client.result('eth_getBlockReceipts', '0x1')) as { from: Json }[]
  const { transactions } = await client.object('eth_getBlockByNumber', '0x1', true)
  all.push(...receipts.map(receipt => receipt.from))
  all.push(...(transactions as { from: Json }[]).map(tx => tx.from))
  return all
}

const BY_ALL_WAYS: Json[] = [...from.flatMap(one => [one, one]), ...from, ...from, ...from, ...from]

test('old receipts and transactions are shown without checking a signature', async t => {
  const { node, block, asked, client } = await restarted(t)
  // In the order of the block, which is that of what they pay.
  const order = block.transactions.map(tx => sent.findIndex(({ id }) => id === tx.id))
  assert.deepEqual(order, [0, 1, 2])
  assert.deepEqual(await fromOf(client, block.id), BY_ALL_WAYS)
  assert.match(String(await client.result('eth_maxPriorityFeePerGas')), /^0x/)
  assert.equal((await client.object('eth_getBlockByNumber', '0x14', true)).number, '0x14')
  assert.deepEqual([asked.senders, node.recovered], [0, 0])
})

test('where senders were not kept, a method has what it shows recovered off the event loop first', async t => {
  const forget = (node: TestNode) => void node.records.delete(KEYS.senders(1))
  const { node, block, asked, client } = await restarted(t, forget)
  const recover = node.recoverSenders.bind(node)
  node.recoverSenders = async transactions => {
    await recover(transactions)
    assert.ok(
      asked.senders <= node.recovered - transactions.length,
      'none is asked for before it is recovered',
    )
  }
  assert.equal((await client.object('eth_getTransactionReceipt', sent[0]!.id)).from, alice.address)
  assert.equal(node.recovered, 1)
  assert.deepEqual(await fromOf(client, block.id), BY_ALL_WAYS)
  assert.equal(node.recovered, 1 + 4 * 3 + 2 * 3)
  assert.equal(asked.senders, node.recovered)
  const before = node.recovered
  assert.equal((await client.object('eth_getBlockByNumber', '0x1', false)).number, '0x1')
  assert.match(String(await client.result('eth_maxPriorityFeePerGas')), /^0x/)
  assert.equal(node.recovered, before)
})

test('a record of senders that does not fit its block stops the node', async t => {
  const { node, client } = await restarted(
    t,
    one => void one.records.set(KEYS.senders(1), new Uint8Array(40)),
  )
  assert.equal((await client.error('eth_getBlockReceipts', '0x1')).code, -32603)
  assert.match(node.damage!.message, /senders\/0{14}1 is damaged/)
})
