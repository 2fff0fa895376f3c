// How the bytes of a connection reach the HTTP parser: a little at a time, and no more of them once the connection is
// to end.
//
// Node's parser works off all that was read in one go: 64 KiB may be two thousand requests, or ten thousand chunks of a
// byte, in one turn of the event loop, and nothing that a request does stops it. No client that is known sends a request
// before the last one is answered (pipelining, RFC 9112, section 9.3.2, which browsers gave up): a client that does gets the
// first answer, and the connection ends with it.

import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** Bytes that are parsed at once: at most about 75 requests, and a body of a megabyte is not held up by it. */
const SLICE_BYTES = 2_048
/** Bytes that are read and dropped once nothing more is parsed: what a sender had on its way. */
const DROPPED_BYTES_MAX = 128 * 1_024

/** The connections of one server, as far as they are read. */
export class Intake {
  readonly #ended = new WeakSet<Socket>()
  readonly #refused = new WeakSet<Socket>()
  readonly #current = new WeakMap<Socket, ServerResponse>()
  readonly #dropped = new WeakMap<Socket, number>()

  /**
   * Stands between an accepted connection and the HTTP parser. `onRead` is called with the number of all bytes that are read,
   * whether or not they are used.
   */
  watch(socket: Socket, onRead: (bytes: number) => void): void {
    const parsers = socket.listeners('data')
    for (const parser of parsers) socket.off('data', parser as (chunk: Buffer) => void)
    socket.on('data', (chunk: Buffer) => {
      onRead(chunk.length)
      for (let start = 0; start < chunk.length && this.#isParsed(socket); start += SLICE_BYTES)
        for (const parser of parsers) parser.call(socket, chunk.subarray(start, start + SLICE_BYTES))
      if (!this.#isParsed(socket)) this.#drop(socket, chunk.length)
    })
  }

  /** A request has come. Returns whether it is to be answered: one that comes before its turn ends the connection. */
  begin(socket: Socket, response: ServerResponse): boolean {
    const current = this.#current.get(socket)
    if (this.#ended.has(socket) || current !== undefined) {
      this.end(socket)
      if (current?.headersSent === false) current.setHeader('connection', 'close')
      return false
    }
    this.#current.set(socket, response)
    response.once('close', () => {
      this.#current.delete(socket)
      if (this.#ended.has(socket)) socket.destroySoon()
    })
    return true
  }

  /** Takes no more requests of a connection; it ends with the answer to the one under way. */
  end(socket: Socket): void {
    this.#ended.add(socket)
  }

  /**
   * Ends a connection whose request was answered before it had come whole, as RFC 9112, section 9.6, says: our side ends at
   * once, and the other side has a moment to read the answer, which is lost when data meets a closed connection. What it
   * goes on to send is not parsed, and only a little of it is read. Resolves when the connection is closed.
   */
  refuse(socket: Socket, lingerMs: number): Promise<void> {
    this.end(socket)
    this.#refused.add(socket)
    if (socket.destroyed) return Promise.resolve()
    socket.end()
    return new Promise(resolve => {
      const timer = setTimeout(() => socket.destroy(), lingerMs)
      socket.once('close', () => {
        clearTimeout(timer)
        resolve()
      })
    })
  }

  /** The body of a request under way is still parsed, unless the request was refused; what comes after it is not. */
  #isParsed(socket: Socket): boolean {
    if (socket.destroyed || this.#refused.has(socket)) return false
    return !this.#ended.has(socket) || this.#current.get(socket)?.req.complete === false
  }

  #drop(socket: Socket, bytes: number): void {
    const dropped = (this.#dropped.get(socket) ?? 0) + bytes
    this.#dropped.set(socket, dropped)
    if (dropped >= DROPPED_BYTES_MAX) socket.pause()
  }
}
