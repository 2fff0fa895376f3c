// The mode `pbft`: no blocks are mined, the validators take turns at proposing them, and each is final at once. When a
// block is proposed, and which may be decided on, is in ../next-block-policy.ts.

import { PBFT_PATTERNS } from '../../consensus/catalogue.ts'
import { NextBlockPolicy } from '../next-block-policy.ts'
import {
  BLOCK_INTERVAL,
  createCommittee,
  describeTurns,
  HEARTBEAT,
  PATTERN,
  TIMEOUT,
  VALIDATORS,
} from './committee-mode.ts'
import type { FinalityMode } from './mode.ts'

/** Finality by agreement on each block. */
export const PBFT: FinalityMode = {
  name: 'pbft',
  isMined: false,
  hasValidators: true,
  protocols: PBFT_PATTERNS,
  settings: [PATTERN, VALIDATORS, TIMEOUT, BLOCK_INTERVAL, HEARTBEAT],
  finalWhen: 'by certificate',
  finalMeans: () => 'n − f signatures over the block',
  describe: ({ pattern }) => `${PBFT.name}, ${pattern}: every block is final as soon as it is there`,
  describePace: describeTurns,
  create: (settings, setup) => {
    const intervalMs = settings.integer(BLOCK_INTERVAL.name, BLOCK_INTERVAL)
    const heartbeatSeconds = settings.isNull(HEARTBEAT.name)
      ? null
      : settings.integer(HEARTBEAT.name, HEARTBEAT)
    const { futureLimitSeconds } = setup.genesis.work
    return createCommittee(settings, setup, {
      protocols: PBFT.protocols,
      policy: new NextBlockPolicy({ intervalMs, heartbeatSeconds, futureLimitSeconds }),
    })
  },
}
