// What strangers can make a node do below its messages, counted in milliseconds of libp2p's work on a clock of the test.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FrameGuard, SMALL_FRAMES } from '../../src/node/frame-guard.ts'
import { PacedReading, SLICE_MS } from '../../src/node/paced-reading.ts'
import { CONNECTION_CREDIT, OWN_MS, SHARED_CREDIT, WireBudgets } from '../../src/node/wire-budget.ts'
import { field, withLength } from './identify-message.ts'
import { dataFrame, FLAG, frame, line, TYPE } from './wire-frames.ts'

const FRAME_BYTES_MAX = 1024 * 1024
const GUARDED = {
  isMultiplexed: true,
  frameBytesMax: FRAME_BYTES_MAX,
  rpcBytesMax: FRAME_BYTES_MAX,
  isSpoken: (protocol: string) => protocol !== '/multistream/1.0.0',
  isLink: (protocol: string) => protocol === '/link/1',
}
/** As many as may come in at once. */
const CONNECTIONS = 48
const SMALL = dataFrame(1, Uint8Array.of(0))

/** Connections of one node, and a clock. */
class Wire {
  nowMs = 0
  readonly #budgets = new WireBudgets()
  #retries: { readonly atMs: number; readonly retry: () => void }[] = []

  /** A connection; what it hands on is counted in frames. */
  connect({ address = null as string | null, isPrivileged = false } = {}) {
    const guard = new FrameGuard(GUARDED, this.nowMs)
    const connection = { readBytes: 0, isPaused: false, mostInTurn: 0, send: (_bytes: Uint8Array) => {} }
    let turnBytes = 0
    let turnMs = -1
    const paced = new PacedReading({
      budget: this.#budgets.open({ address, isPrivileged: () => isPrivileged }, this.nowMs),
      read: bytes => {
        turnBytes = (turnMs === this.nowMs ? turnBytes : 0) + bytes.length
        turnMs = this.nowMs
        connection.mostInTurn = Math.max(connection.mostInTurn, turnBytes)
        connection.readBytes += bytes.length
      },
      pause: () => {
        connection.isPaused = true
      },
      resume: () => {
        connection.isPaused = false
      },
      after: (ms, retry) => this.#retries.push({ atMs: this.nowMs + Math.max(1, ms), retry }),
      now: () => this.nowMs,
    })
    connection.send = bytes => {
      if (guard.push(bytes, this.nowMs) === null) paced.push(bytes, guard.takePrice())
    }
    return connection
  }

  /** Lets time pass, and everything happen that waits for it. */
  pass(ms: number): void {
    for (const endMs = this.nowMs + ms; this.nowMs < endMs; this.nowMs++) {
      const due = this.#retries.filter(({ atMs }) => atMs <= this.nowMs)
      this.#retries = this.#retries.filter(({ atMs }) => atMs > this.nowMs)
      for (const { retry } of due) retry()
    }
  }
}

/** Milliseconds that so many bytes of small frames cost. */
const costOf = (bytes: number): number => (bytes / SMALL.length) * 0.05 * (1 - 1 / 1_024)
const many = (count: number): Buffer => Buffer.concat(Array.from({ length: count }, () => SMALL))

test('small frames on all connections at once cost what all may cost, then and from then on', () => {
  const wire = new Wire()
  const connections = Array.from({ length: CONNECTIONS }, () => wire.connect())
  const burst = many(SMALL_FRAMES.burst)
  const flood = () => {
    for (const connection of connections) if (!connection.isPaused) connection.send(burst)
  }
  const spent = () => connections.reduce((sum, { readBytes }) => sum + costOf(readBytes), 0)
  const allowed = (ms: number) =>
    SHARED_CREDIT.burstMs +
    SHARED_CREDIT.share * ms +
    CONNECTIONS * (OWN_MS.burst + (OWN_MS.perSecond * ms) / 1_000) +
    SLICE_MS
  flood()
  assert.ok(spent() <= allowed(0), `${spent()} ms at once`)
  for (let second = 1; second <= 20; second++) {
    wire.pass(1_000)
    flood()
    assert.ok(spent() <= allowed(second * 1_000), `${spent()} ms in ${second} s`)
  }
  for (const { mostInTurn } of connections) assert.ok(costOf(mostInTurn) < 1.1 * SLICE_MS)
})

test('nothing is left out, and the socket is read again when all was read', () => {
  const wire = new Wire()
  const connection = wire.connect()
  connection.send(many(900))
  assert.ok(connection.isPaused)
  wire.pass(1_000)
  assert.equal(connection.readBytes, 900 * SMALL.length)
  assert.equal(connection.isPaused, false)
})

test('what an honest connection does is read at once while others use up what all may cost', () => {
  const wire = new Wire()
  const honest = wire.connect()
  const others = Array.from({ length: CONNECTIONS }, () => wire.connect())
  const burst = many(SMALL_FRAMES.burst)
  for (let second = 0; second < 20; second++) {
    for (const other of others) if (!other.isPaused) other.send(burst)
    honest.send(many(30))
    assert.equal(honest.readBytes, (second + 1) * 30 * SMALL.length)
    wire.pass(1_000)
  }
})

test('small frames without end slow a connection down, and do not end it', () => {
  const wire = new Wire()
  const connection = wire.connect()
  let sentBytes = 0
  for (let turn = 0; turn < 20_000; turn++) {
    if (!connection.isPaused) {
      connection.send(many(500))
      sentBytes += 500 * SMALL.length
    }
    wire.pass(1)
  }
  wire.pass(1_000)
  assert.equal(connection.readBytes, sentBytes)
  const mostMs =
    CONNECTION_CREDIT.burstMs + 21_000 * CONNECTION_CREDIT.share + 21 * OWN_MS.perSecond + 2 * SLICE_MS
  assert.ok(costOf(sentBytes) < mostMs, `${costOf(sentBytes)} ms`)
})

test('the connections of one address share what it may cost, those of others do not', () => {
  const wire = new Wire()
  for (let count = 0; count < 8; count++) wire.connect({ address: 'a' }).send(many(SMALL_FRAMES.burst))
  wire.pass(500)
  const [same, other] = [wire.connect({ address: 'a' }), wire.connect({ address: 'b' })]
  for (const connection of [same, other]) connection.send(many(200))
  wire.pass(100)
  assert.deepEqual([same.isPaused, other.isPaused], [true, false])
})

test('a privileged connection is never delayed', () => {
  const wire = new Wire()
  for (let count = 0; count < CONNECTIONS; count++) wire.connect().send(many(SMALL_FRAMES.burst))
  const validator = wire.connect({ isPrivileged: true })
  validator.send(many(SMALL_FRAMES.burst))
  wire.pass(SMALL_FRAMES.burst / 10)
  assert.equal(validator.readBytes, SMALL_FRAMES.burst * SMALL.length)
})

/** An RPC of gossip with a block of this size. */
const rpcOf = (bytes: number): Uint8Array =>
  withLength(field(2, Buffer.concat([field(2, new Uint8Array(bytes)), field(4, new Uint8Array(80))])))

const vote = dataFrame(1, new Uint8Array(220))
const announcement = dataFrame(1, new Uint8Array(3_200))
const block = dataFrame(3, rpcOf(30_000))
const notWanted = dataFrame(3, withLength(field(3, field(5, field(1, new Uint8Array(32))))))
const update = frame(TYPE.windowUpdate, 0, 1, 300)
const ping = frame(TYPE.ping, FLAG.syn, 0, 1)

/** So many of each, one after the other. */
const mixOf = (...parts: readonly (readonly [count: number, bytes: Uint8Array])[]): Buffer =>
  Buffer.concat(parts.flatMap(([count, bytes]) => Array.from({ length: count }, () => bytes)))

/** What opens a link and a stream of gossip. */
const opened = Buffer.concat(
  [1, 3].flatMap(id => [
    frame(TYPE.windowUpdate, FLAG.syn, id, 0),
    dataFrame(id, Buffer.concat([line('/multistream/1.0.0'), line(id === 1 ? '/link/1' : '/meshsub/1.2.0')])),
  ]),
)

/** What a member of a busy committee of sixteen hears of another in a second, in which ten blocks are decided. */
const BUSY_SECOND = mixOf(
  [30, vote],
  [10, block],
  [10, notWanted],
  [10, announcement],
  [100, update],
  [1, ping],
)

test('a busy honest link is not held up, and not for long where ten seconds come together; none of it is refused', () => {
  const wire = new Wire()
  const guard = new FrameGuard(GUARDED, 0)
  const link = wire.connect()
  assert.equal(guard.push(opened, 0), null)
  link.send(opened)
  for (let count = 1; count <= 60; count++) {
    const isLate = count % 10 === 0
    const bytes = isLate ? mixOf([10, BUSY_SECOND]) : BUSY_SECOND
    if (isLate) wire.pass(10_000)
    const before = link.readBytes
    assert.equal(guard.push(bytes, wire.nowMs), null)
    link.send(bytes)
    wire.pass(isLate ? 3_000 : 1_000)
    assert.equal(link.readBytes, before + bytes.length)
  }
})

test('strangers in all places that pass on transactions and ten blocks a second are not held up', () => {
  const wire = new Wire()
  const links = Array.from({ length: CONNECTIONS }, () => wire.connect())
  for (const link of links) link.send(opened)
  wire.pass(2_000)
  const common = mixOf([10, announcement], [10, update], [1, vote])
  for (let second = 1; second <= 20; second++) {
    for (const [index, link] of links.entries()) {
      // Twelve are in the mesh, and two of them are the first with a block.
      const gossip = mixOf([index < 2 ? 10 : 0, block], [index < 12 ? 10 : 0, notWanted])
      const before = link.readBytes
      link.send(Buffer.concat([common, gossip]))
      wire.pass(1_000 / CONNECTIONS)
      assert.equal(link.isPaused, false)
      assert.equal(link.readBytes, before + common.length + gossip.length)
    }
  }
})
