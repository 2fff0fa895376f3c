import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { pino } from 'pino'
import { explainDialFailure } from '../../src/node/dial-failure.ts'
import { printPeerAddress, readPeerAddress } from '../../src/node/peer-address.ts'
import { cleanUp } from '../cleanup.ts'
import { nodesOf, until } from './nodes.ts'
import { peerIdIn } from './raw-peer.ts'

/** A node with these peers, and the warnings in its log. */
async function nodeWith(t: TestContext, bootstrap: readonly string[]) {
  const warnings: string[] = []
  const log = pino({ level: 'warn' }, { write: (line: string) => void warnings.push(JSON.parse(line).msg) })
  const node = await nodesOf(t)({ bootstrap, log })
  return { node, warnings }
}

const NO_PEER = '/ip4/127.0.0.1/tcp/1'

test('a given address without a peer, with another peer, or with an unknown name raises a warning', async t => {
  const other = (await nodesOf(t)()).multiaddrs()[0]!
  const third = peerIdIn((await nodesOf(t)()).multiaddrs()[0]!)
  const wrong = printPeerAddress({ ...readPeerAddress(other), peer: third })
  const unknown = '/dns4/nowhere.invalid/tcp/1'
  const { node, warnings } = await nodeWith(t, [NO_PEER, wrong, unknown, other])
  await until('all are warned of', () => warnings.length >= 3)
  await until('it is connected to the one that is there', () => node.peers().length === 1)
  const expected = [
    `can't reach ${NO_PEER}: connection refused; `,
    `can't reach ${wrong}: the peer there has another id; `,
    `can't reach ${unknown}: `,
  ]
  assert.equal(warnings.length, expected.length, warnings.join('\n'))
  for (const start of expected)
    assert.ok(
      warnings.some(text => text.startsWith(start)),
      `${start} in ${warnings}`,
    )
  const [aboutName] = warnings.filter(text => text.includes(unknown))
  assert.match(aboutName!, /no host has that name|the name could not be looked up/)
})

test('a node that is given its own address, or one where no node is, is warned of it', async t => {
  const server = createServer(socket => socket.on('error', () => {}).end('HTTP/1.1 400 Bad Request\r\n\r\n'))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  cleanUp(t, () => server.close())
  const { port } = server.address() as { port: number }
  const { node, warnings } = await nodeWith(t, [`/ip4/127.0.0.1/tcp/${port}`])
  node.addPeer(node.multiaddrs()[0]!)
  await until('both are warned of', () => warnings.length >= 2)
  assert.ok(
    warnings.some(text => text.includes('it is this node itself')),
    warnings.join(),
  )
  assert.ok(
    warnings.some(text => text.includes('what listens there ends the connection')),
    warnings.join(),
  )
})

test('a reason is told of whatever is thrown', () => {
  const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), { code: 'ECONNREFUSED' })
  for (const [error, expected] of [
    [refused, 'connection refused'],
    [new AggregateError([refused, new Error('other')], 'all failed'), 'connection refused'],
    [new AggregateError([], 'all failed'), 'all failed'],
    [new Error('The operation was aborted due to timeout'), 'no answer'],
    [new Error('some\n  thing'), 'some thing'],
    ['text', 'text'],
    [null, 'null'],
  ] as const)
    assert.equal(explainDialFailure(error), expected)
})
