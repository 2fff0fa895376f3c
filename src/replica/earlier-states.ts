// The states after the final blocks below the last one, read from the undo record of each block (undo.ts).
//
// An account is looked for in the blocks above the wanted one, the lowest first: the first that changed it says what it
// had. So nothing is rebuilt for a balance. A proof needs a whole tree; it is made in slices, each a bounded step.
//
// Records are read when they are asked for, so a start costs nothing, and are final: what was read stays as it is.

import type { Address } from '../chain/address.ts'
import { type Account, type State, subtreeOf } from '../execution/state.ts'
import type { BlockTree } from './block-tree.ts'
import type { Store } from './effects.ts'
import { CorruptStore, KEYS, readRecord } from './records.ts'
import { EARLIER_STATES, readUndo, type Undo } from './undo.ts'

/** Bytes of records that stay in memory: 128 blocks of 1,000 transfers are 15 MB. What has no room is read again. */
const UNDO_BYTES_MAX = 32 * 1024 * 1024

/** Slices of a rebuild besides the records: in the worst case 1,000 accounts each. */
const SUBTREES = 256

/** All accounts after one block. */
export interface Accounts {
  get(address: Address): Account
}

/** The states of final blocks. */
export class EarlierStates {
  readonly #tree: BlockTree
  readonly #store: Store
  /** By height. */
  readonly #undos = new Map<number, Undo>()
  #bytes = 0
  /** The lowest block whose state is known to be kept, as far as was searched; null before the first search. */
  #knownFrom: number | null = null
  /** Whether it is known that none below that is. */
  #isEnd = false

  constructor(tree: BlockTree, store: Store) {
    this.#tree = tree
    this.#store = store
  }

  /** The height of the lowest block whose state is kept. */
  get keptFrom(): number {
    this.#isKept(this.#least)
    return Math.max(this.#knownFrom!, this.#least)
  }

  /** The accounts after a final block; null where they are not kept any more. */
  at(height: number): Accounts | null {
    const { state } = this.#tree.base.execution
    if (!this.#isKept(height)) return null
    return { get: address => this.#accountAt(height, address) ?? state.get(address) }
  }

  /** The whole state after a final block, in slices; null where it is not kept any more. */
  *rebuild(height: number): Generator<void, State | null> {
    const { chained, execution } = this.#tree.base
    // Each subtree is changed and hashed in one go, so that no node is hashed twice but for the few above them.
    const subtrees = Array.from({ length: SUBTREES }, () => new Map<Address, Account>())
    for (let above = chained.height; above > height; above--) {
      // The base may have moved on meanwhile.
      if (!this.#isKept(height)) return null
      for (const [address, account] of this.#require(above).entries())
        subtrees[subtreeOf(address)]!.set(address, account)
      yield
    }
    if (!this.#isKept(height)) return null
    let { state } = execution
    for (const changes of subtrees) {
      if (changes.size === 0) continue
      state = state.with(changes)
      state.root()
      yield
    }
    return state
  }

  get #least(): number {
    return Math.max(0, this.#tree.base.chained.height - EARLIER_STATES)
  }

  /** Whether the records down to a block are there. Searches only below what earlier calls have searched. */
  #isKept(height: number): boolean {
    const base = this.#tree.base.chained.height
    if (height > base || height < this.#least) return false
    let known = Math.max(this.#knownFrom ?? base, this.#least)
    // A database of an older version holds none of the blocks that were final then.
    while (known > height && !this.#isEnd) {
      if (this.#find(known) === null) this.#isEnd = true
      else known -= 1
    }
    this.#knownFrom = known
    return known <= height
  }

  #accountAt(height: number, address: Address): Account | null {
    for (let above = height + 1; above <= this.#tree.base.chained.height; above++) {
      const account = this.#require(above).get(address)
      if (account !== null) return account
    }
    return null
  }

  #require(height: number): Undo {
    const undo = this.#find(height)
    if (undo === null) throw new CorruptStore(`record ${KEYS.undo(height)} is missing`)
    return undo
  }

  #find(height: number): Undo | null {
    const known = this.#undos.get(height)
    if (known !== undefined) return known
    const key = KEYS.undo(height)
    const record = this.#store.get(key)
    if (record === null) return null
    const undo = readRecord(key, record, readUndo)
    this.#undos.set(height, undo)
    this.#bytes += undo.size
    for (const [oldest, { size }] of this.#undos) {
      if (this.#bytes <= UNDO_BYTES_MAX && oldest > this.#tree.base.chained.height - EARLIER_STATES) break
      this.#undos.delete(oldest)
      this.#bytes -= size
    }
    return undo
  }
}
