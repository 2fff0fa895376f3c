// Where an experiment takes place: a network of one variant whose nodes can be paid through, killed, started again
// and cut off, and a clock. There are two, of real processes (live-stage.ts) and of simulated nodes in virtual time
// (simulated-stage.ts); an experiment can't tell which one it is on.

import type { Address } from '../../chain/address.ts'
import type { SignedTransfer } from '../../wallet/transfer.ts'
import type { ByzantineRole } from '../adversary/byzantine/roles.ts'
import type { Timeline } from './timeline.ts'
import type { BlockTime, Variant } from './variant.ts'

/** A network, and what can be done to it. Nodes go by their index, from 0. */
export interface Stage {
  /** What the nodes show; the stage keeps it up to date. */
  readonly timeline: Timeline
  /** Milliseconds, by the clock of the timeline. */
  nowMs(): number
  sleep(ms: number): Promise<void>
  /** The nodes that run, and whose view goes into the timeline. */
  nodes(): number[]
  /** Submits transfers to a node: for each whether the node has it now, or null when the node does not answer. */
  submit(node: number, transfers: readonly SignedTransfer[]): Promise<readonly boolean[] | null>
  /** The node whose turn it is to propose; where none ever is, a miner like any other. */
  leader(): Promise<number>
  /** Kills a node's process. */
  kill(node: number): Promise<void>
  /** Starts a killed node again, from what is on its disk; one that was kept out starts for the first time. */
  restart(node: number): Promise<void>
  /** Stops a node's process, whose connections stay: it sends and receives nothing until it is thawed. */
  freeze(node: number): Promise<void>
  /** Lets a frozen node go on with what it missed. */
  thaw(node: number): Promise<void>
  /** Breaks all connections between these halves, and lets none come up. */
  cut(halves: readonly (readonly number[])[]): Promise<void>
  /** Lets all nodes connect again; that takes them a moment. */
  heal(): Promise<void>
  /** Lets all nodes mine, or none, also those that are started later. Only where blocks are mined. */
  mine(isOn: boolean): Promise<void>
  /** The validators against which a node that runs has evidence, by their indices. */
  evidence(): Promise<readonly number[]>
  /** What all nodes together have done so far. */
  counters(): Promise<TotalCounters>
}

/** What a stage is built of. */
export interface StageParts extends BlockTime {
  readonly variant: Variant
  readonly nodes: number
  /** Names the validators' keys, and the chance of a simulated network. */
  readonly seed: number
  /** Accounts that have 1000 coins each. */
  readonly funded: readonly Address[]
  /** Validators that lie, and how; none when absent. */
  readonly liars?: ReadonlyMap<number, ByzantineRole>
  /** So many of the nodes, the last ones, are not there until they are started; none when absent. */
  readonly keptOut?: number
  /** Whether nodes mine from the start, where blocks are mined; they do when absent. */
  readonly isMining?: boolean
}

/** Builds a stage, does this on it, and takes it down again. */
export type WithStage = <T>(parts: StageParts, work: (stage: Stage) => Promise<T>) => Promise<T>

/** What all nodes together have counted. */
export interface TotalCounters {
  readonly messages: number
  readonly bytes: number
  readonly hashes: number
  readonly signatures: number
}
