// What a host does once a second: each chore runs in every tick, also when another one fails.
// A chore gets the number of the tick, for what is done more rarely.

import { type FaultLog, guarded } from '../defence/guarded.ts'

const TICK_MS = 1_000

/** Runs the chores once in each tick, until the timer is cleared. A chore must not throw: it is a guarded function. */
export function startChores(log: FaultLog, chores: readonly ((ticks: number) => void)[]): NodeJS.Timeout {
  let ticks = 0
  const tick = () => {
    ticks += 1
    for (const chore of chores) chore(ticks)
  }
  return setInterval(guarded(log, 'a tick', tick), TICK_MS)
}
