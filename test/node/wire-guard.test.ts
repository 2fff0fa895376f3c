// Peers that speak below the messages, against a real node: what breaks a bound of the wire ends the connection. That they
// are sent away is what is asserted; without the guard they would be answered for as long as they like.

import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import type { Connection } from '@libp2p/interface'
import { type AbstractMessageStream, multiaddrConnectionPair } from '@libp2p/utils'
import { RPC_TIMEOUT_MS, STREAMS } from '../../src/node/frame-guard.ts'
import type { Node } from '../../src/node/node.ts'
import { LINES_MAX } from '../../src/node/protocol-lines.ts'
import { WireGuard } from '../../src/node/wire-guard.ts'
import { cleanUp } from '../cleanup.ts'
import { nodesOf, silent, until } from './nodes.ts'
import { RawPeer } from './raw-peer.ts'
import { dataFrame, FLAG, frame, line, TYPE } from './wire-frames.ts'

const HELLO = line('/multistream/1.0.0')
/** Above those that libp2p gives the streams it opens itself. */
const STREAM_ID = 10_001

const many = (count: number, bytes: Uint8Array): Buffer =>
  Buffer.concat(Array.from({ length: count }, () => bytes))

interface Muxer {
  send(bytes: Uint8Array): void
  onData(): void
}

interface Wire {
  readonly connection: Connection
  /** Puts bytes among the frames. What is answered is not read from then on, for libp2p takes offence at it. */
  send(bytes: Uint8Array): void
}

/** A connection to a node of a peer that has shaken hands and would be kept. */
async function connected(t: TestContext): Promise<Wire> {
  const node = await nodesOf(t)()
  const peer = await RawPeer.connect(t, node.multiaddrs()[0]!)
  peer.greet(node)
  await peer.receive('status')
  const { connection } = peer
  // libp2p hides it, for good reasons.
  const { muxer } = connection as unknown as { readonly muxer: Muxer }
  const send = (bytes: Uint8Array) => {
    muxer.onData = () => {}
    muxer.send(bytes)
  }
  return { connection, send }
}

/** What a socket gets back for these bytes until the node closes it. */
async function answerTo(t: TestContext, node: Node, bytes: Uint8Array): Promise<Buffer> {
  const [, , host, , port] = node.multiaddrs()[0]!.split('/')
  const socket = connect({ host: host!, port: Number(port) })
  cleanUp(t, () => socket.destroy())
  const pieces: Buffer[] = []
  socket.on('data', piece => pieces.push(piece))
  socket.on('error', () => {})
  const closed = new Promise(resolve => socket.on('close', resolve))
  socket.write(bytes)
  await closed
  return Buffer.concat(pieces)
}

test('lines before the handshake end the connection, and few of them are answered', async t => {
  const node = await nodesOf(t)()
  const lines = Buffer.concat([HELLO, ...Array.from({ length: 20_000 }, () => line('a'))])
  const answers = (await answerTo(t, node, lines)).toString('latin1').split('na\n').length - 1
  assert.ok(answers < LINES_MAX, `${answers} lines were answered`)
})

/** What a peer that has shaken hands sends, and is sent away for. */
const ATTACKS: Readonly<Record<string, Uint8Array>> = {
  'a frame header of four gigabytes': frame(TYPE.data, 0, 1, 0xffffffff),
  'streams that are opened and reset without end': Buffer.concat(
    Array.from({ length: 2 * STREAMS.burst }, (_, index) => [
      frame(TYPE.windowUpdate, FLAG.syn, STREAM_ID + 2 * index, 0),
      frame(TYPE.windowUpdate, FLAG.rst, STREAM_ID + 2 * index, 0),
    ]).flat(),
  ),
  'pings without end': many(5_000, frame(TYPE.ping, FLAG.syn, 0, 7)),
  'window updates without end': many(20_000, frame(TYPE.windowUpdate, 0, STREAM_ID, 1)),
  'data for a stream that does not exist': many(6 * 1024, dataFrame(STREAM_ID, new Uint8Array(1024))),
  'lines on a stream that name no protocol': Buffer.concat([
    frame(TYPE.windowUpdate, FLAG.syn, STREAM_ID, 0),
    dataFrame(STREAM_ID, Buffer.concat([HELLO, many(5_000, line('a'))])),
  ]),
  'empty RPCs of gossip': Buffer.concat([
    frame(TYPE.windowUpdate, FLAG.syn, STREAM_ID, 0),
    dataFrame(STREAM_ID, Buffer.concat([HELLO, line('/meshsub/1.2.0'), Buffer.alloc(5_000)])),
  ]),
  'small RPCs of gossip without end': Buffer.concat([
    frame(TYPE.windowUpdate, FLAG.syn, STREAM_ID, 0),
    dataFrame(STREAM_ID, Buffer.concat([HELLO, line('/meshsub/1.2.0'), many(5_000, Buffer.of(2, 0x1a, 0))])),
  ]),
}

for (const [name, bytes] of Object.entries(ATTACKS)) {
  test(`${name}: the connection ends`, async t => {
    const wire = await connected(t)
    wire.send(bytes)
    await until('the peer is sent away', () => wire.connection.status !== 'open')
  })
}

test('an RPC of gossip that has begun and does not go on ends the connection in time', t => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let nowMs = 0
  const pass = (ms: number) => {
    nowMs += ms
    t.mock.timers.tick(ms)
  }
  const guard = new WireGuard(
    {
      frameBytesMax: 1024,
      rpcBytesMax: 1024,
      isSpoken: protocol => protocol === '/meshsub/1.2.0',
      isLink: () => false,
      isPrivileged: () => false,
      isLimited: () => false,
      log: silent,
    },
    () => nowMs,
  )
  const [[raw], [connection]] = [multiaddrConnectionPair(), multiaddrConnectionPair()]
  guard.beforeNoise(raw)
  guard.afterNoise(raw, { connection, remotePeer: 'a', isMultiplexed: true })
  const take = (bytes: Uint8Array) => (connection as unknown as AbstractMessageStream).onData(bytes)
  take(frame(TYPE.windowUpdate, FLAG.syn, 1, 0))
  take(dataFrame(1, Buffer.concat([HELLO, line('/meshsub/1.2.0')])))
  take(dataFrame(1, Buffer.of(2, 0x1a)))
  pass(RPC_TIMEOUT_MS - 1)
  take(dataFrame(1, Buffer.of(0, 2, 0x1a)))
  pass(RPC_TIMEOUT_MS - 1)
  assert.equal(connection.status, 'open')
  pass(1_000)
  assert.equal(connection.status, 'aborted')
})

test('messages of Noise that hold nothing end the connection', async t => {
  const wire = await connected(t)
  const { maConn } = wire.connection as unknown as { readonly maConn: { send(bytes: Uint8Array): void } }
  maConn.send(Buffer.alloc(1024 * 1024))
  await until('the peer is sent away', () => wire.connection.status !== 'open')
})

test('asking for a protocol that a node does not speak ends nothing', async t => {
  const wire = await connected(t)
  for (const protocol of ['/ipfs/id/1.0.0', '/meshsub/1.2.0']) await wire.connection.newStream(protocol)
  await assert.rejects(wire.connection.newStream('/nobody/speaks/it'))
  await wire.connection.newStream('/ipfs/id/1.0.0')
  assert.equal(wire.connection.status, 'open')
})
