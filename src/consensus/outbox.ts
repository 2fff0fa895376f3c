// Gathers what one step of a protocol wants done: all that is to be persisted first, then the rest in order, so that
// no message can stand before a record that it depends on.

import type { ProtocolEffect } from './contract.ts'

/** The effects of one step in the making. */
export class ProtocolOutbox<Message, Record> {
  #records = new Map<string, Record | null>()
  #effects: ProtocolEffect<Message, Record>[] = []

  /** Wants a record kept; the last one under a key counts, and where it was asked for. */
  persist(key: string, record: Record | null): void {
    this.#records.delete(key)
    this.#records.set(key, record)
  }

  emit(effect: Exclude<ProtocolEffect<Message, Record>, { type: 'persist' }>): void {
    this.#effects.push(effect)
  }

  /** All that was gathered; the outbox is empty afterwards. */
  take(): ProtocolEffect<Message, Record>[] {
    const records = [...this.#records].map(([key, record]) => ({ type: 'persist' as const, key, record }))
    const effects = this.#effects
    this.#records = new Map()
    this.#effects = []
    return [...records, ...effects]
  }
}
