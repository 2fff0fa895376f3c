// What is measured of one variant, on real processes or in the simulator: the same figures, so that one report
// shows both. Times are in milliseconds; null stands for what did not happen, or for a division by nothing.

import type { BlockTime } from '../stage/variant.ts'
import type { Rate, SenderOrder } from '../stage/workload.ts'
import type { Percentiles } from './percentiles.ts'

/** What every variant has to carry. */
export interface LoadSettings extends BlockTime {
  readonly nodes: number
  /** Transfers submitted while nothing is broken. */
  readonly transfers: number
  /** While nothing is broken; under faults, which load must outlast, `max` stands for `RATE_DEFAULT`. */
  readonly rate: Rate
  /** Names the workload: accounts, amounts, validators' keys. */
  readonly seed: number
  /** How the payers follow each other while nothing is broken; in turn when absent, and always so under faults. */
  readonly senders?: SenderOrder
}

/** How every variant is run. */
export interface CompareSettings extends LoadSettings {
  /** Whether the leader is killed and the network cut, after the quiet part. */
  readonly hasFaults: boolean
  /** How long the network is cut, at least as long as its load; 8 seconds when absent. */
  readonly cutMs?: number
}

/** Transfers submitted a second unless told otherwise. */
export const RATE_DEFAULT = 50

/** Everything about one variant. */
export interface Measurement {
  readonly variant: string
  /** When a transfer counts as final here, in words. */
  readonly finalMeans: string
  readonly quiet: QuietPart
  /** Null when no faults were asked for. */
  readonly leaderKilled: LeaderKilled | null
  readonly cut: NetworkCut | null
}

/** While nothing is broken. */
export interface QuietPart {
  readonly submitted: number
  readonly final: number
  /** From handing in to being in a block, and to being final, at the node that was handed the transfer. */
  readonly inclusionMs: Percentiles | null
  readonly finalityMs: Percentiles | null
  /** The same of each transfer that became final, ascending: the distribution behind the percentiles. */
  readonly finalityTimesMs: readonly number[]
  /** From the first handing in to the last that became final. */
  readonly finalPerSecond: number | null
  readonly cost: Cost
  readonly blocks: number
  /** Blocks that are on no node's chain in the end. */
  readonly staleBlocks: number
  readonly deepestReorganisation: number
}

/** What all nodes together did for it (see src/node/counters.ts for what counts). */
export interface Cost {
  readonly messagesPerTransfer: number | null
  readonly bytesPerTransfer: number | null
  readonly messagesPerBlock: number | null
  readonly bytesPerBlock: number | null
  readonly hashesPerTransfer: number | null
  readonly signaturesPerTransfer: number | null
}

/** One node killed under load, and started again later. */
export interface LeaderKilled {
  /** Which, counted from 1. */
  readonly node: number
  /**
   * The longest time after that in which there was no new block on the others, and in which none became final; null
   * when there was none at all until the node was back.
   */
  readonly blockPauseMs: number | null
  readonly finalityPauseMs: number | null
  /** Transfers that some node had acknowledged and that never became final. */
  readonly lost: number
  readonly acknowledged: number
}

/** The network cut in two and healed, while every sender spends each nonce once in each half. */
export interface NetworkCut {
  readonly lastedMs: number
  readonly halves: readonly [Half, Half]
  /** Whether both halves went on, each on a branch of its own. */
  readonly isForked: boolean
  /** From the healing until all nodes followed one chain, and until the next transfer was final. */
  readonly oneChainAfterMs: number | null
  readonly finalAgainAfterMs: number | null
  /** Transfers that some node had called final and that are not on the chain in the end. */
  readonly reversed: number
  readonly deepestReorganisation: number
}

/** What one half did while it was alone. */
export interface Half {
  /** Which nodes, counted from 1. */
  readonly nodes: readonly number[]
  readonly blocks: number
  /** Transfers submitted during the cut that became final here before it was healed. */
  readonly final: number
}
