// Whether one block lies above another, on whatever branch: what validators may vote for, and what may become final, lies
// above the last decided block.

import type { ChainedHeader } from '../chain/header-chain.ts'
import type { ChainAccess } from './contract.ts'

/** Whether a block is another one or lies above it. Only what is beside the way to the head is walked. */
export function descends(
  block: ChainedHeader,
  below: ChainedHeader,
  chain: Pick<ChainAccess, 'get' | 'ancestor'>,
): boolean {
  const isBelowOnMain = chain.ancestor(below.height) === below.id
  let at: ChainedHeader | null = block
  while (at !== null && at.height > below.height) {
    if (isBelowOnMain && chain.ancestor(at.height) === at.id) return true
    at = chain.get(at.header.previous)
  }
  return at?.id === below.id
}
