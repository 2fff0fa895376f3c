// Withholding: everything is said to every second member only. Those know what the rest has to learn from them, and a
// view may go well for the one half and fail for the other.

import { tell } from './audience.ts'
import type { Lie, LieContext } from './lie.ts'

/** Speaks to one half only. */
export function withhold({ audience }: LieContext): Lie {
  return { say: ({ message }) => tell(audience.half(0), message) }
}
