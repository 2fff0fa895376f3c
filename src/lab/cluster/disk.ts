// A disk that loses what was not synced: what level promises, and no more.
//
// Reads see every write that was handed over. A batch becomes durable as a whole when its sync ends; a crash
// before that takes it back, with everything after it. A record that is damaged has its seal (src/replica/record-seal.ts),
// as all have in the database of a node, and a read of it throws `CorruptStore`.

import type { Store, Write } from '../../replica/effects.ts'
import { openRecord, sealRecord } from '../../replica/record-seal.ts'

type Image = Map<string, Uint8Array>

/** The disk of one simulated node. */
export class Disk implements Store {
  #seen: Image = new Map()
  #durable: Image = new Map()
  /** What was durable when the disk was copied last. */
  #copy: Image = new Map()
  readonly #waiting: (readonly Write[])[] = []
  /** Damaged records under their seals, by what they were. */
  readonly #damaged = new Map<Uint8Array, Uint8Array>()
  readonly #onDurable: (batch: readonly Write[]) => void

  /** `onDurable` is called for each batch that no crash can take back any more. */
  constructor(onDurable: (batch: readonly Write[]) => void = () => {}) {
    this.#onDurable = onDurable
  }

  get(key: string): Uint8Array | null {
    return this.#read(this.#seen, key)
  }

  entries(prefix: string): Iterable<readonly [string, Uint8Array]> {
    return this.keys(prefix).map(key => [key, this.get(key)!])
  }

  /** The keys with this prefix, in their order; no record is read for them. */
  keys(prefix = ''): string[] {
    return [...this.#seen.keys()].filter(key => key.startsWith(prefix)).sort((a, b) => (a < b ? -1 : 1))
  }

  /** Whether a key would survive a crash now. */
  isDurable(key: string): boolean {
    return this.#durable.has(key)
  }

  /** What a key would hold after a crash now. */
  durable(key: string): Uint8Array | null {
    return this.#read(this.#durable, key)
  }

  /** Whether any record is not what was written, noticed or not. */
  get isDamaged(): boolean {
    return this.#damaged.size > 0 && [...this.#durable.values()].some(record => this.#damaged.has(record))
  }

  /** Batches that a crash would take back now. */
  get unsynced(): number {
    return this.#waiting.length
  }

  /** Writes a batch: it is seen at once, and durable after its turn of `sync`. */
  write(batch: readonly Write[]): void {
    apply(this.#seen, batch)
    this.#waiting.push(batch)
  }

  /** Makes the oldest batch that is not durable so. */
  sync(): void {
    const batch = this.#waiting.shift()
    if (batch === undefined) return
    apply(this.#durable, batch)
    this.#onDurable(batch)
  }

  /** Loses everything that is not durable, but for the oldest `kept` batches: they had reached the disk unnoticed. */
  crash(kept = 0): void {
    for (let count = 0; count < kept; count++) this.sync()
    this.#waiting.length = 0
    this.#seen = new Map(this.#durable)
  }

  /** Copies what is durable, as a backup does. */
  backUp(): void {
    this.#copy = new Map(this.#durable)
  }

  /** Goes back to what was copied last, but for these keys, which are kept elsewhere: a fault that no disk should have. */
  restore(elsewhere: readonly string[] = []): void {
    this.#waiting.length = 0
    const image = new Map(this.#copy)
    for (const key of elsewhere) {
      const value = this.#durable.get(key)
      if (value !== undefined) image.set(key, value)
    }
    this.#durable = image
    this.#seen = new Map(image)
  }

  /**
   * Flips one bit of a durable record, counted from the first and on from there after the last: a fault that disks do
   * have. What is on its way to the disk is not touched by it.
   */
  damage(key: string, bit: number): void {
    const record = this.#durable.get(key)
    if (record === undefined) throw new RangeError(`there is no record ${key}`)
    // Of its own, for another record may be the same memory.
    const damaged = record.slice()
    const sealed = this.#damaged.get(record)?.slice() ?? sealRecord(key, record)
    const place = bit % (sealed.length * 8)
    sealed[place >> 3]! ^= 1 << (place & 7)
    this.#damaged.set(damaged, sealed)
    if (this.#seen.get(key) === record) this.#seen.set(key, damaged)
    this.#durable.set(key, damaged)
  }

  #read(image: Image, key: string): Uint8Array | null {
    const record = image.get(key)
    if (record === undefined) return null
    const sealed = this.#damaged.get(record)
    return sealed === undefined ? record : openRecord(key, sealed)
  }

  /** Loses all keys with this prefix, durable or not: a fault that no disk should have. */
  wipe(prefix: string): void {
    for (const image of [this.#seen, this.#durable])
      for (const key of [...image.keys()]) if (key.startsWith(prefix)) image.delete(key)
  }
}

function apply(image: Image, batch: readonly Write[]): void {
  for (const { key, value } of batch) {
    if (value === null) image.delete(key)
    else image.set(key, value)
  }
}
