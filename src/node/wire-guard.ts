// Looks at every byte that comes before libp2p does, and ends the connection where a bound is broken: at once, so that a
// loop of libp2p that would go on with what has come already finds nothing more to read.
//
// Three bounds. Before the handshake of Noise: few lines (the handshake itself is two messages of 64 KiB at most). Beside
// Noise: bytes that decrypt to nothing. After it: what frame-guard.ts says. Streams of libp2p hand on what came in `onData`,
// each byte once, which no listener can rely on (what is pushed back is told of again, and what comes early is told to
// nobody), so that method is what is put aside here.

import type { MessageStream, MultiaddrConnection } from '@libp2p/interface'
import { AbstractMessageStream } from '@libp2p/utils'
import { FrameGuard, type FrameGuardOptions } from './frame-guard.ts'
import { type LinesResult, ProtocolLines } from './protocol-lines.ts'

/** Bytes that may have come and be decrypted to nothing: two of Noise's messages, not whole yet. */
const UNREAD_BYTES_MAX = 128 * 1024

const NOISE = '/noise'
/** What Noise puts around each message: its length and its tag. */
const NOISE_OVERHEAD_BYTES = 2 + 16

type Bytes = Parameters<AbstractMessageStream['onData']>[0]

/** The guard of all connections of one node. */
export class WireGuard {
  readonly #options: Omit<FrameGuardOptions, 'isMultiplexed'>
  /** Bytes of a connection that have come and were not decrypted. */
  readonly #unread = new WeakMap<object, { bytes: number }>()

  constructor(options: Omit<FrameGuardOptions, 'isMultiplexed'>) {
    this.#options = options
  }

  /** Guards a connection that has just been made; answers with it. */
  beforeNoise(raw: MultiaddrConnection): MultiaddrConnection {
    let lines: ProtocolLines | null = new ProtocolLines(protocol => protocol === NOISE)
    beforeReading(raw, data => {
      if (lines === null) return this.#checkUnread(raw, data)
      const result = readLines(lines, data)
      if (result === 'agreed') lines = null
      return result === 'agreed' || result === 'more' ? null : result
    })
    return raw
  }

  /** Guards the connection that Noise made of it. Throws when what has come already is too much. */
  afterNoise(raw: MessageStream, secured: MessageStream, isMultiplexed: boolean): void {
    const unread = { bytes: 0 }
    this.#unread.set(raw, unread)
    const frames = new FrameGuard({ ...this.#options, isMultiplexed }, performance.now())
    const look = (data: Bytes) => {
      unread.bytes = Math.max(0, unread.bytes - data.byteLength - NOISE_OVERHEAD_BYTES)
      return frames.push(data.subarray(), performance.now())
    }
    const early = beforeReading(secured, look)
    const fault = early === null ? null : look(early)
    if (fault !== null) {
      const error = new Error(fault)
      secured.abort(error)
      throw error
    }
    const send = secured.send.bind(secured)
    secured.send = data => {
      frames.onSent(data.byteLength)
      return send(data)
    }
  }

  #checkUnread(raw: MultiaddrConnection, data: Bytes): 'not-decrypted' | null {
    const unread = this.#unread.get(raw)
    if (unread === undefined) return null
    const isTooMuch = unread.bytes > UNREAD_BYTES_MAX
    unread.bytes += data.byteLength
    return isTooMuch ? 'not-decrypted' : null
  }
}

function readLines(lines: ProtocolLines, data: Bytes): LinesResult {
  for (const byte of data.subarray()) {
    const result = lines.read(byte)
    if (result !== 'more') return result
  }
  return 'more'
}

/**
 * Lets `look` see all that comes before libp2p reads it, and aborts the stream when it names a fault. What had come before
 * and was not read is returned.
 */
function beforeReading(stream: MessageStream, look: (data: Bytes) => string | null): Uint8Array | null {
  if (!(stream instanceof AbstractMessageStream)) throw new TypeError('libp2p has streams of another kind')
  // Hidden from types only: bytes that no listener has been given.
  const { readBuffer } = stream as unknown as { readonly readBuffer: { subarray(): Uint8Array } }
  const early = stream.readBufferLength > 0 ? readBuffer.subarray() : null
  const read = stream.onData.bind(stream)
  stream.onData = data => {
    // One piece of the other end's may hold much that was decrypted already when the stream was aborted.
    if (stream.status !== 'open' && stream.status !== 'closing') return
    const fault = look(data)
    if (fault === null) read(data)
    // What is aborted tells of it in libp2p's debug log.
    else stream.abort(new Error(`it broke a bound: ${fault}`))
  }
  return early
}
