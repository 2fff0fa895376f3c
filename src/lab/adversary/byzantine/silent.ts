// Silence: a member that hears everything and says nothing, as one that has crashed does, but for good. It is what the
// others must always be able to do without.

import type { Lie } from './lie.ts'

/** Says nothing. */
export function silent(): Lie {
  return { say: () => [] }
}
