// What an oracle of agreement asks of the watcher of one protocol: all that only that protocol's messages and records
// tell. What every protocol must keep (one decision for each sequence number, no vote contradicted, certificates that
// prove something) the other oracles of this folder check by the kit alone.

import type { LogTypes } from '../../consensus/kit.ts'
import type { Genesis } from '../../execution/genesis.ts'
import type { Effect, Input, PeerId } from '../../replica/effects.ts'
import type { Roster } from '../adversary/roster.ts'
import type { SimNode } from '../cluster/sim-node.ts'
import type { CertificateOracle } from './certificate-oracle.ts'
import type { NaiveChain } from './naive-chain.ts'
import type { NaiveVotes } from './naive-votes.ts'
import type { ViewOracle } from './view-oracle.ts'
import type { VoteOracle } from './vote-oracle.ts'

/** What a watcher is made of. */
export interface WatchOptions {
  readonly genesis: Genesis
  readonly chain: NaiveChain
  readonly votes: NaiveVotes
  readonly roster: Roster
  readonly signed: VoteOracle
  readonly certificates: CertificateOracle
  readonly views: ViewOracle
}

/** The sender of a message: the honest node, null when a liar sends it; and the member with its key, if it has one. */
export interface Teller {
  readonly node: SimNode
  readonly honest: PeerId | null
  readonly member: number | null
}

/** The watcher of one protocol. */
export interface ProtocolWatch {
  /** Views that honest members asked for, and those in which something that was prepared was proposed again. */
  readonly viewChanges: { readonly asked: number; readonly reproposing: number }
  /** A member's votes are lost, or were put back to an earlier day. */
  rollBack(node: SimNode, member: number): void
  /** A message of an honest node is about to leave, for the first time or again. */
  beforeMessage(node: SimNode, message: LogTypes['message']): void
  /** A message is sent for the first time. */
  onMessage(message: LogTypes['message'], teller: Teller): void
  /** An honest node wrote a record of its votes, which is durable now. */
  onRecord(node: SimNode, record: unknown): void
  /** Whether evidence convicts its member, by a second opinion. */
  convicts(evidence: LogTypes['evidence']): boolean
  afterStep(node: SimNode, input: Input, effects: readonly Effect[]): void
  afterStart(node: SimNode): void
}
