// Connections that are to end: with a stranger that does not shake hands, and with a peer that was only to be tested.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { AddressBook } from '../../src/node/address-book.ts'
import type { Node } from '../../src/node/node.ts'
import { readPeerAddress } from '../../src/node/peer-address.ts'
import { FEELER_MS } from '../../src/node/redialer.ts'
import { temporaryDirectory } from '../cleanup.ts'
import { nodesOf, silent, until } from './nodes.ts'
import { peerIdIn, RawPeer } from './raw-peer.ts'

const hasGreeted = (node: Node, peer: Node): boolean =>
  node.peers().some(({ id, head }) => id === peerIdIn(peer.multiaddrs()[0]!) && head !== null)

test('a stranger that never says which network it follows does not stay', async t => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const node = await nodesOf(t)()
  const stranger = await RawPeer.connect(t, node.multiaddrs()[0]!)
  const friendly = await RawPeer.connect(t, node.multiaddrs()[0]!)
  friendly.greet(node)
  // It says other things, and opens streams again.
  stranger.send({ type: 'get-headers', requestId: 1, locator: [] })
  await until('one has greeted', () =>
    node.peers().some(({ id, head }) => id === friendly.id && head !== null),
  )
  let isClosed = false
  void stranger.closed.then(() => (isClosed = true))
  for (let ticks = 0; ticks < 30; ticks++) t.mock.timers.tick(1_000)
  await until('it is gone', () => isClosed)
  assert.deepEqual(
    node.peers().map(({ id }) => id),
    [friendly.id],
  )
})

test('a feeler moves a peer that the book was only told to those that were reached, and leaves again', async t => {
  const open = nodesOf(t)
  const dataDirectory = await temporaryDirectory(t)
  const path = join(dataDirectory, 'peers.json')
  const peers = [await open(), await open(), await open()]
  const addresses = peers.map(peer => readPeerAddress(peer.multiaddrs()[0]!))
  /** A book of them under a secret by which no two of them have one slot. */
  const bookOf = async (wasDialled: boolean, secret: number): Promise<AddressBook> => {
    await writeFile(path, JSON.stringify({ key: secret.toString(16).padStart(64, '0'), peers: [] }))
    const book = await AddressBook.load(path, silent)
    for (const [index, address] of addresses.entries())
      book.note(
        { id: address.peer!, addresses: [address], wasDialled },
        wasDialled ? null : `source ${index}`,
      )
    return book
  }
  const fits = async (secret: number): Promise<boolean> => {
    const reached = (await bookOf(true, secret)).peers().filter(({ wasDialled }) => wasDialled)
    return reached.length === 3 && (await bookOf(false, secret)).peers().length === 3
  }
  let secret = 0
  while (!(await fits(secret))) secret += 1
  await (await bookOf(false, secret)).save()
  const node = await open({ dataDirectory, limitLoopback: true })
  // Of one provider two are chosen at most.
  await until('two are linked', () => peers.filter(peer => hasGreeted(node, peer)).length === 2)
  const now = performance.now.bind(performance)
  let aheadMs = 0
  t.mock.method(performance, 'now', () => now() + aheadMs)
  const reached = (): number => {
    const { peers: noted } = JSON.parse(readFileSync(path, 'utf8')) as { peers: { wasDialled: boolean }[] }
    return noted.filter(({ wasDialled }) => wasDialled).length
  }
  for (let looks = 0; looks < 500 && reached() < 3; looks++) {
    if (looks % 100 === 0) aheadMs += 2 * FEELER_MS
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  assert.equal(reached(), 3)
  // The peer knows the node by now, and may connect to it itself.
  const outbound = () => node.peers().filter(({ direction }) => direction === 'outbound')
  await until('it has left again', () => outbound().length === 2)
})
