// A map of bounded size. Whatever a peer can make grow needs a bound, and the oldest entry is the one to lose: it was set
// longest ago. Setting an entry again makes it the newest; reading it does not.

/** A map that evicts its oldest entry when a new one would exceed the bound. */
export class BoundedMap<K, V> {
  readonly #entries = new Map<K, V>()
  readonly #sizeMax: number

  constructor(sizeMax: number) {
    this.#sizeMax = sizeMax
  }

  get size(): number {
    return this.#entries.size
  }

  get(key: K): V | undefined {
    return this.#entries.get(key)
  }

  has(key: K): boolean {
    return this.#entries.has(key)
  }

  /** Sets the value and counts the entry as the newest. */
  set(key: K, value: V): void {
    this.#entries.delete(key)
    this.#entries.set(key, value)
    if (this.#entries.size <= this.#sizeMax) return
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest)
      return
    }
  }

  /** The values, the oldest entry first. An entry may be deleted while they are iterated. */
  values(): MapIterator<V> {
    return this.#entries.values()
  }

  delete(key: K): void {
    this.#entries.delete(key)
  }
}
