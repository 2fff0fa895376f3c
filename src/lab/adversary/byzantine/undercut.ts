// Undercutting: where blocks are mined, its turn is spent on a candidate that no honest member would propose, the lowest
// there is, on a side branch where there is one. In all else it is honest: if voters do not check how deep a candidate
// lies, and under how much work, then one such member takes all blocks above it from the chain. In its turn its own
// layer is shown that block at every height above the last final one, and so it proposes that.

import type { BlockId } from '../../../chain/header.ts'
import type { ChainedHeader } from '../../../chain/header-chain.ts'
import type { ChainAccess } from '../../../finality/contract.ts'
import type { Lie, LieContext } from './lie.ts'

/** Proposes the lowest block that can follow the last decision. */
export function undercut({ self, state }: LieContext): Lie {
  return {
    say: said => [said],
    show: chain => undercutting(chain, () => state().proposer === self),
  }
}

/** A chain in which, as long as it is our turn, the lowest block is at every height. */
function undercutting(chain: ChainAccess, isOurTurn: () => boolean): ChainAccess {
  return {
    get head() {
      return chain.head
    },
    get final() {
      return chain.final
    },
    get nowMs() {
      return chain.nowMs
    },
    get: id => chain.get(id),
    ancestor: height => {
      const isShown = height > chain.final.height && isOurTurn()
      return isShown ? lowest(chain) : chain.ancestor(height)
    },
    tips: () => chain.tips(),
    transactionCount: id => chain.transactionCount(id),
    hasPending: () => chain.hasPending(),
    certificateOf: sequence => chain.certificateOf(sequence),
    certificateAt: height => chain.certificateAt(height),
  }
}

/** The first block above the last final one that is not on our chain, or else the one that is. */
function lowest(chain: ChainAccess): BlockId | null {
  const { id, height } = chain.final
  const first = chain.ancestor(height + 1)
  for (const tip of chain.tips()) {
    let at: ChainedHeader | null = tip
    while (at !== null && at.height > height + 1) at = chain.get(at.header.previous)
    if (at?.header.previous === id && at.id !== first) return at.id
  }
  return first
}
