// A node's database, with the one record that is not kept in it: how far its validator has voted (src/finality/vote-mark.ts)
// stands in a file beside the validator's key, so that the key is not taken for a new one when the database is lost.
//
// The file is written after the records of the votes, and before the votes are sent. A crash between the two leaves a mark
// behind the records, which is safe: those votes were not sent.

import { COMMITTEE_KEYS } from '../finality/committee-records.ts'
import { decodeMark, encodeMark, type VoteMark } from '../finality/vote-mark.ts'
import type { Store, Write } from '../replica/effects.ts'
import { KEYS } from '../replica/records.ts'
import type { DurableStore } from './performer.ts'

/** The key of the record that is not in the database. */
const MARK_KEY = `${KEYS.finality}${COMMITTEE_KEYS.mark}`

/** A database that can be closed. */
export interface ClosableStore extends Store, DurableStore {
  close(): Promise<void>
}

/** Where the mark is kept. */
export interface MarkFile {
  /** What the file held when it was opened; null for a new one. */
  readonly found: VoteMark | null
  /** Resolves when the mark is durable. One call at a time. */
  write(mark: VoteMark): Promise<void>
  close(): Promise<void>
}

/** The database and the file as one store. */
export class MarkedStore implements ClosableStore {
  readonly #database: ClosableStore
  readonly #file: MarkFile | null
  /** Staged, and not yet given to the file. */
  #staged: VoteMark | null = null

  /** Without a file the mark is a record as any other. */
  constructor(database: ClosableStore, file: MarkFile | null) {
    this.#database = database
    this.#file = file
  }

  get(key: string): Uint8Array | null {
    return this.#database.get(key)
  }

  /** Those of the database in their order, and the mark after them. */
  entries(prefix: string): Iterable<readonly [string, Uint8Array]> {
    const entries = this.#database.entries(prefix)
    const found = this.#file?.found ?? null
    if (found === null || !MARK_KEY.startsWith(prefix)) return entries
    return new Map([...entries, [MARK_KEY, encodeMark(found)]])
  }

  stage(writes: readonly Write[]): void {
    if (this.#file === null) return this.#database.stage(writes)
    for (const { key, value } of writes)
      if (key === MARK_KEY && value !== null) this.#staged = decodeMark(value)
    this.#database.stage(writes.filter(({ key }) => key !== MARK_KEY))
  }

  async flush(): Promise<void> {
    // What is staged meanwhile speaks of records that this flush does not write.
    const mark = this.#staged
    this.#staged = null
    await this.#database.flush()
    if (mark !== null) await this.#file?.write(mark)
  }

  async close(): Promise<void> {
    try {
      await this.#file?.close()
    } finally {
      await this.#database.close()
    }
  }
}
