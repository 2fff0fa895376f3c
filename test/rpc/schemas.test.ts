// Results against the schemas that Ethereum's clients are generated from (execution-apis, see
// json-schema.ts).

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Json } from '../../src/encoding/fields.ts'
import { METHODS } from '../../src/rpc/methods.ts'
import {
  alice,
  bob,
  COIN,
  GWEI,
  hex,
  miner,
  rawOf,
  serve,
  TestNode,
  testGenesis,
  transfer,
} from './harness.ts'
import { findFaults, readOpenRpc, type Schema } from './json-schema.ts'

const openRpc = readOpenRpc()
const skip = openRpc === null ? 'execution-apis.openrpc.json is not here' : false

test('the checker sees what is wrong', { skip }, () => {
  const faults = (name: string, value: unknown): string[] =>
    findFaults(openRpc!, { $ref: `#/components/schemas/${name}` }, value)
  assert.deepEqual(faults('uint', '0x1f'), [])
  assert.equal(faults('uint', '0x01').length, 1)
  assert.equal(faults('uint', 31).length, 1)
  assert.equal(faults('ratio', 1.5).length, 1)
  assert.equal(faults('BlockTag', 'newest').length, 1)
  assert.equal(faults('AccessListEntry', { address: alice.address, storageKeys: [], more: 1 }).length, 1)
  assert.equal(faults('AccessListEntry', { address: alice.address }).length, 1)
  assert.deepEqual(faults('FilterResults', []), [])
  assert.notEqual(faults('TransactionSigned', { type: '0x2' }).length, 0)
  assert.throws(() => findFaults(openRpc!, { format: 'date' }, ''), /format/)
})

test('every result has the shape that Ethereum publishes', { skip }, async t => {
  const { node, client, plain, legacy, waiting } = await busyNode(t)
  const { id: head } = node.replica.tree.head.chained
  const transferCall = { from: alice.address, to: bob.address, value: '0x1' }
  const calls: { readonly [method: string]: readonly (readonly Json[])[] } = {
    eth_accounts: [[]],
    eth_blockNumber: [[]],
    eth_call: [[transferCall, 'latest'], [transferCall]],
    eth_chainId: [[]],
    eth_coinbase: [[]],
    eth_estimateGas: [
      [transferCall],
      [{ ...transferCall, accessList: [{ address: bob.address, storageKeys: [head] }] }],
    ],
    eth_feeHistory: [
      ['0x4', 'latest', [0, 50, 99.5]],
      ['0x400', 'latest', []],
      ['0x0', 'latest', []],
    ],
    eth_gasPrice: [[]],
    eth_getBalance: [
      [alice.address, 'latest'],
      [alice.address, { blockHash: head }],
    ],
    eth_getBlockByHash: [
      [head, false],
      [head, true],
      [plain.id, true],
    ],
    eth_getBlockByNumber: [
      '0x0',
      '0x1',
      '0x2',
      '0x64',
      'latest',
      'pending',
      'earliest',
      'safe',
      'finalized',
    ].flatMap(block => [
      [block, true],
      [block, false],
    ]),
    eth_getBlockReceipts: [['latest'], ['0x1'], ['0x64'], [head]],
    eth_getBlockTransactionCountByHash: [[head], [plain.id]],
    eth_getBlockTransactionCountByNumber: [['latest'], ['0x64']],
    eth_getCode: [[alice.address, 'latest']],
    eth_getLogs: [[{}], [{ fromBlock: '0x0', toBlock: 'latest' }], [{ blockHash: head }]],
    eth_getStorageAt: [[alice.address, '0x0', 'latest']],
    eth_getTransactionByBlockHashAndIndex: [
      [head, '0x0'],
      [head, '0x1'],
      [head, '0x9'],
      [plain.id, '0x0'],
    ],
    eth_getTransactionByBlockNumberAndIndex: [
      ['latest', '0x0'],
      ['latest', '0x9'],
      ['0x64', '0x0'],
    ],
    eth_getTransactionByHash: [[plain.id], [legacy.id], [head]],
    eth_getTransactionCount: [[alice.address, 'latest'], [alice.address, 'pending'], [alice.address]],
    eth_getTransactionReceipt: [[plain.id], [legacy.id], [waiting.id], [head]],
    eth_maxPriorityFeePerGas: [[]],
    eth_sendRawTransaction: [[rawOf(transfer({ nonce: 1n, by: bob, to: alice.address }))]],
    eth_syncing: [[]],
    net_version: [[]],
    txpool_content: [[]],
    txpool_contentFrom: [[alice.address], [miner.address]],
    txpool_status: [[]],
  }
  const schemas = resultSchemas(openRpc!)
  const published = [...METHODS.keys()].filter(name => schemas.has(name))
  assert.deepEqual(Object.keys(calls).sort(), published.sort())
  for (const [method, variants] of Object.entries(calls)) {
    for (const params of variants) {
      const result = await client.result(method, ...params)
      assert.deepEqual(
        findFaults(openRpc!, schemas.get(method)!, result),
        [],
        `${method} ${JSON.stringify(params)}`,
      )
    }
  }
})

test('a node that catches up says so in the published shape', { skip }, async t => {
  const node = new TestNode()
  node.progress = { height: 3, target: 1000 }
  const result = await (await serve(t, node)).result('eth_syncing')
  assert.deepEqual(findFaults(openRpc!, resultSchemas(openRpc!).get('eth_syncing')!, result), [])
})

test('a transaction of the pool has the published shape of a pending one', { skip }, async t => {
  const { client, waiting } = await busyNode(t)
  const result = await client.result('eth_getTransactionByHash', waiting.id)
  const schema = { $ref: '#/components/schemas/PendingTransactionInfo' }
  assert.deepEqual(findFaults(openRpc!, schema, result), [])
})

/**
 * A node with final blocks, a full block, and both kinds of transactions in it, in the pool and behind a gap.
 */
async function busyNode(t: Parameters<typeof serve>[0]) {
  const node = new TestNode(testGenesis({ depth: 2 }))
  const accessList = [{ address: bob.address, storageKeys: [hex(2n ** 255n) as `0x${string}`] }]
  const plain = transfer({ data: Uint8Array.of(0, 1), accessList, gasLimit: 60_000n })
  const legacy = transfer({ type: 'legacy', by: bob, maxFeePerGas: 3n * GWEI, to: alice.address })
  const waiting = transfer({ nonce: 1n, value: 2n * COIN })
  node.mine(4)
  node.pool(plain)
  node.pool(legacy)
  node.mine()
  node.pool(waiting)
  node.pool(transfer({ nonce: 9n }))
  node.setMining(miner.address, 1)
  return { node, client: await serve(t, node), plain, legacy, waiting }
}

function resultSchemas(document: Schema): Map<string, Schema> {
  const methods = document.methods as { name: string; result: { schema: Schema } }[]
  return new Map(methods.map(({ name, result }) => [name, result.schema]))
}
