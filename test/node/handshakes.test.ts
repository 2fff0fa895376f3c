// What those who connect to a real node take from others of their address: connecting alone nothing, handshakes of Noise
// what the gate gives.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { cleanUp } from '../cleanup.ts'
import { nodesOf } from './nodes.ts'
import { RawPeer } from './raw-peer.ts'
import { line } from './wire-frames.ts'

const CONNECTIONS = 400
/** What the gate gives where addresses are not limited. */
const HANDSHAKES = { perSecond: 50, burst: 150 }
const LINES = Buffer.concat([line('/multistream/1.0.0'), line('/noise')])
/** The first message of Noise: its length, and a key. */
const FIRST_MESSAGE = Buffer.concat([Buffer.from([0, 32]), Buffer.alloc(32, 9)])

async function connectTo(t: TestContext, address: string): Promise<Socket> {
  const [, , host, , port] = address.split('/')
  const socket = connect({ host: host!, port: Number(port) })
  cleanUp(t, () => socket.destroy())
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

test('a peer is let in after hundreds of connections of its address that asked for nothing', async t => {
  const node = await nodesOf(t)()
  const [address] = node.multiaddrs()
  for (let count = 0; count < CONNECTIONS; count++) {
    const socket = await connectTo(t, address!)
    socket.destroy()
  }
  for (let count = 0; count < 2 * HANDSHAKES.burst; count++) await connectTo(t, address!)
  const peer = await RawPeer.connect(t, address!)
  peer.greet(node)
  await peer.receive('status')
})

test('handshakes that are begun without end are not answered without end', async t => {
  const node = await nodesOf(t)()
  const beganMs = performance.now()
  let answered = 0
  for (let count = 0; count < CONNECTIONS; count++) {
    const socket = await connectTo(t, node.multiaddrs()[0]!)
    socket.write(Buffer.concat([LINES, FIRST_MESSAGE]))
    let bytes = 0
    await new Promise<void>(resolve => {
      socket.once('close', resolve)
      socket.on('data', data => {
        bytes += data.length
        if (bytes > LINES.length) resolve()
      })
    })
    if (bytes > LINES.length) answered += 1
    socket.destroy()
  }
  const seconds = (performance.now() - beganMs) / 1_000
  t.diagnostic(`${answered} of ${CONNECTIONS} handshakes were answered in ${seconds.toFixed(1)} s`)
  assert.ok(answered >= HANDSHAKES.burst)
  // Time only ever allows for more.
  assert.ok(answered <= HANDSHAKES.burst + HANDSHAKES.perSecond * seconds + 1, `${answered} were answered`)
})
