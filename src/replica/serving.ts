// Answers to peers that catch up: headers after the point where their chain leaves ours, and blocks by id. Both answers
// have bounds, and neither decodes what it only sends on.

import type { BlockId } from '../chain/header.ts'
import type { ChainView } from './chain-view.ts'
import { MESSAGE_LIMITS } from './messages.ts'

/** So many headers at most of the main chain up to `headHeight`, after the first id of the locator that is on it. */
export function headersAfter(
  view: ChainView,
  locator: readonly BlockId[],
  { headHeight, headersMax }: { headHeight: number; headersMax: number },
): { raw: Uint8Array }[] {
  let fork = 0
  for (const id of locator) {
    const height = view.mainHeight(id)
    if (height === null) continue
    fork = height
    break
  }
  const count = Math.min(headersMax, headHeight - fork)
  return Array.from({ length: count }, (_, index) => ({ raw: view.headerBytesAt(fork + 1 + index)! }))
}

/** Those of the blocks that this node has, as they are stored, until the bound on bytes is reached. */
export function storedBlocks(view: ChainView, ids: readonly BlockId[]): { raw: Uint8Array }[] {
  const blocks: { raw: Uint8Array }[] = []
  let bytes = 0
  for (const id of ids) {
    const raw = view.rawBlock(id)
    if (raw === null) continue
    bytes += raw.length
    if (blocks.length > 0 && bytes > MESSAGE_LIMITS.blocksBytesMax) break
    blocks.push({ raw })
  }
  return blocks
}
