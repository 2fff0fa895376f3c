// Checks an answer of headers: each header against its parent, before a single body is fetched. The result is the new part of
// a branch, which may take several answers; the base may move between a request and its answer.

import { type BlockHeader, type BlockId, blockId } from '../chain/header.ts'
import type { ChainedHeader } from '../chain/header-chain.ts'
import { BoundedMap } from '../collections/bounded-map.ts'
import { HeaderBranch } from './header-branch.ts'
import type { SyncParts } from './sync-host.ts'
import type { Rejection } from './verdict.ts'

/** The known part of a branch that is longer than one answer and does not hold enough work yet. */
export interface Branch {
  readonly lastId: BlockId
  /** Those of its headers that are new here. */
  readonly fresh: HeaderBranch
  /** Headers of our own final chain that were given before it. */
  readonly ownCount: number
}

/** What an answer is checked against: the request. */
export interface HeadersQuestion {
  readonly locator: readonly BlockId[]
  /** The branch that is continued; null at its beginning. */
  readonly branch: Branch | null
}

/** Forks below the base that an alarm was raised for: one for each is enough. */
const ALARMS_MAX = 64

/** Checks the headers that peers send. */
export class HeaderCheck {
  readonly #host: SyncParts
  readonly #alarmed = new BoundedMap<BlockId, true>(ALARMS_MAX)

  constructor(host: SyncParts) {
    this.#host = host
  }

  /** The new headers of an answer, added to the branch that they continue; or why the answer is refused. */
  check(headers: readonly BlockHeader[], { locator, branch }: HeadersQuestion): HeaderBranch | Rejection {
    const isContinued = branch !== null && headers[0]?.previous === branch.lastId
    const fresh = isContinued ? branch.fresh : new HeaderBranch(this.#host.limits.branchHeadersMax)
    const [first] = headers
    if (first === undefined) return fresh
    let parent = fresh.tip ?? this.#host.tree.get(first.previous)?.chained
    let own = 0
    if (parent === undefined) {
      if (!locator.includes(first.previous)) return 'peer-headers-unlinked'
      // The base may have moved to some of these headers, or beyond them, since they were asked for.
      const count = this.#countOwn(headers)
      if (typeof count === 'string') return count
      own = count
      parent = this.#host.tree.get(headers[own]!.previous)?.chained
      if (parent === undefined) return this.#refuseBelowBase(headers[own]!)
    }
    for (const header of headers.slice(own)) {
      if (header.previous !== parent.id) {
        return 'peer-headers-unlinked'
      }
      const chained = this.#host.chain(parent, header)
      if (typeof chained === 'string') return chained
      if (this.#host.isKnownInvalid(chained.id)) return 'block-known-invalid'
      const isHere = this.#host.tree.has(chained.id)
      if (!isHere && this.#host.isEarly(header)) fresh.noteEarly(chained)
      // Headers that are not due are followed to a decided block only.
      const isTaken = fresh.newestEarlyTime === null || this.#host.wanted.hasDecided
      if (!isHere && isTaken) this.#add(fresh, chained)
      parent = chained
    }
    return fresh
  }

  #add(fresh: HeaderBranch, chained: ChainedHeader): void {
    const want = this.#host.wanted.get(chained.id)
    fresh.add(chained, { isWanted: want !== undefined, isDecided: want?.isDecided === true })
  }

  /**
   * The branch to continue with after an answer whose check gave `fresh`: a full answer may not be the whole branch. Null when
   * there is no more, or no use in more.
   */
  rest(
    headers: readonly BlockHeader[],
    { branch }: HeadersQuestion,
    fresh: HeaderBranch | Rejection,
  ): Branch | null {
    const last = headers.at(-1)
    if (last === undefined || headers.length < this.#host.limits.headersMax) return null
    // A peer that does not continue where it was asked to follows another branch by now; a liar could start over for ever.
    if (branch !== null && headers[0]?.previous !== branch.lastId) return null
    const lastId = blockId(last)
    const ownCount = branch?.ownCount ?? 0
    if (typeof fresh !== 'string') {
      // Not all of it was taken where some of it is from the future.
      const isWhole = fresh.tip?.id === lastId || this.#host.tree.has(lastId)
      return isWhole ? { lastId, fresh, ownCount } : null
    }
    // All of it is on our final chain: the branch forks off later, which deserves an alarm.
    const isOurs = fresh === 'block-below-final' && this.#host.view.mainHeight(lastId) !== null
    if (!isOurs) return null
    const none = new HeaderBranch(this.#host.limits.branchHeadersMax)
    return { lastId, fresh: none, ownCount: ownCount + headers.length }
  }

  /**
   * How many of these headers are of our chain, at the base or below it, where they stand on a block below the base; a
   * reason where that block is not ours, or where all of them are and nothing is left to be checked. They are a chain, so
   * that a few reads tell it: a stranger may give all headers that we have.
   */
  #countOwn(headers: readonly BlockHeader[]): number | Rejection {
    const { view, tree } = this.#host
    const ids = headers.map(blockId)
    if (headers.some((header, index) => index > 0 && header.previous !== ids[index - 1]))
      return 'peer-headers-unlinked'
    const fork = view.mainHeight(headers[0]!.previous)
    // The branch on which it stands was ours when we asked.
    if (fork === null) return 'block-below-final'
    let [count, end] = [0, Math.min(ids.length, tree.base.chained.height - fork)]
    while (count < end) {
      const middle = (count + end) >> 1
      if (view.headerAt(fork + middle + 1)?.id === ids[middle]) count = middle + 1
      else end = middle
    }
    return count === ids.length ? 'block-below-final' : count
  }

  /** The first header of a branch that leaves ours below the base, and is not followed. */
  #refuseBelowBase(foreign: BlockHeader): Rejection {
    if (!this.#host.hasWork(foreign)) return 'header-work-insufficient'
    if (!this.#alarmed.has(foreign.previous)) {
      this.#alarmed.set(foreign.previous, true)
      const text = `a peer follows a branch that leaves ours below the last final block, after ${foreign.previous}; it is not followed`
      this.#host.outbox.emit({ type: 'alarm', text })
    }
    return 'block-below-final'
  }
}
