// A disk that loses what was not synced: what level promises, and no more.
//
// Reads see every write that was handed over. A batch becomes durable as a whole when its sync ends; a crash
// before that takes it back, with everything after it. Each record has its seal (src/replica/record-seal.ts), as in the
// database of a node: a read of one that was damaged throws `CorruptStore`.

import type { Store, Write } from '../replica/effects.ts'
import { openRecord, sealRecord } from '../replica/record-seal.ts'

type Image = Map<string, Uint8Array>

/** The disk of one simulated node. */
export class Disk implements Store {
  #seen: Image = new Map()
  #durable: Image = new Map()
  /** What was durable when the disk was copied last. */
  #copy: Image = new Map()
  readonly #waiting: { readonly batch: readonly Write[]; readonly sealed: readonly Write[] }[] = []
  /** What a damaged record was made, by its key: until somebody writes it again it is just this. */
  readonly #damaged: Image = new Map()
  readonly #onDurable: (batch: readonly Write[]) => void

  /** `onDurable` is told of each batch that no crash can take back any more. */
  constructor(onDurable: (batch: readonly Write[]) => void = () => {}) {
    this.#onDurable = onDurable
  }

  get(key: string): Uint8Array | null {
    return read(this.#seen, key)
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
    return read(this.#durable, key)
  }

  /** Whether any record is not what was written, noticed or not. */
  get isDamaged(): boolean {
    return [...this.#damaged].some(([key, sealed]) => this.#durable.get(key) === sealed)
  }

  /** Batches that a crash would take back now. */
  get unsynced(): number {
    return this.#waiting.length
  }

  /** Takes a batch in; it is seen at once and durable after its turn of `sync`. */
  write(batch: readonly Write[]): void {
    const sealed = batch.map(({ key, value }) => ({
      key,
      value: value === null ? null : sealRecord(key, value),
    }))
    apply(this.#seen, sealed)
    this.#waiting.push({ batch, sealed })
  }

  /** Makes the oldest batch that is not durable so. */
  sync(): void {
    const next = this.#waiting.shift()
    if (next === undefined) return
    apply(this.#durable, next.sealed)
    this.#onDurable(next.batch)
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

  /** Goes back to what was copied last: a fault that no disk should have. */
  restore(): void {
    this.#waiting.length = 0
    this.#durable = new Map(this.#copy)
    this.#seen = new Map(this.#copy)
  }

  /**
   * Flips one bit of a durable record, counted from the first and on from there after the last: a fault that disks do
   * have. What is on its way to the disk is not touched by it.
   */
  damage(key: string, bit: number): void {
    const whole = this.#durable.get(key)
    if (whole === undefined) throw new RangeError(`there is no record ${key}`)
    const damaged = whole.slice()
    const place = bit % (damaged.length * 8)
    damaged[place >> 3]! ^= 1 << (place & 7)
    if (this.#seen.get(key) === whole) this.#seen.set(key, damaged)
    this.#durable.set(key, damaged)
    this.#damaged.set(key, damaged)
  }

  /** Loses all keys with this prefix, durable or not: a fault that no disk should have. */
  wipe(prefix: string): void {
    for (const image of [this.#seen, this.#durable])
      for (const key of [...image.keys()]) if (key.startsWith(prefix)) image.delete(key)
  }
}

function read(image: Image, key: string): Uint8Array | null {
  const sealed = image.get(key)
  return sealed === undefined ? null : openRecord(key, sealed)
}

function apply(image: Image, batch: readonly Write[]): void {
  for (const { key, value } of batch) {
    if (value === null) image.delete(key)
    else image.set(key, value)
  }
}
