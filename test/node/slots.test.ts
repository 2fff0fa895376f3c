// Strangers that want all places of a real node. They come from 127.66.0.1, honest nodes from 127.0.0.1: to a node that
// limits loopback addresses too these are two providers.

import assert from 'node:assert/strict'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { multiaddr } from '@multiformats/multiaddr'
import { AddressBook } from '../../src/node/address-book.ts'
import { INBOUND_CONNECTIONS_MAX, INBOUND_PER_ADDRESS_MAX } from '../../src/node/inbound-gate.ts'
import type { Node } from '../../src/node/node.ts'
import { cleanUp, temporaryDirectory } from '../cleanup.ts'
import { attackSilentSockets, attackSlots, attackSlotsAgain } from '../hostile/slots.ts'
import { identifyMessage } from './identify-message.ts'
import { nodesOf, silent, until } from './nodes.ts'
import { peerIdIn, RawPeer } from './raw-peer.ts'

const STRANGER = '127.66.0.1'
const SOCKETS = 100
const target = (node: Node) => ({ address: node.multiaddrs()[0]!, genesis: node.replica.genesis })
const strangersAt = (node: Node): number =>
  node.peers().filter(({ address }) => address.includes(`/${STRANGER}/`)).length
const hasGreeted = (node: Node, peer: Node): boolean =>
  node.peers().some(({ id, head }) => id === peerIdIn(peer.multiaddrs()[0]!) && head !== null)

test('forty-seven identities of one address do not take the places of others', async t => {
  const open = nodesOf(t)
  const node = await open({ limitLoopback: true })
  await attackSlots(t, target(node))
  await until('none is left that is too many', () => strangersAt(node) <= INBOUND_PER_ADDRESS_MAX)
  const honest = await open({ bootstrap: node.multiaddrs() })
  await until('the honest node is linked', () => hasGreeted(node, honest))
  assert.ok(strangersAt(node) <= INBOUND_PER_ADDRESS_MAX)
})

test('identities of one address that took all places make room for another address, which they do not push out again', async t => {
  const open = nodesOf(t)
  const node = await open()
  const before = await attackSlots(t, target(node), { identities: INBOUND_CONNECTIONS_MAX + 4 })
  await until('all places are taken', () => strangersAt(node) === INBOUND_CONNECTIONS_MAX)
  const honest = await open({ bootstrap: node.multiaddrs() })
  await until('the honest node is linked', () => hasGreeted(node, honest))
  await attackSlots(t, target(node), { identities: 8 })
  await until('there are as many as before', () => node.peers().length <= INBOUND_CONNECTIONS_MAX)
  assert.ok(hasGreeted(node, honest))
  assert.ok(before.length > INBOUND_CONNECTIONS_MAX)
})

test('strangers that come back at once do not keep an honest newcomer out', async t => {
  const open = nodesOf(t)
  const node = await open()
  const attack = await attackSlotsAgain(t, target(node), { identities: INBOUND_CONNECTIONS_MAX + 6 })
  const honest = await open({ bootstrap: node.multiaddrs() })
  await until('the honest node is linked', () => hasGreeted(node, honest))
  const before = attack.returns()
  await until('the strangers have come back often', () => attack.returns() >= before + 12)
  assert.ok(hasGreeted(node, honest))
})

for (const limitLoopback of [false, true])
  test(`a hundred silent sockets lock no peer out ${limitLoopback ? 'where loopback is limited' : 'of one machine'}`, async t => {
    const open = nodesOf(t)
    const node = await open({ limitLoopback })
    const attack = await attackSilentSockets(t, target(node), { sockets: SOCKETS })
    for (let count = 0; count < 3; count++) {
      const honest = await open({ bootstrap: node.multiaddrs() })
      await until('an honest node is linked', () => hasGreeted(node, honest))
    }
    await until('those that were too many were put out', () => attack.opened() > SOCKETS)
  })

test('after a restart without --peer a node finds an honest peer although a stranger filled its address book', async t => {
  const open = nodesOf(t)
  const dataDirectory = await temporaryDirectory(t)
  const honest = await open()
  const first = await open({ dataDirectory, limitLoopback: true, bootstrap: honest.multiaddrs() })
  await until('they are linked', () => hasGreeted(first, honest))
  const sybils = await Promise.all(
    Array.from({ length: 8 }, () =>
      open({ listen: [`/ip4/${STRANGER}/tcp/0`], bootstrap: first.multiaddrs() }),
    ),
  )
  await until('the strangers are linked', () => sybils.filter(sybil => hasGreeted(first, sybil)).length >= 4)
  await first.close()
  // A stranger that is in the book as tried as often as it can be, and as new.
  const book = await AddressBook.load(join(dataDirectory, 'peers.json'), silent)
  for (const sybil of sybils) {
    const [id, port] = [peerIdIn(sybil.multiaddrs()[0]!), Number(sybil.multiaddrs()[0]!.split('/')[4])]
    book.note({ id, addresses: [{ kind: 'ip4', host: STRANGER, port, peer: id }], wasDialled: true })
  }
  await book.save()
  const again = await open({ dataDirectory, limitLoopback: true })
  await until('it has found the honest peer', () => hasGreeted(again, honest))
  const outbound = again.peers().filter(({ direction }) => direction === 'outbound')
  assert.ok(outbound.filter(({ address }) => address.includes(STRANGER)).length <= 2)
})

test('a stranger that only connects is not kept as one that the local network announced', async t => {
  const open = nodesOf(t)
  const node = await open()
  let [dials, isAsked] = [0, false]
  const server = createServer(socket => {
    dials += 1
    socket.destroy()
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  cleanUp(t, () => server.close())
  const place = multiaddr(`/ip4/127.0.0.1/tcp/${(server.address() as AddressInfo).port}`).bytes
  const stranger = await RawPeer.connect(t, node.multiaddrs()[0]!, undefined, network => {
    isAsked = true
    return identifyMessage(network, [place])
  })
  await until('it has told where it is', () => isAsked)
  await stranger.network.stop()
  await until('it is gone', () => node.peers().length === 0)
  // What is dialled is dialled at each tick; one that is dialled at the same ticks shows that there were some.
  const unreachable = createServer(socket => socket.destroy())
  await new Promise<void>(resolve => unreachable.listen(0, '127.0.0.1', resolve))
  cleanUp(t, () => unreachable.close())
  let given = 0
  unreachable.on('connection', () => (given += 1))
  node.addPeer(`/ip4/127.0.0.1/tcp/${(unreachable.address() as AddressInfo).port}`)
  await until('two ticks have passed', () => given >= 3)
  assert.equal(dials, 0)
})
