// A peer without a key, against a real node: its requests are served, and delay no other peer. What is counted here are turns
// of the event loop and work done for the stranger, which noise on the machine does not change.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Block, decodeBlock } from '../../src/chain/block.ts'
import { decodeCompact } from '../../src/chain/compact.ts'
import { encodeHeader, HEADER_BYTES, meetsTarget } from '../../src/chain/header.ts'
import { decodeTransaction } from '../../src/chain/transaction.ts'
import { concatBytes } from '../../src/encoding/bytes.ts'
import { frameMessage } from '../../src/node/frames.ts'
import { Host } from '../../src/node/host.ts'
import type { HostOptions } from '../../src/node/host-options.ts'
import type { Node } from '../../src/node/node.ts'
import { RequestQueue } from '../../src/node/request-queue.ts'
import { MESSAGE_TYPES, type Message } from '../../src/replica/messages.ts'
import { addressOf, headAt, nodesOf, transfer, until } from './nodes.ts'
import { RawPeer } from './raw-peer.ts'

const BLOCKS = 60

/** A node with some blocks, and a stranger that has shaken hands with it. */
async function attacked(t: TestContext): Promise<{ node: Node; stranger: RawPeer }> {
  const node = await nodesOf(t)()
  const mined = new Promise<void>(resolve => {
    node.onHead(({ height }) => height >= BLOCKS && resolve())
  })
  node.setMining(addressOf(1), BLOCKS)
  await mined
  const stranger = await RawPeer.connect(t, node.multiaddrs()[0]!)
  const { genesis } = node.replica
  const status = { genesisId: genesis.block.id, chainId: genesis.blocks.chainId, height: 0, work: 0n }
  stranger.send({ type: 'status', status: { ...status, headId: genesis.block.id } })
  await stranger.receive('status')
  return { node, stranger }
}

/** Counts the requests that a node serves in each turn of its event loop. */
function countServed(node: Node): { readonly most: () => number; readonly all: () => number } {
  const step = node.replica.step.bind(node.replica)
  let [inTurn, most, all] = [0, 0, 0]
  node.replica.step = (input, nowMs) => {
    if (input.type === 'message' && input.message.type.startsWith('get-')) {
      if (inTurn === 0) setImmediate(() => (inTurn = 0))
      inTurn += 1
      all += 1
      most = Math.max(most, inTurn)
    }
    return step(input, nowMs)
  }
  return { most: () => most, all: () => all }
}

test('a burst of requests is served one in each turn of the event loop, and an honest peer among them', async t => {
  const { node, stranger } = await attacked(t)
  const served = countServed(node)
  const locator = [node.replica.genesis.block.id]
  for (let requestId = 0; requestId < 400; requestId++)
    stranger.send({ type: 'get-headers', requestId, locator })
  const honest = await nodesOf(t)({ bootstrap: node.multiaddrs() })
  const caughtUp = new Promise<void>(resolve => {
    honest.onHead(({ height }) => height >= BLOCKS && resolve())
  })
  await caughtUp
  assert.ok(served.most() === 1, `${served.most()} in one turn`)
  assert.ok(served.all() > 2)
  const answers = () => stranger.received.filter(({ type }) => type === 'headers')
  while (answers().length < 100) await sleep(20)
  const [first] = answers() as Extract<Message, { type: 'headers' }>[]
  assert.equal(first?.headers.length, BLOCKS)
})

test('unrequested answers cost nothing, and end no connection', async t => {
  const { node, stranger } = await attacked(t)
  const steps: string[] = []
  const step = node.replica.step.bind(node.replica)
  node.replica.step = (input, nowMs) => {
    // Its own status may be on its way still.
    if (input.type === 'message' && input.message.type !== 'status') steps.push(input.message.type)
    return step(input, nowMs)
  }
  const { block } = node.replica.tree.head
  for (let requestId = 0; requestId < 20; requestId++)
    stranger.send({ type: 'blocks', requestId, blocks: Array.from({ length: 16 }, () => block) })
  stranger.send({ type: 'block', block })
  stranger.send({ type: 'get-headers', requestId: 1, locator: [] })
  await stranger.receive('headers')
  assert.deepEqual(steps, ['get-headers'])
  assert.equal(node.peers().length, 1)
})

test('a stranger that sends what has no use is read no faster than it pays', async t => {
  const { node, stranger } = await attacked(t)
  const [atOnce, perMs, enough] = [4, 2 / 1_000, 8].map(mebibytes => mebibytes * 2 ** 20) as [
    number,
    number,
    number,
  ]
  let read = 0
  const screen = node.replica.screen.bind(node.replica)
  node.replica.screen = (from, bytes) => {
    read += bytes.length
    return screen(from, bytes)
  }
  const junk = new Uint8Array(2 ** 20)
  junk[0] = MESSAGE_TYPES.indexOf('blocks')
  const beganMs = performance.now()
  for (let size = 0; size < 2 * enough; size += junk.length) stranger.stream.send(frameMessage(junk))
  while (read < enough) await sleep(20)
  const lastedMs = performance.now() - beganMs
  assert.ok(read <= atOnce + perMs * lastedMs, `${read} bytes in ${lastedMs} ms`)
  assert.equal(node.peers().length, 1)
})

test('a peer that reconnects while its request waits is still served', async t => {
  const { node, stranger } = await attacked(t)
  stranger.send({ type: 'get-blocks', requestId: 1, ids: [node.replica.genesis.block.id] })
  await stranger.connection.close()
  await stranger.closed
  const again = await RawPeer.connect(t, node.multiaddrs()[0]!)
  const { genesis } = node.replica
  const status = { genesisId: genesis.block.id, chainId: genesis.blocks.chainId, height: 0, work: 0n }
  again.send({ type: 'status', status: { ...status, headId: genesis.block.id } })
  again.send({ type: 'get-headers', requestId: 2, locator: [] })
  await again.receive('headers')
})

/** What each peer is charged for, in bytes. */
function noteCharges(t: TestContext): { readonly peer: string; readonly bytes: number }[] {
  const charges: { readonly peer: string; readonly bytes: number }[] = []
  t.mock.method(RequestQueue.prototype, 'charge', async (peer: string, _group: string, bytes: number) => {
    charges.push({ peer, bytes })
  })
  return charges
}

/** A block that is sound in itself, and whose parent no node has. */
function orphanOf(node: Node): Block {
  const { raw, header } = node.replica.tree.head.block
  for (let nonce = 0; ; nonce++) {
    const changed = { ...header, previous: `0x${'ab'.repeat(32)}` as const, nonce }
    const block = decodeBlock(concatBytes(encodeHeader(changed), raw.subarray(HEADER_BYTES)))
    assert.ok(typeof block !== 'string')
    if (meetsTarget(block.id, decodeCompact(header.bits)!)) return block
  }
}

test('a stranger that sends an orphan again and again pays for each', async t => {
  const { node, stranger } = await attacked(t)
  const charges = noteCharges(t)
  const block = orphanOf(node)
  for (let count = 0; count < 5; count++) stranger.send({ type: 'block', block })
  await until('each is paid for', () => charges.length === 5)
  for (const { peer, bytes } of charges) {
    assert.equal(peer, stranger.id)
    assert.ok(bytes >= block.raw.length)
  }
})

test('a stranger that says its status again and again waits its turn, and its first is free', async t => {
  const { node, stranger } = await attacked(t)
  const served: string[] = []
  const serve = RequestQueue.prototype.serve
  t.mock.method(
    RequestQueue.prototype,
    'serve',
    function (this: RequestQueue, ...given: Parameters<typeof serve>) {
      served.push(given[0])
      return serve.apply(this, given)
    },
  )
  for (let count = 0; count < 20; count++) stranger.greet(node)
  await until('all were heard', () => served.length === 20)
  const other = await RawPeer.connect(t, node.multiaddrs()[0]!)
  other.greet(node)
  other.send({ type: 'get-headers', requestId: 1, locator: [] })
  await other.receive('headers')
  assert.deepEqual(served.slice(20), [other.id])
})

test('a stranger whose gossip has no use pays for it, and a peer that gossips news does not', async t => {
  const hosts: HostOptions[] = []
  const start = Host.start.bind(Host)
  t.mock.method(Host, 'start', (options: HostOptions) => {
    hosts.push(options)
    return start(options)
  })
  const { node, stranger } = await attacked(t)
  const charges = noteCharges(t)
  const gossip = (block: Pick<Block, 'raw'>) =>
    hosts[0]!.onGossip(
      stranger.id,
      'block',
      concatBytes(Uint8Array.of(MESSAGE_TYPES.indexOf('block')), block.raw),
    )
  const known = node.replica.tree.head.block
  const orphan = orphanOf(node)
  assert.equal(await gossip(known), 'ignore')
  assert.equal(await gossip(orphan), 'ignore')
  assert.equal(charges.length, 2)

  const other = await nodesOf(t)({ bootstrap: node.multiaddrs() })
  await headAt(other, BLOCKS)
  charges.length = 0
  const news = new Promise<void>(resolve => node.onHead(() => resolve()))
  other.setMining(addressOf(2), 1)
  await news
  assert.deepEqual(charges, [])
})

test('a stranger that gives other transactions than it was asked for pays for them', async t => {
  const { stranger } = await attacked(t)
  const charges = noteCharges(t)
  const [asked, other] = [0, 1].map(nonce => decodeTransaction(transfer(2, nonce)))
  assert.ok(typeof asked === 'object' && typeof other === 'object')
  stranger.send({ type: 'announce', ids: [asked.id] })
  const { requestId } = await stranger.receive('get-transactions')
  stranger.send({ type: 'transactions', requestId, transactions: [other] })
  await until('it pays', () => charges.length > 0)
  assert.equal(charges.length, 1)
  assert.ok(charges[0]!.bytes >= other.raw.length)
})

test('a peer that gives what it was asked for pays nothing', async t => {
  const { node, stranger } = await attacked(t)
  const charges = noteCharges(t)
  const tx = decodeTransaction(transfer(2, 0))
  assert.ok(typeof tx === 'object')
  stranger.offer(tx)
  await until('it is taken in', () => node.replica.pool.get(tx.id) !== undefined)
  stranger.send({ type: 'get-headers', requestId: 1, locator: [] })
  await stranger.receive('headers')
  assert.deepEqual(charges, [])
})
