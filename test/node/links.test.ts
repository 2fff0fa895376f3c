import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Stream } from '@libp2p/interface'
import { pino } from 'pino'
import { encodeHeader } from '../../src/chain/header.ts'
import { AddressBook } from '../../src/node/address-book.ts'
import { Counters } from '../../src/node/counters.ts'
import { Host } from '../../src/node/host.ts'
import type { HostOptions } from '../../src/node/host-options.ts'
import { loadIdentity } from '../../src/node/identity.ts'
import { INBOUND_CONNECTIONS_MAX } from '../../src/node/inbound-gate.ts'
import { CONNECTIONS_MAX } from '../../src/node/libp2p-network.ts'
import { OUTBOUND_BYTES_MAX } from '../../src/node/peer-link.ts'
import { LINKS, PROTOCOL } from '../../src/node/peer-links.ts'
import { OUTBOUND_TARGET } from '../../src/node/redialer.ts'
import { decodeMessage } from '../../src/replica/message-codec.ts'
import type { Message } from '../../src/replica/messages.ts'
import { cleanUp, temporaryDirectory } from '../cleanup.ts'
import { easyGenesis, silent, until } from './nodes.ts'
import { keyBeside, peerIdIn, RawPeer } from './raw-peer.ts'

const genesis = easyGenesis()
const request = (requestId: number): Message => ({ type: 'get-blocks', requestId, ids: [] })
const headers = (count: number): Message => ({
  type: 'headers',
  requestId: 0,
  headers: Array.from({ length: count }, () => genesis.block.header),
})

/** A host that notes what it is told. */
async function startHost(t: TestContext, options: Partial<HostOptions> = {}) {
  const directory = await temporaryDirectory(t)
  const events: string[] = []
  const messages: Message[] = []
  const host = await Host.start({
    privateKey: await loadIdentity(join(directory, 'key')),
    genesisId: genesis.block.id,
    blockBytesMax: genesis.blocks.blockBytesMax,
    listen: ['/ip4/127.0.0.1/tcp/0'],
    bootstrap: [],
    mdns: false,
    wrapConnection: raw => raw,
    mayConnect: () => true,
    limitLoopback: false,
    addressBook: await AddressBook.load(join(directory, 'peers.json'), silent),
    counters: new Counters(),
    version: '0',
    log: silent,
    onPeerConnected: peer => events.push(`up ${peer}`),
    onPeerDisconnected: peer => events.push(`down ${peer}`),
    onMessage: async (_from, bytes) => {
      const message = decodeMessage(bytes)
      assert.ok(typeof message !== 'string')
      messages.push(message)
    },
    onGossip: async () => 'ignore',
    isValidator: () => false,
    ...options,
  })
  cleanUp(t, () => host.close())
  return { host, events, messages, address: host.multiaddrs()[0]! }
}

for (const place of ['before', 'after'] as const) {
  test(`messages go both ways when the other's id stands ${place} ours`, async t => {
    const { host, events, messages, address } = await startHost(t)
    const peer = await RawPeer.connect(t, address, await keyBeside(place, peerIdIn(address)))
    await until('the link is up', () => events.length > 0)
    assert.deepEqual(events, [`up ${peer.id}`])
    host.send(peer.id, request(1))
    peer.send(request(2))
    assert.equal((await peer.receive('get-blocks')).requestId, 1)
    await until('the message came', () => messages.length > 0)
    assert.deepEqual(messages, [request(2)])
    assert.deepEqual(
      host.peers().map(({ id, direction }) => [id, direction]),
      [[peer.id, 'inbound']],
    )
  })
}

test('what all are told reaches a peer after the handshake, not before', async t => {
  const { host, events, address } = await startHost(t)
  const peer = await RawPeer.connect(t, address)
  await until('the link is up', () => events.length > 0)
  host.broadcast(request(1))
  host.send(peer.id, request(2))
  host.broadcast(request(3))
  host.admission.disconnect(peer.id, 'peer-stalled')
  await peer.closed
  assert.deepEqual(peer.received, [request(2), request(3)])
})

test('a newer stream takes the place of the older one, and the peer goes down before it comes up', async t => {
  const { host, events, messages, address } = await startHost(t)
  const peer = await RawPeer.connect(t, address, await keyBeside('before', peerIdIn(address)))
  await until('the link is up', () => events.length > 0)
  const newer = await peer.connection.newStream(PROTOCOL)
  await until('the link is replaced', () => events.length === 3)
  assert.deepEqual(events, [`up ${peer.id}`, `down ${peer.id}`, `up ${peer.id}`])
  const other = new RawPeer(peer.network, peer.connection, newer)
  other.send(request(3))
  host.send(peer.id, request(4))
  assert.equal((await other.receive('get-blocks')).requestId, 4)
  await until('the message came', () => messages.length > 0)
})

test('a stream from the side that should wait for it is refused', async t => {
  const { events, address } = await startHost(t)
  const peer = await RawPeer.connect(t, address, await keyBeside('after', peerIdIn(address)))
  await until('the link is up', () => events.length > 0)
  const crossing = await peer.connection.newStream(PROTOCOL)
  await until('the stream is refused', () => crossing.status !== 'open')
  assert.deepEqual(events, [`up ${peer.id}`])
  assert.equal(peer.stream.status, 'open')
})

test('a link that breaks while its connection stays is opened again', async t => {
  const { events, address } = await startHost(t)
  const peer = await RawPeer.connect(t, address, await keyBeside('after', peerIdIn(address)))
  await until('the link is up', () => events.length > 0)
  peer.stream.abort(new Error('broken'))
  await until('the link is back', () => events.length === 3)
  assert.deepEqual(events, [`up ${peer.id}`, `down ${peer.id}`, `up ${peer.id}`])
})

test('a stranger that opens its stream again without end gets few links, also over new connections', async t => {
  const { events, address } = await startHost(t)
  const key = await keyBeside('before', peerIdIn(address))
  const beganMs = performance.now()
  const allowed = () => LINKS.burst + LINKS.perSecond * ((performance.now() - beganMs) / 1_000)
  const ups = () => events.filter(event => event.startsWith('up')).length
  for (let life = 0; life < 4; life++) {
    const peer = await RawPeer.connect(t, address, key).catch(() => null)
    for (let count = 0; count < 50 && peer?.connection.status === 'open'; count++)
      await peer.connection.newStream(PROTOCOL).catch(() => null)
    await until('the node ends the connection', () => peer?.connection.status !== 'open')
    await peer?.network.stop()
  }
  assert.ok(ups() >= LINKS.burst && ups() <= allowed(), `${ups()} links`)
  const other = await RawPeer.connect(t, address)
  await until('another peer is linked', () => events.includes(`up ${other.id}`))
})

test('the end of a connection is told once', async t => {
  const { host, events, address } = await startHost(t)
  const peer = await RawPeer.connect(t, address)
  await until('the link is up', () => events.length > 0)
  await peer.connection.close()
  await until('the link is down', () => events.length === 2)
  assert.deepEqual(events, [`up ${peer.id}`, `down ${peer.id}`])
  assert.deepEqual(host.peers(), [])
})

test('a length that is too large ends the connection, and the peer is denied for a while', async t => {
  const { host, events, address } = await startHost(t)
  const key = await keyBeside('before', peerIdIn(address))
  const peer = await RawPeer.connect(t, address, key)
  await until('the link is up', () => events.length > 0)
  peer.stream.send(Uint8Array.of(255, 255, 255, 255))
  await peer.closed
  assert.deepEqual(events, [`up ${peer.id}`, `down ${peer.id}`])
  await assert.rejects(RawPeer.connect(t, address, key))
  assert.deepEqual([events.length, host.peers()], [2, []])
})

test('a peer of another network is denied for a while, one that only stalled is not', async t => {
  const { host, events, address } = await startHost(t)
  const key = await keyBeside('before', peerIdIn(address))
  const peer = await RawPeer.connect(t, address, key)
  await until('the link is up', () => events.length === 1)
  host.admission.disconnect(peer.id, 'peer-stalled')
  await peer.closed
  const again = await RawPeer.connect(t, address, key)
  await until('the link is up again', () => events.length === 3)
  host.admission.disconnect(peer.id, 'peer-other-network')
  await again.closed
  await assert.rejects(RawPeer.connect(t, address, key))
  assert.deepEqual(
    events,
    ['up', 'down', 'up', 'down'].map(what => `${what} ${peer.id}`),
  )
})

test('what was sent before a peer is disconnected still reaches it', async t => {
  const { host, events, address } = await startHost(t)
  const peer = await RawPeer.connect(t, address)
  await until('the link is up', () => events.length === 1)
  host.send(peer.id, request(5))
  host.admission.disconnect(peer.id, 'peer-other-network')
  await peer.closed
  assert.deepEqual(peer.received, [request(5)])
})

test('a peer that does not read is dropped when its queue passes the cap', async t => {
  const { host, events, address } = await startHost(t)
  const peer = await RawPeer.connect(t, address)
  const other = await RawPeer.connect(t, address)
  await until('the links are up', () => events.length === 2)
  peer.stream.pause()
  const message = headers(2_000)
  const bytes = 2_000 * 80
  for (let sent = 0; sent < OUTBOUND_BYTES_MAX + 4 * 1024 * 1024; sent += bytes) {
    host.send(peer.id, message)
    await new Promise(setImmediate)
  }
  await until('the peer is dropped', () => events.includes(`down ${peer.id}`))
  host.send(other.id, request(1))
  await other.receive('get-blocks')
  assert.deepEqual(
    host.peers().map(({ id }) => id),
    [other.id],
  )
})

test('a peer that grants window without reading is dropped too', async t => {
  const { host, events, address } = await startHost(t)
  const peer = await RawPeer.connect(t, address)
  await until('the link is up', () => events.length > 0)
  stopReading(peer)
  const message = headers(2_000)
  const bytes = 2_000 * 80
  for (let sent = 0; sent < 4 * OUTBOUND_BYTES_MAX && events.length === 1; sent += bytes) {
    host.send(peer.id, message)
    grantWindow(peer.stream, bytes)
    await new Promise(resolve => setTimeout(resolve, 1))
  }
  await until('the peer is dropped', () => events.includes(`down ${peer.id}`))
})

test('while one peer is waited for, the messages of another are handled', async t => {
  const handled: string[] = []
  const slow = Promise.withResolvers<void>()
  const { events, address } = await startHost(t, {
    onMessage: async (from, bytes) => {
      handled.push(from)
      const message = decodeMessage(bytes)
      if (typeof message === 'object' && message.type === 'headers') await slow.promise
    },
  })
  const stuck = await RawPeer.connect(t, address)
  const lively = await RawPeer.connect(t, address)
  await until('the links are up', () => events.length === 2)
  for (let count = 0; count < 40; count++) stuck.send(headers(2_000))
  await until('the first is being handled', () => handled.length === 1)
  for (let count = 0; count < 10; count++) lively.send(request(count))
  await until('the other is handled', () => handled.filter(from => from === lively.id).length === 10)
  assert.equal(handled.filter(from => from === stuck.id).length, 1)
  slow.resolve()
  await until('all are handled', () => handled.filter(from => from === stuck.id).length === 40)
})

test('inbound connections leave room for outbound ones', async t => {
  const { host, events, address } = await startHost(t)
  const { host: friend, address: friendly } = await startHost(t)
  const connect = async (): Promise<void> => {
    const peer = await RawPeer.connect(t, address)
    await until('the link is up', () => host.peers().some(({ id }) => id === peer.id))
    host.confirm(peer.id)
    await until(
      'there are no more than there are places',
      () => host.peers().length <= INBOUND_CONNECTIONS_MAX,
    )
  }
  for (let count = 0; count < INBOUND_CONNECTIONS_MAX; count++) await connect()
  assert.equal(host.peers().length, INBOUND_CONNECTIONS_MAX)
  for (let count = 0; count < 3; count++) await connect()
  await until('three made room', () => events.filter(event => event.startsWith('down')).length === 3)
  host.addPeer(friendly)
  await until('the friend is linked', () => friend.peers().length === 1)
  assert.ok(INBOUND_CONNECTIONS_MAX + OUTBOUND_TARGET < CONNECTIONS_MAX)
})

/** The peer's socket is read no more. */
function stopReading(peer: RawPeer): void {
  const maConn: { pause(): void } = Reflect.get(peer.connection, 'maConn')
  maConn.pause()
}

/** Tells the other end of a stream that it may send so many bytes more, whether they are read or not. */
function grantWindow(stream: Stream, length: number): void {
  const sendFrame: (header: object) => void = Reflect.get(stream, 'sendFrame')
  sendFrame({ type: 1, flag: 0, streamID: Reflect.get(stream, 'streamId'), length })
}

test('a mistake of ours in taking gossip in costs the sender its connection, and is told', async t => {
  const lines: string[] = []
  const log = pino({ level: 'error' }, { write: (line: string) => void lines.push(line) })
  const { host, address, events } = await startHost(t, {
    log,
    onGossip: async () => assert.fail('a mistake'),
  })
  const other = (await startHost(t)).host
  other.addPeer(address)
  let nonce = 0
  await until('it is told, with its place', () => {
    // Another one each time, for gossip takes a repetition for one.
    const header = { ...easyGenesis().block.header, nonce: nonce++ }
    other.broadcast({ type: 'block', block: { ...easyGenesis().block, raw: encodeHeader(header) } })
    return lines.some(line => /taking gossip in failed/.test(line) && /a mistake.*links\.test\.ts/.test(line))
  })
  await until('it is dropped', () => events.some(event => event.startsWith('down')))
  assert.equal(host.multiaddrs().length, 1)
})

test('a mistake of ours in what is done at each tick is told, and the rest is done', async t => {
  const lines: string[] = []
  const log = pino({ level: 'error' }, { write: (line: string) => void lines.push(line) })
  const addressBook = await AddressBook.load(join(await temporaryDirectory(t), 'peers.json'), silent)
  const saved = t.mock.method(addressBook, 'save')
  await startHost(t, { log, addressBook })
  t.mock.method(addressBook, 'peers', () => assert.fail('a mistake'))
  await until('it is told, with its place', () =>
    lines.some(line => /dialling failed/.test(line) && /a mistake.*links\.test\.ts/.test(line)),
  )
  assert.ok(saved.mock.callCount() > 0)
})

for (const [kind, mistake] of [
  ['message', { onMessage: () => assert.fail('a mistake') }],
  ['connection', { onPeerConnected: () => assert.fail('a mistake') }],
  ['departure', { onPeerDisconnected: () => assert.fail('a mistake') }],
] as const)
  test(`a mistake of ours in handling a ${kind} of a peer costs that peer its connection and no more`, async t => {
    for (const place of ['before', 'after'] as const) {
      const lines: string[] = []
      const log = pino({ level: 'error' }, { write: (line: string) => void lines.push(line) })
      const { host, address } = await startHost(t, { ...mistake, log })
      const key = await keyBeside(place, peerIdIn(address))
      const connecting = RawPeer.connect(t, address, key).catch(() => null)
      // Where its link is refused it never comes to be.
      const peer = kind === 'connection' ? null : await connecting
      if (kind !== 'connection') await until('the link is up', () => host.peers().length > 0)
      if (kind === 'message') peer?.send(request(1))
      if (kind === 'departure') await peer?.connection.close()
      await peer?.closed
      await until('it is told, with its place', () =>
        lines.some(line => /a mistake.*links\.test\.ts/.test(line)),
      )
      await until('it is gone', () => host.peers().length === 0)
      await host.close()
    }
  })
