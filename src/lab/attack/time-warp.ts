// Time-warping: a miner who makes every block lies about when, to make work easier. Against ASERT it gains no more than
// the limit on the future; against a retarget every 2,016 blocks, as Bitcoin's, it makes work as easy as it likes (BIP 54:
// the interval from the last block of a period to the first of the next is in no period).
//
// Both are played by expectation: a block takes the seconds that its target takes on average. The twin is naive on
// purpose: it stands for the rule that this chain does not have.

import { decodeCompact, workOfTarget } from '../../chain/compact.ts'
import { type ChainedHeader, requiredBits, type WorkRules } from '../../chain/header-chain.ts'
import { medianTimePast } from '../../chain/median-time-past.ts'
import { GENESIS_TIME, rootOf } from './header-miner.ts'

/** How the time of a block is chosen, from the earliest that the rules allow, 0, to the latest, 1, by its height. */
export interface TimeStrategy {
  readonly name: string
  choose(height: number): number
}

/** What a strategy gained. */
export interface TimeWarpRow {
  readonly rule: 'asert' | 'retarget-2016'
  readonly strategy: string
  /** Blocks that the schedule asks for in the time, and those that were made. */
  readonly due: number
  readonly mined: number
  /** The most that the rule should let a miner make; null where it sets no bound. */
  readonly bound: number | null
  /** How many times easier than at the start a block became at most. */
  readonly easiest: number
}

/** What was measured, and for how long. */
export interface TimeWarpTable {
  readonly days: number
  readonly rows: readonly TimeWarpRow[]
}

/** A retarget happens every so many blocks. */
const PERIOD = 2_016
const STRATEGIES: readonly TimeStrategy[] = [
  { name: 'honest: the hour', choose: () => Number.NaN },
  { name: 'always the latest', choose: () => 1 },
  { name: 'always the earliest', choose: () => 0 },
  { name: 'the earliest, every sixth the latest', choose: height => (height % 6 === 0 ? 1 : 0) },
  {
    name: 'the earliest five times, the latest six times',
    choose: height => (height % 11 < 5 ? 0 : 1),
  },
  {
    name: 'the earliest, the last of a period the latest',
    choose: height => (height % PERIOD === PERIOD - 1 ? 1 : 0),
  },
]

/** Bitcoin's figures, so that both rules answer the same question: ten minutes, two hours, two days. */
const RULES: WorkRules = {
  isProved: true,
  firstTarget: 2n ** 200n,
  targetMax: 2n ** 255n,
  blockTimeSeconds: 600,
  halfLifeSeconds: 172_800,
  futureLimitSeconds: 7_200,
}

/** Plays every strategy against both rules for so many days. The twin stops where it has made ten times what is due. */
export function warpTime(days: number, onProgress: (done: number) => void = () => {}): TimeWarpTable {
  const rows = STRATEGIES.flatMap((strategy, index) => {
    const pair = [warpAsert(strategy, days), warpRetarget(strategy, days)]
    onProgress(index + 1)
    return pair
  })
  return { days, rows }
}

/** Strategies that `warpTime` plays. */
export const STRATEGY_COUNT = STRATEGIES.length

function warpAsert(strategy: TimeStrategy, days: number): TimeWarpRow {
  const start = GENESIS_TIME
  const seconds = days * 86_400
  const { blockTimeSeconds, futureLimitSeconds, firstTarget } = RULES
  const firstWork = Number(workOfTarget(firstTarget))
  let now = start
  let easiest = 1
  let tip = chainStart(start)
  for (;;) {
    const ease = firstWork / Number(workOfTarget(decodeCompact(requiredBits(RULES, tip))!))
    easiest = Math.max(easiest, ease)
    now += blockTimeSeconds / ease
    if (now > start + seconds) break
    tip = withTime(tip, chooseTime(strategy, tip, { now, height: tip.height + 1 }))
  }
  const due = Math.floor(seconds / blockTimeSeconds)
  // With a time t the target is firstTarget * 2^((t - start - T h) / halfLife), and t is at most the limit ahead.
  const bound = (seconds + futureLimitSeconds) / blockTimeSeconds + 3
  return { rule: 'asert', strategy: strategy.name, due, mined: tip.height - 1, bound, easiest }
}

function warpRetarget(strategy: TimeStrategy, days: number): TimeWarpRow {
  const start = GENESIS_TIME
  const seconds = days * 86_400
  const { blockTimeSeconds } = RULES
  const due = Math.floor(seconds / blockTimeSeconds)
  let now = start
  let ease = 1
  let easiest = 1
  let firstOfPeriod = start
  let tip = { ...chainStart(start), height: 0 }
  while (tip.height < 10 * due) {
    now += blockTimeSeconds / ease
    if (now > start + seconds) break
    const height = tip.height + 1
    if (height % PERIOD === 0) {
      // The off-by-one of BIP 54: from the first block of the period to its last, which is one interval too few.
      const taken = (tip.header.time - firstOfPeriod) / (PERIOD * blockTimeSeconds)
      ease *= Math.min(4, Math.max(1 / 4, taken))
      easiest = Math.max(easiest, ease)
    }
    tip = withTime(tip, chooseTime(strategy, tip, { now, height }))
    if (height % PERIOD === 0) firstOfPeriod = tip.header.time
  }
  return {
    rule: 'retarget-2016',
    strategy: strategy.name,
    due,
    mined: tip.height,
    bound: null,
    easiest,
  }
}

function chooseTime(
  strategy: TimeStrategy,
  parent: ChainedHeader,
  { now, height }: { now: number; height: number },
): number {
  const earliest = medianTimePast(parent) + 1
  const latest = Math.max(earliest, Math.floor(now) + RULES.futureLimitSeconds)
  const choice = strategy.choose(height)
  if (Number.isNaN(choice)) return Math.max(earliest, Math.floor(now))
  return earliest + Math.floor((latest - earliest) * choice)
}

function chainStart(time: number): ChainedHeader {
  const header = { version: 1, previous: rootOf(0), merkleRoot: rootOf(0), time, bits: 0, nonce: 0 }
  const scheduleStart = time - RULES.blockTimeSeconds
  return { id: rootOf(0), header, height: 1, work: 0n, recentTimes: [time], scheduleStart }
}

/** The next header, of which only height and time matter here. */
function withTime(parent: ChainedHeader, time: number): ChainedHeader {
  const recentTimes = [...parent.recentTimes, time].slice(-11)
  return { ...parent, header: { ...parent.header, time }, height: parent.height + 1, recentTimes }
}
