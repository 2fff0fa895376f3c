// Delay: every message is sent, as late as possible without a view change for it. Such a primary makes all its views slow
// (A. Clement et al., "Aardvark", NSDI 2009).

import type { Lie, LieContext, Said } from './lie.ts'

/** The share of the timeout by which it is late: just early enough that no member leaves the view. */
const DELAY_SHARE = 0.9

/** Says everything late. */
export function delay({ wait }: LieContext): Lie {
  let held: Said[] = []
  return {
    say(said) {
      // It asks for its own votes in time: until it may vote it can delay no one.
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
