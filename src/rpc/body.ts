// Reading a request's body with an end to it: one that is too long is noticed while it comes, not after.
//
// A sender whose address owes too much waits: what is not read stays in its own system (TCP's flow control). The body is
// copied into one buffer. A piece that is kept as it came keeps an object of some hundred bytes and what it was cut
// from, though it may be one byte of the body.

import type { IncomingMessage } from 'node:http'

/** What a body may be. */
export interface BodyRules {
  readonly bytesMax: number
  /** Hears how many bytes the body takes now, each time that they become more. */
  readonly onGrown: (bytes: number) => void
  /** Calls back when more of it may be read. Returns what ends the wait, or null where more may be read now. */
  readonly whenPaid: (resume: () => void) => (() => void) | null
}

/** Why there is no body: it is too long, or its sender left or was cut off. */
export type NoBody = 'too-long' | 'aborted'

/** Pieces of any size that a body may come in; those beyond have so many bytes on average: a packet has a thousand. */
const SMALL_PIECES = 256
const PIECE_BYTES = 64
const FIRST_CAPACITY = 4_096

/** The bytes of a body, or why there are none. */
export function readBody(request: IncomingMessage, rules: BodyRules): Promise<Buffer | NoBody> {
  const { bytesMax, onGrown, whenPaid } = rules
  if (Number(request.headers['content-length'] ?? 0) > bytesMax) return Promise.resolve('too-long')
  return new Promise(resolve => {
    let body: Buffer = Buffer.alloc(0)
    let size = 0
    let stopWaiting: (() => void) | null = null
    const isCrumbled = crumbleCounter()
    const onData = (chunk: Buffer): void => {
      if (size + chunk.length > bytesMax) return finish('too-long')
      if (isCrumbled(chunk)) return void request.destroy()
      if (size + chunk.length > body.length) {
        body = grown(body, size, size + chunk.length)
        onGrown(body.length)
      }
      chunk.copy(body, size)
      size += chunk.length
      stopWaiting = whenPaid(() => request.resume())
      if (stopWaiting !== null) request.pause()
    }
    const onEnd = (): void => finish(body.subarray(0, size))
    const onClose = (): void => finish('aborted')
    const finish = (outcome: Buffer | NoBody): void => {
      stopWaiting?.()
      request.off('data', onData).off('end', onEnd).off('close', onClose)
      resolve(outcome)
    }
    // An error is followed by close.
    request
      .on('data', onData)
      .on('end', onEnd)
      .on('close', onClose)
      .on('error', () => {})
  })
}

/** Whether a body, as far as it came, consists of crumbs: each chunk of a byte costs as much work as a large one. */
function crumbleCounter(): (chunk: Uint8Array) => boolean {
  let pieces = 0
  let bytes = 0
  return chunk => {
    pieces += 1
    bytes += chunk.length
    return pieces > SMALL_PIECES + bytes / PIECE_BYTES
  }
}

function grown(body: Buffer, size: number, needed: number): Buffer {
  const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * body.length, FIRST_CAPACITY))
  body.copy(larger, 0, 0, size)
  return larger
}
