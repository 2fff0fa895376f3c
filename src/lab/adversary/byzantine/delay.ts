// Delay: everything is said, and as late as it can be without anybody's leaving the view for it. Such a member makes all
// slow whose turn it is to wait for it (A. Clement et al., "Aardvark", NSDI 2009).

import type { Lie, LieContext, Said } from './lie.ts'

/** The share of the timeout by which it is late: just in time for nobody to leave. */
const DELAY_SHARE = 0.9

/** Says everything late. */
export function delay({ wait }: LieContext): Lie {
  let held: Said[] = []
  return {
    say(said) {
      // It asks for its own votes in time: until it may vote it makes nobody slow.
      if (said.message.type === 'query') return [said]
      held.push(said)
      return wait(DELAY_SHARE)
    },
    timeout() {
      const late = held
      held = []
      return late
    },
  }
}
