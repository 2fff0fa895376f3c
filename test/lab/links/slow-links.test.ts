import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Connection, MultiaddrConnection } from '@libp2p/interface'
import { multiaddrConnectionPair } from '@libp2p/utils'
import { LinkDelays, type LinkQuality } from '../../../src/lab/links/link-delays.ts'
import { IN_FLIGHT_BYTES_MAX, SlowConnection, slowLinks } from '../../../src/lab/links/slow-links.ts'
import { createNetwork, type Network } from '../../../src/node/libp2p-network.ts'
import { cleanUp } from '../../cleanup.ts'
import { silent } from '../../node/nodes.ts'

const LATENCY_MS = 60
/** What a delay is at least. */
const LEAST_MS = LATENCY_MS / 3

/** A connection that is slow in one direction, what it goes through, and the far end. */
function slowPair(t: TestContext, latencyMs = LATENCY_MS) {
  const [raw, far] = multiaddrConnectionPair()
  const slow = new SlowConnection(raw, new LinkDelays({ latencyMs, lossRate: 0 }, Math.random), silent)
  cleanUp(t, () => slow.abort(new Error('the test is over')))
  return { slow, raw, far }
}

/** Resolves to the bytes that came when they are so many; `onMessage` is called after each piece. */
function received(far: MultiaddrConnection, bytes: number, onMessage = () => {}): Promise<Uint8Array> {
  const whole = new Uint8Array(bytes)
  let length = 0
  return new Promise(resolve => {
    far.addEventListener('message', ({ data }) => {
      whole.set(data.subarray(), length)
      length += data.byteLength
      onMessage()
      if (length === bytes) resolve(whole)
    })
  })
}

/** Bytes that tell their place. */
const counting = (bytes: number): Uint8Array => Uint8Array.from({ length: bytes }, (_, index) => index % 251)

test('what is sent is late, and in order', async t => {
  const { slow, far } = slowPair(t)
  const arrivalsMs: number[] = []
  const bytes = counting(40)
  const all = received(far, bytes.length, () => arrivalsMs.push(performance.now()))
  const sentMs = performance.now()
  for (const byte of bytes) slow.send(Uint8Array.of(byte))
  assert.deepEqual(await all, bytes)
  assert.ok(Math.min(...arrivalsMs) - sentMs >= LEAST_MS)
})

test('what comes from the other end is passed on', async t => {
  const { slow, far } = slowPair(t)
  const all = received(slow, 3)
  far.send(Uint8Array.of(1, 2, 3))
  assert.deepEqual(await all, Uint8Array.of(1, 2, 3))
})

test('no more than a window is on its way, and a sender of more is told when there is room', async t => {
  const { slow, far } = slowPair(t)
  const bytes = counting(3 * IN_FLIGHT_BYTES_MAX)
  const all = received(far, bytes.length)
  assert.equal(slow.send(bytes), false)
  assert.equal(slow.writeBufferLength, 2 * IN_FLIGHT_BYTES_MAX)
  await once(slow, 'drain')
  assert.deepEqual(await all, bytes)
  assert.equal(slow.writeBufferLength, 0)
})

test('a connection below that is full gets nothing until it has room', async t => {
  const { slow, raw, far } = slowPair(t)
  const bytes = counting(100)
  let fullTimes = 0
  let waitingMax = 0
  const all = received(far, bytes.length, () => {
    if (raw.writableNeedsDrain) fullTimes += 1
    waitingMax = Math.max(waitingMax, raw.writeBufferLength)
  })
  for (const byte of bytes) slow.send(Uint8Array.of(byte))
  assert.deepEqual(await all, bytes)
  assert.ok(fullTimes > 0)
  assert.equal(waitingMax, 0)
})

test('closing waits until what is on its way has arrived', async t => {
  const { slow, far } = slowPair(t)
  const closed = once(far, 'close')
  const bytes = counting(40)
  const all = received(far, bytes.length)
  for (const byte of bytes) slow.send(Uint8Array.of(byte))
  await slow.close()
  assert.deepEqual(await all, bytes)
  await closed
  assert.equal(slow.status, 'closed')
})

test('a caller that will not wait for the closing is told, and can abort', async t => {
  const { slow, far } = slowPair(t, 1e6)
  const end = new AbortController()
  slow.send(counting(10))
  const closing = slow.close({ signal: end.signal })
  end.abort(new Error('no time'))
  await assert.rejects(closing, /no time/)
  const reset = once(far, 'close')
  slow.abort(new Error('enough'))
  await reset
  assert.equal(slow.status, 'aborted')
})

test('an end that is aborted while bytes wait closes both, and they never arrive', async t => {
  for (const end of ['slow', 'raw', 'far'] as const) {
    const pair = slowPair(t, 1e6)
    const ends = [pair.slow, pair.far].map(connection => once(connection, 'close'))
    pair.far.addEventListener('message', () => assert.fail('bytes arrived'))
    pair.slow.send(counting(10))
    const closing = pair.slow.close()
    pair[end].abort(new Error('cut'))
    await Promise.all([...ends, closing])
    assert.notEqual(pair.slow.status, 'open')
  }
})

/** A network that listens, with links of this quality. */
async function networkOf(t: TestContext, links: LinkQuality | null): Promise<Network> {
  const network = await createNetwork(
    {
      privateKey: await generateKeyPair('Ed25519'),
      genesisId: `0x${'00'.repeat(32)}`,
      blockBytesMax: 1024 * 1024,
      listen: ['/ip4/127.0.0.1/tcp/0'],
      mdns: false,
      onAnnounced: () => {},
      wrapConnection: links === null ? raw => raw : slowLinks(links, silent),
      version: '0',
      log: silent,
    },
    {},
  )
  await network.start()
  cleanUp(t, () => network.stop())
  return network
}

/** Whether a connection is one of ours; libp2p keeps what is below it to itself. */
const isSlow = (connection: Connection): boolean =>
  (connection as unknown as { maConn: unknown }).maConn instanceof SlowConnection

for (const [says, links] of [
  ['both ends of a connection are slow where it is asked for', { latencyMs: LATENCY_MS, lossRate: 0 }],
  ['nothing stands between libp2p and its sockets where it is not asked for', null],
] as const) {
  test(says, async t => {
    const [a, b] = [await networkOf(t, links), await networkOf(t, links)]
    const opened = once(a, 'connection:open')
    const startMs = performance.now()
    const connection = await b.dial(a.getMultiaddrs())
    const tookMs = performance.now() - startMs
    await opened
    assert.deepEqual([connection, ...a.getConnections()].map(isSlow), Array(2).fill(links !== null))
    // Noise takes each end one message at least.
    if (links !== null) assert.ok(tookMs >= 2 * LEAST_MS)
    await connection.close()
  })
}
