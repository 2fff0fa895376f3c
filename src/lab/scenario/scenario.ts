// A scenario: a network, what is done to it and when, and what must come of it. It is data: parser.ts reads it
// from text, run.ts performs it on a stage of either kind. Nodes go by their index, from 0; times are
// milliseconds since the network stood.

import type { ByzantineRole } from '../adversary/byzantine/roles.ts'

/** A whole scenario. */
export interface Scenario {
  readonly name: string
  /** What it shows, in a sentence or two. */
  readonly says: string
  readonly nodes: number
  /** The name of its finality mode. */
  readonly mode: string
  /** How votes travel; null for the first way, or where there are no votes. */
  readonly pattern: string | null
  /** Of messages, on average; null for the stage's own. */
  readonly latencyMs: number | null
  /** Share of messages that are lost: gone in the simulator, late over TCP, which sends them again. */
  readonly lossRate: number
  /** Whether nodes mine from the start, where blocks are mined. */
  readonly isMining: boolean
  /** So many of the nodes, the last ones, are not there until they are started. */
  readonly keptOut: number
  readonly liars: ReadonlyMap<number, ByzantineRole>
  /** In the order of their times. */
  readonly events: readonly TimedEvent[]
  readonly expectations: readonly Expectation[]
  /** When it is over: no earlier than anything that it names. */
  readonly endMs: number
}

/** A node, or the leader at that moment: a leader that was killed or frozen is meant again later. */
export type NodeChoice = number | 'leader'

/** Nodes, or all that there are and that it makes sense for. */
export type Nodes = readonly NodeChoice[] | 'all'

/** What happens at a time. */
export type ScenarioEvent =
  | { readonly type: 'kill' | 'restart' | 'freeze' | 'thaw'; readonly nodes: Nodes }
  | { readonly type: 'cut'; readonly halves: readonly (readonly number[])[] }
  | { readonly type: 'heal' }
  | { readonly type: 'miners'; readonly isOn: boolean }
  | {
      readonly type: 'pay'
      readonly count: number
      readonly overMs: number
      readonly through: Nodes
      /** Where the other transfer for each nonce goes; null without double spends. */
      readonly rivalsThrough: Nodes | null
    }

/** An event and its time, and the line of the file that asks for it. */
export interface TimedEvent {
  readonly atMs: number
  readonly line: number
  readonly event: ScenarioEvent
}

/** A stretch of time. */
export interface Window {
  readonly fromMs: number
  readonly toMs: number
}

/** What must be so: at some moment, in a stretch of time, or at the end. */
export type Claim =
  /** Each node shows so many: transfers that are final, transfers in blocks, or blocks. */
  | { readonly type: 'count'; readonly what: 'final' | 'seen' | 'height'; readonly least: number }
  /** Of each nonce that a node has taken in, one transfer is on the chain and final. */
  | { readonly type: 'all-final' }
  | { readonly type: 'one-chain' }
  /** All follow the same block, which commits to the state after it. */
  | { readonly type: 'equal-states' }
  | { readonly type: 'evidence'; readonly against: number }
  | { readonly type: 'no-evidence' }
  | { readonly type: 'reversed'; readonly isWanted: boolean }
  | { readonly type: 'no-double-spend' }
  /** Two branches, for a second at least; or never, at no moment. */
  | { readonly type: 'forked'; readonly isWanted: boolean; readonly window: Window }
  /** Every one of the nodes shows something new; or none does. */
  | {
      readonly type: 'progress'
      readonly of: 'blocks' | 'finality'
      readonly isWanted: boolean
      readonly window: Window
    }

/** One line of what must come of it. */
export interface Expectation {
  readonly line: number
  /** As it is written, without the word `expect`. */
  readonly text: string
  readonly claim: Claim
  /** Of which nodes; `all` are those that run, are not frozen and do not lie. */
  readonly nodes: readonly number[] | 'all'
  /** The latest moment at which it may come true; null for the end. */
  readonly byMs: number | null
}

/** The moments at which something begins or ends to happen, in order. */
export function momentsOf({ events }: Pick<Scenario, 'events'>): number[] {
  const all = events.flatMap(({ atMs, event }) =>
    event.type === 'pay' ? [atMs, atMs + event.overMs] : [atMs],
  )
  return all.toSorted((a, b) => a - b)
}
