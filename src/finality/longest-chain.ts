// Finality by work alone, as in Bitcoin: the branch with the most cumulative work counts, and nothing is ever
// absolutely final. A block is only the less likely to be reversed the deeper it lies (see reversal.ts).
//
// A node still needs an end to its memory: `depth` blocks under the head it stops following other branches. An
// honest majority never gets there; a node that meets such a branch raises an alarm and stays.

import type { ChainedHeader } from '../chain/header-chain.ts'
import type { ChainAccess, Finality, FinalityEffect, FinalityInput } from './contract.ts'

/** The most work, with a bound on the depth of a reorganisation. */
export class LongestChain implements Finality {
  readonly followsWork = true
  readonly #depth: number

  /** `depth` is the number of blocks that may still be reversed, at least 1. */
  constructor(depth: number) {
    this.#depth = depth
  }

  step(input: FinalityInput, { head, ancestor }: ChainAccess): FinalityEffect[] {
    switch (input.type) {
      case 'head': {
        const id = head.height > this.#depth ? ancestor(head.height - this.#depth) : null
        return id === null ? [] : [{ type: 'final', id, certificate: null }]
      }
      case 'message':
        return [{ type: 'refuse', from: input.from, reason: 'nobody votes here' }]
      case 'start':
      case 'block':
      case 'pool':
      case 'built':
      case 'peer-connected':
      case 'peer-disconnected':
      case 'timeout':
        return []
    }
  }

  prefers(candidate: ChainedHeader, head: ChainedHeader): boolean {
    return candidate.work > head.work
  }

  safeHeight(head: ChainedHeader, finalHeight: number): number | null {
    const height = Math.max(finalHeight, head.height - Math.floor(this.#depth / 2))
    return height > 0 ? height : null
  }

  isValidator(): boolean {
    return false
  }

  describe(): string {
    return 'nothing'
  }

  report(): null {
    return null
  }
}
