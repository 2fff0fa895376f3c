// The two kinds of stage that a comparison can be run on, real processes and simulated nodes, and what has to be known of
// each to read its figures.

import type { LinkParts } from '../stage/live-network.ts'
import { onLiveStage } from '../stage/live-stage.ts'
import { HASHES_PER_BLOCK, RECONNECT_MS } from '../stage/simulated-network.ts'
import { LATENCY_MS, onSimulatedStage } from '../stage/simulated-stage.ts'
import { BLOCK_MS, type BlockTime } from '../stage/variant.ts'
import { experimentOn, type RunVariant } from './experiment.ts'

/** A kind of stage, and what has to be known of it to read its figures. */
export interface StageKind {
  readonly name: 'live' | 'simulator'
  /** As they are where the settings don't say otherwise. */
  readonly parameters: Readonly<Record<string, number>>
  /** The same in words with these settings, to follow the number of nodes. */
  readonly means: (settings: BlockTime) => string
  readonly run: RunVariant
  /** The same where links are like this, as far as it is said. */
  readonly runOver: (links: LinkParts) => RunVariant
}

/** What has to be known of a stage, as data: its name, and its parameters with these settings. */
export function stageData(
  { name, parameters }: StageKind,
  { blockMs }: BlockTime,
): { readonly name: string } & Readonly<Record<string, number | string>> {
  return { name, ...parameters, ...(blockMs === undefined ? {} : { blockMs }) }
}

const LIVE = 'real processes on this machine, over libp2p: whatever else it does shows in the figures'

/** Real processes, between which bytes take so long on average; as long as they take when null. */
export function liveStage(latencyMs: number | null = null): StageKind {
  const links = latencyMs === null ? {} : { latencyMs }
  const slow = latencyMs === null ? '' : `; what they send takes ${latencyMs} ms more on average`
  const runOver = (more: LinkParts) => experimentOn(onLiveStage({ ...links, ...more }))
  return {
    name: 'live',
    parameters: links,
    means: pace =>
      pace.blockMs === undefined
        ? `${LIVE}${slow}`
        : `${LIVE}${slow}; one block in about ${pace.blockMs} ms where blocks are mined${describeTurns(pace)}`,
    run: runOver({}),
    runOver,
  }
}

/** Simulated nodes, between which a message takes so long on average. */
export function simulatedStage(latencyMs: number = LATENCY_MS): StageKind {
  const shown = Number((latencyMs / 3).toPrecision(2))
  const runOver = (links: LinkParts) => experimentOn(onSimulatedStage({ latencyMs, ...links }))
  return {
    name: 'simulator',
    parameters: { latencyMs, blockMs: BLOCK_MS, hashesPerBlock: HASHES_PER_BLOCK, reconnectMs: RECONNECT_MS },
    means: pace =>
      `simulated nodes: a message takes ${latencyMs} ms on average and ${shown} at least, each synced write 1 ms; one block in ${pace.blockMs ?? BLOCK_MS} ms where blocks are mined, of ${HASHES_PER_BLOCK} hashes${describeTurns(pace)}`,
    run: runOver({}),
    runOver,
  }
}

/** What a block time that was asked for means where no blocks are mined, in words to follow those for where they are. */
function describeTurns({ blockMs }: BlockTime): string {
  return blockMs === undefined ? '' : `, and at least ${blockMs} ms between two where validators take turns`
}
