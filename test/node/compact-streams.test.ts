import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StreamMessageEvent } from '@libp2p/interface'
import { multiaddrConnectionPair } from '@libp2p/utils'
import { compactYamux } from '../../src/node/compact-streams.ts'
import { until } from './nodes.ts'
import { dataFrame, FLAG, frame, TYPE } from './wire-frames.ts'

const BUFFER_BYTES = 64 * 1024

/** What the reader of a stream is given of a frame whose buffer holds more than the frame. */
async function read(body: Uint8Array): Promise<Uint8Array[]> {
  const [near, far] = multiaddrConnectionPair()
  const muxer = compactYamux({ enableKeepAlive: false })().createStreamMuxer(near)
  const pieces: Uint8Array[] = []
  muxer.addEventListener('stream', ({ detail: stream }) =>
    stream.addEventListener('message', ({ data }: StreamMessageEvent) =>
      pieces.push(...(data instanceof Uint8Array ? [data] : data)),
    ),
  )
  const buffer = new Uint8Array(BUFFER_BYTES)
  const id = near.direction === 'outbound' ? 2 : 1
  const bytes = Buffer.concat([frame(TYPE.windowUpdate, FLAG.syn, id, 0), dataFrame(id, body)])
  buffer.set(bytes)
  far.send(buffer.subarray(0, bytes.length))
  await until('something came', () => pieces.length > 0)
  return pieces
}

const pinnedBytes = (pieces: readonly Uint8Array[]): number =>
  [...new Set(pieces.map(({ buffer }) => buffer))].reduce((sum, { byteLength }) => sum + byteLength, 0)

test('a byte of a stream pins a byte, whatever came in the same buffer', async () => {
  const pieces = await read(Uint8Array.of(7))
  assert.deepEqual(pieces, [Uint8Array.of(7)])
  assert.equal(pinnedBytes(pieces), 1)
})

test('what fills its buffer is handed on as it is', async () => {
  const body = new Uint8Array(BUFFER_BYTES / 2 + 1).fill(7)
  const pieces = await read(body)
  assert.deepEqual(Buffer.concat(pieces), Buffer.from(body))
  assert.equal(pinnedBytes(pieces), BUFFER_BYTES)
})
