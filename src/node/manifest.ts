// What LevelDB relies on: its manifest, read before LevelDB opens the folder.
//
// A manifest is a log (write-ahead-log.ts) of version edits. One after the other they say which tables hold the records
// and which log holds what is in no table yet. Format: db/version_edit.cc of LevelDB: a tag, then its fields, as varints
// and as texts with their length before them; tables are given by level, number, size, smallest and largest key.

import { readWhole } from './write-ahead-log.ts'

/** What must be there for a database to be whole. */
export interface Manifest {
  /** Bytes of each table, by its number. */
  readonly tables: ReadonlyMap<number, number>
  /** The oldest log that is not in tables; 0 for none. */
  readonly log: number
}

/** The tags of version edits. */
const TAG = {
  comparator: 1,
  log: 2,
  nextFile: 3,
  lastSequence: 4,
  compactPointer: 5,
  deletedFile: 6,
  newFile: 7,
  previousLog: 9,
} as const

/** What a manifest says in the end; null when it holds something that is no version edit. */
export function readManifest(bytes: Uint8Array): Manifest | null {
  const tables = new Map<number, number>()
  let log = 0
  for (const record of readWhole(bytes)) {
    const reader = new EditReader(record)
    while (!reader.isAtEnd) {
      switch (reader.number()) {
        case TAG.comparator:
          reader.skipText()
          break
        case TAG.log:
          log = reader.number()
          break
        case TAG.nextFile:
        case TAG.lastSequence:
        case TAG.previousLog:
          reader.number()
          break
        case TAG.compactPointer:
          reader.number()
          reader.skipText()
          break
        case TAG.deletedFile:
          reader.number()
          tables.delete(reader.number())
          break
        case TAG.newFile: {
          reader.number()
          const table = reader.number()
          tables.set(table, reader.number())
          reader.skipText()
          reader.skipText()
          break
        }
        default:
          return null
      }
    }
    if (reader.isBroken) return null
  }
  return { tables, log }
}

/** Reads one version edit. What runs out of bytes, or is no number of ours, is broken and at its end. */
class EditReader {
  readonly #bytes: Uint8Array
  #offset = 0
  isBroken = false

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get isAtEnd(): boolean {
    return this.isBroken || this.#offset === this.#bytes.length
  }

  /** A varint: seven bits a byte, the lowest first. */
  number(): number {
    let value = 0
    for (let scale = 1; scale <= Number.MAX_SAFE_INTEGER; scale *= 128) {
      const byte = this.#bytes[this.#offset++]
      if (byte === undefined) break
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
    }
    this.#break()
    return 0
  }

  skipText(): void {
    const length = this.number()
    if (length > this.#bytes.length - this.#offset) this.#break()
    else this.#offset += length
  }

  #break(): void {
    this.isBroken = true
    this.#offset = this.#bytes.length
  }
}
