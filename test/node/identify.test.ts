import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { multiaddr } from '@multiformats/multiaddr'
import fc from 'fast-check'
import type { Node } from '../../src/node/node.ts'
import { cleanUp, temporaryDirectory } from '../cleanup.ts'
import { field, identifyMessage } from './identify-message.ts'
import { nodesOf, transfer, until } from './nodes.ts'
import { RawPeer } from './raw-peer.ts'

const OTHER_ID = '12D3KooWHFtsP3nA1QtPuxvzDFDwzQFaragYqexYs9EGopvf6JKQ'

/** A dns4 component of this name, which text can't tell from several components. */
const dns4 = (name: string): Uint8Array => {
  const bytes = new TextEncoder().encode(name)
  return Uint8Array.of(54, bytes.length, ...bytes)
}
const PORT = multiaddr('/tcp/1').bytes
const dns4WithPort = (name: string): Uint8Array => Uint8Array.of(...dns4(name), ...PORT)

/** A server that counts connections, and says nothing. */
async function countingPlace(t: TestContext) {
  let count = 0
  const server = createServer(socket => {
    count += 1
    socket.on('error', () => {})
    socket.destroy()
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  cleanUp(t, () => server.close())
  return { address: `/ip4/127.0.0.1/tcp/${(server.address() as AddressInfo).port}`, count: () => count }
}

const HOSTILE: Readonly<Record<string, readonly Uint8Array[]>> = {
  'a name with a slash': [dns4WithPort('a/foo')],
  'a name that is two components': [dns4WithPort('a/tcp/1')],
  'a name that hides all that follows': [dns4('a/tcp/80')],
  'a name of control characters': [dns4WithPort('a\n\u0000b')],
  'a name of slashes': [dns4WithPort('////')],
  'an empty name': [dns4WithPort('')],
  'a name that is no host name': [dns4WithPort('-a..b_')],
  'a name of 250 slashes': [Uint8Array.of(54, 250, 1, ...new Uint8Array(250).fill(47), ...PORT)],
  'a relay': [multiaddr('/ip4/127.0.0.1/tcp/1/p2p-circuit').bytes],
  'a web socket': [multiaddr('/dns4/example.com/tcp/443/wss').bytes],
  'port 0': [multiaddr('/ip4/127.0.0.1/tcp/0').bytes],
  'a path of a socket': [multiaddr('/unix/%2Ftmp%2Fx').bytes],
  'where another peer is': [multiaddr(`/ip4/127.0.0.1/tcp/1/p2p/${OTHER_ID}`).bytes],
  'no multiaddr at all': [Uint8Array.of(255, 255, 255, 255), Uint8Array.of(54, 255), new Uint8Array(0)],
}

for (const [what, addresses] of Object.entries(HOSTILE)) {
  test(`a peer that says that it listens at ${what} ends no node, now or at the next start`, async t => {
    const open = nodesOf(t)
    const dataDirectory = await temporaryDirectory(t)
    const victim = await open({ dataDirectory })
    const other = await open({ bootstrap: victim.multiaddrs() })
    const place = await countingPlace(t)
    const told = [...addresses, multiaddr(place.address).bytes]
    const peer = await RawPeer.connect(t, victim.multiaddrs()[0]!, undefined, network =>
      identifyMessage(network, told),
    )
    peer.greet(victim)
    const book = join(dataDirectory, 'peers.json')
    await until('the good address is noted', () =>
      notedIn(book, peer.id).includes(`${place.address}/p2p/${peer.id}`),
    )
    assert.equal(notedIn(book, peer.id).length, 1, 'nothing else is noted')
    await peer.network.stop()
    await until('it was dialled at the good address', () => place.count() > 0)
    await assertWorks(victim, other)
    await victim.close()

    const count = place.count()
    const again = await open({ dataDirectory, bootstrap: other.multiaddrs() })
    await until('the good address is dialled after a restart', () => place.count() > count)
    await assertWorks(again, other)
  })
}

/** The addresses of a peer in a file of known peers. */
function notedIn(book: string, peer: string): readonly string[] {
  if (!existsSync(book)) return []
  const { peers } = JSON.parse(readFileSync(book, 'utf8')) as { peers: { id: string; addresses: string[] }[] }
  return peers.find(({ id }) => id === peer)?.addresses ?? []
}

async function assertWorks(node: Node, other: Node): Promise<void> {
  await until('they are linked', () => node.peers().some(({ head }) => head !== null))
  const before = other.replica.pool.size
  await node.submit(transfer(1, before))
  await until('a transaction crosses', () => other.replica.pool.size > before)
}

/** A message of known and unknown fields with any content, or any bytes. */
const lie = fc.oneof(
  fc
    .array(
      fc.tuple(
        fc.constantFrom(1, 2, 2, 2, 3, 4, 5, 6, 8, 9),
        fc.oneof(
          fc.uint8Array({ maxLength: 40 }),
          fc.string({ unit: 'binary', maxLength: 40 }).map(name => dns4WithPort(name)),
          fc
            .array(fc.constantFrom('/', 'a', '.', 'tcp', '1', 'p2p'), { maxLength: 8 })
            .map(parts => dns4WithPort(parts.join(''))),
        ),
      ),
      { maxLength: 30 },
    )
    .map(fields => Buffer.concat(fields.map(([number, content]) => field(number, content)))),
  fc.uint8Array({ maxLength: 100 }),
)

test('with any answers of peers to identify, a node lives, works and starts again', async t => {
  const open = nodesOf(t)
  const dataDirectory = await temporaryDirectory(t)
  const victim = await open({ dataDirectory })
  const other = await open({ bootstrap: victim.multiaddrs() })
  await fc.assert(
    fc.asyncProperty(lie, fc.boolean(), async (bytes, isSigned) => {
      let isAsked = false
      const peer = await RawPeer.connect(t, victim.multiaddrs()[0]!, undefined, network => {
        isAsked = true
        return isSigned ? Uint8Array.of(...identifyMessage(network, []), ...bytes) : bytes
      })
      await until('it is asked', () => isAsked)
      peer.greet(victim)
      await until('it is heard', () => victim.peers().some(({ id, head }) => id === peer.id && head !== null))
      await peer.network.stop()
    }),
    { numRuns: 15 },
  )
  await assertWorks(victim, other)
  await victim.close()
  await assertWorks(await open({ dataDirectory, bootstrap: other.multiaddrs() }), other)
})
