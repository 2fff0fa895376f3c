// Work that may be long, in steps: a generator that yields where it may be interrupted. Whoever has no hurry runs it to its end
// with others in between; pure code, and whoever has nothing else to do, runs it at once.

/** Work that yields now and then, and returns its result. */
export type Steps<T> = Generator<void, T, void>

/** The result of work that is done at once. */
export function finish<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next()
    if (done === true) return value
  }
}
