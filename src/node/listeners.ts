// Listeners to one kind of event. What a listener throws is reported and stops nothing: a fault in a subscription is no
// fault of the node.

/** The listeners to values of one type. */
export class Listeners<T> {
  readonly #listeners = new Set<(value: T) => void>()
  readonly #onError: (error: unknown) => void

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError
  }

  /** Calls the listener with every value from now on, until the returned function is called. */
  add(listener: (value: T) => void): () => void {
    // A function of its own, so that a listener that is added twice is also removed twice.
    const own = (value: T) => listener(value)
    this.#listeners.add(own)
    return () => {
      this.#listeners.delete(own)
    }
  }

  /** Calls every listener. */
  emit(value: T): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(value)
      } catch (error) {
        this.#onError(error)
      }
    }
  }
}
