// The block locator, as Bitcoin's: a few ids of our chain by which a peer finds where its own forks off, close together near
// the head and ever further apart below it.

import type { BlockId } from '../chain/header.ts'
import type { BlockTree } from './block-tree.ts'
import type { ChainView } from './chain-view.ts'

/** Ids of our chain from the head backwards, ever further apart, the base and the genesis block among them. */
export function locatorOf({ head, base }: BlockTree, view: ChainView): BlockId[] {
  const ids: BlockId[] = []
  let step = 1
  const addDownTo = (from: number, end: number): void => {
    for (let height = from; height > end; height -= step) {
      ids.push(view.headerAt(height)!.id)
      if (ids.length >= 10) step *= 2
    }
  }
  addDownTo(head.chained.height, base.chained.height)
  addDownTo(base.chained.height, 0)
  return [...ids, view.headerAt(0)!.id]
}
