// Long work in steps: a generator that yields where it may be interrupted. An event loop runs other tasks between the steps;
// pure code runs it at once.

/** Work that yields now and then, and returns its result. */
export type Steps<T> = Generator<void, T, void>

/** Runs the work to its end and returns the result. */
export function finish<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next()
    if (done === true) return value
  }
}
