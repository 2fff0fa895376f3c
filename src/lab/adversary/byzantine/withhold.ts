// Withholding: every message is sent to every second member only. The rest has to learn it from those, and a view may go
// well for one half and fail for the other.

import { tell } from './audience.ts'
import type { Lie, LieContext } from './lie.ts'

/** Speaks to one half only. */
export function withhold({ audience }: LieContext): Lie {
  return { say: ({ message }) => tell(audience.half(0), message) }
}
