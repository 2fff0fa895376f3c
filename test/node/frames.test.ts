import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FrameReader, frameMessage } from '../../src/node/frames.ts'
import { MESSAGE_LIMITS } from '../../src/replica/messages.ts'

/** All whole messages that the reader has. */
function readAll(reader: FrameReader): Uint8Array[] {
  const messages: Uint8Array[] = []
  for (let next = reader.next(); next !== null; next = reader.next()) {
    assert.ok(typeof next !== 'string')
    messages.push(next)
  }
  return messages
}

/** The first four bytes of a frame. */
function lengthPrefix(length: number): Uint8Array {
  const prefix = new Uint8Array(4)
  new DataView(prefix.buffer).setUint32(0, length, true)
  return prefix
}

test('a message is framed by its length in four little-endian bytes', () => {
  assert.deepEqual(frameMessage(Uint8Array.of(7, 8, 9)), Uint8Array.of(3, 0, 0, 0, 7, 8, 9))
})

test('messages come out as they went in, however the stream is cut', () => {
  const sizes = fc.array(fc.oneof(fc.nat(20), fc.nat(30_000)), { maxLength: 8 })
  const property = fc.property(
    sizes,
    fc.array(fc.oneof(fc.nat(10), fc.nat(20_000)), { maxLength: 30 }),
    (sizes, cuts) => {
      const messages = sizes.map((size, index) => new Uint8Array(size).fill(index + 1))
      const stream = Buffer.concat(messages.map(frameMessage))
      const reader = new FrameReader()
      const read: Uint8Array[] = []
      let offset = 0
      for (const size of [...cuts, stream.length]) {
        reader.push(stream.subarray(offset, offset + size))
        offset += size
        read.push(...readAll(reader))
      }
      assert.deepEqual(read, messages)
      assert.equal(reader.bufferedBytes, 0)
    },
  )
  fc.assert(property, { numRuns: 200 })
})

test('a message is memory of its own, untouched by what comes later', () => {
  const reader = new FrameReader()
  reader.push(frameMessage(Uint8Array.of(1, 2)))
  const message = reader.next()
  reader.push(frameMessage(Uint8Array.of(3, 4)))
  assert.deepEqual(message, Uint8Array.of(1, 2))
})

test('a length above the limit is refused before anything of the message has come', () => {
  for (const length of [MESSAGE_LIMITS.bytesMax + 1, 2 ** 31, 2 ** 32 - 1]) {
    const reader = new FrameReader()
    reader.push(lengthPrefix(length))
    assert.equal(reader.next(), 'message-too-large')
  }
})

test('a length within the limit costs no memory until the bytes come', () => {
  const before = process.memoryUsage().arrayBuffers
  const readers = Array.from({ length: 100 }, () => {
    const reader = new FrameReader()
    reader.push(lengthPrefix(MESSAGE_LIMITS.bytesMax))
    assert.equal(reader.next(), null)
    return reader
  })
  const grown = process.memoryUsage().arrayBuffers - before
  assert.ok(grown < MESSAGE_LIMITS.bytesMax, `${readers.length} readers hold ${grown} bytes`)
})

test('a message of the largest size that comes byte by byte is read', () => {
  const reader = new FrameReader()
  const message = new Uint8Array(300_000).fill(5)
  for (const byte of frameMessage(message)) reader.push(Uint8Array.of(byte))
  assert.deepEqual(reader.next(), message)
})
