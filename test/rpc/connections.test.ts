import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { Connections } from '../../src/rpc/connections.ts'

/** As much of a socket as is used. */
class FakeSocket extends EventEmitter {
  destroyed = false
  readonly remoteAddress: string

  constructor(remoteAddress: string) {
    super()
    this.remoteAddress = remoteAddress
  }

  destroy(): void {
    this.destroyed = true
    this.emit('close')
  }
}

function setUp(connectionsMax: number, connectionsPerAddressMax: number) {
  const connections = new Connections({ connectionsMax, connectionsPerAddressMax })
  const sockets: FakeSocket[] = []
  const add = (address: string, isAsking = false): FakeSocket => {
    const socket = new FakeSocket(address)
    sockets.push(socket)
    connections.add(socket as unknown as Socket)
    if (isAsking) connections.setAsking(socket as unknown as Socket, true)
    return socket
  }
  return { add, open: () => sockets.filter(({ destroyed }) => !destroyed) }
}

test('one address has so many connections at most, and another spelling of it is no other', () => {
  const { add, open } = setUp(100, 4)
  for (let count = 0; count < 10; count++) add(count % 2 === 0 ? '203.0.113.1' : '::ffff:203.0.113.1', true)
  for (let count = 0; count < 10; count++) add('127.0.0.1')
  assert.equal(open().length, 14)
})

test('the address that has most makes room, first by what asks for nothing, and others do not', () => {
  const { add, open } = setUp(6, 6)
  const [honest, asking, idle] = [add('198.51.100.1'), add('203.0.113.1', true), add('203.0.113.1')]
  for (let count = 0; count < 3; count++) add('203.0.113.1', true)
  const other = add('192.0.2.1')
  assert.deepEqual([idle.destroyed, asking.destroyed, honest.destroyed], [true, false, false])
  add('192.0.2.2')
  assert.deepEqual([asking.destroyed, honest.destroyed, other.destroyed], [true, false, false])
  assert.equal(open().length, 6)
})
