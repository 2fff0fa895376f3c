// Undercutting: where blocks are mined, its turn is spent on a candidate that nobody honest would propose, the lowest
// there is, on a side branch where there is one. In all else it is honest: if voters do not check how deep a candidate
// lies, and under how much work, then one such member takes all blocks above it from the chain.

import type { Lie, LieContext } from './lie.ts'

/** Proposes the lowest block that can follow the last decision. */
export function undercut({ lowest }: LieContext): Lie {
  return {
    propose: value => lowest() ?? value,
    say: said => [said],
  }
}
