// The first phase of a run: nodes mine, validators vote and clients pay while everything of the plan goes wrong, until
// the height that was asked for. Nothing may break meanwhile; being late is excused only where validators agree.

import { Violation } from '../oracle/violation.ts'
import type { Run } from './run.ts'

/** Milliseconds of faults at most, besides three block times for each block, where validators agree. */
const CHAOS_MS = 20_000
/** Milliseconds until the height is reached, besides twenty block times for each block, where work decides. */
const SLACK_MS = 600_000

/** Lets the run reach its height, with all its faults. */
export function runSafety(run: Run): void {
  const { agreement, blockTimeMs, clients, faults, hostile, nodes, options, schedule, strangers } = run
  const { blocks, transfers } = options
  const plannedMs = blocks * blockTimeMs
  for (const node of nodes) run.start(node)
  clients.start(transfers === 0 ? Number.POSITIVE_INFINITY : plannedMs / transfers)
  hostile?.start()
  strangers?.start(nodes)
  faults.start(nodes, plannedMs)
  const budgetMs = agreement === null ? plannedMs * 20 + SLACK_MS : plannedMs * 3 + CHAOS_MS
  // An event at the very end of the budget: without it the check would wait for the next event.
  schedule.after(budgetMs, () => {})
  let reported = 0
  while (run.height < blocks || clients.submitted < transfers) {
    run.advance()
    if (schedule.nowMs >= budgetMs) {
      // Faults may keep validators from agreeing as long as they last.
      if (agreement !== null) return
      throw new Violation('L1', `height ${run.height} of ${blocks} after ${budgetMs} ms`)
    }
    if (run.height <= reported) continue
    reported = run.height
    options.onProgress?.(reported)
  }
}
