// The lines in which two ends agree on a protocol (multistream-select 1.0): the length as a varint, the name, a newline.
//
// libp2p answers every line, also the millionth that names nothing it speaks, and does so without a turn of the event
// loop in between. So the lines are counted before it sees them. What this reads must never be laxer than what libp2p
// reads: a line that only one of the two takes for a protocol would end the counting and not the answering.

/** Lines in which a protocol must have been named. Ours name it in the second one. */
export const LINES_MAX = 8
/** Bytes of a line; the longest names have some 30. libp2p allows 1,024. */
const LINE_BYTES_MAX = 256

/** What became of the bytes: more must come, a protocol is agreed on, or they break a rule. */
export type LinesResult = 'more' | 'agreed' | 'line-malformed' | 'too-many-lines'

/** Reads the lines of one end until they name a protocol. */
export class ProtocolLines {
  readonly #isSpoken: (protocol: string) => boolean
  /** The protocol, once it is agreed on. */
  protocol = ''
  #count = 0
  /** Of the line that is being read: its length, the bytes that its length took, and what has come of it. */
  #length = 0
  #lengthBytes = 0
  #isLengthKnown = false
  #line: number[] = []

  constructor(isSpoken: (protocol: string) => boolean) {
    this.#isSpoken = isSpoken
  }

  /** Takes one byte in. Not to be called again once it has answered anything but 'more'. */
  read(byte: number): LinesResult {
    if (!this.#isLengthKnown) return this.#readLength(byte)
    this.#line.push(byte)
    if (this.#line.length < this.#length) return 'more'
    const line = Buffer.from(this.#line)
    this.#line = []
    this.#length = 0
    this.#lengthBytes = 0
    this.#isLengthKnown = false
    if (byte !== 0x0a) return 'line-malformed'
    const name = line.toString('utf8').trimEnd()
    if (this.#isSpoken(name)) {
      this.protocol = name
      return 'agreed'
    }
    return ++this.#count >= LINES_MAX ? 'too-many-lines' : 'more'
  }

  #readLength(byte: number): LinesResult {
    this.#length += (byte & 0x7f) * 128 ** this.#lengthBytes++
    if (byte >= 0x80) return this.#lengthBytes < 2 ? 'more' : 'line-malformed'
    this.#isLengthKnown = true
    return this.#length === 0 || this.#length > LINE_BYTES_MAX ? 'line-malformed' : 'more'
  }
}
