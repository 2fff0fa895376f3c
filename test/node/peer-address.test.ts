import assert from 'node:assert/strict'
import { test } from 'node:test'
import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import fc from 'fast-check'
import {
  InvalidAddress,
  type PeerAddress,
  parsePeerAddress,
  parsePeerId,
  peerAddressOf,
  printPeerAddress,
  readListenAddress,
  readPeerAddress,
} from '../../src/node/peer-address.ts'

const ID = '12D3KooWC2kiEn96Rc4YnJthjPpnjpu4XBRQaHmRPAg1qex8pw4N'
const RSA_ID = 'QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N'

const GOOD: readonly (readonly [string, PeerAddress, string?])[] = [
  ['/ip4/192.0.2.1/tcp/1', { kind: 'ip4', host: '192.0.2.1', port: 1, peer: null }],
  [`/ip4/192.0.2.1/tcp/65535/p2p/${ID}`, { kind: 'ip4', host: '192.0.2.1', port: 65_535, peer: ID }],
  [`/dns/a-1.example/tcp/80/p2p/${RSA_ID}`, { kind: 'dns', host: 'a-1.example', port: 80, peer: RSA_ID }],
  ['/dns4/localhost/tcp/80', { kind: 'dns4', host: 'localhost', port: 80, peer: null }],
  [
    '/dns6/xn--bcher-kva.example/tcp/80',
    { kind: 'dns6', host: 'xn--bcher-kva.example', port: 80, peer: null },
  ],
  ['/ip6/::1/tcp/80', { kind: 'ip6', host: '::1', port: 80, peer: null }],
  // Spelled otherwise, and printed in the one spelling.
  [
    '/dns4/LocalHost/tcp/80',
    { kind: 'dns4', host: 'localhost', port: 80, peer: null },
    '/dns4/localhost/tcp/80',
  ],
  [
    '/ip6/2001:DB8:0:0:0:0:0:1/tcp/80',
    { kind: 'ip6', host: '2001:db8::1', port: 80, peer: null },
    '/ip6/2001:db8::1/tcp/80',
  ],
  [
    '/ip6/::ffff:1.2.3.4/tcp/80',
    { kind: 'ip6', host: '::ffff:102:304', port: 80, peer: null },
    '/ip6/::ffff:102:304/tcp/80',
  ],
]

for (const [text, address, printed = text] of GOOD)
  test(`an address: ${text}`, () => {
    assert.deepEqual(parsePeerAddress(text), address)
    assert.deepEqual(readPeerAddress(text), address)
    assert.equal(printPeerAddress(address), printed)
    assert.deepEqual(peerAddressOf(multiaddr(text)), address)
  })

const BAD: readonly (readonly [string, RegExp])[] = [
  ['', /begin with one of \/ip4, \/ip6, \/dns, \/dns4, \/dns6/],
  ['30303', /begin with/],
  ['localhost:30303', /begin with/],
  ['192.0.2.1', /begin with/],
  ['//ip4/192.0.2.1/tcp/1', /begin with/],
  ['/unix/a', /begin with/],
  ['/dnsaddr/example.com/tcp/1', /begin with/],
  ['/ip6zone/eth0/ip6/fe80::1/tcp/1', /begin with/],
  [`/p2p/${ID}`, /begin with/],
  ['/constructor/a/tcp/1', /begin with/],
  ['/ip4', /host is not an ip4/],
  ['/ip4/256.0.0.1/tcp/1', /host is not an ip4/],
  ['/ip4/1/tcp/1', /host is not an ip4/],
  ['/ip4/01.2.3.4/tcp/1', /host is not an ip4/],
  ['/ip4/::1/tcp/1', /host is not an ip4/],
  ['/ip6/1.2.3.4/tcp/1', /host is not an ip6/],
  ['/ip6/fe80::1%eth0/tcp/1', /host is not an ip6/],
  ['/ip6/::g/tcp/1', /host is not an ip6/],
  ['/dns4//tcp/1', /not a host name/],
  ['/dns4/-a/tcp/1', /not a host name/],
  ['/dns4/a-/tcp/1', /not a host name/],
  ['/dns4/a..b/tcp/1', /not a host name/],
  ['/dns4/a./tcp/1', /not a host name/],
  ['/dns4/a_b/tcp/1', /not a host name/],
  ['/dns4/a b/tcp/1', /not a host name/],
  ['/dns4/ä/tcp/1', /not a host name/],
  ['/dns4/%61/tcp/1', /not a host name/],
  ['/dns4/a\n/tcp/1', /not a host name/],
  ['/dns4/1.2.3.4/tcp/1', /not a host name/],
  ['/dns4/127.1/tcp/1', /not a host name/],
  ['/dns4/0x7f000001/tcp/1', /not a host name/],
  [`/dns4/${'a'.repeat(64)}/tcp/1`, /not a host name/],
  [`/dns4/${'a.'.repeat(126)}aa/tcp/1`, /not a host name/],
  ['/dns4/a/foo/tcp/1', /after the host come \/tcp/],
  ['/ip4/192.0.2.1', /after the host come \/tcp/],
  ['/ip4/192.0.2.1/udp/1/quic-v1', /only TCP is spoken/],
  ['/ip4/192.0.2.1/tcp', /port is not from 1 to 65535/],
  ['/ip4/192.0.2.1/tcp/0', /port is not from 1 to 65535/],
  ['/ip4/192.0.2.1/tcp/65536', /port is not from 1 to 65535/],
  ['/ip4/192.0.2.1/tcp/080', /port is not from 1 to 65535/],
  ['/ip4/192.0.2.1/tcp/1e3', /port is not from 1 to 65535/],
  ['/ip4/192.0.2.1/tcp/-1', /port is not from 1 to 65535/],
  ['/ip4/192.0.2.1/tcp/1/', /nothing but \/p2p/],
  ['/ip4/192.0.2.1/tcp/1/ws', /nothing but \/p2p/],
  ['/ip4/192.0.2.1/tcp/1/tls/ws', /nothing but \/p2p/],
  [`/ip4/192.0.2.1/tcp/1/p2p/${ID}/p2p-circuit`, /nothing but \/p2p/],
  [`/ip4/192.0.2.1/tcp/1/ws/p2p/${ID}`, /nothing but \/p2p/],
  ['/ip4/192.0.2.1/tcp/1/p2p', /peer id is none/],
  ['/ip4/192.0.2.1/tcp/1/p2p/', /peer id is none/],
  ['/ip4/192.0.2.1/tcp/1/p2p/me', /peer id is none/],
  [`/ip4/192.0.2.1/tcp/1/p2p/${ID.slice(0, -1)}`, /peer id is none/],
  [`/ip4/192.0.2.1/tcp/1/p2p/${'1'.repeat(600)}`, /begin with/],
]

for (const [text, reason] of BAD)
  test(`no address, which is told with what was given and the reason: ${JSON.stringify(text.slice(0, 70))}`, () => {
    assert.equal(parsePeerAddress(text), null)
    assert.throws(
      () => readPeerAddress(text),
      (error: unknown) =>
        error instanceof InvalidAddress &&
        error.message.startsWith(`${JSON.stringify(text.slice(0, 100))} is not an address such as /ip4/`) &&
        reason.test(error.message),
    )
  })

test('a peer id has one spelling', () => {
  assert.equal(parsePeerId(ID), ID)
  assert.equal(parsePeerId(peerIdFromString(ID).toCID().toString()), ID)
  assert.equal(parsePeerId(''), null)
  assert.equal(parsePeerId(`${ID}/`), null)
})

test('a node listens at IP addresses of its machine, at any port, and under no id', () => {
  for (const text of ['/ip4/0.0.0.0/tcp/0', '/ip4/127.0.0.1/tcp/30303', '/ip6/::/tcp/0'])
    assert.equal(printPeerAddress(readListenAddress(text)), text)
  for (const text of [
    '30303',
    '',
    '/ip4/0.0.0.0/udp/1/quic-v1',
    '/ip4/0.0.0.0/tcp/1/ws',
    '/ip4/0.0.0.0/tcp/70000',
  ])
    assert.throws(() => readListenAddress(text), InvalidAddress)
  assert.throws(() => readListenAddress('/dns4/localhost/tcp/1'), /must begin with one of \/ip4, \/ip6$/)
  assert.throws(() => readListenAddress(`/ip4/0.0.0.0/tcp/1/p2p/${ID}`), /under its own id/)
})

// ---- what must hold of whatever strangers say

/** What is or is near to a part of an address. */
const part = fc.oneof(
  fc.constantFrom(
    'ip4',
    'ip6',
    'dns',
    'dns4',
    'dns6',
    'tcp',
    'udp',
    'p2p',
    'ws',
    'p2p-circuit',
    'dnsaddr',
    'unix',
  ),
  fc.constantFrom('192.0.2.1', '::1', '::', 'a', 'a/foo', 'a.example', '1', '0', '65535', ID, RSA_ID, ''),
  fc.string({ maxLength: 8 }),
  fc.ipV4(),
  fc.ipV6(),
  fc.domain(),
  fc.nat(70_000).map(String),
)
const host = fc.oneof(
  fc.ipV4().map(address => `ip4/${address}`),
  fc.ipV6().map(address => `ip6/${address}`),
  fc.domain().map(name => `dns/${name}`),
)
const text = fc.oneof(
  fc.tuple(host, fc.nat(70_000), part).map(([where, port, id]) => `/${where}/tcp/${port}/p2p/${id}`),
  fc.tuple(host, fc.nat(70_000)).map(([where, port]) => `/${where}/tcp/${port}`),
  fc.array(part, { maxLength: 8 }).map(parts => `/${parts.join('/')}`),
  fc
    .tuple(fc.constantFrom('ip4', 'ip6', 'dns', 'dns4'), part, part)
    .map(([kind, host, port]) => `/${kind}/${host}/tcp/${port}`),
  fc.string({ unit: 'binary' }),
)

/** A component of a multiaddr with any value, as a peer may send it. */
const component = fc
  .tuple(
    fc.constantFrom(53, 54, 55, 56, 400, 421, 449),
    fc.oneof(part, fc.string({ unit: 'binary' })).map(value => new TextEncoder().encode(value)),
  )
  .filter(([, { length }]) => length < 128)
  .map(([code, value]) =>
    code < 128 ? [code, value.length, ...value] : [(code & 127) | 128, code >> 7, value.length, ...value],
  )
const bytes = fc.oneof(
  fc
    .array(fc.oneof(component, fc.constant([6, 0, 80]), fc.constant([4, 192, 0, 2, 1])), { maxLength: 4 })
    .map(parts => Uint8Array.from(parts.flat())),
  fc.uint8Array({ maxLength: 60 }),
)

test('whatever text is given, an address that comes of it has one spelling, which libp2p understands alike', () => {
  let count = 0
  fc.assert(
    fc.property(text, given => {
      const address = parsePeerAddress(given)
      if (address === null) return
      count += 1
      const printed = printPeerAddress(address)
      assert.deepEqual(parsePeerAddress(printed), address)
      assert.deepEqual(peerAddressOf(multiaddr(printed)), address)
      assert.ok(printed.length <= 512)
    }),
    { numRuns: 20_000 },
  )
  assert.ok(count > 1_000, `${count} addresses`)
})

test('whatever bytes a peer sends as a multiaddr, an address that comes of them is the very same', () => {
  let count = 0
  fc.assert(
    fc.property(bytes, given => {
      const address = addressIn(given)
      if (address === null) return
      count += 1
      assert.deepEqual(parsePeerAddress(printPeerAddress(address)), address)
      const again = multiaddr(printPeerAddress(address))
      assert.deepEqual(peerAddressOf(again), address)
      // What has one spelling only, letter case aside, has one encoding.
      assert.equal(
        Buffer.from(again.bytes).toString('latin1').toLowerCase(),
        Buffer.from(given).toString('latin1').toLowerCase(),
      )
    }),
    { numRuns: 20_000 },
  )
  assert.ok(count > 100, `${count} addresses`)
})

/** As libp2p takes a multiaddr apart that a peer sends: what can't be taken apart it drops. */
function addressIn(given: Uint8Array): PeerAddress | null {
  let parsed: ReturnType<typeof multiaddr>
  try {
    parsed = multiaddr(given)
  } catch {
    return null
  }
  return peerAddressOf(parsed)
}
