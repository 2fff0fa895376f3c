// Clients that make the server parse, gather or hold more than they pay for.

import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { connect, type Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { readBody } from '../../src/rpc/body.ts'
import type { Client } from '../../src/rpc/client-address.ts'
import { ClientScheduler } from '../../src/rpc/client-scheduler.ts'
import { Connections } from '../../src/rpc/connections.ts'
import { RpcError } from '../../src/rpc/errors.ts'
import { HeldBytes } from '../../src/rpc/held-bytes.ts'
import { RPC_LIMITS } from '../../src/rpc/limits.ts'
import { parseRequestText } from '../../src/rpc/request-text.ts'
import { cleanUp } from '../cleanup.ts'
import { type RpcClient, rawOf, serve, TestNode, transfer } from './harness.ts'

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

  /** With `allowHalfOpen` it may go on to send when the other side has ended. */
  constructor(t: TestContext, { url }: RpcClient, allowHalfOpen = false) {
    const { hostname, port } = new URL(url)
    this.socket = connect({ port: Number(port), host: hostname, allowHalfOpen })
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
  const reading = readBody(request, {
    bytesMax: 100_000,
    onGrown: bytes => sizes.push(bytes),
    whenPaid: () => null,
  })
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
  const reading = readBody(few, { bytesMax: 1_000, onGrown: () => {}, whenPaid: () => null })
  for (let bytes = 0; bytes < 200; bytes++) few.emit('data', Buffer.from(' '))
  few.emit('end')
  assert.equal((await reading).length, 200)
})

test('while its sender owes too much no more of a body is read', async () => {
  const request = bodyOf()
  const waiting: (() => void)[] = []
  let owes = false
  const whenPaid = (resume: () => void): (() => void) | null => {
    if (!owes) return null
    waiting.push(resume)
    return () => waiting.splice(0)
  }
  const reading = readBody(request, { bytesMax: 1_000_000, onGrown: () => {}, whenPaid })
  request.write('a'.repeat(100))
  await nextTurn()
  owes = true
  request.write('b'.repeat(100))
  await nextTurn()
  assert.equal(waiting.length, 1)
  // Node takes as much as its buffer holds, and no more of what follows.
  while (request.write('c'.repeat(10_000)));
  assert.equal(request.isPaused(), true)
  assert.equal(waiting.length, 1)
  owes = false
  for (const resume of waiting.splice(0)) resume()
  request.end()
  assert.match(String(await reading), /^a{100}b{100}c+$/)
  const left = bodyOf()
  owes = true
  const aborted = readBody(left, { bytesMax: 1_000_000, onGrown: () => {}, whenPaid })
  left.write('a')
  await nextTurn()
  assert.equal(waiting.length, 1)
  left.destroy()
  assert.equal(await aborted, 'aborted')
  assert.deepEqual(waiting, [], 'nothing waits for one that is gone')
})

test('of a request that is nested too deep, or has too many members, the rest is not looked at', () => {
  for (const text of ['['.repeat(10_000), `[${'1,'.repeat(5_000)}1]`]) {
    let reads = 0
    const get = (bytes: Buffer, name: string): unknown => {
      reads += 1
      return Reflect.get(bytes, name, bytes)
    }
    const bytes = new Proxy(Buffer.from(text), { get: get as never })
    assert.throws(() => parseRequestText(bytes, { depthMax: 32, membersMax: 100 }), RpcError)
    assert.ok(reads < 1_000, `${reads} reads`)
  }
})

/** The server's end of the next connection. */
function nextAccepted(t: TestContext): Promise<Socket> {
  return new Promise(resolve => {
    const { add } = Connections.prototype
    t.mock.method(Connections.prototype, 'add', function (this: Connections, socket: Socket) {
      add.call(this, socket)
      resolve(socket)
    })
  })
}

test('the bytes of a body are charged, and it waits for its address to pay', async t => {
  let nowMs = 0
  const paid = new EventEmitter()
  const waits: { readonly ms: number; readonly task: () => void }[] = []
  const later = (ms: number, task: () => void): (() => void) => {
    waits.push({ ms, task })
    paid.emit('wait')
    return () => {}
  }
  const turnTime = { now: () => nowMs, soon: STOPPED.soon, later }
  // Two milliseconds are some 210,000 bytes.
  const limits = { localCredit: { share: 0.1, burstMs: 2 } }
  const line = new Line(t, await serve(t, new TestNode(), { limits, turnTime }))
  const accepted = nextAccepted(t)
  const isWaiting = once(paid, 'wait')
  line.socket.write(`${HEAD}Content-Length: 900000\r\n\r\n`)
  line.socket.write(`${CALL}${' '.repeat(900_000 - CALL.length)}`)
  await Promise.race([isWaiting, once(line.socket, 'data')])
  const { bytesRead } = await accepted
  assert.ok(bytesRead > 150_000 && bytesRead < 400_000, `${bytesRead} bytes were read`)
  assert.deepEqual(line.statuses, [])
  // It pays, again and again, until all of it is read and answered.
  while (line.statuses.length === 0) {
    const { ms, task } = waits.shift() ?? { ms: 1, task: () => {} }
    nowMs += ms
    task()
    await nextTurn()
  }
  assert.deepEqual(line.statuses, ['200'])
})

/** Sends more than systems hold between them; resolves when all was taken or the server has stopped reading. */
async function pour(line: Line, accepted: Socket, filler = ' '): Promise<number> {
  const stopped = once(accepted, 'pause')
  const sent = new Promise(resolve => line.socket.write(Buffer.alloc(32_000_000, filler), resolve))
  await Promise.race([stopped, sent])
  return accepted.bytesRead
}

const LONG = 'Content-Length: 100000000000\r\n\r\n'
const CHUNKED = 'Transfer-Encoding: chunked\r\n\r\n'
for (const [what, head, filler] of [
  ['a body that is said to be too long', `${HEAD}${LONG}`, ' '],
  ['the body of a refused request', `POST / HTTP/1.1\r\nHost: a\r\n${LONG}`, ' '],
  ['one-byte chunks of a refused request', `POST / HTTP/1.1\r\nHost: a\r\n${CHUNKED}`, '1\r\n \r\n'],
  ['a body for HEAD', `HEAD / HTTP/1.1\r\nHost: localhost\r\n${LONG}`, ' '],
] as const) {
  test(`of ${what} little is read, and our side ends with the answer`, async t => {
    const client = await serve(t, new TestNode(), { limits: { lingerMs: 60_000, closeGraceMs: 0 } })
    const accepted = nextAccepted(t)
    const line = new Line(t, client, true)
    const isOver = once(line.socket, 'end')
    line.socket.write(head)
    await isOver
    assert.equal(line.statuses.length, 1)
    const bytes = await pour(line, await accepted, filler)
    assert.ok(bytes < 300_000, `${bytes} bytes were read`)
  })
}

test('the connection of a refused request is cut after a moment, whatever its sender does', async t => {
  const line = new Line(t, await serve(t, new TestNode(), { limits: { lingerMs: 50 } }), true)
  line.socket.write(`${HEAD}${LONG}`)
  const drip = setInterval(() => line.socket.write(' '), 5)
  await line.closed
  clearInterval(drip)
  assert.deepEqual(line.statuses, ['413'])
})

test('of what follows a request that is not answered yet little is read', async t => {
  const node = new TestNode()
  const submitted = new Promise<void>(resolve => {
    node.submit = () => {
      resolve()
      return new Promise(() => {})
    }
  })
  const client = await serve(t, node, { limits: { closeGraceMs: 0 } })
  const accepted = nextAccepted(t)
  const line = new Line(t, client)
  const call = JSON.stringify({ id: 1, method: 'eth_sendRawTransaction', params: [rawOf(transfer())] })
  line.socket.write(`${HEAD}Content-Length: ${call.length}\r\n\r\n${call}${POST}`)
  await submitted
  const bytes = await pour(line, await accepted)
  assert.ok(bytes < 300_000, `${bytes} bytes were read`)
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

test('unread answers have a bound', async t => {
  const node = new TestNode()
  // Twenty megabytes: more than the system takes off our hands.
  node.peerList = Array(400).fill({ id: '12D3', address: 'x'.repeat(50_000), direction: 'inbound' })
  const ready = new EventEmitter()
  let answers = 0
  t.mock.method(ClientScheduler.prototype, 'chargeBytes', (_client: Client, bytes: number) => {
    // What is read of requests is charged too.
    if (bytes < 1_000_000) return
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
