// The contract of a finality layer: the part of a node that decides which branch is followed and when a block is
// final. It is a state machine like everything here: inputs in, effects out, in the order in which they
// must be done. A layer that agrees with others sends messages through the replica, to which they are opaque.

import type { Address } from '../chain/address.ts'
import type { BlockId } from '../chain/header.ts'
import type { ChainedHeader } from '../chain/header-chain.ts'
import type { PeerId } from '../consensus/process.ts'
import type { EvidenceReport } from './evidence-report.ts'

export type { PeerId }

/** Which peers should have a block. */
export interface Holders {
  /** They voted for it, or speak of it. */
  readonly promised: readonly PeerId[]
  /** The other validators, which are asked before peers that only follow; or all other peers where none is connected. */
  readonly others: readonly PeerId[]
}

/** The name of a timer, which a layer chooses. Setting one again replaces it; one that was cleared never fires. */
export type FinalityTimer = string

/** The node's chain, as a finality layer sees it. */
export interface ChainAccess {
  /** The tip that the node follows. */
  readonly head: ChainedHeader
  /** The last final block. */
  readonly final: ChainedHeader
  /** Milliseconds since 1970 by this node's clock. */
  readonly nowMs: number
  /** A valid block at or above the last final one, or null. */
  get(id: BlockId): ChainedHeader | null
  /** The block at this height on the way to the head; null below the last final block. */
  ancestor(height: number): BlockId | null
  /** The ends of all branches above the last final block, the head among them. */
  tips(): Iterable<ChainedHeader>
  /** Transactions in a block that `get` knows. */
  transactionCount(id: BlockId): number
  /** Whether any transaction waits for a block. */
  hasPending(): boolean
  /** The certificate that made this the last final block when it came, by sequence number; null when there is none. */
  certificateOf(sequence: number): Uint8Array | null
  /** The certificate of a block of the final chain, or of the nearest one above it that has one. */
  certificateAt(height: number): Uint8Array | null
}

/** What happens to a finality layer. */
export type FinalityInput =
  /** What the layer persisted, by key; `isFresh` when the database was empty. */
  | { readonly type: 'start'; readonly records: ReadonlyMap<string, Uint8Array>; readonly isFresh: boolean }
  /** The node follows another head. */
  | { readonly type: 'head' }
  /** A block beside or above the head is valid and kept. */
  | { readonly type: 'block'; readonly id: BlockId }
  /** The transactions that wait have changed. */
  | { readonly type: 'pool' }
  /** The answer to one `build`: the block that was made, or null where none could be. */
  | { readonly type: 'built'; readonly id: BlockId | null }
  | { readonly type: 'peer-connected'; readonly peer: PeerId }
  | { readonly type: 'peer-disconnected'; readonly peer: PeerId }
  | { readonly type: 'message'; readonly from: PeerId; readonly body: Uint8Array }
  | { readonly type: 'timeout'; readonly name: FinalityTimer }

/** What a finality layer wants done. */
export type FinalityEffect =
  /**
   * The block and all before it can't be reversed any more: the node follows it, and forgets branches without it. With
   * the proof for others, where the layer has one, and its sequence number.
   */
  | {
      readonly type: 'final'
      readonly id: BlockId
      readonly certificate: { readonly sequence: number; readonly bytes: Uint8Array } | null
    }
  /** A record of the layer's own, durable before anything after it is done; null removes. */
  | { readonly type: 'persist'; readonly key: string; readonly value: Uint8Array | null }
  /** A message, with the block that it names for receivers that don't have it. */
  | {
      readonly type: 'send'
      readonly to: PeerId
      readonly body: Uint8Array
      readonly block: BlockId | null
    }
  | { readonly type: 'broadcast'; readonly body: Uint8Array; readonly block: BlockId | null }
  | { readonly type: 'set-timer'; readonly name: FinalityTimer; readonly delayMs: number }
  | { readonly type: 'clear-timer'; readonly name: FinalityTimer }
  /**
   * A block that this node needs, with all before it. One that is decided is taken in whatever the clock says; one that is
   * only proposed is not.
   */
  | { readonly type: 'want'; readonly id: BlockId; readonly holders: Holders; readonly isDecided: boolean }
  /**
   * This block may be decided: it is not evicted for lack of room. A block that all nodes evicted could be decided all the
   * same, and none could have it then. Of very many only the newest count.
   */
  | { readonly type: 'hold'; readonly id: BlockId }
  /** Make a block on the head, without work, and say `built`. No two are the same. */
  | { readonly type: 'build'; readonly beneficiary: Address }
  /** A message was refused for what no honest peer can send. */
  | { readonly type: 'refuse'; readonly from: PeerId; readonly reason: string }
  /** Raises an operator alarm. */
  | { readonly type: 'alarm'; readonly text: string }

/** A finality layer. Only descendants of the last final block are ever shown to it. */
export interface Finality {
  /** Whether blocks are worth following for their work alone; otherwise only certificates move the head. */
  readonly followsWork: boolean
  step(input: FinalityInput, chain: ChainAccess): FinalityEffect[]
  /** Whether the node should follow `candidate` instead of `head`. A tie keeps the head: first seen wins. */
  prefers(candidate: ChainedHeader, head: ChainedHeader): boolean
  /** The greatest height on the way to the head that clients may call safe, or null when none is. */
  safeHeight(head: ChainedHeader, finalHeight: number): number | null
  /** Whether a peer has proved that it speaks for a validator. */
  isValidator(peer: PeerId): boolean
  /** A message of this layer in a few words, its kind first. */
  describe(body: Uint8Array): string
  /** Where an agreement stands, for people; null for a layer without one. */
  report(nowMs: number): AgreementReport | null
}

/** Where an agreement among validators stands, and what each of them last said. */
export interface AgreementReport {
  readonly pattern: string
  readonly quorum: number
  readonly faultsTolerated: number
  /** Our own place, or null for a node that does not vote. */
  readonly self: number | null
  readonly view: number
  /** Whether the node takes part in its view, or waits for a new one. */
  readonly isActive: boolean
  /** Why this node does not vote although it has the key of a validator; null when it votes, or has none. */
  readonly muted: string | null
  /** Why it has stopped for good, or null. */
  readonly halted: string | null
  /** The last sequence number that was decided. */
  readonly sequence: number
  /** Milliseconds that it waits for progress now. */
  readonly timeoutMs: number
  /** Whether there is anything to decide. */
  readonly isWaiting: boolean
  /** Milliseconds since the last decision; null when there was none since the start. */
  readonly sinceDecisionMs: number | null
  /** The member that proposes next; null where none leads. */
  readonly proposer: number | null
  /** The protocol's names for the phases in which validators vote, in order. */
  readonly phases: readonly string[]
  readonly validators: readonly ValidatorReport[]
  readonly evidence: readonly EvidenceReport[]
}

/** What is known of one validator. */
export interface ValidatorReport {
  readonly name: string
  readonly address: Address
  /** Whether it is bound to a connected peer, or is this node. */
  readonly isLinked: boolean
  /** The phases in which its votes for the next sequence number are here, in our view. */
  readonly votedIn: readonly string[]
  readonly wantsViewChange: boolean
  /** What it said last of itself; null when it has not yet. */
  readonly status: {
    readonly view: number
    readonly isActive: boolean
    /** Whether it gives votes: one that starts asks the others for its own first. */
    readonly votes: boolean
    readonly sequence: number
    readonly timeoutMs: number
    /** Milliseconds that its clock is ahead of ours, give or take the way of the message. */
    readonly clockAheadMs: number
    /** Milliseconds since it said so. */
    readonly ageMs: number
  } | null
}
