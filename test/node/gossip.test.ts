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
import { decodeTransaction, type Transaction } from '../../src/chain/transaction.ts'
import { Counters } from '../../src/node/counters.ts'
import {
  Gossip,
  type GossipVerdict,
  gossipOptions,
  gossipTopic,
  WAITING_BYTES_MAX,
} from '../../src/node/gossip.ts'
import type { Node } from '../../src/node/node.ts'
import { encodeMessage, type Message } from '../../src/replica/messages.ts'
import { cleanUp } from '../cleanup.ts'
import { easyGenesis, nodesOf, transfer, until } from './nodes.ts'
import { keyBeside, peerIdIn } from './raw-peer.ts'

const genesis = easyGenesis()
const genesisId = genesis.block.id
const decoded = (raw: Uint8Array): Transaction => decodeTransaction(raw) as Transaction
const transactions = (...raws: Uint8Array[]): Message => ({
  type: 'transactions',
  transactions: raws.map(decoded),
})

/** One who gossips and does nothing else, connected to a node that waits for him to open a stream. */
async function gossiperAt(t: TestContext, node: Node) {
  const address = node.multiaddrs()[0]!
  const network: Libp2p<{ gossip: GossipSub }> = await createLibp2p({
    privateKey: await keyBeside('before', peerIdIn(address)),
    addresses: { listen: [] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: { identify: identify(), gossip: gossipsub(gossipOptions(genesisId)) },
  })
  cleanUp(t, () => network.stop())
  const connection = await network.dial(multiaddr(address))
  const { gossip } = network.services
  const topics = [gossipTopic(genesisId, 'block'), gossipTopic(genesisId, 'transactions')] as const
  for (const topic of topics) gossip.subscribe(topic)
  await until('the node listens', () => topics.every(topic => gossip.getSubscribers(topic).length === 1))
  return { connection, publish: (topic: 0 | 1, bytes: Uint8Array) => gossip.publish(topics[topic], bytes) }
}

test('gossip of one who has no link yet is taken in and passed on', async t => {
  const open = nodesOf(t)
  const a = await open()
  const b = await open({ bootstrap: [a.multiaddrs()[0]!] })
  await until('they are linked', () => a.peers()[0]?.head != null && b.peers()[0]?.head != null)
  const gossiper = await gossiperAt(t, a)
  await gossiper.publish(1, encodeMessage(transactions(transfer(0, 0))))
  await until('both have it', () => a.replica.pool.size === 1 && b.replica.pool.size === 1)
})

const BAD: { readonly [what: string]: readonly [0 | 1, Uint8Array] } = {
  'a message that can not be decoded': [0, Uint8Array.of(5, 1, 2, 3)],
  'a message of no bytes': [1, new Uint8Array()],
  'transactions among the blocks': [0, encodeMessage(transactions(transfer(0, 0)))],
  'a status among the transactions': [
    1,
    encodeMessage({
      type: 'status',
      status: { genesisId, chainId: 7n, headId: genesisId, height: 0, work: 0n },
    }),
  ],
  'a transaction of another chain': [1, encodeMessage(transactions(transfer(0, 0, { chainId: 9n })))],
}

for (const [what, [topic, bytes]] of Object.entries(BAD)) {
  test(`${what} in gossip ends the connection with the sender and is not passed on`, async t => {
    const open = nodesOf(t)
    const a = await open()
    const b = await open({ bootstrap: [a.multiaddrs()[0]!] })
    const gossiper = await gossiperAt(t, a)
    await gossiper.publish(topic, bytes)
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
  assert.equal(await deliver(one, WAITING_BYTES_MAX - 1_000_000), 'ignore')
  for (const { finish } of handling.splice(0)) finish('accept')
  await new Promise(setImmediate)
  assert.deepEqual(
    handling.map(({ size }) => size),
    [2],
  )
  handling[0]!.finish('reject')
  assert.deepEqual(await Promise.all(verdicts), ['accept', 'reject', 'accept'])
  const again = deliver(one, WAITING_BYTES_MAX - 1_000_000)
  await new Promise(setImmediate)
  handling[1]!.finish('ignore')
  assert.equal(await again, 'ignore')
  const empty = Array.from({ length: 100_000 }, () => deliver(other, 0))
  await new Promise(setImmediate)
  assert.equal(await empty.at(-1), 'ignore')
})
