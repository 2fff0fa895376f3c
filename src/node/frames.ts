// Messages on a stream of bytes: the length in 4 bytes, little-endian, then the message.
//
// A length is checked before anything is kept for it, and memory grows only with bytes that have really come, so
// a false length costs its sender the connection and us nothing.

import { ByteReader, ByteWriter, concatBytes } from '../encoding/bytes.ts'
import { MESSAGE_LIMITS } from '../replica/messages.ts'

const LENGTH_BYTES = 4
const BUFFER_BYTES_MIN = 4 * 1024

/** A message with its length before it. */
export function frameMessage(message: Uint8Array): Uint8Array {
  return concatBytes(new ByteWriter().u32(message.length).finish(), message)
}

/** Cuts a stream of bytes into messages. */
export class FrameReader {
  #buffer = new Uint8Array(BUFFER_BYTES_MIN)
  /** Unprocessed bytes are between `start` and `end`. */
  #start = 0
  #end = 0

  /** Bytes that have come and are in no message yet. */
  get bufferedBytes(): number {
    return this.#end - this.#start
  }

  /** Takes in what has come. */
  push(chunk: Uint8Array): void {
    const size = this.bufferedBytes + chunk.length
    if (this.#end + chunk.length > this.#buffer.length) {
      const fits = size <= this.#buffer.length / 2
      const buffer = fits ? this.#buffer : new Uint8Array(Math.max(BUFFER_BYTES_MIN, 2 * size))
      buffer.set(this.#buffer.subarray(this.#start, this.#end))
      this.#buffer = buffer
      this.#end -= this.#start
      this.#start = 0
    }
    this.#buffer.set(chunk, this.#end)
    this.#end += chunk.length
  }

  /** The next whole message in memory of its own, null when it has not come yet, or why the stream is none. */
  next(): Uint8Array | null | 'message-too-large' {
    if (this.bufferedBytes < LENGTH_BYTES) return null
    const bytes = this.#buffer.subarray(this.#start, this.#end)
    const size = LENGTH_BYTES + new ByteReader(bytes).u32()
    if (size - LENGTH_BYTES > MESSAGE_LIMITS.bytesMax) return 'message-too-large'
    if (bytes.length < size) return null
    const message = bytes.slice(LENGTH_BYTES, size)
    this.#start += size
    if (this.bufferedBytes === 0) this.#reset()
    return message
  }

  /** Frees the memory of a large message once it is processed. */
  #reset(): void {
    this.#start = 0
    this.#end = 0
    if (this.#buffer.length > 16 * BUFFER_BYTES_MIN) this.#buffer = new Uint8Array(BUFFER_BYTES_MIN)
  }
}
