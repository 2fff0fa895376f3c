import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { pino } from 'pino'
import {
  ADDRESSES_PER_PEER_MAX,
  AddressBook,
  ANCHORS_MAX,
  KNOWN_PEERS_MAX,
  type KnownPeer,
  NEW,
  TRIED,
} from '../../src/node/address-book.ts'
import { type PeerAddress, printPeerAddress } from '../../src/node/peer-address.ts'
import { temporaryDirectory } from '../cleanup.ts'
import { silent } from './nodes.ts'

const ID = '12D3KooWC2kiEn96Rc4YnJthjPpnjpu4XBRQaHmRPAg1qex8pw4N'
const OTHER_ID = '12D3KooWHFtsP3nA1QtPuxvzDFDwzQFaragYqexYs9EGopvf6JKQ'
/** An address of another provider for each port. */
const addressAt = (port: number): PeerAddress => ({
  kind: 'ip4',
  host: `198.${port % 256}.2.1`,
  port,
  peer: null,
})
const textAt = (port: number): string => printPeerAddress(addressAt(port))
const at = (host: string, port: number): PeerAddress => ({ kind: 'ip4', host, port, peer: null })
const known = (id: string, changes: Partial<KnownPeer> = {}): KnownPeer => ({
  id,
  addresses: [addressAt(1)],
  wasDialled: false,
  ...changes,
})

async function emptyBook(t: TestContext): Promise<AddressBook> {
  return AddressBook.load(join(await temporaryDirectory(t), 'peers.json'), silent)
}

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

test('a file that is no list of peers is replaced, with one warning', async t => {
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

test('there is an end to the addresses of one peer', async t => {
  const book = await emptyBook(t)
  const many = Array.from({ length: 100 }, (_, port) => addressAt(port + 1))
  book.note(known('wordy', { addresses: many, wasDialled: true }))
  assert.deepEqual(book.peers()[0]?.addresses, many.slice(0, ADDRESSES_PER_PEER_MAX))
})

test('what one source tells takes few places, whatever it tells, and pushes out no peer that we reached', async t => {
  const book = await emptyBook(t)
  book.note(known('friend', { addresses: [at('203.0.113.9', 9)], wasDialled: true }))
  book.note(known('met', { addresses: [at('203.0.113.9', 10)] }), '203.0')
  for (let count = 0; count < 3_000; count++) {
    const addresses = [at(`${(count % 100) + 20}.${count % 251}.3.4`, 1 + (count % 60_000))]
    book.note(known(`stranger ${count}`, { addresses }), '198.51')
  }
  const strangers = book.peers().filter(({ id }) => id.startsWith('stranger'))
  assert.ok(strangers.length <= NEW.bucketsPerSource * NEW.bucketSize, `${strangers.length} of one source`)
  assert.ok(strangers.length > NEW.bucketSize)
  assert.equal(book.peers()[0]?.id, 'friend')
  // Its one slot is one of the 512 of which the stranger reaches 64; it was there first.
  assert.ok(book.peers().some(({ id }) => id === 'met'))
})

test('what one provider group has takes few of the places of peers that we reached', async t => {
  const book = await emptyBook(t)
  for (let port = 1; port <= 60; port++)
    book.note(known(`friend ${port}`, { addresses: [addressAt(port)], wasDialled: true }))
  const tried = () => book.peers().filter(({ wasDialled }) => wasDialled)
  const friends = tried().length
  for (let count = 0; count < 1_000; count++) {
    const addresses = [at(`192.0.${count % 250}.1`, 1 + count)]
    book.note(known(`stranger ${count}`, { addresses, wasDialled: true }))
  }
  const strangers = tried().filter(({ id }) => id.startsWith('stranger'))
  assert.ok(strangers.length <= TRIED.bucketsPerSource * TRIED.bucketSize, `${strangers.length} of one group`)
  assert.equal(tried().length - strangers.length, friends)
})

test('many ids at one address are one peer at most', async t => {
  const book = await emptyBook(t)
  for (let count = 0; count < 1_000; count++) {
    book.note(known(`new ${count}`), '198.51')
    book.note(known(`tried ${count}`, { addresses: [addressAt(2)], wasDialled: true }))
  }
  assert.ok(book.peers().filter(({ id }) => id.startsWith('new')).length <= 1)
  assert.ok(book.peers().filter(({ wasDialled }) => wasDialled).length === 1)
})

test('many providers together fill the book to its end', async t => {
  const book = await emptyBook(t)
  for (let count = 0; count < 6_000; count++) {
    const addresses = [at(`${(count % 200) + 20}.${count % 251}.3.4`, 1 + (count % 60_000))]
    const group = `${count % 211}.${count % 199}`
    book.note(
      known(`peer ${count}`, { addresses, wasDialled: count % 2 === 0 }),
      count % 2 === 0 ? null : group,
    )
  }
  assert.ok(book.peers().length > 0.9 * KNOWN_PEERS_MAX && book.peers().length <= KNOWN_PEERS_MAX)
})

test('a new peer makes room once it did not answer, and no sooner', async t => {
  const book = await emptyBook(t)
  book.note(known('first'), 'a')
  book.note(known('second'), 'a')
  assert.deepEqual(ids(book), ['first'])
  book.noteFailure('first')
  book.note(known('second'), 'a')
  assert.deepEqual(ids(book), ['second'])
})

test('a peer that we reached makes room for another one only when it no longer answers, and is tested for that', async t => {
  const book = await emptyBook(t)
  book.note(known('old', { wasDialled: true }))
  book.note(known('young', { wasDialled: true }))
  assert.deepEqual(book.peers(), [known('old', { wasDialled: true }), known('young')])
  assert.deepEqual(
    book.untested().map(({ id }) => id),
    ['old', 'young'],
  )
  // It answers: the other one waits in vain.
  book.note(known('old', { wasDialled: true }))
  for (let count = 0; count < 5; count++) book.noteFailure('old')
  assert.equal(book.peers()[0]?.id, 'old')
  book.note(known('old', { wasDialled: true }))
  book.note(known('young', { wasDialled: true }))
  book.noteFailure('old')
  assert.equal(book.peers()[0]?.id, 'old')
  book.noteFailure('old')
  assert.deepEqual(book.peers(), [known('young', { wasDialled: true }), known('old')])
})

test('a peer that we reached, and that moves to where another one is, is still one that we reached', async t => {
  const book = await emptyBook(t)
  const there = known('there', { wasDialled: true })
  const moving = known('moving', { addresses: [addressAt(2)], wasDialled: true })
  book.note(there)
  book.note(moving)
  assert.equal(book.peers().filter(({ wasDialled }) => wasDialled).length, 2)
  book.note({ ...moving, addresses: there.addresses })
  assert.deepEqual(
    book.peers().toSorted((one, other) => one.id.localeCompare(other.id)),
    [moving, there],
  )
})

test('the anchors of the last run stand first in the next one', async t => {
  const path = join(await temporaryDirectory(t), 'peers.json')
  const book = await AddressBook.load(path, silent)
  book.note(known(ID, { wasDialled: true }))
  book.note(known(OTHER_ID, { addresses: [addressAt(2)] }))
  book.setAnchors([OTHER_ID, 'nobody'])
  await book.save()
  const again = await AddressBook.load(path, silent)
  assert.deepEqual(ids(again), [OTHER_ID, ID])
  // A run in which it reaches no peer keeps them.
  again.setAnchors([])
  again.note(known(ID, { addresses: [addressAt(3)], wasDialled: true }))
  await again.save()
  assert.equal(ids(await AddressBook.load(path, silent))[0], OTHER_ID)
  assert.equal(ANCHORS_MAX, 2)
})

test('a book that an earlier version wrote is read', async t => {
  const list = [
    { id: ID, addresses: [textAt(1)], wasDialled: false },
    { id: OTHER_ID, addresses: [textAt(2)], wasDialled: true },
  ]
  const { peers, warnings } = await loadFrom(t, JSON.stringify(list))
  assert.deepEqual(
    peers.map(({ id }) => id),
    [OTHER_ID, ID],
  )
  assert.deepEqual(warnings, [])
})

test('where peers stand depends on a secret, which the file keeps', async t => {
  const orders = new Set<string>()
  for (let run = 0; run < 5; run++) {
    const book = await emptyBook(t)
    for (let port = 1; port <= 20; port++)
      book.note(known(`peer ${port}`, { addresses: [addressAt(port)], wasDialled: true }))
    orders.add(ids(book).join())
  }
  assert.equal(orders.size, 5)
})

function ids(book: AddressBook): string[] {
  return book.peers().map(({ id }) => id)
}
