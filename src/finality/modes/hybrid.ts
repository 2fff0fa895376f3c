// The mode `hybrid`: blocks are mined, and validators finalise them below the head (PBFT). Which blocks they may decide
// on is in ../mined-block-policy.ts.

import { PBFT_PATTERNS } from '../../consensus/catalogue.ts'
import { MinedBlockPolicy } from '../mined-block-policy.ts'
import { createCommittee, PATTERN, TIMEOUT, VALIDATORS } from './committee-mode.ts'
import type { CountSetting, FinalityMode } from './mode.ts'

const DEPTH: CountSetting = {
  type: 'count',
  name: 'depth',
  option: 'depth',
  help: 'Blocks on top of one that may become final',
  min: 0,
  max: 1_000,
  default: 2,
}

const INTERVAL: CountSetting = {
  type: 'count',
  name: 'interval',
  option: 'interval',
  help: 'Blocks between two that validators vote on',
  min: 1,
  max: 1_000,
  default: 1,
}

/** Finality by agreement on mined blocks. */
export const HYBRID: FinalityMode = {
  name: 'hybrid',
  isMined: true,
  hasValidators: true,
  protocols: PBFT_PATTERNS,
  settings: [PATTERN, VALIDATORS, TIMEOUT, DEPTH, INTERVAL],
  finalWhen: 'by certificate',
  finalMeans: ({ depth }) => `n − f signatures over a mined block, ${depth} deep`,
  describe: ({ pattern, depth, interval }) =>
    `${HYBRID.name}, ${pattern}: validators vote on mined blocks ${depth} below the head, at least ${interval} apart`,
  describePace: () => null,
  create: (settings, setup) => {
    const depth = settings.integer(DEPTH.name, DEPTH)
    const interval = settings.integer(INTERVAL.name, INTERVAL)
    return createCommittee(settings, setup, {
      protocols: HYBRID.protocols,
      policy: new MinedBlockPolicy({ depth, interval }),
    })
  },
}
