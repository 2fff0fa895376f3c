import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { decodeTransaction, type Transaction } from '../../src/chain/transaction.ts'
import { Database } from '../../src/node/database.ts'
import { ListenFailed } from '../../src/node/listening.ts'
import type { Node } from '../../src/node/node.ts'
import type { Message, Status } from '../../src/replica/messages.ts'
import { OtherNetwork } from '../../src/replica/start.ts'
import { temporaryDirectory } from '../cleanup.ts'
import { addressOf, easyGenesis, headAt, nodesOf, transfer, until } from './nodes.ts'
import { keyBeside, peerIdIn, RawPeer } from './raw-peer.ts'

const MINER = addressOf(50)
const addressOfNode = (node: Node): string => node.multiaddrs()[0]!
const headOf = (node: Node): string => node.replica.tree.head.chained.id
const poolSize = (node: Node): number => node.replica.pool.size

const linked = (...nodes: Node[]): Promise<void> =>
  until('all are linked to all', () => nodes.every(node => node.peers().length === nodes.length - 1))

function decoded(raw: Uint8Array): Transaction {
  const tx = decodeTransaction(raw)
  assert.ok(typeof tx === 'object')
  return tx
}

const statusOf = (node: Node, changes: Partial<Status> = {}): Message => ({
  type: 'status',
  status: {
    genesisId: node.replica.genesis.block.id,
    chainId: 7n,
    headId: node.replica.genesis.block.id,
    height: 0,
    work: 0n,
    ...changes,
  },
})

test('three nodes share a transaction, mine it and follow one head', async t => {
  const open = nodesOf(t)
  const a = await open()
  const b = await open({ bootstrap: [addressOfNode(a)] })
  const c = await open({ bootstrap: [addressOfNode(a), addressOfNode(b)] })
  await linked(a, b, c)
  const raw = transfer(0, 0)
  assert.deepEqual(await a.submit(raw), { id: decoded(raw).id })
  await until('all have the transaction', () => [a, b, c].every(node => poolSize(node) === 1))
  c.setMining(MINER, 3)
  await Promise.all([a, b, c].map(node => headAt(node, 3)))
  assert.equal(new Set([a, b, c].map(headOf)).size, 1)
  for (const node of [a, b, c]) {
    assert.equal(node.replica.tree.head.execution.state.get(addressOf(99)).balance, 1n)
    assert.equal(node.replica.view.locate(decoded(raw).id)?.block.coinbase.height, 1)
  }
  await until('the peers know each others heads', () => a.peers().every(({ head }) => head !== null))
})

test('what one node says crosses another that only passes it on', async t => {
  const open = nodesOf(t)
  const a = await open()
  const b = await open({ bootstrap: [addressOfNode(a)] })
  const c = await open({ bootstrap: [addressOfNode(b)] })
  await until('they stand in a line', () => b.peers().filter(({ head }) => head !== null).length === 2)
  await a.submit(transfer(0, 0))
  await until('the far end has the transaction', () => poolSize(c) === 1)
  a.setMining(MINER, 1)
  await headAt(c, 1)
  assert.deepEqual([a.peers().length, c.peers().length], [1, 1])
})

test('a node that comes late catches up', async t => {
  const open = nodesOf(t)
  const a = await open()
  a.setMining(MINER, 40)
  await headAt(a, 40)
  const b = await open({ bootstrap: [addressOfNode(a)] })
  await headAt(b, 40)
  assert.equal(headOf(b), headOf(a))
})

test('a refused transaction is answered with the reason', async t => {
  const node = await nodesOf(t)()
  assert.deepEqual(await node.submit(Uint8Array.of(1, 2, 3)), { rejection: 'tx-type-unknown' })
  assert.deepEqual(await node.submit(transfer(9, 0)), { rejection: 'tx-insufficient-funds' })
  const raw = transfer(0, 0)
  const answers = await Promise.all([node.submit(raw), node.submit(raw)])
  assert.deepEqual(answers, [{ id: decoded(raw).id }, { rejection: 'tx-already-known' }])
})

test('transactions of one sender that are submitted together keep their order', async t => {
  const node = await nodesOf(t)()
  const raws = Array.from({ length: 100 }, (_, nonce) => transfer(0, nonce))
  const answers = await Promise.all(raws.map(raw => node.submit(raw)))
  assert.deepEqual(
    answers,
    raws.map(raw => ({ id: decoded(raw).id })),
  )
  const { pending, future } = node.replica.pool.queueOf(addressOf(0))
  assert.deepEqual([pending.length, future.length], [100, 0])
})

test('a node that is opened again has its head, its transactions, its identity and its peers', async t => {
  const open = nodesOf(t)
  const dataDirectory = await temporaryDirectory(t)
  const a = await open()
  const first = await open({ dataDirectory, bootstrap: [addressOfNode(a)] })
  await linked(a, first)
  first.setMining(MINER, 5)
  await headAt(first, 5)
  await first.submit(transfer(0, 0))
  const [head, address] = [headOf(first), addressOfNode(first)]
  await first.close()
  await until('the peer is gone', () => a.peers().length === 0)
  const again = await open({ dataDirectory })
  assert.equal(headOf(again), head)
  assert.equal(poolSize(again), 1)
  assert.equal(peerIdIn(addressOfNode(again)), peerIdIn(address))
  await linked(a, again)
  assert.equal((await stat(join(dataDirectory, 'identity.key'))).mode & 0o777, 0o600)
})

test('a node that was only ever dialled finds its peers again', async t => {
  const open = nodesOf(t)
  const dataDirectory = await temporaryDirectory(t)
  const a = await open({ dataDirectory })
  const b = await open({ bootstrap: [addressOfNode(a)] })
  await linked(a, b)
  const book = join(dataDirectory, 'peers.json')
  await until('the peer is noted', () => existsSync(book) && readFileSync(book, 'utf8').includes('tcp'))
  await a.close()
  // At another port, so that the other can't find it.
  const again = await open({ dataDirectory })
  await linked(again, b)
  assert.deepEqual(
    again.peers().map(({ direction }) => direction),
    ['outbound'],
  )
})

test('a lost peer is dialled until it is back', async t => {
  const open = nodesOf(t)
  const dataDirectory = await temporaryDirectory(t)
  const a = await open({ dataDirectory })
  const listen = [addressOfNode(a).replace(/\/p2p\/.*/, '')]
  const b = await open({ bootstrap: listen })
  await linked(a, b)
  await a.close()
  await until('the peer is gone', () => b.peers().length === 0)
  const again = await open({ dataDirectory, listen })
  await linked(again, b)
})

test('a peer of another network is disconnected and left alone', async t => {
  const open = nodesOf(t)
  const a = await open()
  const b = await open()
  const stranger = await open({ genesis: easyGenesis({ chainId: 8 }), bootstrap: [addressOfNode(a)] })
  b.addPeer(addressOfNode(a))
  await linked(a, b)
  const peer = await RawPeer.connect(t, addressOfNode(a))
  peer.send(statusOf(a, { genesisId: stranger.replica.genesis.block.id }))
  await peer.closed
  await until('the stranger is gone', () => stranger.peers().length === 0)
  assert.deepEqual(
    a.peers().map(({ id }) => id),
    [peerIdIn(addressOfNode(b))],
  )
})

test('a data directory of another network is refused and can be opened by its own', async t => {
  const open = nodesOf(t)
  const dataDirectory = await temporaryDirectory(t)
  await (await open({ dataDirectory })).close()
  await assert.rejects(open({ dataDirectory, genesis: easyGenesis({ chainId: 8 }) }), OtherNetwork)
  await open({ dataDirectory })
})

test('an address that is taken, or is none, is refused and leaves nothing open', async t => {
  const open = nodesOf(t)
  const dataDirectory = await temporaryDirectory(t)
  const listen = [addressOfNode(await open()).replace(/\/p2p\/.*/, '')]
  await assert.rejects(open({ dataDirectory, listen }), ListenFailed)
  await assert.rejects(open({ dataDirectory, bootstrap: ['nonsense'] }), /"nonsense" is not an address/)
  const node = await open({ dataDirectory })
  assert.throws(() => node.addPeer('/ip4/1'), /is not an address/)
})

const HOSTILE: { readonly [what: string]: (peer: RawPeer, node: Node) => void } = {
  'garbage in place of the handshake': peer => peer.stream.send(new Uint8Array(5_000).fill(7)),
  'a message that can not be decoded': (peer, node) => {
    peer.send(statusOf(node))
    peer.stream.send(Uint8Array.of(3, 0, 0, 0, 9, 9, 9))
  },
  'a message of no bytes': peer => peer.stream.send(Uint8Array.of(0, 0, 0, 0)),
  'a length that is too large': peer => peer.stream.send(Uint8Array.of(255, 255, 255, 127)),
  'a transaction of another chain': (peer, node) => {
    peer.send(statusOf(node))
    peer.offer(decoded(transfer(0, 0, { chainId: 9n })))
  },
}

for (const [what, attack] of Object.entries(HOSTILE)) {
  test(`${what} ends the connection with the sender and harms no other peer`, async t => {
    const open = nodesOf(t)
    const a = await open()
    const b = await open({ bootstrap: [addressOfNode(a)] })
    await linked(a, b)
    const peer = await RawPeer.connect(
      t,
      addressOfNode(a),
      await keyBeside('before', peerIdIn(addressOfNode(a))),
    )
    attack(peer, a)
    await peer.closed
    await until('only the other is left', () => a.peers().length === 1)
    await assert.rejects(async () => {
      await peer.network.dial(peer.connection.remoteAddr)
      await peer.network.dialProtocol(peer.connection.remoteAddr, '/quorate/2')
    })
    await a.submit(transfer(1, 0))
    await until('the others go on', () => poolSize(b) === 1)
  })
}

test('what a peer says before its status is not heard, and no fault', async t => {
  const node = await nodesOf(t)()
  const peer = await RawPeer.connect(t, addressOfNode(node))
  peer.send({ type: 'get-headers', requestId: 1, locator: [] })
  peer.offer(decoded(transfer(0, 0)))
  peer.send(statusOf(node))
  peer.send({ type: 'get-headers', requestId: 2, locator: [] })
  const { requestId } = await peer.receive('headers')
  assert.deepEqual([requestId, poolSize(node), peer.received[0]?.type], [2, 0, 'status'])
})

test('what comes over a link is relayed, and a peer without gossip gets it over its link', async t => {
  const open = nodesOf(t)
  const a = await open()
  const b = await open({ bootstrap: [addressOfNode(a)] })
  await linked(a, b)
  const [sender, listener] = [
    await RawPeer.connect(t, addressOfNode(a)),
    await RawPeer.connect(t, addressOfNode(b)),
  ]
  sender.send(statusOf(a))
  listener.send(statusOf(b))
  await until('all are connected', () => a.peers().length === 2 && b.peers().length === 2)
  const tx = decoded(transfer(0, 0))
  sender.offer(tx)
  await until('the other node has it', () => b.replica.pool.get(tx.id) !== undefined)
  b.setMining(MINER, 1)
  const { block } = await listener.receive('block')
  assert.deepEqual(
    block.transactions.map(({ id }) => id),
    [tx.id],
  )
  await headAt(a, 1)
})

test('a node whose disk fails stops, says why, and acknowledges nothing more', async t => {
  const open = nodesOf(t)
  const a = await open()
  const b = await open({ bootstrap: [addressOfNode(a)] })
  await linked(a, b)
  t.mock.method(Database.prototype, 'flush', async function (this: Database) {
    throw new Error('no space left on device')
  })
  await assert.rejects(a.submit(transfer(0, 0)), /before the transaction was durable/)
  await assert.rejects(a.failed, /the node stops: no space left on device/)
  await assert.rejects(a.submit(transfer(0, 0)), /closed/)
  await a.close()
  await until('its peer sees that it is gone', () => b.peers().length === 0)
  assert.equal(poolSize(b), 0)
})

test('a node may be closed twice, and whatever is asked of it then does no harm', async t => {
  const node = await nodesOf(t)()
  node.setMining(MINER)
  await Promise.all([node.close(), node.close()])
  await node.close()
  node.setMining(MINER)
  await assert.rejects(node.submit(transfer(0, 0)), /the node is closed/)
})

test('heads are told when they are safe, in order, until the listener leaves', async t => {
  const dataDirectory = await temporaryDirectory(t)
  const open = nodesOf(t)
  const node = await open({
    dataDirectory,
    genesis: easyGenesis({ finality: { mode: 'longest-chain', depth: 3 } }),
  })
  const heads: number[] = []
  const finals: number[] = []
  const failing = node.onHead(() => assert.fail('a listener that throws stops nothing'))
  const leave = node.onHead(({ height }) => heads.push(height))
  node.onFinal(({ height }) => finals.push(height))
  node.setMining(MINER, 6)
  await headAt(node, 6)
  leave()
  failing()
  node.setMining(MINER, 1)
  await headAt(node, 7)
  assert.deepEqual(heads, [1, 2, 3, 4, 5, 6])
  assert.deepEqual(finals, [1, 2, 3, 4])
  assert.match(await readFile(join(dataDirectory, 'identity.key'), 'utf8'), /^[A-Za-z0-9+/=]+\n$/)
})
