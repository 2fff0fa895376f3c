// The names of a committee's timers. Those of its protocol have a prefix, so that no protocol can choose a name that is the
// committee's own.

import type { FinalityTimer } from './contract.ts'

/** The timer that fires when there may be something to propose. */
export const PACE: FinalityTimer = 'pace'

const PROTOCOL = 'protocol/'

/** The committee's name for a timer of its protocol. */
export function protocolTimer(name: string): FinalityTimer {
  return PROTOCOL + name
}

/** The protocol's own name for a timer; null for one that is not the protocol's. */
export function nameInProtocol(timer: FinalityTimer): string | null {
  return timer.startsWith(PROTOCOL) ? timer.slice(PROTOCOL.length) : null
}
