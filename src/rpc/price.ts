// What a call may cost. Its time is measured, and its address owes it (client-scheduler.ts); here is what cannot be
// seen by the clock of a call: how much it may read from the disk, and what it leaves to be done when it has answered.

import { EARLIER_STATES } from '../replica/undo.ts'

/** The price of a method. */
export interface Price {
  /** Records of the database that one call reads at most, with any parameters. */
  readonly reads: number
  /** Milliseconds of the event loop that follow when it has answered. */
  readonly laterMs: number
}

const A_BLOCK = 5

/** All prices there are. */
export const PRICES = {
  /** It is answered from memory. */
  memory: { reads: 0, laterMs: 0 },
  /** It looks at a block or two, or at what leads to them. */
  blocks: { reads: 2 * A_BLOCK, laterMs: 0 },
  /** It looks at the last twenty blocks, once for each head. */
  tip: { reads: 20 * A_BLOCK, laterMs: 0 },
  /** It looks at an earlier state: which are kept, once in a node's life, and then at what blocks took from it. */
  state: { reads: A_BLOCK + 2 * (EARLIER_STATES + 1), laterMs: 0 },
  /** It reads the headers between a block and its certificate. */
  headers: { reads: 2_000 + 2 * A_BLOCK, laterMs: 0 },
  /** It reads up to 1,024 blocks; what it has read it remembers. */
  fees: { reads: 1_024 * A_BLOCK, laterMs: 0 },
  /** A transaction is checked, kept and passed on; its signature is recovered off the event loop. */
  submission: { reads: 0, laterMs: 0.15 },
} as const satisfies { readonly [name: string]: Price }
