import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Json } from '../../../src/encoding/fields.ts'
import { CutOff } from '../../../src/lab/links/cut-off.ts'
import { temporaryDirectory } from '../../cleanup.ts'
import { addressOf, headAt, nodesOf, until } from '../../node/nodes.ts'
import { peerIdIn } from '../../node/raw-peer.ts'
import { type RpcClient, serve, TestNode, testGenesis } from '../../rpc/harness.ts'

test('a node cuts off peers only for a caller that has its cookie, and only on a network that is for tests', async t => {
  const directory = await temporaryDirectory(t)
  const cut = new CutOff()
  const aborted: string[] = []
  const controlMethods = cut.methods({ abortConnections: peer => void aborted.push(peer) })
  const node = new TestNode(testGenesis({ forTests: true }))
  const client = await serve(t, node, { cookieDirectory: directory, controlMethods })
  const peers = ['12D3', '12D4', '12D5']
  const cutOff = () => peers.filter(peer => !cut.mayConnect(peer))
  const authorization = `Bearer ${await readFile(join(directory, 'rpc.cookie'), 'utf8')}`
  const control = async (client: RpcClient, params: readonly Json[], headers = { authorization }) => {
    const call = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'quorate_cutOff', params })
    const { result, error } = JSON.parse((await client.post(call, { headers })).text)
    return result ?? error.code
  }
  assert.equal(await control(client, [['12D3']], { authorization: 'Bearer x' }), -32001)
  for (const params of [[], ['12D3'], [[7]], [['12 D3']]]) assert.equal(await control(client, params), -32602)
  assert.deepEqual(cutOff(), [])
  assert.equal(await control(client, [['12D3', '12D4']]), true)
  assert.deepEqual(cutOff(), ['12D3', '12D4'])
  assert.deepEqual(aborted, ['12D3', '12D4'])
  assert.equal(await control(client, [[]]), true)
  assert.deepEqual(cutOff(), [])
  const realDirectory = await temporaryDirectory(t)
  const realClient = await serve(t, new TestNode(), { cookieDirectory: realDirectory, controlMethods })
  const shown = { authorization: `Bearer ${await readFile(join(realDirectory, 'rpc.cookie'), 'utf8')}` }
  assert.equal(await control(realClient, [['12D3']], shown), -32000)
  assert.deepEqual(cutOff(), [])
})

test('a peer that is cut off is not connected, from either side, until it is let in again', async t => {
  const open = nodesOf(t)
  const [cutOfA, cutOfB] = [new CutOff(), new CutOff()]
  const a = await open({ mayConnect: peer => cutOfA.mayConnect(peer) })
  const addressOfA = a.multiaddrs()[0]!
  const b = await open({ bootstrap: [addressOfA], mayConnect: peer => cutOfB.mayConnect(peer) })
  const c = await open({ bootstrap: [addressOfA, b.multiaddrs()[0]!] })
  await until('all are linked', () => [a, b, c].every(node => node.peers().length === 2))
  const idOfC = peerIdIn(c.multiaddrs()[0]!).toString()
  cutOfA.cutOff(a, [idOfC])
  cutOfB.cutOff(b, [idOfC])
  await until('no peer is connected with it', () => c.peers().length === 0 && a.peers().length === 1)
  a.setMining(addressOf(50), 1)
  await headAt(b, 1)
  assert.deepEqual([c.replica.tree.head.chained.height, c.peers().length], [0, 0])
  cutOfA.cutOff(a, [])
  cutOfB.cutOff(b, [])
  await headAt(c, 1)
})
