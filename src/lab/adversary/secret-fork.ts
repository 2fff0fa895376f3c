// A block that an undercutting validator mines in secret: a sibling of the first block above the last final one, so that
// there is a side branch for it to propose whenever its turn comes. It holds its work, and no other node knows it before.

import { assembleBlock, type Block } from '../../chain/block.ts'
import { decodeCompact } from '../../chain/compact.ts'
import { searchNonce } from '../cluster/search-nonce.ts'
import type { SimNode } from '../cluster/sim-node.ts'

/** The sibling, with the same content under another nonce; null where there is a side branch there already, or no block. */
export function secretFork({ replica }: SimNode): Block | null {
  const tree = replica?.tree
  const first = tree?.atHeight(tree.base.chained.height + 1)
  if (tree === undefined || first === undefined) return null
  const { header, coinbase, transactions } = first.block
  for (const entry of tree.blocks())
    if (entry !== first && entry.chained.header.previous === header.previous) return null
  const nonce = searchNonce(header, decodeCompact(header.bits)!, header.nonce + 1)
  return assembleBlock({ ...header, nonce }, coinbase, transactions)
}
