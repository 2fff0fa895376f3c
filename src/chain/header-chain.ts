// Headers in context: what a header must be to follow its parent, and how much work a chain of them holds.
//
// The rules, in the order of their cost: the parent that it names, target as computed for that parent (ASERT), work below
// the target, time above the median of the last eleven (Bitcoin's median-time-past, against time-warping), time not beyond
// the limit on the future. The chain with the most work counts, never the longest.

import { type AsertParams, asertTarget } from './asert.ts'
import { decodeCompact, encodeCompact, workOfTarget } from './compact.ts'
import { type BlockHeader, type BlockId, blockId, meetsTarget } from './header.ts'
import { medianTimePast, nextRecentTimes, type RecentTimes } from './median-time-past.ts'

/** What makes the headers of one network valid. */
export interface WorkRules extends AsertParams {
  /** Whether headers must hold work. Where they need not, something else must say which of them count. */
  readonly isProved: boolean
  /** The target of block 1, from which ASERT starts. */
  readonly firstTarget: bigint
  /** Seconds that a block's time may be ahead of the reader's clock. */
  readonly futureLimitSeconds: number
}

/** A header with its place in the chain. */
export interface ChainedHeader extends RecentTimes {
  readonly id: BlockId
  readonly header: BlockHeader
  readonly height: number
  /** Hashes expected for the whole chain up to here. */
  readonly work: bigint
  /**
   * Seconds: when the schedule of this chain began, one block time before block 1. It does not begin with the
   * genesis block, because a genesis file may be much older than the first block mined from it.
   */
  readonly scheduleStart: number
}

/** Why a header can't follow its parent. Only the last may pass with time. */
export type HeaderRejection =
  | 'header-parent-wrong'
  | 'header-bits-wrong'
  | 'header-work-insufficient'
  | 'header-time-too-old'
  | 'header-time-too-new'

/** The header as the child of `parent`, or why it can't be. `nowSeconds` is the reader's clock. */
export function chainHeader(
  rules: WorkRules,
  parent: ChainedHeader,
  header: BlockHeader,
  nowSeconds: number,
): ChainedHeader | HeaderRejection {
  if (header.previous !== parent.id) return 'header-parent-wrong'
  if (header.bits !== requiredBits(rules, parent)) return 'header-bits-wrong'
  const id = blockId(header)
  const target = decodeCompact(header.bits)
  if (target === null || (rules.isProved && !meetsTarget(id, target))) return 'header-work-insufficient'
  if (header.time <= medianTimePast(parent)) return 'header-time-too-old'
  if (isTimeTooNew(rules, header, nowSeconds)) return 'header-time-too-new'
  return {
    id,
    header,
    height: parent.height + 1,
    work: parent.work + workOfTarget(target),
    recentTimes: nextRecentTimes(parent, header.time),
    scheduleStart: parent.height === 0 ? header.time - rules.blockTimeSeconds : parent.scheduleStart,
  }
}

/** Whether a header is further ahead of the reader's clock than this network allows: the one rule that passes with time. */
export function isTimeTooNew(
  { futureLimitSeconds }: Pick<WorkRules, 'futureLimitSeconds'>,
  header: BlockHeader,
  nowSeconds: number,
): boolean {
  return header.time > nowSeconds + futureLimitSeconds
}

/**
 * Whether a header out of context holds at least the least work that this network allows: nothing comes for free. Always
 * true where headers need no work.
 */
export function hasLeastWork({ isProved, targetMax }: WorkRules, header: BlockHeader): boolean {
  if (!isProved) return true
  const target = decodeCompact(header.bits)
  return target !== null && target <= targetMax && meetsTarget(blockId(header), target)
}

/** The header that a chain begins with. */
export function firstHeader(header: BlockHeader): ChainedHeader {
  return { id: blockId(header), header, height: 0, work: 0n, recentTimes: [header.time], scheduleStart: 0 }
}

/** The compact target that a child of this header must have. */
export function requiredBits(rules: WorkRules, parent: ChainedHeader): number {
  if (parent.height === 0 || !rules.isProved) return encodeCompact(rules.firstTarget)
  const anchor = { target: rules.firstTarget, parentTime: parent.scheduleStart, height: 1 }
  return encodeCompact(asertTarget(rules, anchor, { height: parent.height, time: parent.header.time }))
}
