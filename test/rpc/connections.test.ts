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
  let nowMs = 0
  const connections = new Connections({ connectionsMax, connectionsPerAddressMax }, () => nowMs)
  const sockets: FakeSocket[] = []
  const add = (address: string, isAsking = false): FakeSocket => {
    const socket = new FakeSocket(address)
    sockets.push(socket)
    connections.add(socket as unknown as Socket)
    if (isAsking) connections.setAsking(socket as unknown as Socket, true)
    return socket
  }
  const ask = (socket: FakeSocket): void => {
    connections.setAsking(socket as unknown as Socket, true)
    connections.setAsking(socket as unknown as Socket, false)
  }
  const wait = (ms: number): void => {
    nowMs += ms
  }
  return { add, ask, wait, open: () => sockets.filter(({ destroyed }) => !destroyed) }
}

test('one address has so many connections at most, and another spelling of it is no other', () => {
  const { add, open } = setUp(100, 4)
  for (let count = 0; count < 10; count++) add(count % 2 === 0 ? '203.0.113.1' : '::ffff:203.0.113.1', true)
  for (let count = 0; count < 10; count++) add('127.0.0.1')
  assert.equal(open().length, 14)
})

test('the address that has most makes room, first by what asks for nothing, and others do not', () => {
  const { add, open, wait } = setUp(6, 6)
  const [honest, asking, idle] = [add('198.51.100.1'), add('203.0.113.1', true), add('203.0.113.1')]
  for (let count = 0; count < 3; count++) add('203.0.113.1', true)
  wait(1_000)
  const other = add('192.0.2.1')
  assert.deepEqual([idle.destroyed, asking.destroyed, honest.destroyed], [true, false, false])
  add('192.0.2.2')
  assert.deepEqual([asking.destroyed, honest.destroyed, other.destroyed], [true, false, false])
  assert.equal(open().length, 6)
})

test('as many addresses as there are places, one connection each, do not keep a newcomer out', () => {
  for (const addressOf of [
    (index: number) => `2001:db8:1:${index.toString(16)}::1`,
    (index: number) => `2001:${(0xdb9 + index).toString(16)}::1`,
    (index: number) => `${20 + (index >> 8)}.${index & 255}.0.1`,
    (index: number) => `127.1.${index >> 8}.${index & 255}`,
  ]) {
    for (const isAsking of [false, true]) {
      const { add, ask, wait, open } = setUp(512, 128)
      const crowd = Array.from({ length: 520 }, (_, index) => add(addressOf(index), isAsking))
      wait(5_000)
      for (const socket of isAsking ? [] : crowd.slice(200)) ask(socket)
      const newcomer = add('198.51.100.1')
      // Those that were put out come back at once, and the newcomer is about to ask.
      for (let count = 0; count < 400; count++) add(addressOf(count), isAsking)
      assert.equal(newcomer.destroyed, false)
      ask(newcomer)
      assert.ok(open().length <= 512)
    }
  }
})

test('a provider group that has most makes room for another, however few each of its addresses has', () => {
  const { add, wait } = setUp(64, 64)
  const honest = Array.from({ length: 10 }, (_, index) => add(`198.51.100.${index >> 1}`))
  wait(5_000)
  for (let index = 0; index < 500; index++) add(`2001:db8:1:${index.toString(16)}::1`)
  assert.deepEqual(
    honest.filter(({ destroyed }) => destroyed),
    [],
  )
})

test('where all have as many, the connection that has been idle longest makes room, not the newcomer', () => {
  const { add, ask, wait } = setUp(3, 3)
  const [first, second, third] = [add('20.1.0.1'), add('20.2.0.1'), add('20.3.0.1')]
  wait(1_000)
  ask(first)
  const fourth = add('20.4.0.1')
  assert.deepEqual(
    [first, second, third, fourth].map(({ destroyed }) => destroyed),
    [false, true, false, false],
  )
})

test('an eighth of the places is for this machine, under all its names', () => {
  const { add, open, wait } = setUp(64, 64)
  for (let index = 0; index < 200; index++) add(`${20 + (index % 100)}.${index}.0.1`)
  assert.equal(open().length, 56)
  wait(1_000)
  const local = Array.from({ length: 8 }, (_, index) =>
    add(['127.0.0.1', '::1', '::ffff:127.0.0.1'][index % 3]!),
  )
  assert.equal(open().length, 64)
  for (let index = 0; index < 200; index++) add(`${20 + (index % 100)}.${index}.1.1`, true)
  assert.deepEqual(
    local.filter(({ destroyed }) => destroyed),
    [],
  )
})

test('this machine may have all places that no other client needs', () => {
  const { add, open } = setUp(64, 8)
  for (let count = 0; count < 100; count++) add('127.0.0.1')
  assert.equal(open().length, 64)
  const stranger = add('20.0.0.1')
  for (let count = 0; count < 100; count++) add('127.0.0.1')
  assert.equal(stranger.destroyed, false)
})
