// Looks at every byte that comes before libp2p does, and ends the connection where a bound is broken: at once, so that a
// loop of libp2p that would go on with what has come already finds nothing more to read.
//
// Three bounds. Before the handshake of Noise: few lines (the handshake itself is two messages of 64 KiB at most). Beside
// Noise: bytes that decrypt to nothing. After it: what frame-guard.ts says, and what is within its bounds is read at the pace
// that wire-budget.ts allows. Streams of libp2p hand on what came in `onData`, each byte once, which no listener can rely on
// (bytes that are pushed back are reported again, and early ones are reported to none), so that method is replaced here.

import type { MessageStream, MultiaddrConnection } from '@libp2p/interface'
import { AbstractMessageStream } from '@libp2p/utils'
import { type FaultLog, guarded } from '../defence/guarded.ts'
import { type Place, placeOfMultiaddr } from '../defence/network-group.ts'
import { FrameGuard, type FrameGuardOptions } from './frame-guard.ts'
import { PacedReading } from './paced-reading.ts'
import { type LinesResult, ProtocolLines } from './protocol-lines.ts'
import { WireBudgets } from './wire-budget.ts'

/** Bytes that may have come and be decrypted to nothing: two of Noise's messages, not whole yet. */
const UNREAD_BYTES_MAX = 128 * 1024

/** Milliseconds between looks at an RPC that is late, and is ours to wait for. */
const RPC_POLL_MS = 100

const NOISE = '/noise'
/** What Noise puts around each message: its length and its tag. */
const NOISE_OVERHEAD_BYTES = 2 + 16

/** Of what we send, in which the header of a frame stands. */
const SENT_HEADER_BYTES = 12

type Bytes = Parameters<AbstractMessageStream['onData']>[0]

/** What the guard must know of its node and of peers. */
export interface WireGuardOptions extends Omit<FrameGuardOptions, 'isMultiplexed'> {
  /** Whether a peer was given by a person or proved to be a validator. */
  isPrivileged(peer: string): boolean
  /** Whether all connections of an address are one site's. */
  isLimited(place: Place): boolean
  readonly log: FaultLog
}

/** A connection that Noise has made of another one. */
export interface Secured {
  readonly connection: MessageStream
  readonly remotePeer: { toString(): string }
  readonly isMultiplexed: boolean
}

/** The guard of all connections of one node. */
export class WireGuard {
  readonly #options: WireGuardOptions
  readonly #budgets = new WireBudgets()
  /** Where each connection comes from. */
  readonly #places = new WeakMap<object, Place>()
  /** Bytes of a connection that have come and were not decrypted. */
  readonly #unread = new WeakMap<object, { bytes: number }>()

  readonly #now: () => number

  /** `now` gives milliseconds of a clock that never steps back. */
  constructor(options: WireGuardOptions, now: () => number = () => performance.now()) {
    this.#options = options
    this.#now = now
  }

  /** Guards a connection that has just been made; answers with it. */
  beforeNoise(raw: MultiaddrConnection): MultiaddrConnection {
    this.#places.set(raw, placeOfMultiaddr(raw.remoteAddr))
    let lines: ProtocolLines | null = new ProtocolLines(protocol => protocol === NOISE)
    const connection = streamOf(raw)
    const read = connection.onData.bind(connection)
    replaceReading(connection, data => {
      const fault = lines === null ? this.#checkUnread(raw, data) : readLines(lines, data)
      if (fault === 'agreed') lines = null
      if (fault === null || fault === 'agreed' || fault === 'more') read(data)
      else abort(connection, fault)
    })
    return raw
  }

  /** Guards the connection that Noise has encrypted. Throws if the bytes so far exceed a bound. */
  afterNoise(raw: MessageStream, { connection, remotePeer, isMultiplexed }: Secured): void {
    const unread = { bytes: 0 }
    this.#unread.set(raw, unread)
    const frames = new FrameGuard({ ...this.#options, isMultiplexed }, this.#now())
    const secured = streamOf(connection)
    const read = secured.onData.bind(secured)
    const paced = this.#pacedReading(raw, remotePeer.toString(), bytes => {
      if (isOpen(secured)) read(bytes)
    })
    secured.addEventListener(
      'close',
      guarded(this.#options.log, 'ending a connection', () => paced.end()),
    )
    const deadline = this.#rpcDeadline(frames, paced, secured)
    const look = (bytes: Uint8Array) => frames.push(bytes, this.#now())
    const early = earlyBytesOf(secured)
    replaceReading(secured, data => {
      unread.bytes = Math.max(0, unread.bytes - data.byteLength - NOISE_OVERHEAD_BYTES)
      const bytes = data.subarray()
      const fault = look(bytes)
      if (fault !== null) return abort(secured, fault)
      paced.push(bytes, frames.takePrice())
      deadline.arm()
    })
    const fault = early === null ? null : look(early)
    if (fault !== null) {
      const error = new Error(fault)
      secured.abort(error)
      throw error
    }
    const send = secured.send.bind(secured)
    secured.send = data => {
      frames.onSent(data.subarray(0, SENT_HEADER_BYTES), data.byteLength)
      return send(data)
    }
  }

  /** Ends a connection on which an RPC of gossip has begun and does not go on, unless our own pace delays it. */
  #rpcDeadline(frames: FrameGuard, paced: PacedReading, secured: AbstractMessageStream): { arm(): void } {
    let isArmed = false
    const arm = () => {
      const deadlineMs = frames.rpcDeadlineMs()
      if (isArmed || deadlineMs === null || !isOpen(secured)) return
      isArmed = true
      setTimeout(check, Math.max(deadlineMs - this.#now(), RPC_POLL_MS)).unref()
    }
    const check = guarded(this.#options.log, 'looking for late gossip', () => {
      isArmed = false
      const deadlineMs = frames.rpcDeadlineMs()
      if (deadlineMs !== null && deadlineMs <= this.#now() && !paced.isWaiting) abort(secured, 'rpc-too-slow')
      arm()
    })
    return { arm }
  }

  #pacedReading(raw: MessageStream, peer: string, read: (bytes: Uint8Array) => void): PacedReading {
    const place = this.#places.get(raw) ?? null
    const payer = {
      address: place !== null && this.#options.isLimited(place) ? place.address : null,
      isPrivileged: () => this.#options.isPrivileged(peer),
    }
    const socket = streamOf(raw)
    const drop = () => abort(socket, 'a fault')
    return new PacedReading({
      budget: this.#budgets.open(payer, this.#now()),
      read,
      pause: () => {
        if (socket.readStatus === 'readable') socket.pause()
      },
      resume: () => resumeReading(socket),
      after: (ms, retry) => {
        setTimeout(guarded(this.#options.log, 'reading on', retry, drop), ms)
      },
      now: this.#now,
    })
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

/** The methods of a stream that libp2p hides. */
function streamOf(stream: MessageStream): AbstractMessageStream {
  if (!(stream instanceof AbstractMessageStream)) throw new TypeError('libp2p has streams of another kind')
  return stream
}

/** Lets `read` have all that comes from now on, as long as the stream is open. */
function replaceReading(stream: AbstractMessageStream, read: (data: Bytes) => void): void {
  stream.onData = data => {
    // One piece of the other end's may hold much that was decrypted already when the stream was aborted.
    if (isOpen(stream)) read(data)
  }
}

/** Bytes that arrived before they had a reader. */
function earlyBytesOf(stream: AbstractMessageStream): Uint8Array | null {
  // Hidden from types only: bytes that no listener has been given.
  const { readBuffer } = stream as unknown as { readonly readBuffer: { subarray(): Uint8Array } }
  return stream.readBufferLength > 0 ? readBuffer.subarray() : null
}

function isOpen({ status }: AbstractMessageStream): boolean {
  return status === 'open' || status === 'closing'
}

/** Reads on. What waited is handed on first, and may pause the stream again, which libp2p does not expect. */
function resumeReading(stream: AbstractMessageStream): void {
  if (stream.readStatus !== 'paused') return
  stream.resume()
  const isPausedAgain = (stream.readStatus as string) === 'paused'
  if (isPausedAgain) stream.sendPause()
}

function abort(stream: AbstractMessageStream, fault: string): void {
  // An aborted connection is in libp2p's debug log.
  stream.abort(new Error(`it broke a bound: ${fault}`))
}
