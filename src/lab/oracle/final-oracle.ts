// C7, final blocks stay: no two nodes, and no node at two times, call two blocks of one height final. And the part of C9
// that hangs on it: a block that validators decided may come before its time by a node's clock, any other may not.

import type { BlockId } from '../../chain/header.ts'
import { validatorsOf } from '../../finality/validators.ts'
import type { TreeBlock } from '../../replica/block-tree.ts'
import type { PeerId } from '../../replica/effects.ts'
import type { SimNode } from '../cluster/sim-node.ts'
import type { NaiveChain } from './naive-chain.ts'
import { Violation } from './violation.ts'

/** A final block. */
export interface FinalBlock {
  readonly id: BlockId
  readonly height: number
}

/** The final blocks of one run. */
export class FinalOracle {
  /** Where two branches were final by work alone, each as deep as the genesis file asks for; null as long as none were. */
  fork: string | null = null
  readonly #chain: NaiveChain
  readonly #final = new Map<number, BlockId>()
  /** Blocks that were not due by the clock of the node that accepted them. */
  readonly #early = new Map<BlockId, { readonly node: PeerId; readonly height: number }>()

  constructor(chain: NaiveChain) {
    this.#chain = chain
  }

  /** The block and all before it are final: no node may ever have others. */
  note(final: FinalBlock): void {
    for (let { id, height } = final; this.#final.get(height) !== id && height >= 0; height--) {
      const other = this.#final.get(height)
      if (other !== undefined) {
        const text = `two final blocks at height ${height}`
        // What is final by work alone may be reversed by more work: that has to be excused, and nothing else.
        if (!this.#chain.isBuried(id) || !this.#chain.isBuried(other)) throw new Violation('C7', text)
        this.fork = text
        return
      }
      this.#final.set(height, id)
      if (height > 0) id = this.#chain.parentOf(id)
    }
    this.#checkEarly(final.height)
  }

  /**
   * A block that is followed for its work may not be from further in the future than the rules allow when it is accepted.
   * What validators decide is not held against the clock: such a block, of which no node may have another at its height,
   * is judged when that height is final.
   */
  checkTime(node: SimNode, { chained, seenMs }: TreeBlock): void {
    const { genesis, finality } = node.replica!
    const limit = genesis.work.futureLimitSeconds
    const isDue = seenMs === 0 || chained.header.time <= Math.floor(seenMs / 1000) + limit
    if (isDue || !finality.followsWork) return
    const final = this.#final.get(chained.height)
    const isUndecided = validatorsOf(genesis) === null || (final !== undefined && final !== chained.id)
    if (isUndecided)
      throw new Violation('C9', `${node.id} takes block ${chained.id}, whose time has not come`)
    this.#early.set(chained.id, { node: node.id, height: chained.height })
  }

  /** Early blocks at or below a final one must be final themselves. */
  #checkEarly(height: number): void {
    for (const [id, early] of this.#early) {
      if (early.height > height) continue
      this.#early.delete(id)
      if (this.#final.get(early.height) !== id)
        throw new Violation(
          'C9',
          `${early.node} took block ${id}, whose time had not come and which is not decided`,
        )
    }
  }
}
