// The part of an experiment in which the leader is killed under load: how long blocks and finality pause, and whether what
// was acknowledged is lost when it is back.

import type { Stage } from '../stage/stage.ts'
import { submitAll } from '../stage/submit-all.ts'
import type { ExperimentParts } from './experiment.ts'
import type { LeaderKilled } from './measurement.ts'
import { longestPause } from './percentiles.ts'

/** Seconds of load around the death of the leader, and how long before it the load begins. */
const KILL_LOAD_SECONDS = 3
const KILL_AFTER_MS = 1_000

/** Kills the leader under load, waits, starts it again, and returns what was seen. */
export async function measureLeaderKilled(parts: ExperimentParts): Promise<LeaderKilled> {
  const { faultRate, stage, watch, workload } = parts
  const { timeline } = stage
  const planned = workload.plan(faultRate * KILL_LOAD_SECONDS)
  const submitting = submitAll(stage, planned, { nodes: stage.nodes(), rate: faultRate })
  await stage.sleep(KILL_AFTER_MS)
  const leader = await stage.leader()
  await stage.kill(leader)
  const killedMs = stage.nowMs()
  const submitted = await submitting
  const survivors = stage.nodes()
  // What only the dead node had comes back with it, not before.
  const elsewhere = submitted.filter(({ node }) => node !== leader)
  await watch.untilFinal(elsewhere)
  const seen = elsewhere.map(({ id }) => timeline.earliest(survivors, id))
  const progress = timeline.progress(survivors)
  const pause = (endMs: number, moments: readonly number[]): number | null =>
    moments.some(moment => moment > killedMs) ? longestPause(killedMs, endMs, moments) : null
  const lastIncludedMs = lastOf(
    stage,
    seen.map(sighting => sighting?.includedMs ?? null),
  )
  const lastFinalMs = lastOf(
    stage,
    seen.map(sighting => sighting?.finalMs ?? null),
  )
  const blockPauseMs = pause(lastIncludedMs, progress.newBlockMs)
  const finalityPauseMs = pause(lastFinalMs, progress.newFinalMs)
  await stage.restart(leader)
  const acknowledged = submitted.filter(({ isAcknowledged }) => isAcknowledged)
  await watch.untilFinal(acknowledged)
  return {
    node: leader + 1,
    blockPauseMs,
    finalityPauseMs,
    lost: acknowledged.filter(({ id }) => !watch.isFinalOn(stage.nodes(), id)).length,
    acknowledged: acknowledged.length,
  }
}

/** The last of these moments, or now if one has not come. */
function lastOf(stage: Stage, moments: readonly (number | null)[]): number {
  const known = moments.filter(moment => moment !== null)
  return known.length === moments.length ? Math.max(...known) : stage.nowMs()
}
