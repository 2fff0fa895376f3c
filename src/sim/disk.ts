// A disk that loses what was not synced: what level promises, and no more.
//
// Reads see every write that was handed over. A batch becomes durable as a whole when its sync ends; a crash
// before that takes it back, with everything after it.

import type { Store, Write } from '../replica/effects.ts'

type Image = Map<string, Uint8Array>

/** The disk of one simulated node. */
export class Disk implements Store {
  #seen: Image = new Map()
  #durable: Image = new Map()
  /** What was durable when the disk was copied last. */
  #copy: Image = new Map()
  readonly #waiting: (readonly Write[])[] = []
  readonly #onDurable: (batch: readonly Write[]) => void

  /** `onDurable` is told of each batch that no crash can take back any more. */
  constructor(onDurable: (batch: readonly Write[]) => void = () => {}) {
    this.#onDurable = onDurable
  }

  get(key: string): Uint8Array | null {
    return this.#seen.get(key) ?? null
  }

  entries(prefix: string): Iterable<readonly [string, Uint8Array]> {
    return [...this.#seen].filter(([key]) => key.startsWith(prefix)).sort(([a], [b]) => (a < b ? -1 : 1))
  }

  /** Whether a key would survive a crash now. */
  isDurable(key: string): boolean {
    return this.#durable.has(key)
  }

  /** What a key would hold after a crash now. */
  durable(key: string): Uint8Array | null {
    return this.#durable.get(key) ?? null
  }

  /** Batches that a crash would take back now. */
  get unsynced(): number {
    return this.#waiting.length
  }

  /** Takes a batch in; it is seen at once and durable after its turn of `sync`. */
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

  /** Goes back to what was copied last: a fault that no disk should have. */
  restore(): void {
    this.#waiting.length = 0
    this.#durable = new Map(this.#copy)
    this.#seen = new Map(this.#copy)
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
