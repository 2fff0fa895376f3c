// The link to one peer: one long-lived stream that carries messages both ways.
//
// Reading is back-pressured: one message is handled at a time, one per turn of the event loop, and little is read ahead;
// so a peer waits for its own messages only. Writing is not awaited: messages that the peer does not take are queued up
// to a cap, and a peer whose queue exceeds the cap is dropped. A peer that does not complete a message for a minute is
// dropped too: each node sends a status every five seconds.

import { setImmediate } from 'node:timers/promises'
import type { Connection, Stream, StreamMessageEvent } from '@libp2p/interface'
import { type FaultLog, guarded } from '../defence/guarded.ts'
import type { PeerId } from '../replica/effects.ts'
import { MESSAGE_LIMITS } from '../replica/messages.ts'
import { FrameReader } from './frames.ts'

/** Bytes that may wait for a peer to take them: one message of the largest size and what comes meanwhile. */
export const OUTBOUND_BYTES_MAX = MESSAGE_LIMITS.bytesMax + 3 * 1024 * 1024
/** Milliseconds in which a peer must have sent its first message. */
export const FIRST_MESSAGE_TIMEOUT_MS = 15_000
/** Milliseconds in which a peer must have sent one more message. */
export const SILENCE_TIMEOUT_MS = 60_000

/** Bytes that are read ahead while a message is handled. */
const READ_AHEAD_BYTES = 256 * 1024
/** Milliseconds for which a stream that we leave may still send what is queued. */
const LEAVE_TIMEOUT_MS = 1_000

/** Why a link ended: we left in peace, the stream was closed, a mistake of ours, or the peer broke a rule. */
export type LinkEnd = 'left' | 'closed' | 'failed' | 'silent' | 'too-slow' | 'message-too-large'

/** Handlers of what happens on a link. */
export interface LinkHandlers {
  /** A message came, in memory of its own; the next one is read when this resolves. */
  onMessage(bytes: Uint8Array): Promise<void>
  /** The link has ended; called once. */
  onEnd(end: LinkEnd): void
}

/** A link that is up from its making until `onEnd`. */
export class PeerLink {
  readonly peer: PeerId
  readonly connection: Connection
  readonly #stream: Stream
  readonly #handlers: LinkHandlers
  readonly #reader = new FrameReader()
  readonly #handle: () => void
  readonly #onSilence: () => void
  #silence: NodeJS.Timeout
  #isGreeted = false
  #isHandling = false
  #isPaused = false
  #isUp = true

  constructor(
    stream: Stream,
    connection: Connection,
    { handlers, log }: { readonly handlers: LinkHandlers; readonly log: FaultLog },
  ) {
    this.peer = connection.remotePeer.toString()
    this.connection = connection
    this.#stream = stream
    this.#handlers = handlers
    const fail = () => this.end('failed')
    this.#handle = guarded(log, 'handling what a peer sent', () => this.#handleMessages(), fail)
    this.#onSilence = guarded(log, 'leaving a silent peer', () => this.end('silent'))
    const onClosed = guarded(log, 'ending a link', () => this.end('closed'))
    this.#silence = setTimeout(this.#onSilence, FIRST_MESSAGE_TIMEOUT_MS)
    stream.addEventListener(
      'message',
      guarded(
        log,
        'reading what a peer sent',
        ({ data }: StreamMessageEvent) => this.#onData(data.subarray()),
        fail,
      ),
    )
    stream.addEventListener('remoteCloseWrite', onClosed)
    stream.addEventListener('close', onClosed)
    if (stream.status !== 'open') queueMicrotask(onClosed)
  }

  /** Whether anything was sent. Broadcasts must wait until then, since the handshake comes first. */
  get isGreeted(): boolean {
    return this.#isGreeted
  }

  /** Queues a framed message. */
  send(frame: Uint8Array): void {
    if (!this.#isUp) return
    this.#isGreeted = true
    if (this.#stream.writeBufferLength + frame.length > OUTBOUND_BYTES_MAX) {
      this.end('too-slow')
      return
    }
    try {
      this.#stream.send(frame)
    } catch {
      // The stream is closing; its end is told by an event, or has been.
      this.end('closed')
    }
  }

  /** Ends the link. Nothing more is read; what is queued is still sent when we leave in peace. */
  end(end: LinkEnd): void {
    if (!this.#isUp) return
    this.#isUp = false
    clearTimeout(this.#silence)
    const abort = () => this.#stream.abort(new Error(`the link ended: ${end}`))
    if (end === 'left') this.#stream.close({ signal: AbortSignal.timeout(LEAVE_TIMEOUT_MS) }).catch(abort)
    else abort()
    this.#handlers.onEnd(end)
  }

  #onData(chunk: Uint8Array): void {
    if (!this.#isUp) return
    this.#reader.push(chunk)
    if (!this.#isHandling) this.#handle()
    else if (this.#reader.bufferedBytes > READ_AHEAD_BYTES) this.#pause()
  }

  async #handleMessages(): Promise<void> {
    this.#isHandling = true
    while (this.#isUp) {
      const message = this.#reader.next()
      if (message === null) break
      if (message === 'message-too-large') return this.end(message)
      clearTimeout(this.#silence)
      await this.#handlers.onMessage(message)
      await setImmediate()
      // Counted from when we were ready for it, so that our own delay is not held against the peer.
      clearTimeout(this.#silence)
      if (this.#isUp) this.#silence = setTimeout(this.#onSilence, SILENCE_TIMEOUT_MS)
    }
    this.#isHandling = false
    this.#resume()
  }

  #pause(): void {
    if (this.#isPaused || this.#stream.readStatus !== 'readable') return
    this.#isPaused = true
    this.#stream.pause()
  }

  #resume(): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    if (this.#isUp && this.#stream.readStatus === 'paused') this.#stream.resume()
  }
}
