// What a finality layer is: the part of a node that decides which branch is followed and from when a block
// counts for good. It is a state machine like everything here: inputs in, effects out, in order.

import type { BlockId } from '../chain/header.ts'
import type { ChainedHeader } from '../chain/header-chain.ts'

/** What happens to a finality layer. */
export type FinalityInput = {
  /** The node follows another head. */
  readonly type: 'head'
  readonly head: ChainedHeader
  /** The block at this height on the way to the head, or null below the last final block. */
  readonly ancestor: (height: number) => BlockId | null
}

/** What a finality layer wants done. */
export type FinalityEffect = {
  /** The block and all before it can't be reversed any more: branches without it may be forgotten. */
  readonly type: 'final'
  readonly id: BlockId
}

/** A finality layer. Only descendants of the last final block are ever shown to it. */
export interface Finality {
  /** The name by which a genesis file chooses it. */
  readonly mode: string
  step(input: FinalityInput): FinalityEffect[]
  /** Whether the node should follow `candidate` instead of `head`. A tie keeps the head: first seen wins. */
  prefers(candidate: ChainedHeader, head: ChainedHeader): boolean
  /** The greatest height on the way to the head that clients may call safe, or null when none is. */
  safeHeight(head: ChainedHeader, finalHeight: number): number | null
}
