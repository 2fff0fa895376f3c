import assert from 'node:assert/strict'
import { chmod, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { groupWith } from '../../src/defence/network-group.ts'
import { AddressBook, type KnownPeer } from '../../src/node/address-book.ts'
import { ANNOUNCED_MAX, ANNOUNCED_MS } from '../../src/node/announced-peers.ts'
import { DENIAL_MS, DenyList } from '../../src/node/deny-list.ts'
import { IdentityUnusable, loadIdentity } from '../../src/node/identity.ts'
import { type PeerAddress, printPeerAddress } from '../../src/node/peer-address.ts'
import { FEELER_MS, GIVEN_MAX, OUTBOUND_TARGET, Redialer } from '../../src/node/redialer.ts'
import { temporaryDirectory } from '../cleanup.ts'
import { silent } from './nodes.ts'

/** An address of another provider for each port. */
const addressAt = (port: number): PeerAddress => ({
  kind: 'ip4',
  host: `198.${port % 256}.2.1`,
  port,
  peer: null,
})
const textAt = (port: number): string => printPeerAddress(addressAt(port))
const known = (id: string, changes: Partial<KnownPeer> = {}): KnownPeer => ({
  id,
  addresses: [addressAt(1)],
  wasDialled: false,
  ...changes,
})

/** An empty book whose secret is always the same, so that its peers stand always in the same places. */
async function emptyBook(t: TestContext): Promise<AddressBook> {
  const path = join(await temporaryDirectory(t), 'peers.json')
  await writeFile(path, JSON.stringify({ key: '00'.repeat(32), peers: [] }))
  return AddressBook.load(path, silent)
}

/** A redialer in a world where dials to known ports succeed. */
async function setUp(
  t: TestContext,
  answering: { readonly [address: string]: string } = {},
  given?: AddressBook,
) {
  const book = given ?? (await emptyBook(t))
  const dials: string[] = []
  const told: string[] = []
  const feelers: string[] = []
  const connected = new Map<string, string>()
  const groupOf = groupWith(true)
  const denied = new Set<string>()
  const find = (address: PeerAddress): string => {
    const peer = answering[printPeerAddress(address)]
    if (peer === undefined) throw new Error('nobody there')
    return peer
  }
  const redialer = new Redialer(
    {
      dial: async ([address]) => {
        dials.push(printPeerAddress(address!))
        const peer = find(address!)
        connected.set(peer, groupOf(address!))
        return peer
      },
      openFeeler: async (_peer, [address]) => {
        feelers.push(printPeerAddress(address!))
        return find(address!)
      },
      onUnreachable: (address, error) => told.push(`${address}: ${error}`),
      isConnected: peer => connected.has(peer),
      isDenied: peer => denied.has(peer),
      outbound: () => [...connected].map(([peer, group]) => ({ peer, group })),
    },
    book,
    groupOf,
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
  return { redialer, book, dials, feelers, told, connected, denied, run }
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
  const { redialer, connected, run } = await setUp(t, { [textAt(1)]: 'a' })
  redialer.give(addressAt(1))
  assert.deepEqual(await run(0, 100_000), [0])
  connected.delete('a')
  assert.deepEqual(await run(101_000, 101_000), [101_000])
})

test('a peer of our network that is lost again and again is dialled as often', async t => {
  const { redialer, connected, run } = await setUp(t, { [textAt(1)]: 'a' })
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
  const { redialer, connected, run } = await setUp(t, { [textAt(1)]: 'a' })
  redialer.give(addressAt(1))
  const times: number[] = []
  for (let nowMs = 0; nowMs < 200_000; nowMs += 1_000) {
    times.push(...(await run(nowMs, nowMs)))
    connected.delete('a')
  }
  assert.ok(times.length >= 6 && times.length <= 10, `${times.length} dials`)
})

test('a denied peer is not dialled until its time is over', async t => {
  const { redialer, connected, denied, run } = await setUp(t, { [textAt(1)]: 'a' })
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
  const answering = Object.fromEntries(ports.map(port => [textAt(port), `peer ${port}`]))
  const { book, dials, run } = await setUp(t, answering)
  for (const port of ports)
    book.note(known(`peer ${port}`, { addresses: [addressAt(port)], wasDialled: port > 17 }))
  await run(0, 100_000)
  assert.equal(dials.length, OUTBOUND_TARGET)
  assert.deepEqual(dials.slice(0, 3).sort(), [18, 19, 20].map(textAt))
})

test('known peers that do not answer make way for others', async t => {
  const { book, dials, connected, run } = await setUp(t, { [textAt(30)]: 'peer 30' })
  for (let port = 30; port >= 1; port--) book.note(known(`peer ${port}`, { addresses: [addressAt(port)] }))
  await run(0, 5_000)
  assert.ok(connected.has('peer 30'))
  assert.equal(new Set(dials).size, book.peers().length)
})

test('an announced peer is dialled until it is connected', async t => {
  const { redialer, run, dials } = await setUp(t)
  redialer.announce('a', [addressAt(1)], 0)
  await run(0, 0)
  assert.deepEqual(dials, [textAt(1)])
})

test('an announced peer is remembered for as long as it is announced', async t => {
  const { redialer, run, dials, connected } = await setUp(t, { [textAt(1)]: 'a' })
  redialer.announce('a', [addressAt(1)], 0)
  await run(0, 0)
  redialer.announce('a', [addressAt(1)], 300_000)
  connected.delete('a')
  await run(ANNOUNCED_MS, ANNOUNCED_MS)
  assert.equal(dials.length, 2)
  connected.delete('a')
  await run(300_000 + ANNOUNCED_MS, 300_000 + 2 * ANNOUNCED_MS)
  assert.equal(dials.length, 2)
})

test('a flood of announced peers pushes out no address that was given and no announced peer that is connected', async t => {
  const answering = { [textAt(1)]: 'given', [textAt(2)]: 'neighbour' }
  const { redialer, run, dials, connected } = await setUp(t, answering)
  redialer.give(addressAt(1))
  redialer.announce('neighbour', [addressAt(2)], 0)
  await run(0, 0)
  for (let count = 0; count < 1_000; count++) redialer.announce(`fake ${count}`, [addressAt(3 + count)], 0)
  await run(1_000, 60_000)
  assert.ok(new Set(dials).size <= ANNOUNCED_MAX + 1, `${new Set(dials).size} dialled`)
  connected.clear()
  dials.length = 0
  await run(61_000, 300_000)
  assert.ok(connected.has('given') && connected.has('neighbour'))
})

test('a full list of given addresses takes nothing from announced peers, and the other way round', async t => {
  const { redialer, dials, run } = await setUp(t)
  for (let port = 1; port <= 2 * ANNOUNCED_MAX; port++)
    redialer.announce(`peer ${port}`, [addressAt(port)], 0)
  for (let port = 101; port <= 100 + GIVEN_MAX; port++) redialer.give(addressAt(port))
  await run(0, 60_000)
  assert.equal(new Set(dials).size, GIVEN_MAX + ANNOUNCED_MAX)
})

test('connections of our own choice go to different provider groups, and to a second of one where there is no other', async t => {
  const answering: Record<string, string> = {}
  const at = (host: string, port: number): PeerAddress => ({ kind: 'ip4', host, port, peer: null })
  const { book, connected, run } = await setUp(t, answering)
  const add = (name: string, address: PeerAddress) => {
    answering[printPeerAddress(address)] = name
    book.note(known(name, { addresses: [address], wasDialled: true }))
  }
  for (let count = 1; count <= 30; count++) add(`sybil ${count}`, at(`203.0.${count}.1`, count))
  for (let port = 1; port <= 5; port++) add(`friend ${port}`, addressAt(port))
  await run(0, 0)
  const sybils = () => [...connected.keys()].filter(name => name.startsWith('sybil')).length
  const friends = [...connected.keys()].filter(name => name.startsWith('friend')).length
  assert.ok(friends >= 4 && sybils() === 1, `${friends} friends, ${sybils()} sybils`)
  await run(1_000, 300_000)
  assert.equal(sybils(), 2)
})

test('peers that the local network announced do not end the choice from the book, nor take the groups of its peers', async t => {
  const ports = Array.from({ length: 2 * OUTBOUND_TARGET }, (_, index) => index + 1)
  const answering = Object.fromEntries(ports.map(port => [textAt(port), `peer ${port}`]))
  const { redialer, book, connected, run } = await setUp(t, answering)
  for (const port of ports.slice(OUTBOUND_TARGET)) {
    const sybil = { ...addressAt(port - OUTBOUND_TARGET), port: 1_000 + port }
    answering[printPeerAddress(sybil)] = `sybil ${port}`
    redialer.announce(`sybil ${port}`, [sybil], 0)
  }
  await run(0, 10_000)
  assert.equal(connected.size, OUTBOUND_TARGET)
  for (const port of ports) book.note(known(`peer ${port}`, { addresses: [addressAt(port)] }))
  // They are no choice of ours when they cease to be announced either.
  await run(ANNOUNCED_MS + 11_000, ANNOUNCED_MS + 30_000)
  const ofBook = (): number => [...connected.keys()].filter(peer => peer.startsWith('peer')).length
  assert.equal(ofBook(), OUTBOUND_TARGET)
  for (const peer of connected.keys()) if (peer.startsWith('peer')) connected.delete(peer)
  await run(ANNOUNCED_MS + 40_000, ANNOUNCED_MS + 200_000)
  assert.equal(ofBook(), OUTBOUND_TARGET)
})

test('announced peers that never answer leave room to dial others', async t => {
  const book = await emptyBook(t)
  const dialled: number[] = []
  const redialer = new Redialer(
    {
      dial: ([address]) => {
        dialled.push(address!.port)
        return new Promise(() => {})
      },
      openFeeler: () => new Promise(() => {}),
      onUnreachable: () => {},
      isConnected: () => false,
      isDenied: () => false,
      outbound: () => [],
    },
    book,
    groupWith(true),
  )
  for (let port = 101; port <= 120; port++) redialer.announce(`sybil ${port}`, [addressAt(port)], 0)
  for (let port = 1; port <= 4; port++) book.note(known(`peer ${port}`, { addresses: [addressAt(port)] }))
  for (let nowMs = 0; nowMs < 10_000; nowMs += 1_000) redialer.tick(nowMs)
  assert.deepEqual(new Set(dialled.filter(port => port < 100)), new Set([1, 2, 3, 4]))
})

test('a given peer does not take the place of its provider group', async t => {
  const neighbour = { ...addressAt(2), host: addressAt(1).host }
  const answering = { [textAt(1)]: 'given', [printPeerAddress(neighbour)]: 'known' }
  const { redialer, book, connected, run } = await setUp(t, answering)
  redialer.give(addressAt(1))
  await run(0, 0)
  book.note(known('known', { addresses: [neighbour] }))
  await run(1_000, 1_000)
  assert.deepEqual([...connected.keys()], ['given', 'known'])
})

test('now and then a known peer that was never reached is tried, and a peer that makes others wait', async t => {
  const ports = Array.from({ length: OUTBOUND_TARGET }, (_, index) => index + 1)
  const answering = Object.fromEntries(ports.map(port => [textAt(port), `peer ${port}`]))
  const { book, connected, feelers, run } = await setUp(t, answering)
  for (const port of ports)
    book.note(known(`peer ${port}`, { addresses: [addressAt(port)], wasDialled: true }))
  await run(0, 0)
  assert.equal(connected.size, OUTBOUND_TARGET)
  book.note(known('untested', { addresses: [addressAt(20)] }))
  await run(1_000, 10 * FEELER_MS)
  assert.equal(connected.size, OUTBOUND_TARGET)
  assert.ok(feelers.length >= 6 && feelers.length <= 14, `${feelers.length} feelers`)
  assert.deepEqual(new Set(feelers), new Set([textAt(20)]))
  book.note(known('holder', { addresses: [addressAt(21)], wasDialled: true }))
  book.note(known('rival', { addresses: [addressAt(21)], wasDialled: true }))
  feelers.length = 0
  await run(11 * FEELER_MS, 13 * FEELER_MS)
  assert.equal(feelers[0], textAt(21))
})

test('the anchors are dialled first', async t => {
  const path = join(await temporaryDirectory(t), 'peers.json')
  const anchor = '12D3KooWC2kiEn96Rc4YnJthjPpnjpu4XBRQaHmRPAg1qex8pw4N'
  const book = await AddressBook.load(path, silent)
  for (let port = 1; port <= 40; port++)
    book.note(known(`peer ${port}`, { addresses: [addressAt(port)], wasDialled: true }))
  book.note(known(anchor, { addresses: [addressAt(50)] }))
  book.setAnchors([anchor])
  await book.save()
  const { dials, run } = await setUp(t, {}, await AddressBook.load(path, silent))
  await run(0, 0)
  assert.equal(dials[0], textAt(50))
})

test('a given address that does not answer is reported at once and then ever more rarely', async t => {
  const { redialer, told, run } = await setUp(t)
  redialer.give(addressAt(1))
  await run(0, 299_000)
  assert.deepEqual(told, [`${textAt(1)}: Error: nobody there`])
  await run(300_000, 890_000)
  assert.equal(told.length, 2)
  await run(900_000, 86_400_000)
  assert.ok(told.length >= 7 && told.length <= 9, `told ${told.length} times in a day`)
})

test('a given address is told again when its peer was there and is lost', async t => {
  const answering: Record<string, string> = { [textAt(1)]: 'a' }
  const { redialer, told, connected, run } = await setUp(t, answering)
  delete answering[textAt(1)]
  redialer.give(addressAt(1))
  await run(0, 1_000)
  answering[textAt(1)] = 'a'
  await run(2_000, 10_000)
  redialer.confirm('a')
  connected.delete('a')
  delete answering[textAt(1)]
  await run(11_000, 20_000)
  assert.equal(told.length, 2)
})

test('that a peer which was not given can not be reached is not reported', async t => {
  const { redialer, book, dials, told, run } = await setUp(t)
  book.note(known('a'))
  redialer.announce('b', [addressAt(2)], 0)
  await run(0, 10_000)
  assert.ok(dials.length > 2)
  assert.deepEqual(told, [])
})

test('there is an end to the addresses that are kept', async t => {
  const { redialer, dials, run } = await setUp(t)
  for (let port = 1; port <= 2 * GIVEN_MAX; port++) redialer.give(addressAt(port))
  await run(0, 30_000)
  assert.equal(new Set(dials).size, GIVEN_MAX)
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
