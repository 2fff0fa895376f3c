// The undisturbed part of an experiment: how long transfers take to be included and to be final, and what that costs in
// messages, bytes, hashes and signatures.

import type { TotalCounters } from '../stage/stage.ts'
import { submitAll } from '../stage/submit-all.ts'
import type { ExperimentParts } from './experiment.ts'
import type { Cost, QuietPart } from './measurement.ts'
import { percentiles } from './percentiles.ts'

/** Milliseconds for which finality is waited for, where a block comes in `BLOCK_MS` or sooner. */
const QUIET_PATIENCE_MS = 30_000

/** Submits the transfers, waits until they are final, and returns what was seen. */
export async function measureQuiet(parts: ExperimentParts): Promise<QuietPart> {
  const { settings, stage, watch, workload } = parts
  const { timeline } = stage
  const planned = workload.plan(settings.transfers, { order: settings.senders ?? 'turns' })
  const before = await stage.counters()
  const lowest = watch.height()
  timeline.takeDeepestReorganisation()
  const submitted = await submitAll(stage, planned, { nodes: stage.nodes(), rate: settings.rate })
  // What every node refused, as full pools do, never becomes final: waiting for it would cost messages and hashes.
  const acknowledged = submitted.filter(({ isAcknowledged }) => isAcknowledged)
  await watch.untilFinal(acknowledged, QUIET_PATIENCE_MS)
  const after = await stage.counters()
  const sightings = submitted.map(({ id, node, submittedMs }) => ({
    submittedMs,
    ...(timeline.sighting(node, id) ?? { includedMs: null, finalMs: null }),
  }))
  const finals = sightings.filter(({ finalMs }) => finalMs !== null)
  const finalityTimesMs = finals
    .map(({ finalMs, submittedMs }) => finalMs! - submittedMs)
    .toSorted((a, b) => a - b)
  const began = Math.min(...submitted.map(({ submittedMs }) => submittedMs))
  const tookMs = Math.max(...finals.map(({ finalMs }) => finalMs!)) - began
  const blocks = watch.height() - lowest
  return {
    submitted: submitted.length,
    final: finals.length,
    inclusionMs: percentiles(
      sightings
        .filter(({ includedMs }) => includedMs !== null)
        .map(({ includedMs, submittedMs }) => includedMs! - submittedMs),
    ),
    finalityMs: percentiles(finalityTimesMs),
    finalityTimesMs,
    finalPerSecond: ratio(finals.length * 1_000, finals.length === 0 ? 0 : tookMs),
    cost: costOf(before, after, { transfers: finals.length, blocks }),
    blocks,
    staleBlocks: timeline.staleBlocks(stage.nodes()),
    deepestReorganisation: timeline.takeDeepestReorganisation(),
  }
}

function costOf(
  before: TotalCounters,
  after: TotalCounters,
  { transfers, blocks }: { readonly transfers: number; readonly blocks: number },
): Cost {
  return {
    messagesPerTransfer: ratio(after.messages - before.messages, transfers),
    bytesPerTransfer: ratio(after.bytes - before.bytes, transfers),
    messagesPerBlock: ratio(after.messages - before.messages, blocks),
    bytesPerBlock: ratio(after.bytes - before.bytes, blocks),
    hashesPerTransfer: ratio(after.hashes - before.hashes, transfers),
    signaturesPerTransfer: ratio(after.signatures - before.signatures, transfers),
  }
}

/** A quotient, null where there is nothing to divide by. */
function ratio(dividend: number, divisor: number): number | null {
  return divisor > 0 ? dividend / divisor : null
}
