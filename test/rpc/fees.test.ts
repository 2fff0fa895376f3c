// What a client is told to pay.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Transaction } from '../../src/chain/transaction.ts'
import type { Json } from '../../src/encoding/fields.ts'
import {
  alice,
  baseFeeNow,
  bob,
  GWEI,
  hex,
  type Person,
  serve,
  TestNode,
  testGenesis,
  transfer,
} from './harness.ts'

/** Puts transfers with these tips into the pool, each sender's in one row. */
function poolTips(node: TestNode, by: Person, tips: readonly bigint[]): Transaction[] {
  const first = node.replica.pool.nextNonce(by.address)
  return tips.map((tip, index) => {
    const tx = transfer({
      by,
      nonce: first + BigInt(index),
      maxPriorityFeePerGas: tip,
      maxFeePerGas: 10_000n * GWEI,
    })
    node.pool(tx)
    return tx
  })
}

test('on an empty chain the suggested tip is 1 gwei, never nothing', async t => {
  const node = new TestNode()
  const client = await serve(t, node)
  assert.equal(await client.result('eth_maxPriorityFeePerGas'), hex(GWEI))
  node.mine(25)
  assert.equal(await client.result('eth_maxPriorityFeePerGas'), hex(GWEI))
  assert.equal(await client.result('eth_gasPrice'), hex(baseFeeNow(node) + GWEI))
})

test('the suggested tip is the median of the three cheapest of each of the last twenty blocks', async t => {
  const node = new TestNode()
  const client = await serve(t, node)
  poolTips(node, alice, [90n * GWEI, 7n * GWEI, 5n * GWEI, 3n * GWEI])
  node.mine()
  assert.equal(await client.result('eth_maxPriorityFeePerGas'), hex(5n * GWEI))
  poolTips(node, bob, [8n * GWEI, 8n * GWEI])
  node.mine()
  assert.equal(await client.result('eth_maxPriorityFeePerGas'), hex(7n * GWEI))
  assert.equal(await client.result('eth_gasPrice'), hex(baseFeeNow(node) + 7n * GWEI))
  node.mine(19)
  assert.equal(await client.result('eth_maxPriorityFeePerGas'), hex(8n * GWEI))
  node.mine(1)
  assert.equal(await client.result('eth_maxPriorityFeePerGas'), hex(GWEI))
})

test('the suggested tip ignores what a miner pays himself, and is at most 500 gwei', async t => {
  const node = new TestNode()
  const client = await serve(t, node)
  poolTips(node, alice, [600n * GWEI])
  node.mine(1, alice.address)
  assert.equal(await client.result('eth_maxPriorityFeePerGas'), hex(GWEI))
  poolTips(node, alice, [600n * GWEI])
  node.mine()
  assert.equal(await client.result('eth_maxPriorityFeePerGas'), hex(500n * GWEI))
  poolTips(node, alice, [1n, 1n, 1n])
  node.mine()
  assert.equal(await client.result('eth_maxPriorityFeePerGas'), hex(GWEI))
})

test('a fee history holds base fees, fullness and tips by percentile of gas', async t => {
  const node = new TestNode(testGenesis({ gasLimit: 210_000 }))
  const client = await serve(t, node)
  const blocks = [node.replica.genesis.block, node.mine()]
  poolTips(node, alice, [GWEI, 2n * GWEI, 3n * GWEI, 4n * GWEI])
  blocks.push(node.mine())
  const history = await client.object('eth_feeHistory', '0x2', 'latest', [0, 25, 26, 60, 100])
  assert.deepEqual(history, {
    oldestBlock: '0x1',
    baseFeePerGas: [...blocks.slice(1).map(block => hex(block.coinbase.baseFee)), hex(baseFeeNow(node))],
    gasUsedRatio: [0, 0.4],
    reward: [
      ['0x0', '0x0', '0x0', '0x0', '0x0'],
      [hex(GWEI), hex(GWEI), hex(2n * GWEI), hex(3n * GWEI), hex(4n * GWEI)],
    ],
  })
  const older = await client.object('eth_feeHistory', '0xa', '0x1', [])
  assert.deepEqual(older, {
    oldestBlock: '0x0',
    baseFeePerGas: blocks.map(block => hex(block.coinbase.baseFee)),
    gasUsedRatio: [0, 0],
  })
})

test('a fee history is as long as asked, as the chain, or 1024 blocks', async t => {
  const node = new TestNode(testGenesis({ depth: 100 }))
  node.mine(1030)
  const client = await serve(t, node)
  for (const [count, length, oldest] of [
    ['0x0', 0, '0x0'],
    ['0x1', 1, hex(1030)],
    ['0xa', 10, hex(1021)],
    [hex(2n ** 255n), 1024, hex(7)],
  ] as const) {
    const history = await client.object('eth_feeHistory', count, 'latest', [50])
    assert.equal((history.gasUsedRatio as Json[]).length, length)
    assert.equal(history.oldestBlock, oldest)
    assert.equal((history.baseFeePerGas as Json[]).length, length === 0 ? 0 : length + 1)
  }
})

test('what one fee history has read of final blocks the next has for nothing', async t => {
  const node = new TestNode(testGenesis({ depth: 4 }))
  node.mine(40)
  const client = await serve(t, node)
  const { view } = node.replica
  const rawBlockAt = view.rawBlockAt.bind(view)
  let reads = 0
  view.rawBlockAt = height => {
    reads += 1
    return rawBlockAt(height)
  }
  const first = await client.object('eth_feeHistory', '0x40', 'latest', [50])
  assert.equal(reads, 41)
  assert.deepEqual(await client.object('eth_feeHistory', '0x40', 'latest', [50]), first)
  assert.ok(reads <= 41 + 6, `${reads} reads`)
})

test('a fee history that makes no sense is refused', async t => {
  const client = await serve(t, new TestNode())
  const beyond = await client.error('eth_feeHistory', '0x1', '0x1', [])
  assert.deepEqual(beyond, { code: -32000, message: 'request beyond head block' })
  const many = Array.from({ length: 101 }, () => 50)
  for (const percentiles of [[-1], [101], [50, 20], [50, 50], ['50'], '50', many]) {
    assert.equal((await client.error('eth_feeHistory', '0x1', 'latest', percentiles)).code, -32602)
  }
  for (const count of [1, '1', '0x', '-0x1', null]) {
    assert.equal((await client.error('eth_feeHistory', count, 'latest', [])).code, -32602)
  }
})
