// A node whose database has a damaged record, as LevelDB hands it out: it does not start, or it stops when it meets it.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Level } from 'level'
import type { Node } from '../../src/node/node.ts'
import { CorruptStore, KEYS } from '../../src/replica/records.ts'
import { RpcServer } from '../../src/rpc/server.ts'
import { cleanUp, temporaryDirectory } from '../cleanup.ts'
import { easyGenesis, headAt, nodesOf, until } from './nodes.ts'

const MINER = `0x${'1'.repeat(40)}` as const
const genesis = easyGenesis({ finality: { mode: 'longest-chain', depth: 2 } })

/** Flips a bit of what LevelDB holds under this key. */
async function damage(dataDirectory: string, key: string): Promise<void> {
  const level = new Level<string, Uint8Array>(join(dataDirectory, 'chain'), { valueEncoding: 'view' })
  const value = Uint8Array.from((await level.get(key))!)
  value[value.length >> 1]! ^= 4
  await level.put(key, value)
  await level.close()
}

/** The folder of a node that mined a few blocks, and the id of a final one of them. */
async function minedFolder(t: TestContext) {
  const dataDirectory = await temporaryDirectory(t)
  const node = await nodesOf(t)({ dataDirectory, genesis })
  node.setMining(MINER, 5)
  await headAt(node, 5)
  await until('final blocks', () => node.replica.tree.base.chained.height >= 3)
  const { id } = node.replica.view.headerAt(1)!
  await node.close()
  return { dataDirectory, id }
}

/** The fault that stops a node. */
async function stopOf(node: Node): Promise<Error> {
  const stops: Error[] = []
  node.failed.catch((error: Error) => stops.push(error))
  await until('a stop', () => stops.length > 0)
  return stops[0]!
}

test('a record that is read at the start and is damaged keeps the node from starting, by its key', async t => {
  const { dataDirectory } = await minedFolder(t)
  for (const key of ['base', KEYS.account(MINER)]) {
    await damage(dataDirectory, key)
    const error = new CorruptStore(`record ${key} is damaged`)
    await assert.rejects(nodesOf(t)({ dataDirectory, genesis }), error)
    await damage(dataDirectory, key)
  }
  await (await nodesOf(t)({ dataDirectory, genesis })).close()
})

test('a client that asks for a damaged block gets an error, and the node stops and names the record', async t => {
  const { dataDirectory, id } = await minedFolder(t)
  await damage(dataDirectory, KEYS.block(id))
  const node = await nodesOf(t)({ dataDirectory, genesis })
  const rpc = await RpcServer.open(node, { port: 0, cookieDirectory: null })
  cleanUp(t, () => rpc.close())
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_getBlockByHash', params: [id, false] })
  const answer = await fetch(rpc.url, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json' },
  })
  assert.deepEqual(await answer.json(), {
    jsonrpc: '2.0',
    id: 1,
    error: { code: -32603, message: 'internal error' },
  })
  const stop = await stopOf(node)
  assert.equal(stop.message, `the node stops: record ${KEYS.block(id)} is damaged`)
  assert.ok(stop.cause instanceof CorruptStore)
})

test('a peer that asks for a damaged block gets no answer, and the node stops', async t => {
  const { dataDirectory, id } = await minedFolder(t)
  await damage(dataDirectory, KEYS.block(id))
  const node = await nodesOf(t)({ dataDirectory, genesis })
  const asker = await nodesOf(t)({ genesis, bootstrap: node.multiaddrs() })
  const stop = await stopOf(node)
  assert.equal(stop.message, `the node stops: record ${KEYS.block(id)} is damaged`)
  assert.equal(asker.replica.tree.head.chained.height, 0)
})
