import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmod, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { pino } from 'pino'
import {
  ADDRESSES_PER_PEER_MAX,
  AddressBook,
  KNOWN_PEERS_MAX,
  type KnownPeer,
} from '../../src/node/address-book.ts'
import { DENIAL_MS, DenyList } from '../../src/node/deny-list.ts'
import { IdentityUnusable, loadIdentity } from '../../src/node/identity.ts'
import { type PeerAddress, printPeerAddress } from '../../src/node/peer-address.ts'
import { GIVEN_MAX, OUTBOUND_TARGET, Redialer } from '../../src/node/redialer.ts'
import { temporaryDirectory } from '../cleanup.ts'
import { silent } from './nodes.ts'

const ID = '12D3KooWC2kiEn96Rc4YnJthjPpnjpu4XBRQaHmRPAg1qex8pw4N'
const OTHER_ID = '12D3KooWHFtsP3nA1QtPuxvzDFDwzQFaragYqexYs9EGopvf6JKQ'
const addressAt = (port: number): PeerAddress => ({ kind: 'ip4', host: '192.0.2.1', port, peer: null })
const textAt = (port: number): string => printPeerAddress(addressAt(port))
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
  const told: string[] = []
  const connected = new Set<string>()
  const denied = new Set<string>()
  const redialer = new Redialer(
    {
      dial: async ([address]) => {
        const text = printPeerAddress(address!)
        dials.push(text)
        const peer = answering[text]
        if (peer === undefined) throw new Error('nobody there')
        connected.add(peer)
        return peer
      },
      onUnreachable: (address, error) => told.push(`${address}: ${error}`),
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
  return { redialer, book, dials, told, connected, denied, run }
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
  assert.deepEqual(dials.slice(0, 4), [18, 19, 20, 1].map(textAt))
})

test('known peers that do not answer make way for others', async t => {
  const { book, dials, connected, run } = await setUp(t, { [textAt(30)]: 'peer 30' })
  for (let port = 1; port <= 30; port++) book.note(known(`peer ${port}`, { addresses: [addressAt(port)] }))
  await run(0, 5_000)
  assert.ok(connected.has('peer 30'))
  assert.equal(new Set(dials).size, 30)
})

test('an announced peer is dialled until it is connected', async t => {
  const { redialer, run, dials } = await setUp(t)
  redialer.announce('a', [addressAt(1)])
  await run(0, 0)
  assert.deepEqual(dials, [textAt(1)])
})

test('a given address that nobody answers at is told at once and then ever more rarely', async t => {
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

test('nobody is told that a peer that nobody gave can not be reached', async t => {
  const { redialer, book, dials, told, run } = await setUp(t)
  book.note(known('a'))
  redialer.announce('b', [addressAt(2)])
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

test('the address book survives a restart', async t => {
  const path = join(await temporaryDirectory(t), 'peers.json')
  const book = await AddressBook.load(path, silent)
  book.note(known(ID, { wasDialled: true, addresses: [{ ...addressAt(1), peer: ID }, addressAt(2)] }))
  book.note(known(OTHER_ID))
  await book.save()
  assert.deepEqual((await AddressBook.load(path, silent)).peers(), book.peers())
  assert.equal((await stat(path)).mode & 0o777, 0o600)
})

/** Contents of a file that is no list of peers, each told once. */
const NO_LISTS = [
  '',
  '{',
  '{}',
  'null',
  '7',
  '\u0000',
  `${'['.repeat(200_000)}`,
  `[${'1,'.repeat(600_000)}1]`,
]
/** Entries that are no peer, or a peer that can be reached nowhere. */
const NO_PEERS: readonly unknown[] = [
  1,
  null,
  [],
  {},
  { id: 1, addresses: [textAt(1)], wasDialled: false },
  { id: 'a', addresses: [textAt(1)], wasDialled: false },
  { id: `${ID}/foo`, addresses: [textAt(1)], wasDialled: false },
  { id: ID, addresses: textAt(1), wasDialled: false },
  { id: ID, addresses: [1], wasDialled: false },
  { id: ID, addresses: ['/dns4/a/foo/tcp/1'], wasDialled: true },
  { id: ID, addresses: ['', '/', textAt(0), '/ip4/192.0.2.1/tcp/1/ws', `/dns4/${'a'.repeat(999)}/tcp/1`] },
  { id: ID, addresses: [`${textAt(1)}/p2p/${OTHER_ID}`], wasDialled: true },
]

test('a file that is no list of peers is begun anew, with one warning', async t => {
  for (const content of NO_LISTS) {
    const { peers, warnings } = await loadFrom(t, content)
    assert.deepEqual([peers.length, warnings.length], [0, 1], content.slice(0, 20))
  }
})

test('what is no file is not waited for', async t => {
  const path = join(await temporaryDirectory(t), 'peers.json')
  execFileSync('mkfifo', [path])
  assert.deepEqual((await AddressBook.load(path, silent)).peers(), [])
  const directory = await temporaryDirectory(t)
  assert.deepEqual((await AddressBook.load(directory, silent)).peers(), [])
})

test('of a file of known peers what is none is left out, entry by entry, with one warning', async t => {
  const good = { id: OTHER_ID, addresses: [textAt(1), '/dns4/a/foo/tcp/1', textAt(2)], wasDialled: true }
  const { peers, warnings } = await loadFrom(t, JSON.stringify([...NO_PEERS, good, ...NO_PEERS]))
  assert.deepEqual(peers, [known(OTHER_ID, { addresses: [addressAt(1), addressAt(2)], wasDialled: true })])
  assert.equal(warnings.length, 1)
  assert.match(warnings[0]!, /peers\.json can't be read and are left out/)
})

test('whatever is in the file of known peers, a book comes of it that can be written and read again', async t => {
  const path = join(await temporaryDirectory(t), 'peers.json')
  const addresses = fc.array(fc.oneof(fc.string(), fc.constant(textAt(1)), fc.jsonValue()), { maxLength: 3 })
  const entry = fc.record({ id: fc.constantFrom(ID, OTHER_ID, 'a'), addresses, wasDialled: fc.boolean() })
  const content = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.json(),
    fc.array(fc.oneof(entry, fc.jsonValue()), { maxLength: 5 }).map(list => JSON.stringify(list)),
  )
  await fc.assert(
    fc.asyncProperty(content, async text => {
      await writeFile(path, text)
      const book = await AddressBook.load(path, silent)
      for (const peer of book.peers()) book.note({ ...peer, wasDialled: true, addresses: [addressAt(9)] })
      await book.save()
      const again = await AddressBook.load(path, silent)
      if (book.peers().length > 0) assert.deepEqual(again.peers(), book.peers())
    }),
    { numRuns: 300 },
  )
})

/** The peers of a book that is loaded from this text, and what is said of it. */
async function loadFrom(t: TestContext, content: string) {
  const path = join(await temporaryDirectory(t), 'peers.json')
  await writeFile(path, content)
  const warnings: string[] = []
  const log = pino({ level: 'warn' }, { write: (line: string) => warnings.push(JSON.parse(line).msg) })
  const book = await AddressBook.load(path, log)
  return { peers: book.peers(), warnings }
}

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
  book.note(known('wordy', { addresses: many, wasDialled: true }))
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
