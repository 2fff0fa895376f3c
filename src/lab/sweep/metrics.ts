// The figures of a measurement that a sweep follows, by name and unit, for tables and for files that other programs read.
// Null stands for what did not happen, and is left out of the mean.

import type { Measurement } from '../compare/measurement.ts'

/** What a figure is counted in. */
export type Unit = 'ms' | 'per second' | 'count' | 'runs'

/** One figure. */
export interface Metric {
  /** For files: it never changes. */
  readonly name: string
  readonly label: string
  readonly unit: Unit
  readonly pick: (measurement: Measurement) => number | null
}

/** All that are followed, in the order of their tables. */
export const METRICS: readonly Metric[] = [
  metric('inclusion_p50_ms', 'in a block after, p50', 'ms', ({ quiet }) => quiet.inclusionMs?.p50 ?? null),
  metric('finality_p50_ms', 'final after, p50', 'ms', ({ quiet }) => quiet.finalityMs?.p50 ?? null),
  metric('finality_p95_ms', 'final after, p95', 'ms', ({ quiet }) => quiet.finalityMs?.p95 ?? null),
  metric('final_per_second', 'final per second', 'per second', ({ quiet }) => quiet.finalPerSecond),
  metric('never_final', 'submitted, never final', 'count', ({ quiet }) => quiet.submitted - quiet.final),
  metric(
    'messages_per_transfer',
    'messages a transfer',
    'count',
    ({ quiet }) => quiet.cost.messagesPerTransfer,
  ),
  metric('messages_per_block', 'messages a block', 'count', ({ quiet }) => quiet.cost.messagesPerBlock),
  metric('bytes_per_transfer', 'bytes a transfer', 'count', ({ quiet }) => quiet.cost.bytesPerTransfer),
  metric('hashes_per_transfer', 'hashes a transfer', 'count', ({ quiet }) => quiet.cost.hashesPerTransfer),
  metric(
    'signatures_per_transfer',
    'signatures a transfer',
    'count',
    ({ quiet }) => quiet.cost.signaturesPerTransfer,
  ),
  metric('stale_blocks', 'stale blocks', 'count', ({ quiet }) => quiet.staleBlocks),
  metric(
    'killed_finality_pause_ms',
    'leader killed: nothing final for',
    'ms',
    ({ leaderKilled }) => leaderKilled?.finalityPauseMs ?? null,
  ),
  metric(
    'killed_lost',
    'leader killed: transfers lost',
    'count',
    ({ leaderKilled }) => leaderKilled?.lost ?? null,
  ),
  metric('cut_forked', 'cut in half: runs that forked', 'runs', ({ cut }) =>
    cut === null ? null : Number(cut.isForked),
  ),
  metric('cut_reversed', 'cut in half: final, then reversed', 'count', ({ cut }) => cut?.reversed ?? null),
  metric(
    'cut_final_again_ms',
    'cut in half: final again after',
    'ms',
    ({ cut }) => cut?.finalAgainAfterMs ?? null,
  ),
]

function metric(name: string, label: string, unit: Unit, pick: Metric['pick']): Metric {
  return { name, label, unit, pick }
}
