// A peer without a key, against a real node: what it asks is served, and holds nobody up. What is counted here are turns
// of the event loop and work done for the stranger, which noise on the machine does not change.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { frameMessage } from '../../src/node/frames.ts'
import type { Node } from '../../src/node/node.ts'
import { MESSAGE_TYPES, type Message } from '../../src/replica/messages.ts'
import { addressOf, nodesOf } from './nodes.ts'
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

test('answers that nobody asked for cost nothing, and end no connection', async t => {
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
