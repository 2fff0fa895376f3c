// What catching up (sync.ts) needs of its replica, and what its parts share: they check headers (header-check.ts) and
// connect blocks by the same rules as all other blocks.

import type { Block } from '../chain/block.ts'
import type { BlockHeader, BlockId } from '../chain/header.ts'
import type { ChainedHeader } from '../chain/header-chain.ts'
import type { BlockTree } from './block-tree.ts'
import type { ChainView } from './chain-view.ts'
import type { Claims } from './claims.ts'
import type { PeerId, ReplicaOutbox } from './effects.ts'
import type { ReplicaLimits } from './limits.ts'
import type { SyncRequests } from './sync-requests.ts'
import type { Rejection } from './verdict.ts'
import type { WantedBlocks } from './wanted-blocks.ts'

/** What catching up needs of its replica. */
export interface SyncHost {
  readonly tree: BlockTree
  readonly view: ChainView
  readonly outbox: ReplicaOutbox
  readonly limits: Pick<ReplicaLimits, 'headersMax' | 'bodiesMax' | 'bodiesAheadMax' | 'branchHeadersMax'>
  /**
   * The first request id, from 0 to 2^32 - 1. It differs in each run of a node, so that an answer to a request before a
   * restart is not taken for an answer to a later one.
   */
  readonly firstRequestId: number
  /** Whether peers are asked because of the work that they claim to follow. */
  readonly followsWork: boolean
  /** The header in context, or why it can't follow, whatever the clock says. */
  chain(parent: ChainedHeader, header: BlockHeader): ChainedHeader | Rejection
  /** Whether the time of the header is too far ahead of our clock, where that matters. */
  isEarly(header: BlockHeader): boolean
  isKnownInvalid(id: BlockId): boolean
  /** Whether the header holds at least the minimum work of this network. */
  hasWork(header: BlockHeader): boolean
  /** Whether the branch that ends here should be followed for its work. */
  isPreferred(tip: ChainedHeader): boolean
  /** Whether a peer speaks for a validator. */
  isValidator(peer: PeerId): boolean
  /** Connects a block, however many there are, and one that is decided whatever the clock says; or says why it is refused. */
  connect(block: Block, isDecided: boolean): Rejection | null
  /** A peer follows a block of this time, in seconds since 1970, which is too far ahead of our clock. */
  noteEarly(peer: PeerId, timeSeconds: number): void
}

/** What the parts of catching up share. */
export interface SyncParts extends SyncHost {
  readonly requests: SyncRequests
  readonly claims: Claims
  readonly wanted: WantedBlocks
}
