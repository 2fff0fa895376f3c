import assert from 'node:assert/strict'
import { chmod, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import {
  ADDRESSES_PER_PEER_MAX,
  AddressBook,
  KNOWN_PEERS_MAX,
  type KnownPeer,
} from '../../src/node/address-book.ts'
import { DENIAL_MS, DenyList } from '../../src/node/deny-list.ts'
import { IdentityUnusable, loadIdentity } from '../../src/node/identity.ts'
import { GIVEN_MAX, InvalidAddress, OUTBOUND_TARGET, Redialer } from '../../src/node/redialer.ts'
import { temporaryDirectory } from '../cleanup.ts'
import { silent } from './nodes.ts'

const addressAt = (port: number): string => `/ip4/192.0.2.1/tcp/${port}`
const known = (id: string, changes: Partial<KnownPeer> = {}): KnownPeer => ({
  id,
  addresses: [addressAt(1)],
  wasDialled: false,
  ...changes,
})

async function emptyBook(t: TestContext): Promise<AddressBook> {
  return AddressBook.load(join(await temporaryDirectory(t), 'peers.json'), silent)
}

/** A redialer in a world where dials to known ports succeed. */
async function setUp(t: TestContext, answering: { readonly [address: string]: string } = {}) {
  const book = await emptyBook(t)
  const dials: string[] = []
  const connected = new Set<string>()
  const denied = new Set<string>()
  const redialer = new Redialer(
    {
      dial: async ([address]) => {
        dials.push(String(address))
        const peer = answering[String(address)]
        if (peer === undefined) throw new Error('nobody there')
        connected.add(peer)
        return peer
      },
      isConnected: peer => connected.has(peer),
      isDenied: peer => denied.has(peer),
      outboundCount: () => connected.size,
    },
    book,
  )
  /** Ticks once a second from one time to another; returns the times of dials. */
  const run = async (fromMs: number, toMs: number) => {
    const times: number[] = []
    for (let nowMs = fromMs; nowMs <= toMs; nowMs += 1_000) {
      const before = dials.length
      redialer.tick(nowMs)
      await new Promise(setImmediate)
      for (let dial = before; dial < dials.length; dial++) times.push(nowMs)
    }
    return times
  }
  return { redialer, book, dials, connected, denied, run }
}

test('a given address is dialled at once and then at ever longer intervals, up to a minute or so', async t => {
  const { redialer, run } = await setUp(t)
  redialer.give(addressAt(1))
  const times = await run(0, 1_000_000)
  const waits = times.slice(1).map((time, index) => time - times[index]!)
  assert.equal(times[0], 0)
  for (const [index, wait] of waits.entries()) {
    const expected = Math.min(60_000, 1_000 * 2 ** index)
    assert.ok(wait >= 0.75 * expected && wait <= 1.25 * expected + 1_000, `wait ${index} is ${wait}`)
  }
})

test('a connected peer is not dialled, and again at once when it is lost', async t => {
  const { redialer, connected, run } = await setUp(t, { [addressAt(1)]: 'a' })
  redialer.give(addressAt(1))
  assert.deepEqual(await run(0, 100_000), [0])
  connected.delete('a')
  assert.deepEqual(await run(101_000, 101_000), [101_000])
})

test('a peer of our network that is lost again and again is dialled as often', async t => {
  const { redialer, connected, run } = await setUp(t, { [addressAt(1)]: 'a' })
  redialer.give(addressAt(1))
  let dials = 0
  for (let nowMs = 0; nowMs < 200_000; nowMs += 1_000) {
    dials += (await run(nowMs, nowMs)).length
    redialer.confirm('a')
    connected.delete('a')
  }
  assert.ok(dials >= 100, `${dials} dials`)
})

test('a peer that connects and never proves to be of our network is dialled ever more rarely', async t => {
  const { redialer, connected, run } = await setUp(t, { [addressAt(1)]: 'a' })
  redialer.give(addressAt(1))
  const times: number[] = []
  for (let nowMs = 0; nowMs < 200_000; nowMs += 1_000) {
    times.push(...(await run(nowMs, nowMs)))
    connected.delete('a')
  }
  assert.ok(times.length >= 6 && times.length <= 10, `${times.length} dials`)
})

test('a denied peer is not dialled until its time is over', async t => {
  const { redialer, connected, denied, run } = await setUp(t, { [addressAt(1)]: 'a' })
  redialer.give(addressAt(1))
  await run(0, 0)
  connected.delete('a')
  denied.add('a')
  assert.deepEqual(await run(1_000, 200_000), [])
  denied.delete('a')
  assert.deepEqual(await run(201_000, 201_000), [201_000])
})

test('known peers are dialled while there are few connections of our own, proven ones first', async t => {
  const ports = Array.from({ length: 20 }, (_, index) => index + 1)
  const answering = Object.fromEntries(ports.map(port => [addressAt(port), `peer ${port}`]))
  const { book, dials, run } = await setUp(t, answering)
  for (const port of ports)
    book.note(known(`peer ${port}`, { addresses: [addressAt(port)], wasDialled: port > 17 }))
  await run(0, 100_000)
  assert.equal(dials.length, OUTBOUND_TARGET)
  assert.deepEqual(dials.slice(0, 4), [18, 19, 20, 1].map(addressAt))
})

test('known peers that do not answer make way for others', async t => {
  const { book, dials, connected, run } = await setUp(t, { [addressAt(30)]: 'peer 30' })
  for (let port = 1; port <= 30; port++) book.note(known(`peer ${port}`, { addresses: [addressAt(port)] }))
  await run(0, 5_000)
  assert.ok(connected.has('peer 30'))
  assert.equal(new Set(dials).size, 30)
})

test('an announced peer is dialled until it is connected', async t => {
  const { redialer, run, dials } = await setUp(t)
  const { multiaddr } = await import('@multiformats/multiaddr')
  redialer.announce('a', [multiaddr(addressAt(1))])
  await run(0, 0)
  assert.deepEqual(dials, [addressAt(1)])
})

test('what is no address is refused, and there is an end to those that are kept', async t => {
  const { redialer, dials, run } = await setUp(t)
  for (const address of ['', 'localhost:8545', '/ip4/1', '/ip4/999.0.0.1/tcp/1'])
    assert.throws(() => redialer.give(address), InvalidAddress)
  for (let port = 1; port <= 2 * GIVEN_MAX; port++) redialer.give(addressAt(port))
  await run(0, 30_000)
  assert.equal(new Set(dials).size, GIVEN_MAX)
})

test('the address book survives a restart', async t => {
  const path = join(await temporaryDirectory(t), 'peers.json')
  const book = await AddressBook.load(path, silent)
  book.note(known('a', { wasDialled: true }))
  book.note(known('b'))
  await book.save()
  assert.deepEqual((await AddressBook.load(path, silent)).peers(), book.peers())
  assert.equal((await stat(path)).mode & 0o777, 0o600)
})

test('an address book that is damaged is begun anew', async t => {
  const path = join(await temporaryDirectory(t), 'peers.json')
  for (const content of [
    '',
    '{',
    '{}',
    '[1]',
    '[{"id":1}]',
    '[{"id":"a","addresses":[1],"wasDialled":true}]',
  ]) {
    await writeFile(path, content)
    assert.deepEqual((await AddressBook.load(path, silent)).peers(), [])
  }
})

test('an address that we reached is not replaced by hearsay, and hearsay is by what we reached', async t => {
  const book = await emptyBook(t)
  book.note(known('a', { addresses: [addressAt(1)] }))
  book.note(known('a', { addresses: [addressAt(2)], wasDialled: true }))
  book.note(known('a', { addresses: [addressAt(3)] }))
  assert.deepEqual(book.peers(), [known('a', { addresses: [addressAt(2)], wasDialled: true })])
})

test('strangers fill the address book to its end and push out no peer that we reached', async t => {
  const book = await emptyBook(t)
  book.note(known('friend', { wasDialled: true }))
  for (let count = 0; count < 2 * KNOWN_PEERS_MAX; count++) book.note(known(`stranger ${count}`))
  assert.equal(book.peers().length, KNOWN_PEERS_MAX)
  assert.equal(book.peers()[0]?.id, 'friend')
  const many = Array.from({ length: 100 }, (_, port) => addressAt(port + 1))
  book.note(known('wordy', { addresses: [`/dns4/${'x'.repeat(1_000)}/tcp/1`, ...many], wasDialled: true }))
  assert.deepEqual(book.peers()[1]?.addresses, many.slice(0, ADDRESSES_PER_PEER_MAX))
})

test('a peer is denied for its time, and a reason is news once', () => {
  const list = new DenyList()
  assert.equal(list.has('a', 0), false)
  assert.equal(list.deny('a', 'block-malformed', 0), true)
  assert.equal(list.has('a', DENIAL_MS - 1), true)
  assert.equal(list.has('a', DENIAL_MS), false)
  assert.equal(list.deny('a', 'block-malformed', DENIAL_MS), false)
  assert.equal(list.deny('a', 'tx-malformed', DENIAL_MS), true)
  assert.equal(list.deny('b', 'block-malformed', DENIAL_MS), true)
  assert.equal(list.has('a', DENIAL_MS + 1), true)
})

test('an identity is made once, readable by its owner alone', async t => {
  const path = join(await temporaryDirectory(t), 'identity.key')
  const key = await loadIdentity(path)
  await chmod(path, 0o644)
  assert.deepEqual((await loadIdentity(path)).raw, key.raw)
  assert.equal((await stat(path)).mode & 0o777, 0o600)
  assert.equal(key.type, 'Ed25519')
})

test('a file that holds no identity is left as it is', async t => {
  const path = join(await temporaryDirectory(t), 'identity.key')
  for (const content of ['', 'nonsense', 'x'.repeat(10_000)]) {
    await writeFile(path, content)
    await assert.rejects(loadIdentity(path), IdentityUnusable)
    assert.equal(await readFile(path, 'utf8'), content)
  }
})
