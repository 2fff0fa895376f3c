// Clients that make the server parse, gather or hold more than they pay for.

import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { connect, type Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { readBody } from '../../src/rpc/body.ts'
import { ClientScheduler } from '../../src/rpc/client-scheduler.ts'
import { HeldBytes } from '../../src/rpc/held-bytes.ts'
import { RPC_LIMITS } from '../../src/rpc/limits.ts'
import { cleanUp } from '../cleanup.ts'
import { type RpcClient, serve, TestNode } from './harness.ts'

const CALL = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_chainId' })
const HEAD = 'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n'
const POST = `${HEAD}Content-Length: ${CALL.length}\r\n\r\n${CALL}`
const ORIGIN = `chrome-extension://${'a'.repeat(32)}`
const PREFLIGHT = `OPTIONS / HTTP/1.1\r\nHost: localhost\r\nOrigin: ${ORIGIN}\r\nAccess-Control-Request-Method: POST\r\n\r\n`
/** A clock in which no debt is paid off. */
const STOPPED = {
  now: () => 0,
  soon: (task: () => void) => void setImmediate(task),
  later: () => () => {},
}

/** A bare connection, and what comes over it. */
class Line {
  readonly socket: Socket
  readonly closed: Promise<void>
  text = ''

  constructor(t: TestContext, { url }: RpcClient) {
    const { hostname, port } = new URL(url)
    this.socket = connect({ port: Number(port), host: hostname })
    this.socket
      .on('error', () => {})
      .on('data', chunk => {
        this.text += String(chunk)
      })
    this.closed = new Promise(resolve => this.socket.once('close', () => resolve()))
    cleanUp(t, () => this.socket.destroy())
  }

  /** The statuses of the answers so far. */
  get statuses(): string[] {
    return [...this.text.matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, status]) => status!)
  }

  /** Sends a request and waits until it is answered by so many answers in all. */
  async ask(request: string, answers: number): Promise<void> {
    this.socket.write(request)
    while (this.statuses.length < answers || this.text.endsWith('\r\n\r\n') === request.startsWith('POST'))
      await once(this.socket, 'data')
  }
}

for (const [what, request, status] of [
  ['refused requests', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', '403'],
  ['requests without a Host', 'GET / HTTP/1.1\r\n\r\n', '400'],
  ['requests that expect what there is not', 'GET / HTTP/1.1\r\nHost: localhost\r\nExpect: x\r\n\r\n', '417'],
  ['preflights', PREFLIGHT, '204'],
  ['calls', POST, '200'],
] as const) {
  test(`${what} in a pipeline end the connection after the first`, async t => {
    const line = new Line(t, await serve(t, new TestNode()))
    line.socket.write(request.repeat(8))
    await line.closed
    assert.deepEqual(line.statuses, [status])
  })
}

test('of what comes in a pipeline little is parsed', async t => {
  const heads: number[] = []
  const { chargeHead } = ClientScheduler.prototype
  t.mock.method(
    ClientScheduler.prototype,
    'chargeHead',
    function (this: ClientScheduler, ...given: Parameters<typeof chargeHead>) {
      heads.push(given[1])
      chargeHead.apply(this, given)
    },
  )
  const line = new Line(t, await serve(t, new TestNode()))
  line.socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(2_000))
  await line.closed
  assert.ok(heads.length < 100, `${heads.length} of 2,000 requests were parsed`)
})

test('refused requests and preflights are charged to their address, which is not even connected in the end', async t => {
  const limits = { localCredit: { share: 1, burstMs: 0.4 }, waitMaxMs: 0.3 }
  const client = await serve(t, new TestNode(), { limits, turnTime: STOPPED })
  // An address may owe 0.4 ms, and is connected up to 1 ms: that is some twenty requests of 0.05 ms and their headers.
  const statuses: string[] = []
  for (let count = 0; count < 40; count++) {
    const line = new Line(t, client)
    line.socket.write(
      count % 2 === 0
        ? 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
        : `${PREFLIGHT.slice(0, -2)}Connection: close\r\n\r\n`,
    )
    await line.closed
    statuses.push(...line.statuses)
  }
  assert.ok(statuses.length >= 14 && statuses.length <= 21, `${statuses.length} of 40 were answered`)
})

test('a preflight and then calls, one after the other, are answered over one connection', async t => {
  const line = new Line(t, await serve(t, new TestNode()))
  await line.ask(PREFLIGHT, 1)
  for (let answers = 2; answers <= 6; answers++) await line.ask(POST, answers)
  assert.deepEqual(line.statuses, ['204', '200', '200', '200', '200', '200'])
  assert.equal(line.socket.readyState, 'open')
})

/** A request whose body a test sends. */
function bodyOf(headers: Record<string, string> = {}): PassThrough & IncomingMessage {
  return Object.assign(new PassThrough(), { headers }) as unknown as PassThrough & IncomingMessage
}

test('a body in one-byte chunks costs no more memory than its bytes', async () => {
  const request = bodyOf()
  const sizes: number[] = []
  const reading = readBody(request, { bytesMax: 100_000, onGrown: bytes => sizes.push(bytes) })
  const sent = Buffer.alloc(10_000, 'x')
  const pieces = [sent, ...Array.from({ length: 200 }, () => Buffer.from('a'))]
  for (const piece of pieces) {
    request.emit('data', piece)
    // What was taken in is a copy: the piece itself may be used again.
    piece.fill('-')
  }
  request.emit('end')
  const body = await reading
  assert.equal(String(body), 'x'.repeat(10_000) + 'a'.repeat(200))
  assert.ok(sizes.length < 10 && sizes.at(-1)! <= 2 * body.length, `it takes ${sizes.at(-1)} bytes`)
})

test('a body that comes in nothing but one-byte chunks is cut off after some hundred', async t => {
  const line = new Line(t, await serve(t, new TestNode()))
  line.socket.write(`${HEAD}Transfer-Encoding: chunked\r\n\r\n`)
  line.socket.write('1\r\n \r\n'.repeat(2_000))
  await line.closed
  assert.deepEqual(line.statuses, [])
  // Of a request that is refused no more of them are read.
  const refused = new Line(t, await serve(t, new TestNode(), { limits: { lingerMs: 60_000 } }))
  refused.socket.write(
    `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${'1\r\n \r\n'.repeat(2_000)}`,
  )
  await refused.closed
  // A short body is taken as it comes.
  const few = bodyOf()
  const reading = readBody(few, { bytesMax: 1_000, onGrown: () => {} })
  for (let bytes = 0; bytes < 200; bytes++) few.emit('data', Buffer.from(' '))
  few.emit('end')
  assert.equal((await reading).length, 200)
})

/** Waits until so many of these are closed. */
async function untilClosed(lines: readonly Line[], count: number): Promise<void> {
  const open = lines.filter(({ socket }) => !socket.destroyed)
  if (lines.length - open.length >= count) return
  await Promise.race(open.map(({ closed }) => closed))
  await untilClosed(lines, count)
}

test('bodies under way of one address have a bound', async t => {
  // Ten thousand bytes are held in 16 KiB.
  const client = await serve(t, new TestNode(), { limits: { localBytesMax: 5 * 16_384 } })
  const lines = Array.from({ length: 10 }, () => new Line(t, client))
  for (const { socket } of lines) socket.write(`${HEAD}Content-Length: 100000\r\n\r\n${' '.repeat(10_000)}`)
  await untilClosed(lines, 5)
  assert.equal((await client.post(CALL)).status, 200)
  assert.equal(lines.filter(({ socket }) => socket.destroyed).length, 5)
})

test('answers that nobody reads have a bound', async t => {
  const node = new TestNode()
  // Twenty megabytes: more than the system takes off our hands.
  node.peerList = Array(400).fill({ id: '12D3', address: 'x'.repeat(50_000), direction: 'inbound' })
  const ready = new EventEmitter()
  let answers = 0
  t.mock.method(ClientScheduler.prototype, 'chargeBytes', () => {
    answers += 1
    ready.emit('answer')
  })
  const client = await serve(t, node, { limits: { localBytesMax: 50_000_000 } })
  const call = JSON.stringify({ id: 1, method: 'quorate_peers' })
  const lines = Array.from({ length: 5 }, () => new Line(t, client))
  for (const { socket } of lines) {
    socket.pause()
    socket.write(`${HEAD}Content-Length: ${call.length}\r\nConnection: close\r\n\r\n${call}`)
  }
  while (answers < lines.length) await once(ready, 'answer')
  assert.equal((await client.post(CALL)).status, 200)
  for (const { socket } of lines) socket.resume()
  await untilClosed(lines, 5)
  assert.equal(lines.filter(({ text }) => text.length > 20_000_000).length, 2)
})

test('what is held too much is cut off with the address that holds most, longest held first', () => {
  const held = new HeldBytes({ addressBytesMax: 100, strangersBytesMax: 200, localBytesMax: 120 })
  const cut: string[] = []
  const hold = (name: string, key: string, bytes: number) => {
    const socket = Object.assign(new EventEmitter(), { destroyed: false, destroy: () => cut.push(name) })
    held.hold(socket as unknown as Socket, { key, isLocal: key === 'here' }, bytes)
    return socket as unknown as Socket
  }
  hold('b1', 'b', 60)
  hold('a1', 'a', 40)
  const a2 = hold('a2', 'a', 60)
  assert.deepEqual(cut, [])
  hold('a3', 'a', 30)
  assert.deepEqual(cut, ['a1'])
  hold('here', 'here', 120)
  assert.deepEqual(cut, ['a1'])
  hold('c1', 'c', 60)
  assert.deepEqual(cut, ['a1', 'a2'])
  hold('c2', 'c', 40)
  assert.deepEqual(cut, ['a1', 'a2'])
  const here = hold('here too', 'here', 1)
  assert.deepEqual(cut, ['a1', 'a2', 'here'])
  held.release(a2)
  held.release(here)
  hold('here again', 'here', 120)
  assert.deepEqual(cut, ['a1', 'a2', 'here'])
  assert.ok(RPC_LIMITS.addressBytesMax > RPC_LIMITS.answerCharactersMax + RPC_LIMITS.bodyBytesMax)
})
