import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MultiaddrConnection } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import {
  INBOUND_CONNECTIONS_MAX,
  INBOUND_PER_ADDRESS_MAX,
  INBOUND_PER_GROUP_MAX,
  InboundGate,
  PENDING_MAX,
  PENDING_PER_ADDRESS_MAX,
  type PeerRegistry,
} from '../../src/node/inbound-gate.ts'
import { silent } from './nodes.ts'

/** As much of a socket as the door uses. */
class FakeSocket extends EventTarget {
  status = 'open'
  readonly remoteAddr

  constructor(host: string) {
    super()
    this.remoteAddr = multiaddr(`/${host.includes(':') ? 'ip6' : 'ip4'}/${host}/tcp/1`)
  }

  abort(): void {
    this.status = 'aborted'
    this.dispatchEvent(new Event('close'))
  }
}

const NEVER = { blockMs: Number.NEGATIVE_INFINITY, transactionsMs: Number.NEGATIVE_INFINITY }

/** A gate, and connections to it. */
function setUp(peers: Partial<PeerRegistry> = {}, limitLoopback = false) {
  let nowMs = 0
  const gate = new InboundGate(limitLoopback, silent, () => nowMs)
  gate.open({
    isDenied: () => false,
    isPrivileged: () => false,
    isExpectedAt: () => false,
    standing: () => ({ ...NEVER, isGreeted: true }),
    connections: () => [],
    ...peers,
  })
  const sockets: FakeSocket[] = []
  /** Connects; undefined when it is refused. */
  const knock = (host: string): FakeSocket | undefined => {
    const socket = new FakeSocket(host)
    if (gate.denyInboundConnection(socket as unknown as MultiaddrConnection)) return undefined
    sockets.push(socket)
    return socket
  }
  /** Connects and asks for a handshake; undefined when it is refused. */
  const shake = (host: string): FakeSocket | undefined => {
    const socket = knock(host)
    if (socket === undefined) return undefined
    if (gate.mayShakeHands(socket as unknown as MultiaddrConnection)) return socket
    socket.abort()
    return undefined
  }
  /** Shakes hands; false when it gets no place. */
  const enter = (host: string, peer: string): boolean => {
    const socket = shake(host)
    if (socket === undefined) return false
    const isRefused =
      gate.denyInboundEncryptedConnection(peer) ||
      gate.denyInboundUpgradedConnection(peer, socket as unknown as MultiaddrConnection)
    if (isRefused) socket.abort()
    return !isRefused
  }
  const open = (host = ''): number =>
    sockets.filter(({ status, remoteAddr }) => status === 'open' && `${remoteAddr}`.includes(host)).length
  const wait = (ms: number): void => {
    nowMs += ms
  }
  return { gate, knock, shake, enter, open, wait }
}

test('handshakes under way are few for one address, and the oldest of it makes room', () => {
  const { knock, open } = setUp()
  const [first, second] = [knock('203.0.113.1'), knock('203.0.113.1')]
  for (let count = 2; count <= PENDING_PER_ADDRESS_MAX; count++) knock('203.0.113.1')
  assert.deepEqual([first?.status, second?.status], ['aborted', 'open'])
  assert.equal(open(), PENDING_PER_ADDRESS_MAX)
})

test('where too many handshakes are under way the oldest of the greatest group makes room', () => {
  const { knock, open, wait } = setUp()
  const honest = knock('198.51.100.1')
  for (let count = 0; count < 400; count++) {
    wait(100)
    assert.ok(knock(`203.0.${count % 100}.1`) !== undefined)
    assert.ok(open() <= PENDING_MAX)
  }
  assert.equal(open(), PENDING_MAX)
  assert.equal(honest?.status, 'open')
})

test('an address that comes and comes is refused at once, and others are not', () => {
  const { shake } = setUp()
  const letIn = Array.from({ length: 500 }, () => shake('203.0.113.1')).filter(socket => socket !== undefined)
  assert.ok(letIn.length < 60, `${letIn.length} let in`)
  assert.ok(shake('203.0.113.2') !== undefined)
})

test('a group that comes from ever new addresses is refused, and other groups are not', () => {
  const { shake, wait } = setUp()
  const letIn = Array.from({ length: 256 }, (_, index) => shake(`203.0.${index}.1`))
  assert.equal(letIn.filter(socket => socket !== undefined).length, 40)
  assert.ok(shake('198.51.100.1') !== undefined)
  wait(1_000)
  assert.ok(shake('203.0.113.2') !== undefined)
})

test('the addresses of one IPv6 provider are one group to the count of handshakes', () => {
  const { shake } = setUp()
  const letIn = Array.from({ length: 300 }, (_, index) => shake(`2001:db8:1:${index.toString(16)}::1`))
  assert.equal(letIn.filter(socket => socket !== undefined).length, 40)
})

test('loopback addresses that are not limited one by one are counted together', () => {
  const { shake } = setUp()
  const letIn = Array.from({ length: 400 }, (_, index) => shake(`127.66.${index % 256}.${1 + (index >> 8)}`))
  assert.equal(letIn.filter(socket => socket !== undefined).length, 150)
})

test('however many groups begin handshakes, those in all are few, and a group that comes for the first time is let in', () => {
  const { shake } = setUp()
  let letIn = 0
  for (let count = 0; count < 2_000; count++)
    if (shake(`${20 + (count % 20)}.1.${count >> 4}.1`) !== undefined) letIn += 1
  // 200 of all, and 2 of each group.
  assert.equal(letIn, 240)
  assert.ok(shake('198.51.100.1') !== undefined)
})

test('strangers of its provider do not keep out one that a person expects', () => {
  const { shake } = setUp({ isExpectedAt: address => address === '203.0.0.1' })
  for (let count = 1; count < 256; count++) shake(`203.0.${count}.1`)
  assert.ok(shake('203.0.0.1') !== undefined)
})

test('connecting takes no handshake from others of the address, or of its group', () => {
  const { knock, shake } = setUp()
  for (const host of ['127.0.0.1', '203.0.113.1']) {
    for (let count = 0; count < 1_000; count++) knock(host)?.abort()
    assert.ok(shake(host) !== undefined, host)
  }
  for (let count = 0; count < 1_000; count++) knock(`203.0.${count & 127}.2`)?.abort()
  assert.ok(shake('203.0.113.3') !== undefined)
})

test('those that connect and say nothing do not push out one of their address that shakes hands', () => {
  for (const host of ['127.0.0.1', '203.0.113.1']) {
    const { knock, shake, open } = setUp()
    const honest = shake(host)
    for (let count = 0; count < 1_000; count++) knock(host)
    assert.equal(honest?.status, 'open', host)
    assert.ok(open() <= PENDING_MAX)
  }
})

test('handshakes that do not end do not push out one that is about to begin', () => {
  const { gate, knock, shake, open, wait } = setUp()
  for (let count = 0; count < PENDING_MAX; count++) shake('127.0.0.1')
  const honest = knock('127.0.0.1')
  for (let count = 0; count < PENDING_MAX; count++) {
    wait(20)
    shake('127.0.0.1')
  }
  assert.equal(honest?.status, 'open')
  assert.equal(gate.mayShakeHands(honest as unknown as MultiaddrConnection), true)
  assert.ok(open() <= PENDING_MAX)
})

test('a connection shakes hands once, and none that is not pending', () => {
  const { gate, knock, shake, enter } = setUp()
  const mayShake = (socket: FakeSocket | undefined): boolean =>
    gate.mayShakeHands(socket as unknown as MultiaddrConnection)
  assert.equal(mayShake(shake('203.0.113.1')), false)
  assert.equal(mayShake(new FakeSocket('203.0.113.1')), false)
  const gone = knock('203.0.113.1')
  gone?.abort()
  assert.equal(mayShake(gone), false)
  assert.ok(enter('203.0.113.1', 'peer'))
})

test('newcomers of a group that has pushed out others too often make room among themselves', () => {
  const { enter, open, wait } = setUp()
  for (let count = 0; count < INBOUND_CONNECTIONS_MAX; count++)
    assert.ok(enter(`${20 + (count % 2)}.0.${count >> 2}.1`, `peer ${count}`))
  const others = (): number => open() - open('/203.0.')
  for (let count = 0; count < 19; count++) enter(`203.0.${count}.1`, `newcomer ${count}`)
  assert.equal(others(), INBOUND_CONNECTIONS_MAX - 8)
  assert.ok(enter('198.51.100.1', 'of another group'))
  wait(2_000)
  const before = others()
  for (let count = 0; count < 19; count++) enter(`203.0.${count}.2`, `late ${count}`)
  assert.ok(others() >= before - 1, `${others()} of ${before}`)
})

test('one address and one group have some of the places, and no more', () => {
  const { enter, open, wait } = setUp()
  for (let count = 0; count < 20; count++) enter('203.0.113.1', `a${count}`)
  assert.equal(open('203.0.113.1'), INBOUND_PER_ADDRESS_MAX)
  wait(2_000)
  for (let count = 0; count < 40; count++) enter(`203.0.${count}.2`, `b${count}`)
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

test('a banned peer gets no place, and no peer does before the gate is opened', () => {
  const { enter } = setUp({ isDenied: peer => peer === 'bad' })
  assert.equal(enter('203.0.113.1', 'bad'), false)
  assert.equal(enter('203.0.113.1', 'good'), true)
  assert.equal(new InboundGate(false, silent).denyDialPeer('good'), true)
})
