// Slow and lossy links between real processes, on networks for tests: a connection around another one, which holds back
// what it sends until it would have arrived.
//
// A node puts it below everything else that libp2p does, so that handshakes, gossip and closing are as slow as messages.
// As much as a TCP window may be on its way; a sender of more is told to wait, as by a full socket.

import type {
  AbortOptions,
  MultiaddrConnection,
  StreamCloseEvent,
  StreamMessageEvent,
} from '@libp2p/interface'
import { AbstractMultiaddrConnection, type SendResult } from '@libp2p/utils'
import { type FaultLog, guarded } from '../../defence/guarded.ts'
import { LinkDelays, type LinkQuality } from './link-delays.ts'

/** Bytes that are on their way in one direction of a connection at most. */
export const IN_FLIGHT_BYTES_MAX = 1024 * 1024

type Bytes = Parameters<AbstractMultiaddrConnection['sendData']>[0]

/** Puts a connection of this quality around each that it is given. */
export function slowLinks(
  quality: LinkQuality,
  log: FaultLog,
): (raw: MultiaddrConnection) => MultiaddrConnection {
  // No seed: which packet meets which chance is up to the machine anyway.
  return raw => new SlowConnection(raw, new LinkDelays(quality, Math.random), log)
}

/** A connection over another one, which gets what is sent when it is due; what comes is passed on at once. */
export class SlowConnection extends AbstractMultiaddrConnection {
  readonly #raw: MultiaddrConnection
  readonly #delays: LinkDelays
  /** What is on its way, in the order in which it was sent, and when it is due by `performance.now`. */
  readonly #inFlight: { readonly data: Bytes; readonly dueMs: number }[] = []
  #inFlightBytes = 0
  #timer: NodeJS.Timeout | undefined
  readonly #deliverSafely: () => void
  /** Told when nothing is on its way any more. */
  #onArrived: () => void = () => {}

  constructor(raw: MultiaddrConnection, delays: LinkDelays, faultLog: FaultLog) {
    const { remoteAddr, direction, log, inactivityTimeout, maxReadBufferLength } = raw
    super({ remoteAddr, direction, log, inactivityTimeout, maxReadBufferLength })
    this.#raw = raw
    this.#delays = delays
    const fail = () => this.abort(new Error('a fault'))
    const onRemoteCloseWrite = () => this.onRemoteCloseWrite()
    const onRawClosed = (event: StreamCloseEvent) => this.#onRawClosed(event)
    this.#deliverSafely = guarded(faultLog, 'sending over a slow link', () => this.#deliver(), fail)
    raw.addEventListener(
      'message',
      guarded(
        faultLog,
        'reading from a slow link',
        ({ data }: StreamMessageEvent) => this.onData(data),
        fail,
      ),
    )
    raw.addEventListener('drain', this.#deliverSafely)
    raw.addEventListener(
      'remoteCloseWrite',
      guarded(faultLog, 'half closing a slow link', onRemoteCloseWrite),
    )
    raw.addEventListener('close', guarded(faultLog, 'closing a slow link', onRawClosed))
  }

  /** Takes as much as may be on its way. */
  override sendData(data: Bytes): SendResult {
    const roomBytes = IN_FLIGHT_BYTES_MAX - this.#inFlightBytes
    const taken = data.sublist(0, Math.min(roomBytes, data.byteLength))
    const dueMs = this.#delays.arrivalMs(taken.byteLength, performance.now())
    this.#inFlight.push({ data: taken, dueMs })
    this.#inFlightBytes += taken.byteLength
    this.#deliver()
    return { sentBytes: taken.byteLength, canSendMore: this.#inFlightBytes < IN_FLIGHT_BYTES_MAX }
  }

  /** Resolves when all that is on its way has arrived and the connection is closed. */
  override async sendClose(options?: AbortOptions): Promise<void> {
    options?.signal?.throwIfAborted()
    if (this.#inFlight.length > 0) {
      await new Promise<void>((resolve, reject) => {
        this.#onArrived = resolve
        const giveUp = () => reject(options?.signal?.reason)
        options?.signal?.addEventListener('abort', giveUp, { once: true })
      })
    }
    await this.#raw.close(options)
  }

  override sendReset(error: Error): void {
    this.#drop()
    this.#raw.abort(error)
  }

  override sendPause(): void {
    this.#raw.pause()
  }

  override sendResume(): void {
    this.#raw.resume()
  }

  /** Passes on what is due, as far as the other connection takes it, and comes back when more is. */
  #deliver(): void {
    clearTimeout(this.#timer)
    const nowMs = performance.now()
    for (;;) {
      // It comes back by the event 'drain'.
      if (this.#raw.status !== 'open' || this.#raw.writableNeedsDrain) break
      const next = this.#inFlight[0]
      if (next === undefined) break
      if (next.dueMs > nowMs) {
        this.#timer = setTimeout(this.#deliverSafely, Math.ceil(next.dueMs - nowMs))
        break
      }
      this.#inFlight.shift()
      this.#inFlightBytes -= next.data.byteLength
      this.#raw.send(next.data)
    }
    if (this.#inFlight.length === 0) this.#onArrived()
    if (this.writableNeedsDrain && this.#inFlightBytes <= IN_FLIGHT_BYTES_MAX / 2)
      this.safeDispatchEvent('drain')
  }

  #onRawClosed({ error, local }: StreamCloseEvent): void {
    this.#drop()
    if (error === undefined) this.onTransportClosed()
    else if (local === true) this.abort(error)
    else this.onRemoteReset()
  }

  /** Nothing of what is on its way arrives. */
  #drop(): void {
    clearTimeout(this.#timer)
    this.#inFlight.length = 0
    this.#inFlightBytes = 0
    this.#onArrived()
  }
}
