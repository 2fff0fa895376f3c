// Gathers what one step of a process wants done: all that is to be persisted first, then the rest in order, so that
// no message can stand before a record that it depends on.

import type { Effect } from './process.ts'

/** The effects of one step in the making. */
export class Outbox<Message, Record, Output> {
  #records = new Map<string, Record | null>()
  #effects: Effect<Message, Record, Output>[] = []

  /** Persists a record; of several under one key the last one counts, in its place. */
  persist(key: string, record: Record | null): void {
    this.#records.delete(key)
    this.#records.set(key, record)
  }

  emit(effect: Exclude<Effect<Message, Record, Output>, { type: 'persist' }>): void {
    this.#effects.push(effect)
  }

  /** All that was gathered; the outbox is empty afterwards. */
  take(): Effect<Message, Record, Output>[] {
    const records = [...this.#records].map(([key, record]) => ({ type: 'persist' as const, key, record }))
    const effects = this.#effects
    this.#records = new Map()
    this.#effects = []
    return [...records, ...effects]
  }
}
