// The mode `longest-chain`: blocks are mined, there are no validators, and the branch with the most work counts. Its rules
// are in ../longest-chain.ts.

import { LongestChain } from '../longest-chain.ts'
import type { CountSetting, FinalityMode } from './mode.ts'

/**
 * A branch is fetched only when the headers of one answer, 2,000, hold more work than ours: the fork must not be
 * much further back than half of that.
 */
const DEPTH_MAX = 1_000

/** A genesis file may leave it out. */
const DEPTH: CountSetting = {
  type: 'count',
  name: 'depth',
  option: 'depth',
  help: 'Blocks on top of one that may become final',
  min: 1,
  max: DEPTH_MAX,
  default: 256,
}

/** Finality by work alone. */
export const LONGEST_CHAIN: FinalityMode = {
  name: 'longest-chain',
  isMined: true,
  hasValidators: false,
  protocols: new Map(),
  settings: [DEPTH],
  finalWhen: 'deeper than any branch is followed',
  finalMeans: ({ depth = DEPTH.default }) => `${depth} blocks deep`,
  describe: ({ depth = DEPTH.default }) =>
    `${LONGEST_CHAIN.name}: most work; a node follows no branch that leaves its own more than ${depth} blocks down`,
  describePace: () => null,
  create: settings => {
    const depth = settings.has(DEPTH.name) ? settings.integer(DEPTH.name, DEPTH) : DEPTH.default
    settings.end()
    return new LongestChain(depth)
  },
}
