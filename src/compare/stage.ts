// Where an experiment takes place: a network of one contender whose nodes can be paid through, killed, started again
// and cut off, and a clock. There are two, of real processes (live-stage.ts) and of simulated nodes in virtual time
// (simulated-stage.ts); an experiment can't tell which one it is on.

import type { SignedTransfer } from '../wallet/transfer.ts'
import type { Chronicle } from './chronicle.ts'
import type { Contender } from './contender.ts'
import type { CompareSettings, Measurement } from './measurement.ts'

/** A network, and what can be done to it. Nodes go by their index, from 0. */
export interface Stage {
  /** What the nodes show; the stage keeps it up to date. */
  readonly chronicle: Chronicle
  /** Milliseconds, by the clock of the chronicle. */
  nowMs(): number
  sleep(ms: number): Promise<void>
  /** The nodes that run, and whose view goes into the chronicle. */
  nodes(): number[]
  /** Hands transfers in at a node: for each whether the node has it now, or null when the node does not answer. */
  submit(node: number, transfers: readonly SignedTransfer[]): Promise<readonly boolean[] | null>
  /** The node whose turn it is to propose; where nobody's ever is, a miner like any other. */
  leader(): Promise<number>
  /** Ends a node without a word. */
  kill(node: number): Promise<void>
  /** Starts a killed node again, from what is on its disk. */
  restart(node: number): Promise<void>
  /** Breaks all connections between these halves, and lets none come up. */
  cut(halves: readonly (readonly number[])[]): Promise<void>
  /** Lets all nodes connect again; it takes them a moment to do so. */
  heal(): Promise<void>
  /** What all nodes together have done so far. */
  counters(): Promise<TotalCounters>
}

/** What all nodes together have counted. */
export interface TotalCounters {
  readonly messages: number
  readonly bytes: number
  readonly hashes: number
  readonly signatures: number
}

/** Runs one contender from nothing to the end; `onProgress` hears in a few words what happens now. */
export type RunContender = (
  contender: Contender,
  settings: CompareSettings,
  onProgress: (word: string) => void,
) => Promise<Measurement>

/** A kind of stage, and what has to be known of it to read its figures. */
export interface StageKind {
  readonly name: 'live' | 'simulator'
  readonly parameters: Readonly<Record<string, number>>
  /** The same in words, to follow the number of nodes. */
  readonly means: string
  readonly run: RunContender
}

/** The words that every run says, one after the other. */
export const PARTS = ['signing', 'starting nodes', 'undisturbed', 'leader killed', 'network cut in half']
