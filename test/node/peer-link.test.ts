import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Connection, Stream } from '@libp2p/interface'
import { frameMessage } from '../../src/node/frames.ts'
import {
  FIRST_MESSAGE_TIMEOUT_MS,
  OUTBOUND_BYTES_MAX,
  PeerLink,
  SILENCE_TIMEOUT_MS,
} from '../../src/node/peer-link.ts'

/** As much of a stream as a link uses. */
class ScriptedStream extends EventTarget {
  status = 'open'
  readStatus = 'readable'
  writeBufferLength = 0
  readonly sent: Uint8Array[] = []

  send(data: Uint8Array): boolean {
    if (this.status !== 'open') throw new Error('not open')
    this.sent.push(data)
    return true
  }

  pause(): void {
    this.readStatus = 'paused'
  }

  resume(): void {
    this.readStatus = 'readable'
  }

  abort(): void {
    this.status = 'aborted'
    this.dispatchEvent(new Event('close'))
  }

  async close(): Promise<void> {
    this.status = 'closed'
    this.dispatchEvent(new Event('close'))
  }

  /** The peer sends. */
  deliver(data: Uint8Array): void {
    this.dispatchEvent(Object.assign(new Event('message'), { data }))
  }
}

function setUp(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const stream = new ScriptedStream()
  const ends: string[] = []
  const messages: Uint8Array[] = []
  const handling: PromiseWithResolvers<void>[] = []
  const connection = { remotePeer: 'peer' } as unknown as Connection
  const handlers = {
    onMessage: (bytes: Uint8Array) => {
      messages.push(bytes)
      const handled = Promise.withResolvers<void>()
      handling.push(handled)
      return handled.promise
    },
    onEnd: (end: string) => ends.push(end),
  }
  const faults: unknown[] = []
  const log = { error: ({ err }: { err: unknown }) => faults.push(err) }
  const link = new PeerLink(stream as unknown as Stream, connection, { handlers, log })
  /** The oldest message that is being handled is done. */
  const finish = async () => {
    handling.shift()!.resolve()
    // One turn of the event loop between two messages.
    for (let turn = 0; turn < 2; turn++) await new Promise(setImmediate)
  }
  return { link, stream, handlers, ends, messages, faults, finish }
}

const small = frameMessage(Uint8Array.of(1))
const large = frameMessage(new Uint8Array(400_000))

test('a peer that never says a word is dropped', t => {
  const { stream, ends } = setUp(t)
  t.mock.timers.tick(FIRST_MESSAGE_TIMEOUT_MS - 1)
  assert.deepEqual(ends, [])
  t.mock.timers.tick(1)
  assert.deepEqual(ends, ['silent'])
  assert.equal(stream.status, 'aborted')
})

test('a peer that never finishes its first word is dropped', t => {
  const { stream, ends } = setUp(t)
  for (let ms = 0; ms < FIRST_MESSAGE_TIMEOUT_MS; ms += 1_000) {
    stream.deliver(large.subarray(0, 10))
    t.mock.timers.tick(1_000)
  }
  assert.deepEqual(ends, ['silent'])
})

test('a peer that falls silent is dropped after a while, which begins when its last message is handled', async t => {
  const { stream, ends, finish } = setUp(t)
  stream.deliver(small)
  t.mock.timers.tick(10 * SILENCE_TIMEOUT_MS)
  assert.deepEqual(ends, [])
  await finish()
  t.mock.timers.tick(SILENCE_TIMEOUT_MS - 1)
  assert.deepEqual(ends, [])
  t.mock.timers.tick(1)
  assert.deepEqual(ends, ['silent'])
})

test('one message is handled at a time, in their order, and little more is read meanwhile', async t => {
  const { stream, messages, finish } = setUp(t)
  stream.deliver(large)
  stream.deliver(small)
  assert.equal(stream.readStatus, 'readable')
  stream.deliver(large)
  assert.equal(stream.readStatus, 'paused')
  assert.deepEqual(
    messages.map(({ length }) => length),
    [400_000],
  )
  await finish()
  assert.deepEqual(
    messages.map(({ length }) => length),
    [400_000, 1],
  )
  await finish()
  await finish()
  assert.equal(messages.length, 3)
  assert.equal(stream.readStatus, 'readable')
})

test('messages that come together are handled one in each turn of the event loop', async t => {
  const { stream, handlers } = setUp(t)
  let [turn, isCounting] = [0, true]
  const count = () => {
    turn += 1
    if (isCounting) setImmediate(count)
  }
  const turns: number[] = []
  handlers.onMessage = async () => void turns.push(turn)
  setImmediate(count)
  for (let message = 0; message < 3; message++) stream.deliver(small)
  while (turns.length < 3) await new Promise(setImmediate)
  isCounting = false
  assert.equal(new Set(turns).size, 3, String(turns))
})

test('a message whose length is too large ends the link', t => {
  const { stream, ends, messages } = setUp(t)
  stream.deliver(Uint8Array.of(0, 0, 0, 255))
  assert.deepEqual([ends, messages], [['message-too-large'], []])
})

test('what comes after the end is not handled, and the end is told once', async t => {
  const { link, stream, ends, messages, finish } = setUp(t)
  stream.deliver(small)
  stream.deliver(small)
  link.end('left')
  stream.dispatchEvent(new Event('close'))
  await finish()
  stream.deliver(small)
  link.send(small)
  t.mock.timers.tick(10 * SILENCE_TIMEOUT_MS)
  assert.deepEqual([messages.length, ends, stream.sent], [1, ['left'], []])
})

test('a peer whose queue would pass the cap is dropped', t => {
  const { link, stream, ends } = setUp(t)
  stream.writeBufferLength = OUTBOUND_BYTES_MAX - small.length
  link.send(small)
  assert.deepEqual([ends, stream.sent.length], [[], 1])
  stream.writeBufferLength = OUTBOUND_BYTES_MAX - small.length + 1
  link.send(small)
  assert.deepEqual([ends, stream.sent.length, stream.status], [['too-slow'], 1, 'aborted'])
})

test('a stream that the peer closes or that can no longer be written to ends the link', t => {
  const closed = setUp(t)
  closed.stream.dispatchEvent(new Event('remoteCloseWrite'))
  assert.deepEqual(closed.ends, ['closed'])
  t.mock.timers.reset()
  const broken = setUp(t)
  broken.stream.status = 'closing'
  broken.link.send(small)
  assert.deepEqual(broken.ends, ['closed'])
})

for (const [kind, onMessage] of [
  ['throws', () => assert.fail('a mistake')],
  ['rejects', async () => assert.fail('a mistake')],
] as const)
  test(`a message whose handling ${kind} ends the link with its sender and is told, and ends nothing else`, async t => {
    const { stream, handlers, ends, faults } = setUp(t)
    handlers.onMessage = onMessage
    stream.deliver(small)
    await new Promise(setImmediate)
    assert.deepEqual([ends, stream.status], [['failed'], 'aborted'])
    assert.deepEqual(
      faults.map(fault => fault instanceof Error && fault.message),
      ['a mistake'],
    )
    t.mock.timers.tick(10 * SILENCE_TIMEOUT_MS)
    assert.equal(ends.length, 1)
  })

test('an event of the stream or a timer whose listener throws ends nothing', t => {
  for (const happen of [
    (stream: ScriptedStream) => stream.abort(),
    () => t.mock.timers.tick(FIRST_MESSAGE_TIMEOUT_MS),
  ]) {
    const { stream, handlers, faults } = setUp(t)
    handlers.onEnd = () => assert.fail('a mistake')
    happen(stream)
    assert.equal(faults.length, 1)
    t.mock.timers.reset()
  }
})
