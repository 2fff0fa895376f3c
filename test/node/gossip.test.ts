import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { type GossipSub, gossipsub } from '@libp2p/gossipsub'
import { identify } from '@libp2p/identify'
import type { Libp2p } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { encodeHeader } from '../../src/chain/header.ts'
import { Counters } from '../../src/node/counters.ts'
import {
  Gossip,
  type GossipVerdict,
  gossipBytesMax,
  gossipOptions,
  gossipTopic,
} from '../../src/node/gossip.ts'
import type { Node } from '../../src/node/node.ts'
import { encodeMessage } from '../../src/replica/message-codec.ts'
import { cleanUp } from '../cleanup.ts'
import { ChainBuilder, unmineHeader } from '../replica/small-chain.ts'
import { easyGenesis, headAt, nodesOf, transfer, until } from './nodes.ts'
import { keyBeside, peerIdIn } from './raw-peer.ts'

const genesis = easyGenesis()
const genesisId = genesis.block.id
const { blockBytesMax } = genesis.blocks
const builder = new ChainBuilder(genesis)
const { block } = builder.mine(builder.root)
const unmined = encodeMessage({ type: 'block', block })
unmined.set(encodeHeader(unmineHeader(block.header)), 1)

/** A peer that only gossips, connected to a node that waits for it to open a stream. */
async function gossiperAt(t: TestContext, node: Node) {
  const address = node.multiaddrs()[0]!
  const network: Libp2p<{ gossip: GossipSub }> = await createLibp2p({
    privateKey: await keyBeside('before', peerIdIn(address)),
    addresses: { listen: [] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: { identify: identify(), gossip: gossipsub(gossipOptions({ genesisId, blockBytesMax })) },
  })
  cleanUp(t, () => network.stop())
  const connection = await network.dial(multiaddr(address))
  const { gossip } = network.services
  const topic = gossipTopic(genesisId, 'block')
  gossip.subscribe(topic)
  await until('the node listens', () => gossip.getSubscribers(topic).length === 1)
  return { connection, publish: (bytes: Uint8Array) => gossip.publish(topic, bytes) }
}

test('gossip of a peer without a link yet is accepted and relayed', async t => {
  const open = nodesOf(t)
  const a = await open()
  const b = await open({ bootstrap: [a.multiaddrs()[0]!] })
  await until('they are linked', () => a.peers()[0]?.head != null && b.peers()[0]?.head != null)
  const gossiper = await gossiperAt(t, a)
  await gossiper.publish(encodeMessage({ type: 'block', block }))
  await Promise.all([a, b].map(node => headAt(node, 1)))
})

const BAD: { readonly [what: string]: Uint8Array } = {
  'a message that can not be decoded': Uint8Array.of(5, 1, 2, 3),
  'a message of no bytes': new Uint8Array(),
  'an answer among the blocks': encodeMessage({ type: 'transactions', requestId: 1, transactions: [] }),
  'a status among the blocks': encodeMessage({
    type: 'status',
    status: { genesisId, chainId: 7n, headId: genesisId, height: 0, work: 0n },
  }),
  'a block without its work': unmined,
}

for (const [what, bytes] of Object.entries(BAD)) {
  test(`${what} in gossip ends the connection with the sender and is not passed on`, async t => {
    const open = nodesOf(t)
    const a = await open()
    const b = await open({ bootstrap: [a.multiaddrs()[0]!] })
    const gossiper = await gossiperAt(t, a)
    await gossiper.publish(bytes)
    // Sooner than a connection without a link is closed anyhow.
    await until('the sender is disconnected', () => gossiper.connection.status !== 'open')
    await a.submit(transfer(1, 0))
    await until('the others go on', () => b.replica.pool.size > 0)
    assert.deepEqual([a.replica.pool.size, b.replica.pool.size], [1, 1])
    assert.equal(a.peers().length, 1)
    assert.equal(b.peers().length, 1)
  })
}

test('messages of one peer are handled in their order, those of others meanwhile, and what waits is bounded', async () => {
  const service = {
    topicValidators: new Map(),
    subscribe: () => {},
    getSubscribers: () => [],
  } as unknown as GossipSub
  const handling: { readonly from: string; readonly size: number; finish(verdict: GossipVerdict): void }[] =
    []
  const gossip = new Gossip(service, {
    genesisId,
    blockBytesMax,
    onGossip: (from, _type, { length }) =>
      new Promise(finish => {
        handling.push({ from, size: length, finish })
      }),
    counters: new Counters(),
  })
  gossip.join()
  const topic = gossipTopic(genesisId, 'block')
  const validate = service.topicValidators.get(topic)!
  const [one, other] = await Promise.all(
    [1, 2].map(async () => peerIdFromPrivateKey(await generateKeyPair('Ed25519'))),
  )
  const deliver = (peer: typeof one, size: number) =>
    validate(peer!, { type: 'unsigned', topic, data: new Uint8Array(size) })
  const verdicts = [deliver(one, 1_000_000), deliver(one, 2), deliver(other, 3)]
  await new Promise(setImmediate)
  assert.deepEqual(
    handling.map(({ size }) => size),
    [1_000_000, 3],
  )
  assert.equal(await deliver(one, gossipBytesMax(blockBytesMax) - 1_000_000), 'ignore')
  for (const { finish } of handling.splice(0)) finish('accept')
  await new Promise(setImmediate)
  assert.deepEqual(
    handling.map(({ size }) => size),
    [2],
  )
  handling[0]!.finish('reject')
  assert.deepEqual(await Promise.all(verdicts), ['accept', 'reject', 'accept'])
  const again = deliver(one, gossipBytesMax(blockBytesMax) - 1_000_000)
  await new Promise(setImmediate)
  handling[1]!.finish('ignore')
  assert.equal(await again, 'ignore')
  const empty = Array.from({ length: 100_000 }, () => deliver(other, 0))
  await new Promise(setImmediate)
  assert.equal(await empty.at(-1), 'ignore')
})
