import assert from 'node:assert/strict'
import { test } from 'node:test'
import { originOf } from '../../src/node/peer-origin.ts'

const GROUPS: readonly (readonly [address: string, group: string, why: string])[] = [
  ['/ip4/192.0.2.7/tcp/4', '192.0.2.7', 'an IPv4 address has one owner'],
  ['/ip6/2001:db8::7/tcp/4', '2001:db8:0:0::', 'an IPv6 network has one owner'],
  ['/ip6/2001:db8::ffff:1:2:3/tcp/4', '2001:db8:0:0::', 'all of it'],
  ['/ip6/2001:db8:0:1::7/tcp/4', '2001:db8:0:1::', 'and the next one another'],
  ['/ip4/127.0.0.1/tcp/4', 'peer', 'on this machine a peer stands for itself'],
  ['/ip6/::1/tcp/4', 'peer', 'on this machine a peer stands for itself'],
  ['/memory/7', 'peer', 'what is no address says nothing'],
]

for (const [address, group, why] of GROUPS) {
  test(`the place of ${address} is ${group}: ${why}`, () => {
    const inbound = originOf({ id: 'peer', address, direction: 'inbound' })
    assert.deepEqual(inbound, { isOutbound: false, group })
    assert.equal(originOf({ id: 'peer', address, direction: 'outbound' }).isOutbound, true)
  })
}
