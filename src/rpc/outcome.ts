// What a method gives back: its answer, a promise of it, or work in slices that ends with it. A promise is for what is done
// elsewhere; what the event loop has to do is cut into slices, so that it is priced and others have their turn in between.

import type { Json } from '../encoding/fields.ts'

/** Work that is too long for one turn of the event loop: each step is short, and the last gives the answer. */
export class Slices {
  readonly steps: Generator<void, Json>

  constructor(steps: Generator<void, Json>) {
    this.steps = steps
  }
}

/** The answer to a call, now or later. */
export type Outcome = Json | Promise<Json> | Slices
