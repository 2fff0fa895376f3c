// The catalogue of log protocols: one line each. A new protocol is a folder beside pbft/ and a line here; all code
// above the protocols uses its kit.

import type { LogKit } from './kit.ts'
import { MULTI_PAXOS } from './multi-paxos/kit.ts'
import { PBFT, PBFT_LEADER_COLLECTED } from './pbft/kit.ts'

/** Every log protocol. */
export const LOG_PROTOCOLS: readonly LogKit[] = [PBFT, PBFT_LEADER_COLLECTED, MULTI_PAXOS]

/** The message patterns of PBFT, by the names that genesis files give them. */
export const PBFT_PATTERNS: ReadonlyMap<string, LogKit> = new Map([
  ['all-to-all', PBFT],
  ['leader-collected', PBFT_LEADER_COLLECTED],
])
