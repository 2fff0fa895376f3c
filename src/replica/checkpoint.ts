// A trusted block, configured by the operator: no chain without it is followed. It protects against a second history that was
// signed, or mined, later: long-range attacks and weak subjectivity (V. Buterin, "Proof of
// Stake: How I Learned to Love Weak Subjectivity", 2014; V. Buterin, V. Griffith, "Casper the Friendly Finality
// Gadget", 2017, section 4.1). It protects once it is reached: below it a node follows what it is shown, like any other.

import type { BlockId } from '../chain/header.ts'
import type { ChainedHeader } from '../chain/header-chain.ts'
import type { BlockTree, TreeBlock } from './block-tree.ts'
import type { ChainView } from './chain-view.ts'
import type { ReplicaOutbox } from './effects.ts'
import { writeDropped } from './finalise.ts'

/** The one block that may have this height. */
export interface Checkpoint {
  readonly height: number
  readonly id: BlockId
}

/** The chain on disk has another block at the height of the checkpoint. */
export class CheckpointMismatch extends Error {
  override name = 'CheckpointMismatch'
}

/** Whether a block has the height of the checkpoint and is not it; never where there is no checkpoint. */
export function isBesideCheckpoint(
  checkpoint: Checkpoint | null,
  { height, id }: Pick<ChainedHeader, 'height' | 'id'>,
): boolean {
  return checkpoint !== null && height === checkpoint.height && id !== checkpoint.id
}

/**
 * Checks a tree loaded from disk against the checkpoint: throws `CheckpointMismatch` if the chain that ends in `tip` does not
 * contain it, and drops branches that do not, for their tips could be followed later.
 */
export function applyCheckpoint(
  checkpoint: Checkpoint,
  { tree, view, tip, outbox }: { tree: BlockTree; view: ChainView; tip: TreeBlock; outbox: ReplicaOutbox },
): void {
  const { height } = checkpoint
  const id = idAt(height, tip, tree, view)
  if (id !== null && id !== checkpoint.id)
    throw new CheckpointMismatch(
      `block ${height} of the chain on disk is ${id}, and the checkpoint ${checkpoint.id}`,
    )
  const beside = [...tree.blocks()].filter(({ chained }) => isBesideCheckpoint(checkpoint, chained))
  for (const entry of beside) writeDropped(outbox, tree.drop(entry))
}

/** The block of this height on the way to `tip`, in the tree or below it; null where the way is not so long. */
function idAt(height: number, tip: TreeBlock, tree: BlockTree, view: ChainView): BlockId | null {
  if (height > tip.chained.height) return null
  if (height < tree.base.chained.height) return view.headerAt(height)!.id
  let at = tip
  while (at.chained.height > height) at = tree.get(at.chained.header.previous)!
  return at.chained.id
}
