// Gathers what one step of a state machine wants done: all that is to be persisted first, then the rest in order, so that
// no message can stand before a record that it depends on.

/** The effects of one step in the making. */
export class Outbox<Value, Effect extends { readonly type: string }> {
  readonly #persist: (writes: readonly (readonly [key: string, value: Value | null])[]) => Effect[]
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

  /** Takes back what was written to a key. */
  retract(key: string): void {
    this.#writes.delete(key)
  }

  /** What this step has written to a key, null where it removes it, or undefined where it writes nothing. */
  written(key: string): Value | null | undefined {
    return this.#writes.get(key)
  }

  emit(effect: Exclude<Effect, { readonly type: 'persist' }>): void {
    this.#effects.push(effect)
  }

  /** All that was gathered; the outbox is empty afterwards. */
  take(): Effect[] {
    const persists = this.#writes.size === 0 ? [] : this.#persist([...this.#writes])
    const effects = this.#effects
    this.#writes = new Map()
    this.#effects = []
    return [...persists, ...effects]
  }
}
