// Inputs of a state machine, handled one after the other. To perform the effects of a step can give rise to another input:
// if that were handled at once, the rest of the earlier step could clear a timer that the later one has set.

/** Inputs that wait while another is handled. */
export class InputQueue<Input> {
  /** The first is being handled. */
  readonly #inputs: Input[] = []
  readonly #handle: (input: Input) => void

  constructor(handle: (input: Input) => void) {
    this.#handle = handle
  }

  /** Handles an input, then those that arose meanwhile. While another input is handled this one only joins the queue. */
  add(input: Input): void {
    this.#inputs.push(input)
    if (this.#inputs.length > 1) return
    for (let next = this.#inputs[0]; next !== undefined; next = this.#inputs[0]) {
      this.#handle(next)
      this.#inputs.shift()
    }
  }
}
