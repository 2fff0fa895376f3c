// C12: what a node has acknowledged it never loses in silence. Until a final block settles it, it is on disk and either
// waits in the pool or is in a block of the node's chain; or the node says that it dropped it, or what replaced it. Such a
// word ends the promise, and need not outlive a restart: a client that gets no answer submits its transfer again.

import type { TransactionId } from '../../chain/transaction.ts'
import { KEYS } from '../../replica/records.ts'
import type { Replica } from '../../replica/replica.ts'
import type { SimNode } from '../cluster/sim-node.ts'
import { Violation } from './violation.ts'

interface Promises {
  readonly ids: Set<TransactionId>
  /** What the node was when it was looked at last: nothing can be lost where none of it has changed. */
  replica: Replica | null
  poolChanges: number
  headId: string
}

/** The watcher of what the nodes of one run have acknowledged. */
export class PromiseOracle {
  /** Acknowledged transactions that a full pool pushed out. */
  evictions = 0
  readonly #promises = new Map<SimNode, Promises>()

  /** A node tells a client that it has taken a transaction in; by now it may have given it up again, and says so. */
  afterPromise(node: SimNode, id: TransactionId): void {
    if (node.replica!.outcomes.get(id) !== undefined) return
    const promises = this.#promises.get(node) ?? { ids: new Set(), replica: null, poolChanges: 0, headId: '' }
    this.#promises.set(node, promises)
    promises.ids.add(id)
  }

  /** Looks at a node after a step. */
  afterStep(node: SimNode): void {
    const promises = this.#promises.get(node)
    if (promises === undefined) return
    const replica = node.replica!
    const { changes } = replica.pool
    const { id: headId } = replica.tree.head.chained
    if (promises.replica === replica && promises.poolChanges === changes && promises.headId === headId) return
    Object.assign(promises, { replica, poolChanges: changes, headId })
    for (const id of promises.ids) if (!this.#isHeld(node, id)) promises.ids.delete(id)
  }

  /** A node lost its disk: it is held to nothing. */
  forget(node: SimNode): void {
    this.#promises.delete(node)
  }

  /** Whether the promise still binds the node: it does not once the transaction is final, or the node has reported that it dropped it. */
  #isHeld(node: SimNode, id: TransactionId): boolean {
    const { pool, tree, view, outcomes } = node.replica!
    const isWaiting = pool.get(id) !== undefined
    const isMined = tree.including(id) !== undefined
    if ((isWaiting || isMined) && node.disk.get(KEYS.pooled(id)) !== null) return true
    const outcome = outcomes.get(id)
    if (outcome?.status === 'dropped' && outcome.reason === 'tx-pool-full') this.evictions += 1
    // In a block it may be off the disk before that is final: dropped on one branch, and met again on the next in one step.
    if (outcome !== undefined || (!isWaiting && view.locate(id) !== null)) return false
    throw new Violation('C12', `${node.id} acknowledged ${id} and has lost it without a word`)
  }
}
