// Silence: a member that receives everything and sends nothing, as one that has crashed, but for good. Any f members may
// be like that.

import type { Lie } from './lie.ts'

/** Says nothing. */
export function silent(): Lie {
  return { say: () => [] }
}
