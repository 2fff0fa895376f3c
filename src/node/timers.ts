// Timers by name, as the contract of a replica wants them: setting one again replaces it, and one that was
// cleared or replaced never fires.

/** The timers that run. */
export class Timers<Name extends string> {
  readonly #running = new Map<Name, NodeJS.Timeout>()
  readonly #onTimeout: (name: Name) => void

  constructor(onTimeout: (name: Name) => void) {
    this.#onTimeout = onTimeout
  }

  /** Lets the timer fire once, after so many milliseconds. */
  set(name: Name, delayMs: number): void {
    this.clear(name)
    const fire = () => {
      this.#running.delete(name)
      this.#onTimeout(name)
    }
    this.#running.set(name, setTimeout(fire, delayMs))
  }

  /** Stops the timer if it runs. */
  clear(name: Name): void {
    clearTimeout(this.#running.get(name))
    this.#running.delete(name)
  }

  /** Stops all timers. */
  clearAll(): void {
    for (const timer of this.#running.values()) clearTimeout(timer)
    this.#running.clear()
  }
}
