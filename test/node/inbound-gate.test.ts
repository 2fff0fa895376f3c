import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MultiaddrConnection } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import {
  type Doorkeeper,
  INBOUND_CONNECTIONS_MAX,
  INBOUND_PER_ADDRESS_MAX,
  INBOUND_PER_GROUP_MAX,
  InboundGate,
  PENDING_MAX,
  PENDING_PER_ADDRESS_MAX,
} from '../../src/node/inbound-gate.ts'
import { silent } from './nodes.ts'

/** As much of a socket as the door uses. */
class FakeSocket extends EventTarget {
  status = 'open'
  readonly remoteAddr

  constructor(host: string) {
    super()
    this.remoteAddr = multiaddr(`/ip4/${host}/tcp/1`)
  }

  abort(): void {
    this.status = 'aborted'
    this.dispatchEvent(new Event('close'))
  }
}

const NEVER = { blockMs: Number.NEGATIVE_INFINITY, transactionsMs: Number.NEGATIVE_INFINITY }

/** A door, and those who knock at it. */
function setUp(keeper: Partial<Doorkeeper> = {}, limitLoopback = false) {
  const gate = new InboundGate(limitLoopback, silent)
  gate.open({
    isDenied: () => false,
    isPrivileged: () => false,
    isExpectedAt: () => false,
    standing: () => ({ ...NEVER, isGreeted: true }),
    connections: () => [],
    ...keeper,
  })
  const sockets: FakeSocket[] = []
  /** Connects; undefined when it is refused. */
  const knock = (host: string): FakeSocket | undefined => {
    const socket = new FakeSocket(host)
    if (gate.denyInboundConnection(socket as unknown as MultiaddrConnection)) return undefined
    sockets.push(socket)
    return socket
  }
  /** Shakes hands; false when it gets no place. */
  const enter = (host: string, peer: string): boolean => {
    const socket = knock(host)
    if (socket === undefined) return false
    const isRefused =
      gate.denyInboundEncryptedConnection(peer) ||
      gate.denyInboundUpgradedConnection(peer, socket as unknown as MultiaddrConnection)
    if (isRefused) socket.abort()
    return !isRefused
  }
  const open = (host = ''): number =>
    sockets.filter(({ status, remoteAddr }) => status === 'open' && `${remoteAddr}`.includes(host)).length
  return { gate, knock, enter, open }
}

test('handshakes under way are few for one address, and the oldest of it makes room', () => {
  const { knock, open } = setUp()
  const [first, second] = [knock('203.0.113.1'), knock('203.0.113.1')]
  for (let count = 2; count <= PENDING_PER_ADDRESS_MAX; count++) knock('203.0.113.1')
  assert.deepEqual([first?.status, second?.status], ['aborted', 'open'])
  assert.equal(open(), PENDING_PER_ADDRESS_MAX)
})

test('where too many handshakes are under way the oldest of the greatest group makes room', () => {
  const { knock, open } = setUp()
  const honest = knock('198.51.100.1')
  for (let count = 0; count < 400; count++) {
    assert.ok(knock(`203.0.${count % 100}.1`) !== undefined)
    assert.ok(open() <= PENDING_MAX)
  }
  assert.equal(open(), PENDING_MAX)
  assert.equal(honest?.status, 'open')
})

test('an address that comes and comes is refused at once, and others are not', () => {
  const { knock } = setUp()
  const letIn = Array.from({ length: 500 }, () => knock('203.0.113.1')).filter(socket => socket !== undefined)
  assert.ok(letIn.length < 60, `${letIn.length} let in`)
  assert.ok(knock('203.0.113.2') !== undefined)
})

test('one address and one group have some of the places, and no more', () => {
  const { enter, open } = setUp()
  for (let count = 0; count < 20; count++) enter('203.0.113.1', `a${count}`)
  assert.equal(open('203.0.113.1'), INBOUND_PER_ADDRESS_MAX)
  for (let count = 0; count < 100; count++) enter(`203.0.${count}.2`, `b${count}`)
  assert.equal(open('203.0'), INBOUND_PER_GROUP_MAX)
  assert.ok(enter('198.51.100.1', 'c'))
})

test('given peers and validators are not limited by address, and always get a place', () => {
  const { enter, open } = setUp({ isPrivileged: peer => peer.startsWith('validator') })
  for (let count = 0; count < INBOUND_CONNECTIONS_MAX; count++)
    assert.ok(enter(`${20 + count}.0.${count}.1`, `peer ${count}`))
  for (let count = 0; count < 16; count++) assert.ok(enter('203.0.113.1', `validator ${count}`))
  assert.equal(open('203.0.113.1'), 16)
  assert.equal(open(), INBOUND_CONNECTIONS_MAX)
})

test('an address that a person gave is not limited', () => {
  const { enter, open } = setUp({ isExpectedAt: address => address === '203.0.113.1' })
  for (let count = 0; count < 20; count++) assert.ok(enter('203.0.113.1', `a${count}`))
  assert.equal(open(), 20)
})

test('loopback addresses are limited where an option says so', () => {
  for (const limitLoopback of [false, true]) {
    const { enter, open } = setUp({}, limitLoopback)
    for (let count = 0; count < 20; count++) enter('127.0.0.1', `a${count}`)
    assert.equal(open(), limitLoopback ? INBOUND_PER_ADDRESS_MAX : 20)
  }
})

test('however many come, there are no more than there are places', () => {
  const { enter, open } = setUp()
  for (let count = 0; count < 1_000; count++) {
    enter(`${20 + (count % 100)}.${count % 7}.0.1`, `peer ${count}`)
    assert.ok(open() <= INBOUND_CONNECTIONS_MAX)
  }
  assert.equal(open(), INBOUND_CONNECTIONS_MAX)
})

test('a denied peer gets no place, and nobody before the door is opened', () => {
  const { enter } = setUp({ isDenied: peer => peer === 'bad' })
  assert.equal(enter('203.0.113.1', 'bad'), false)
  assert.equal(enter('203.0.113.1', 'good'), true)
  assert.equal(new InboundGate(false, silent).denyDialPeer('good'), true)
})
