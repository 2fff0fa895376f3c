// Gathers what one step of a state machine wants done: all that is to be persisted first, then the rest in order, so that
// no message can stand before a record that it depends on.

/** The effects of one step in the making. */
export class Outbox<Value, Effect extends { readonly type: string }> {
  readonly #persist: (writes: readonly (readonly [key: string, value: Value | null])[]) => Effect[]
  /** Writes before all of `#writes`, in their order. */
  #earlier: (readonly [key: string, value: Value | null])[] = []
  #writes = new Map<string, Value | null>()
  #effects: Effect[] = []

  /** `persist` gives the effects that make these writes durable; it is not asked for none. */
  constructor(persist: (writes: readonly (readonly [key: string, value: Value | null])[]) => Effect[]) {
    this.#persist = persist
  }

  /** Persists a value, or (null) removes it. Of several writes to one key the last one counts, in the place of the first. */
  write(key: string, value: Value | null): void {
    this.#writes.set(key, value)
  }

  /**
   * Persists a value, or (null) removes it, after all that was written before. An earlier write to the key is replaced, unless
   * another key was removed since: a crash between the two must not find neither the other record nor this one.
   */
  writeLast(key: string, value: Value | null): void {
    if (this.#writes.has(key)) {
      const keys = [...this.#writes.keys()]
      const isNeeded = keys.slice(keys.indexOf(key) + 1).some(later => this.#writes.get(later) === null)
      if (isNeeded) this.#earlier.push(...this.#writes.entries())
      if (isNeeded) this.#writes.clear()
      else this.#writes.delete(key)
    }
    this.#writes.set(key, value)
  }

  /** What this step has written to a key, null where it removes it, or undefined where it writes nothing. */
  written(key: string): Value | null | undefined {
    const value = this.#writes.get(key)
    return value === undefined ? this.#earlier.findLast(([earlier]) => earlier === key)?.[1] : value
  }

  emit(effect: Exclude<Effect, { readonly type: 'persist' }>): void {
    this.#effects.push(effect)
  }

  /** All that was gathered; the outbox is empty afterwards. */
  take(): Effect[] {
    const writes = [...this.#earlier, ...this.#writes]
    const persists = writes.length === 0 ? [] : this.#persist(writes)
    const effects = this.#effects
    this.#earlier = []
    this.#writes = new Map()
    this.#effects = []
    return [...persists, ...effects]
  }
}
