import assert from 'node:assert/strict'
import { test } from 'node:test'
import { multiaddr } from '@multiformats/multiaddr'
import fc from 'fast-check'
import { groupWith, placeOf, placeOfMultiaddr } from '../../src/defence/network-group.ts'
import type { PeerAddress } from '../../src/node/peer-address.ts'
import { addressesToldOf } from '../../src/node/told-addresses.ts'

/** Kind, host, and where it is: address, group, reach. */
const PLACES = [
  ['ip4', '203.0.113.7', '203.0.113.7', '203.0', 'public'],
  ['ip4', '127.66.0.1', '127.66.0.1', '127.66', 'loopback'],
  ['ip4', '10.1.2.3', '10.1.2.3', '10.1.2', 'private'],
  ['ip4', '172.31.2.3', '172.31.2.3', '172.31.2', 'private'],
  ['ip4', '172.32.2.3', '172.32.2.3', '172.32', 'public'],
  ['ip4', '192.168.7.3', '192.168.7.3', '192.168.7', 'private'],
  ['ip4', '169.254.1.1', '169.254.1.1', '169.254.1', 'private'],
  ['ip6', '2001:db8:1:2:3:4:5:6', '2001:db8:1:2::', '2001:db8::', 'public'],
  ['ip6', '2001:db8:1:2::9', '2001:db8:1:2::', '2001:db8::', 'public'],
  ['ip6', '::1', '0:0:0:0::', '0:0::', 'loopback'],
  ['ip6', 'fd00:1:2:3::9', 'fd00:1:2:3::', 'fd00:1:2:3::', 'private'],
  ['ip6', 'fe80::9', 'fe80:0:0:0::', 'fe80:0:0:0::', 'private'],
  ['ip6', '::ffff:203.0.113.7', '203.0.113.7', '203.0', 'public'],
  ['ip6', '::ffff:cb00:7107', '203.0.113.7', '203.0', 'public'],
  ['ip6', '::ffff:127.0.0.1', '127.0.0.1', '127.0', 'loopback'],
  ['ip6', '64:ff9b::203.0.113.7', '203.0.113.7', '203.0', 'public'],
  ['ip6', '2002:cb00:7107::1', '203.0.113.7', '203.0', 'public'],
  ['ip6', '2001:0:1:2:3:4:34ff:8ef8', '203.0.113.7', '203.0', 'public'],
  ['dns4', 'example.com', 'name example.com', 'names', 'public'],
  ['dns', 'other.org', 'name other.org', 'names', 'public'],
  ['dns', 'localhost', 'name localhost', 'names', 'loopback'],
] as const

for (const [kind, host, address, group, reach] of PLACES)
  test(`${host} is of the group ${group}`, () => {
    assert.deepEqual(placeOf({ kind, host }), { address, group, reach })
    if (kind === 'ip4' || kind === 'ip6')
      assert.deepEqual(placeOfMultiaddr(multiaddr(`/${kind}/${host}/tcp/1`)), { address, group, reach })
  })

test('any IP address is somewhere, and all IPv6 addresses of a household are in one place', () => {
  fc.assert(fc.property(fc.ipV4(), host => placeOf({ kind: 'ip4', host }).address === host))
  fc.assert(
    fc.property(fc.ipV6(), host => {
      const { address, group } = placeOf({ kind: 'ip6', host })
      assert.ok(address.length > 0 && group.length > 0)
    }),
  )
  const household = fc.tuple(fc.integer({ min: 0, max: 0xffff }), fc.integer({ min: 0, max: 0xffff }))
  fc.assert(
    fc.property(household, ([a, b]) => {
      const host = `2001:db8:1:2:${a.toString(16)}:${b.toString(16)}:3:4`
      assert.equal(placeOf({ kind: 'ip6', host }).address, '2001:db8:1:2::')
    }),
  )
})

const at = (host: string, port = 1): PeerAddress => ({ kind: 'ip4', host, port, peer: null })

test('loopback addresses are each their own group unless they are limited, and others never', () => {
  assert.notEqual(groupWith(false)(at('127.0.0.1', 1)), groupWith(false)(at('127.0.0.1', 2)))
  assert.equal(groupWith(true)(at('127.0.0.1', 1)), groupWith(true)(at('127.0.0.1', 2)))
  assert.equal(groupWith(false)(at('203.0.113.1', 1)), groupWith(false)(at('203.0.9.9', 2)))
})

test('a peer from outside is not believed that it is on this machine or in this local network', () => {
  const told = [at('127.0.0.1'), at('192.168.1.1'), at('203.0.113.9'), at('198.51.100.1')]
  const from = (host: string) => addressesToldOf(placeOf(at(host)), told).map(address => address.host)
  assert.deepEqual(from('198.51.100.1'), ['198.51.100.1', '203.0.113.9'])
  assert.deepEqual(from('198.51.7.7'), ['198.51.100.1', '203.0.113.9'])
  assert.deepEqual(from('192.168.1.1'), ['192.168.1.1', '203.0.113.9', '198.51.100.1'])
  assert.deepEqual(from('127.0.0.1'), ['127.0.0.1', '192.168.1.1', '203.0.113.9', '198.51.100.1'])
})
