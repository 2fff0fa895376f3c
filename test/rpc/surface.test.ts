// The HTTP surface: which clients may use it, how long, how much, how fast.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { SubmitResult } from '../../src/replica/effects.ts'
import { RPC_LIMITS } from '../../src/rpc/limits.ts'
import { CannotListen, PortInUse, RpcServer, UnsafeHost } from '../../src/rpc/server.ts'
import { cleanUp, temporaryDirectory } from '../cleanup.ts'
import { miner, type RpcClient, rawOf, serve, TestNode, transfer } from './harness.ts'

const CALL = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_chainId' })

// Which clients may use it.

test('a node is called by its loopback names, with any port', async t => {
  const client = await serve(t, new TestNode())
  for (const host of ['localhost', 'LOCALHOST:8545', '127.0.0.1', '127.0.0.1:1', '[::1]', '[::1]:8545']) {
    assert.equal((await client.post(CALL, { headers: { host } })).status, 200, host)
  }
})

test('another Host is 403, so that no page reaches the node under its own name', async t => {
  const client = await serve(t, new TestNode())
  for (const host of [
    'evil.example',
    'evil.example:8545',
    'localhost.evil.example',
    'localhost.',
    '0.0.0.0',
    '127.0.0.2',
    '::1',
    'localhost:8545:1',
    'localhost@evil.example',
  ]) {
    assert.equal((await client.post(CALL, { headers: { host } })).status, 403, host)
  }
})

test('a request without a Host, or with an empty one, is not answered', async t => {
  const client = await serve(t, new TestNode())
  for (const [head, status] of [
    ['POST / HTTP/1.0\r\n', 403],
    ['POST / HTTP/1.1\r\nHost: \r\n', 403],
    ['POST / HTTP/1.1\r\n', 400],
  ] as const) {
    const socket = await open(t, client)
    const answered = once(socket, 'data')
    socket.write(`${head}Content-Type: application/json\r\nContent-Length: ${CALL.length}\r\n\r\n${CALL}`)
    assert.match(String((await answered)[0]), new RegExp(`^HTTP/1\\.1 ${status} `))
  }
})

test('a Host that the operator names is allowed', async t => {
  const client = await serve(t, new TestNode(), { allowedHosts: ['Node.example', 'fd00::1'] })
  for (const host of ['node.example', 'node.example:8545', '[fd00::1]:8545', 'localhost']) {
    assert.equal((await client.post(CALL, { headers: { host } })).status, 200, host)
  }
  assert.equal((await client.post(CALL, { headers: { host: 'other.example' } })).status, 403)
})

test('any Origin is 403, and nothing allows pages to read', async t => {
  const client = await serve(t, new TestNode())
  for (const origin of ['http://evil.example', 'null', 'http://localhost', 'file://', '']) {
    const { status, headers } = await client.post(CALL, { headers: { origin } })
    assert.equal(status, 403, origin)
    assert.equal(headers['access-control-allow-origin'], undefined)
  }
  const preflight = { origin: 'http://evil.example', 'access-control-request-method': 'POST' }
  assert.equal((await client.post('', { method: 'OPTIONS', headers: preflight })).status, 403)
  assert.equal((await client.post(CALL)).headers['access-control-allow-origin'], undefined)
})

test('a page that the operator names may ask and read, but never show a cookie', async t => {
  const origin = 'https://wallet.example'
  const client = await serve(t, new TestNode(), { allowedOrigins: [origin] })
  const asks = { origin, 'access-control-request-method': 'POST' }
  const preflight = await client.post('', { method: 'OPTIONS', headers: asks })
  assert.equal(preflight.status, 204)
  assert.equal(preflight.headers['access-control-allow-origin'], origin)
  assert.equal(preflight.headers['access-control-allow-headers'], 'content-type')
  const answer = await client.post(CALL, { headers: { origin } })
  assert.deepEqual([answer.status, answer.headers['access-control-allow-origin']], [200, origin])
  for (const other of ['https://wallet.example.evil', 'http://wallet.example', 'null']) {
    const { status, headers } = await client.post(CALL, { headers: { origin: other } })
    assert.deepEqual([status, headers['access-control-allow-origin']], [403, undefined])
  }
  const rebound = { ...asks, host: 'evil.example' }
  assert.equal((await client.post('', { method: 'OPTIONS', headers: rebound })).status, 403)
})

test('only application/json is read: what a browser sends unasked is 415', async t => {
  const node = new TestNode()
  const client = await serve(t, node)
  const send = JSON.stringify({ id: 1, method: 'eth_sendRawTransaction', params: [rawOf(transfer())] })
  for (const type of [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data',
    '',
    'application/jsonp',
  ]) {
    assert.equal((await client.post(send, { headers: { 'content-type': type } })).status, 415, type)
  }
  const zipped = { 'content-encoding': 'gzip' }
  assert.equal((await client.post(send, { headers: zipped })).status, 415)
  assert.equal(node.replica.pool.size, 0)
  for (const type of [
    'application/json',
    'application/json; charset=utf-8',
    'Application/JSON;charset=UTF-8',
  ]) {
    assert.equal((await client.post(CALL, { headers: { 'content-type': type } })).status, 200, type)
  }
})

test('only POST to / is answered; GET says so in a line', async t => {
  const client = await serve(t, new TestNode())
  for (const method of ['GET', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD']) {
    const { status, headers, text } = await client.post('', { method })
    assert.deepEqual([status, headers.allow], [405, 'POST'], method)
    if (method !== 'HEAD') assert.equal(text, 'quorate answers JSON-RPC: POST it to /\n')
  }
  const upgrade = { connection: 'Upgrade', upgrade: 'websocket' }
  assert.equal((await client.post('', { method: 'GET', headers: upgrade })).status, 405)
  assert.equal((await client.post(CALL, { path: '/admin' })).status, 404)
  assert.equal((await client.post(CALL, { path: '/?method=eth_chainId' })).status, 404)
})

// How much.

test('a body of a megabyte is read, a longer one is 413', async t => {
  const client = await serve(t, new TestNode())
  const padded = (bytes: number): string => CALL + ' '.repeat(bytes - CALL.length)
  assert.equal((await client.post(padded(1_000_000))).status, 200)
  const { status, text } = await client.post(padded(1_000_001))
  assert.deepEqual([status, text], [413, 'a request has at most 1000000 bytes\n'])
})

test('a body without a length is 413 while it comes, not after, and its sender is cut off', async t => {
  const client = await serve(t, new TestNode(), { limits: { lingerMs: 200 } })
  const socket = await open(t, client)
  socket.write(`${HEAD}transfer-encoding: chunked\r\n\r\n`)
  const answered = once(socket, 'data')
  const chunk = `10000\r\n${' '.repeat(65_536)}\r\n`
  // Sixteen of these are more than a megabyte, and the body never ends.
  for (let sent = 0; sent < 16; sent++) socket.write(chunk)
  const [answer] = await answered
  assert.match(String(answer), /^HTTP\/1\.1 413 /)
  await closed(socket)
})

test('a body that announces more than a megabyte is 413 before it comes', async t => {
  const client = await serve(t, new TestNode(), { limits: { lingerMs: 200 } })
  const socket = await open(t, client)
  const answered = once(socket, 'data')
  socket.write(`${HEAD}content-length: 1000001\r\n\r\n`)
  assert.match(String((await answered)[0]), /^HTTP\/1\.1 413 /)
  await closed(socket)
})

// How long.

test('a sender that is slow with the headers is cut off', async t => {
  const client = await serve(t, new TestNode(), { limits: QUICK })
  const socket = await open(t, client)
  socket.write('POST / HTTP/1.1\r\nHost: localhost\r\n')
  await closed(socket)
})

test('a sender that is slow with the body is cut off', async t => {
  const client = await serve(t, new TestNode(), { limits: QUICK })
  const socket = await open(t, client)
  const answered = once(socket, 'data')
  socket.write(`${HEAD}content-length: 100000\r\n\r\n`)
  const drip = setInterval(() => socket.write(' '), 20)
  assert.match(String((await answered)[0]), /^HTTP\/1\.1 408 /)
  await closed(socket)
  clearInterval(drip)
})

test('a connection that says nothing is cut off', async t => {
  const client = await serve(t, new TestNode(), { limits: QUICK })
  await closed(await open(t, client))
})

test('a reader that does not read is cut off', { timeout: 20_000 }, async t => {
  const node = new TestNode()
  // Sixty megabytes, more than the system takes off our hands.
  node.peerList = Array(1_000).fill({ id: '12D3', address: 'x'.repeat(60_000), direction: 'inbound' })
  const limits = { idleMs: 100, connectionsMax: 1, answerCharactersMax: Infinity }
  const client = await serve(t, node, { limits })
  const socket = await open(t, client)
  const call = JSON.stringify({ id: 1, method: 'quorate_peers' })
  const answered = once(socket, 'data')
  socket.write(`${HEAD}Content-Length: ${call.length}\r\n\r\n${call}`)
  await answered
  socket.pause()
  // There is room for one connection only: when another is answered, this one is gone.
  let status = 0
  while (status !== 200)
    status = await client.post(CALL).then(
      answer => answer.status,
      () => 0,
    )
})

test('there are at most so many connections, and an idle one keeps no other out', async t => {
  const client = await serve(t, new TestNode(), { limits: { connectionsMax: 2 } })
  const ask = async (socket: Socket): Promise<void> => {
    const answered = once(socket, 'data')
    socket.write(`${HEAD}Content-Length: ${CALL.length}\r\n\r\n${CALL}`)
    assert.match(String((await answered)[0]), /^HTTP\/1\.1 200 /)
  }
  const first = await open(t, client)
  const second = await open(t, client)
  await ask(first)
  const gone = closed(second)
  const third = await open(t, client)
  await ask(third)
  await gone
  await ask(first)
})

test('many connections that ask for nothing do not lock others out', async t => {
  const client = await serve(t, new TestNode(), { limits: { connectionsMax: 8 } })
  for (let count = 0; count < 40; count++) await open(t, client)
  assert.equal((await client.post(CALL)).status, 200)
})

test('many connections of one address that all ask, and never end, do not lock another address out', async t => {
  const client = await serve(t, new TestNode(), { limits: { connectionsMax: 8 } })
  const honest = await open(t, client)
  for (let count = 0; count < 20; count++) {
    const socket = await open(t, client, '127.66.0.1')
    socket.write(`${HEAD}Content-Length: ${CALL.length}\r\n\r\n${CALL.slice(0, 5)}`)
  }
  assert.equal((await client.post(CALL)).status, 200)
  const answered = once(honest, 'data')
  honest.write(`${HEAD}Content-Length: ${CALL.length}\r\n\r\n${CALL}`)
  assert.match(String((await answered)[0]), /^HTTP\/1\.1 200 /)
})

test('a wallet in a browser may ask, and no page that only looks like one', async t => {
  const client = await serve(t, new TestNode())
  const uuid = '4e6d9a3c-0f6b-4d6f-9d0a-1b2c3d4e5f60'
  for (const origin of [
    'chrome-extension://nkbihfbeogaeaoehlefnkodbefgpgknn',
    `moz-extension://${uuid}`,
    `safari-web-extension://${uuid.toUpperCase()}`,
  ]) {
    const answer = await client.post(CALL, { headers: { origin } })
    assert.deepEqual([answer.status, answer.headers['access-control-allow-origin']], [200, origin])
    const asks = { origin, 'access-control-request-method': 'POST' }
    assert.equal((await client.post('', { method: 'OPTIONS', headers: asks })).status, 204)
  }
  for (const origin of [
    'chrome-extension://evil.example',
    'https://chrome-extension',
    'chrome-extension://nkbihfbeogaeaoehlefnkodbefgpgknn.evil.example',
    `moz-extension://${uuid}/page`,
  ])
    assert.equal((await client.post(CALL, { headers: { origin } })).status, 403, origin)
})

test('an Origin that is refused is told in the log, once', async t => {
  const told: object[] = []
  const log = { error: () => {}, warn: (details: object, text: string) => told.push({ ...details, text }) }
  const client = await serve(t, new TestNode(), { log })
  for (let count = 0; count < 3; count++)
    await client.post(CALL, { headers: { origin: 'https://dapp.example' } })
  assert.equal(told.length, 1)
  assert.match(JSON.stringify(told[0]), /dapp\.example.*--rpc-allow-origin/)
  for (let count = 0; count < 100; count++)
    await client.post(CALL, { headers: { origin: `https://dapp${count}.example` } })
  assert.equal(told.length, 64, 'and no stranger fills the log')
})

// How fast.

test('an address that calls too much is 429, a batch counted by its calls', async t => {
  const client = await serve(t, new TestNode(), { limits: { callsPerSecond: 0, callsBurst: 10 } })
  const batch = (size: number): string => `[${Array.from({ length: size }, () => CALL).join(',')}]`
  assert.equal((await client.post(batch(8))).status, 200)
  const refused = await client.post(batch(3))
  assert.deepEqual([refused.status, refused.headers['retry-after']], [429, '1'])
  assert.equal((await client.post(CALL)).status, 200)
  assert.equal((await client.post(CALL)).status, 429)
})

test("a client's largest batches fit in the rate", () => {
  assert.ok(RPC_LIMITS.callsBurst >= 100 * RPC_LIMITS.batchMax)
})

// Where.

test('a port in use is an error that a person understands', async t => {
  const client = await serve(t, new TestNode())
  const port = Number(new URL(client.url).port)
  await assert.rejects(RpcServer.open(new TestNode(), { port, cookieDirectory: null }), (error: unknown) => {
    assert.ok(error instanceof PortInUse)
    assert.equal(
      error.message,
      `port ${port} of 127.0.0.1 is in use: stop what listens there or choose another port`,
    )
    return true
  })
  const taken = createServer().listen(0, '127.0.0.1')
  cleanUp(t, () => taken.close())
  await once(taken, 'listening')
  const address = taken.address() as { port: number }
  await assert.rejects(
    RpcServer.open(new TestNode(), { port: address.port, cookieDirectory: null }),
    PortInUse,
  )
})

test('a host that is not ours to listen on is an error with its code', async () => {
  // TEST-NET-1 (RFC 5737) belongs to nobody.
  const options = { port: 0, cookieDirectory: null, host: '192.0.2.1', allowedHosts: ['node.example'] }
  await assert.rejects(RpcServer.open(new TestNode(), options), (error: unknown) => {
    assert.ok(error instanceof CannotListen)
    assert.match(error.message, /192\.0\.2\.1.*EADDRNOTAVAIL/)
    return true
  })
})

test('others reach a node only under names that were allowed', async t => {
  const node = new TestNode()
  for (const host of ['0.0.0.0', '::', '192.168.1.5', 'node.example']) {
    await assert.rejects(RpcServer.open(node, { port: 0, cookieDirectory: null, host }), UnsafeHost)
  }
  const server = await RpcServer.open(node, {
    port: 0,
    cookieDirectory: null,
    host: '0.0.0.0',
    allowedHosts: ['node.example'],
  })
  cleanUp(t, () => server.close())
  assert.match(server.url, /^http:\/\/0\.0\.0\.0:\d+$/)
})

test('by default only this machine reaches the node', async t => {
  const client = await serve(t, new TestNode())
  assert.match(client.url, /^http:\/\/127\.0\.0\.1:\d+$/)
})

// The cookie.

test('mining is controlled with the cookie, which only its owner can read', async t => {
  const directory = await temporaryDirectory(t)
  const node = new TestNode()
  const client = await serve(t, node, { cookieDirectory: directory })
  const path = join(directory, 'rpc.cookie')
  assert.equal(client.server.cookiePath, path)
  assert.equal((await stat(path)).mode & 0o777, 0o600)
  const token = await readFile(path, 'utf8')
  assert.match(token, /^[0-9a-f]{64}$/)
  const control = async (
    method: string,
    params: readonly unknown[],
    authorization?: string,
  ): Promise<unknown> => {
    const headers = authorization === undefined ? {} : { authorization }
    const { text } = await client.post(JSON.stringify({ id: 1, method, params }), { headers })
    const { result, error } = JSON.parse(text)
    return error ?? result
  }
  for (const wrong of [
    undefined,
    'Bearer ',
    `Bearer ${'0'.repeat(64)}`,
    token,
    `Basic ${token}`,
    `Bearer ${token}0`,
    `Bearer ${token.slice(0, 32)}`,
  ]) {
    for (const [method, params] of [
      ['quorate_mine', [miner.address, null]],
      ['quorate_stopMining', []],
    ] as const) {
      const error = { code: -32001, message: `${method} needs the node's cookie` }
      assert.deepEqual(await control(method, params, wrong), error)
    }
    assert.equal(node.replica.mining, null)
  }
  assert.equal(await control('quorate_mine', [miner.address, '0x3'], `Bearer ${token}`), true)
  assert.deepEqual(node.replica.mining, { beneficiary: miner.address, blocksLeft: 3 })
  assert.equal(await control('quorate_mine', [miner.address, null], `bearer ${token}`), true)
  assert.deepEqual(node.replica.mining, { beneficiary: miner.address, blocksLeft: null })
  assert.equal(await control('quorate_stopMining', [], `Bearer ${token}`), true)
  assert.equal(node.replica.mining, null)
  for (const params of [
    [],
    ['x'],
    [miner.address, '0x0'],
    [miner.address, 3],
    [miner.address, '0x100000000'],
  ]) {
    assert.deepEqual(
      [((await control('quorate_mine', params, `Bearer ${token}`)) as { code: number }).code],
      [-32602],
    )
  }
})

test('without a directory no client controls the node', async t => {
  const client = await serve(t, new TestNode())
  assert.equal(client.server.cookiePath, null)
  assert.equal((await client.error('quorate_mine', miner.address, null)).code, -32001)
})

test('a new cookie takes the place of an old one and follows no link', async t => {
  const directory = await temporaryDirectory(t)
  const path = join(directory, 'rpc.cookie')
  const elsewhere = join(directory, 'elsewhere')
  await writeFile(elsewhere, 'precious', { mode: 0o644 })
  await symlink(elsewhere, path)
  await symlink(elsewhere, `${path}.new`)
  await serve(t, new TestNode(), { cookieDirectory: directory })
  assert.equal(await readFile(elsewhere, 'utf8'), 'precious')
  assert.match(await readFile(path, 'utf8'), /^[0-9a-f]{64}$/)
  assert.equal((await stat(path)).mode & 0o777, 0o600)
  assert.deepEqual((await readdir(directory)).sort(), ['elsewhere', 'rpc.cookie', 'rpc.cookie.new'])
})

test('a server that finds the port taken leaves the cookie of the other alone', async t => {
  const directory = await temporaryDirectory(t)
  const client = await serve(t, new TestNode(), { cookieDirectory: directory })
  const before = await readFile(join(directory, 'rpc.cookie'), 'utf8')
  const port = Number(new URL(client.url).port)
  await assert.rejects(RpcServer.open(new TestNode(), { port, cookieDirectory: directory }), PortInUse)
  assert.equal(await readFile(join(directory, 'rpc.cookie'), 'utf8'), before)
})

test('a cookie that cannot be written leaves no server behind', async t => {
  const directory = join(await temporaryDirectory(t), 'missing')
  const error = { code: 'ENOENT' }
  const port = await freePort()
  await assert.rejects(RpcServer.open(new TestNode(), { port, cookieDirectory: directory }), error)
  const again = await RpcServer.open(new TestNode(), { port, cookieDirectory: null })
  await again.close()
})

// The end.

test('closing lets answers under way finish, takes no more and removes the cookie', async t => {
  const directory = await temporaryDirectory(t)
  const node = new TestNode()
  const { promise, resolve } = Promise.withResolvers<SubmitResult>()
  const asked = Promise.withResolvers<void>()
  node.submit = () => {
    asked.resolve()
    return promise
  }
  const client = await serve(t, node, { cookieDirectory: directory })
  const socket = await open(t, client)
  const call = JSON.stringify({ id: 1, method: 'eth_sendRawTransaction', params: ['0x'] })
  const answered = once(socket, 'data')
  socket.write(`${HEAD}Content-Length: ${call.length}\r\n\r\n${call}`)
  await asked.promise
  const closing = client.server.close()
  await assert.rejects(client.post(CALL), { code: 'ECONNREFUSED' })
  resolve({ id: `0x${'11'.repeat(32)}` })
  const answer = String((await answered)[0])
  assert.match(answer, /"result":"0x(11){32}"/)
  assert.match(answer, /\r\nconnection: close\r\n/i)
  await closing
  assert.deepEqual(await readdir(directory), [])
  assert.equal(client.server.close(), client.server.close())
})

test('closing waits for no client that keeps a connection open', async t => {
  const client = await serve(t, new TestNode(), { limits: { closeGraceMs: 100 } })
  const idle = await open(t, client)
  const halfway = await open(t, client)
  halfway.write(`${HEAD}content-length: 100\r\n\r\n`)
  const waiting = [closed(idle), closed(halfway)]
  await client.server.close()
  await Promise.all(waiting)
})

const HEAD = 'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n'
const QUICK = { headersTimeoutMs: 100, requestTimeoutMs: 100, deadlineCheckMs: 20 }

/** A bare connection to a server. */
async function open(t: TestContext, client: RpcClient, localAddress = '127.0.0.1'): Promise<Socket> {
  const { hostname, port } = new URL(client.url)
  const socket = connect({ port: Number(port), host: hostname, localAddress })
  // A reset is one of the ways in which a server ends a connection.
  socket.on('error', () => {})
  cleanUp(t, () => socket.destroy())
  await once(socket, 'connect')
  return socket
}

async function closed(socket: Socket): Promise<void> {
  socket.resume()
  if (!socket.destroyed) await new Promise(resolve => socket.once('close', resolve))
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}
