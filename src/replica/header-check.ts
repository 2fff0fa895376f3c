// What an answer with headers holds: the new part of a branch, each header checked against its parent, before a single
// body is fetched. A branch may take several answers, and the base may move between a request and its answer.

import { type BlockHeader, type BlockId, blockId } from '../chain/header.ts'
import type { ChainedHeader } from '../chain/header-chain.ts'
import type { BlockTree } from './block-tree.ts'
import { BoundedMap } from './bounded-map.ts'
import type { ChainView } from './chain-view.ts'
import type { Outbox } from './effects.ts'
import { HeaderBranch } from './header-branch.ts'
import type { ReplicaLimits } from './limits.ts'
import type { Rejection } from './verdict.ts'
import type { Wants } from './wants.ts'

/** What checking headers needs of its replica. */
export interface HeaderHost {
  readonly tree: BlockTree
  readonly view: ChainView
  readonly outbox: Outbox
  /** The header in context, or why it can't follow, whatever the clock says. */
  chain(parent: ChainedHeader, header: BlockHeader): ChainedHeader | Rejection
  /** Whether the header is not due yet by our clock, where that is asked. */
  isEarly(header: BlockHeader): boolean
  isKnownInvalid(id: BlockId): boolean
  /** Whether the header holds as much work as this network asks for at least. */
  hasWork(header: BlockHeader): boolean
  readonly limits: Pick<ReplicaLimits, 'headersMax' | 'branchHeadersMax'>
}

/** A branch that is longer than one answer, as far as it is known: it does not hold enough work yet. */
export interface Branch {
  readonly lastId: BlockId
  /** Those of its headers that are new here. */
  readonly fresh: HeaderBranch
}

/** What was asked. */
export interface HeadersQuestion {
  readonly locator: readonly BlockId[]
  /** The branch that is asked on; null at its beginning. */
  readonly branch: Branch | null
}

/** Places where other branches were seen to leave ours below the base: one alarm for each is enough. */
const ALARMS_MAX = 64

/** Checks the headers that peers give. */
export class HeaderCheck {
  readonly #host: HeaderHost
  readonly #wants: Wants
  readonly #alarmed = new BoundedMap<BlockId, true>(ALARMS_MAX)

  constructor(host: HeaderHost, wants: Wants) {
    this.#host = host
    this.#wants = wants
  }

  /** The new part of a run of headers, each checked against its parent, with what came before it; or why it is refused. */
  check(headers: readonly BlockHeader[], { locator, branch }: HeadersQuestion): HeaderBranch | Rejection {
    const isContinued = branch !== null && headers[0]?.previous === branch.lastId
    const fresh = isContinued ? branch.fresh : new HeaderBranch(this.#host.limits.branchHeadersMax)
    const wasAskedFor = headers[0] !== undefined && locator.includes(headers[0].previous)
    let parent = fresh.tip ?? undefined
    for (const header of headers) {
      if (parent === undefined) {
        // The base may have moved to this header, or beyond it, since it was asked for.
        if (wasAskedFor && this.#isFinal(header)) continue
        parent = this.#host.tree.get(header.previous)?.chained
        if (parent === undefined) return this.#refuseUnlinked(headers, locator)
      } else if (header.previous !== parent.id) {
        return 'peer-headers-unlinked'
      }
      const chained = this.#host.chain(parent, header)
      if (typeof chained === 'string') return chained
      if (this.#host.isKnownInvalid(chained.id)) return 'block-known-invalid'
      const isHere = this.#host.tree.has(chained.id)
      if (!isHere && this.#host.isEarly(header)) fresh.noteEarly(chained)
      // What is not due is followed to a block that is decided, and nowhere else.
      const isTaken = fresh.newestEarlyTime === null || this.#wants.hasDecided
      if (!isHere && isTaken) this.#add(fresh, chained)
      parent = chained
    }
    return parent === undefined && wasAskedFor ? 'block-below-final' : fresh
  }

  #add(fresh: HeaderBranch, chained: ChainedHeader): void {
    const want = this.#wants.get(chained.id)
    fresh.add(chained, { isWanted: want !== undefined, isDecided: want?.isDecided === true })
  }

  /**
   * What can be asked on after an answer of which `check` made this: a full answer may not be all of a branch. Null where
   * there is no more, or no use in more.
   */
  rest(
    headers: readonly BlockHeader[],
    { branch }: HeadersQuestion,
    fresh: HeaderBranch | Rejection,
  ): Branch | null {
    const last = headers.at(-1)
    if (last === undefined || headers.length < this.#host.limits.headersMax) return null
    // Who does not go on where he was asked to follows another branch by now; a liar could begin again for ever.
    if (branch !== null && headers[0]?.previous !== branch.lastId) return null
    const lastId = blockId(last)
    if (typeof fresh !== 'string') {
      // Not all of it was taken where some of it is from the future.
      const isWhole = fresh.tip?.id === lastId || this.#host.tree.has(lastId)
      return isWhole ? { lastId, fresh } : null
    }
    // All of it is ours and final: the branch leaves us further on, which is worth an alarm.
    const isOurs = fresh === 'block-below-final' && this.#host.view.mainHeight(lastId) !== null
    return isOurs ? { lastId, fresh: new HeaderBranch(this.#host.limits.branchHeadersMax) } : null
  }

  /** Whether a header is of our chain, at the base or below it. */
  #isFinal(header: BlockHeader): boolean {
    if (this.#host.tree.has(header.previous)) return false
    return this.#host.view.mainHeight(blockId(header)) !== null
  }

  /** The headers begin below the base: on a branch that is not followed, or because the base has moved since. */
  #refuseUnlinked(headers: readonly BlockHeader[], locator: readonly BlockId[]): Rejection {
    const { view, tree } = this.#host
    const { previous } = headers[0]!
    if (!locator.includes(previous)) return 'peer-headers-unlinked'
    // The branch on which it stands was ours when we asked.
    if (view.mainHeight(previous) === null) return 'block-below-final'
    const foreign = headers.find(header => view.mainHeight(blockId(header)) === null)
    if (foreign === undefined) return 'block-below-final'
    const fork = view.mainHeight(foreign.previous)
    if (fork === null) return 'peer-headers-unlinked'
    if (!this.#host.hasWork(foreign)) return 'header-work-insufficient'
    if (fork < tree.base.chained.height && !this.#alarmed.has(foreign.previous)) {
      this.#alarmed.set(foreign.previous, true)
      const text = `a peer follows a branch that leaves ours below the last final block, after ${foreign.previous}; it is not followed`
      this.#host.outbox.emit({ type: 'alarm', text })
    }
    return 'block-below-final'
  }
}
