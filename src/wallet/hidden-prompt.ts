// Asking for a secret on a terminal without showing it. The terminal is put into raw mode, where it neither echoes nor
// edits, so the few editing keys that people need are handled here. The secret is never a string: a string can't be
// cleared.

import type { Readable, Writable } from 'node:stream'

/** A terminal to ask on. `input` is what `process.stdin` is on a terminal. */
export interface Terminal {
  readonly input: Readable & { setRawMode(raw: boolean): unknown }
  /** Where the prompt goes: standard error, since standard output may be going into a file. */
  readonly output: Writable
}

/** The person pressed Ctrl-C or Ctrl-D, or the terminal went away, before there was an answer. */
export class PromptInterrupted extends Error {
  override name = 'PromptInterrupted'

  constructor() {
    super('the password was not given: interrupted')
  }
}

/** Bytes in the longest answer; what is typed beyond that is not taken. */
export const ANSWER_BYTES_MAX = 1024

/** What a person types up to Enter: its bytes, which the caller clears. Throws `PromptInterrupted`. */
export async function promptHidden({ input, output }: Terminal, prompt: string): Promise<Buffer> {
  output.write(prompt)
  const line = new HiddenLine()
  input.setRawMode(true)
  try {
    await new Promise<void>((resolve, reject) => {
      const interrupt = () => finish(reject, new PromptInterrupted())
      const onData = (chunk: Buffer) => {
        const { taken, verdict } = line.press(chunk)
        const rest = Buffer.from(chunk.subarray(taken))
        chunk.fill(0)
        if (verdict === 'more') return
        if (verdict === 'interrupted') return interrupt()
        finish(resolve)
        // What was typed ahead answers the next prompt.
        if (rest.length > 0) input.unshift(rest)
      }
      const finish = <T extends unknown[]>(callback: (...result: T) => void, ...result: T) => {
        input.off('data', onData).off('end', interrupt).off('error', interrupt).pause()
        callback(...result)
      }
      input.on('data', onData).on('end', interrupt).on('error', interrupt).resume()
    })
    return line.take()
  } finally {
    line.clear()
    input.setRawMode(false)
    output.write('\n')
  }
}

/** A line being typed. */
class HiddenLine {
  readonly #bytes = Buffer.alloc(ANSWER_BYTES_MAX)
  #size = 0

  /** Takes what the keyboard sent: how many bytes of it belong to this line, and whether the line is complete. */
  press(chunk: Uint8Array): { taken: number; verdict: 'more' | 'done' | 'interrupted' } {
    // Arrow and function keys come as one chunk that begins with Escape; they write nothing.
    if (chunk[0] === ESCAPE) return { taken: chunk.length, verdict: 'more' }
    for (const [index, byte] of chunk.entries()) {
      if (byte === ENTER || byte === LINE_FEED) return { taken: index + 1, verdict: 'done' }
      if (byte === CTRL_C || byte === CTRL_D) return { taken: index + 1, verdict: 'interrupted' }
      if (byte === CTRL_U) this.clear()
      else if (byte === BACKSPACE || byte === DELETE) this.#eraseCharacter()
      else if (byte >= 0x20 && this.#size < ANSWER_BYTES_MAX) this.#bytes[this.#size++] = byte
    }
    return { taken: chunk.length, verdict: 'more' }
  }

  /** A copy of what was typed. */
  take(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.#size))
  }

  /** Forgets what was typed. */
  clear(): void {
    this.#bytes.fill(0)
    this.#size = 0
  }

  #eraseCharacter(): void {
    // The bytes 10xxxxxx continue a character of UTF-8.
    while (this.#size > 0 && (this.#bytes[--this.#size]! & 0xc0) === 0x80);
    this.#bytes.fill(0, this.#size)
  }
}

const CTRL_C = 0x03
const CTRL_D = 0x04
const BACKSPACE = 0x08
const LINE_FEED = 0x0a
const ENTER = 0x0d
const CTRL_U = 0x15
const ESCAPE = 0x1b
const DELETE = 0x7f
