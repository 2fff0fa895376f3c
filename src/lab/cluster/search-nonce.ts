// The work of a simulated block: it is done for real, one hash after the other, and only the time that it takes is
// virtual. A genesis file for a simulation therefore asks for little work.

import { type BlockHeader, blockId, meetsTarget } from '../../chain/header.ts'

/** The first nonce from `first` on that meets the target. Throws when there is none. */
export function searchNonce(header: BlockHeader, target: bigint, first = 0): number {
  for (let nonce = first; nonce < 2 ** 32; nonce++) {
    if (meetsTarget(blockId({ ...header, nonce }), target)) return nonce
  }
  throw new Error('no nonce meets the target: the genesis file of a simulation must ask for little work')
}
