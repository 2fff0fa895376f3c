// Fetches the blocks that the finality layer needs (wanted-blocks.ts): each is asked for alone, or with all before it where
// its parent is not here (ancestor-path.ts), and of several peers if the first does not give it.

import type { Block } from '../chain/block.ts'
import type { BlockId } from '../chain/header.ts'
import type { BodySync } from './body-sync.ts'
import type { PeerId } from './effects.ts'
import type { HeaderSync } from './header-sync.ts'
import type { BodiesRequest } from './suppliers.ts'
import type { SyncParts } from './sync-host.ts'
import type { Rejection } from './verdict.ts'
import type { WantedBlock } from './wanted-blocks.ts'

/** What fetching needs besides what all parts of catching up have. */
export interface WantedFetchParts extends SyncParts {
  readonly headers: HeaderSync
  readonly bodies: BodySync
}

/** The fetching of wanted blocks of one replica. */
export class WantedFetch {
  readonly #host: WantedFetchParts

  constructor(host: WantedFetchParts) {
    this.#host = host
  }

  /** Asks for each wanted block, or for the next of its ancestors, where no peer or too few are asked. */
  request(): void {
    for (const want of this.#host.wanted.all()) this.#requestOne(want)
  }

  #requestOne(want: WantedBlock): void {
    const { requests, wanted, headers, bodies } = this.#host
    const { id, path, offMain } = want
    this.#connectPath(want)
    const { target } = path
    if (target === null) return wanted.delete(id)
    // A download that brings it must not have it taken away: it would ask for it again and again.
    if (bodies.download?.brings(target) === true) return
    // A body that is here and can't be connected blocks the path: only headers lead on. It must not be asked for again, since
    // the answer would change nothing, and the next request would follow at once.
    const isBlocked = path.body !== undefined
    const isByHeaders = (peer: PeerId): boolean => isBlocked || (path.isDeep && !offMain.has(peer))
    const peers = requests.peers()
    const asked = peers.filter(peer => {
      const request = requests.bodiesOf(peer)
      return requests.headersOf(peer)?.wanted === id || (request?.wanted === id && request.ids[0] === target)
    })
    const free = peers.filter(peer =>
      isByHeaders(peer)
        ? requests.headersOf(peer) === null && bodies.download === null
        : requests.bodiesOf(peer) === null,
    )
    const next = wanted.next(want, free, asked)
    if (next === null) {
      const isLost = asked.length === 0 && peers.every(peer => want.failed.has(peer))
      return isLost ? wanted.delete(id) : undefined
    }
    want.isDue = false
    if (isByHeaders(next)) headers.ask(next, { branch: null, wanted: id })
    else requests.askForBodies(next, [target], id)
  }

  /** A peer has answered a request for a wanted block, or for an ancestor of it that is not here. */
  onAnswer(from: PeerId, { lateAt, ids }: BodiesRequest, id: BlockId, block: Block | undefined): void {
    const { requests, wanted, view } = this.#host
    const want = wanted.get(id)
    const isNext = want?.path.target === ids[0]
    if (block === undefined) return isNext ? wanted.onFailed(id, from) : undefined
    if (lateAt > requests.tick) wanted.onGiven(from)
    if (want === undefined || !isNext || view.has(block.id)) return
    const rejection = this.#host.hasWork(block.header) ? null : 'header-work-insufficient'
    const isAdded = rejection === null && want.path.add({ block, from })
    if (!isAdded) return this.#refuse(want, from, rejection ?? 'block-height-wrong')
    this.#connectPath(want)
  }

  /** Connects what can be connected on the way up to a wanted block, and looks further down where nothing can. */
  #connectPath(want: WantedBlock): void {
    const { path } = want
    const { tree, view, limits } = this.#host
    while (path.target !== null) {
      const { body } = path
      if (view.has(path.target)) path.ascend()
      else if (body === undefined) return
      else if (!tree.has(body.block.header.previous)) {
        // A peer that has a block has its ancestors.
        this.#host.wanted.addHolder(want, body.from)
        const wasBlocked = path.isBlocked
        want.isDue ||= !wasBlocked
        if (path.descend(tree.base.chained.height, limits.branchHeadersMax)) continue
        if (!wasBlocked) this.#failOffMain(want)
        return
      } else {
        const rejection = this.#host.connect(body.block, want.isDecided)
        if (rejection !== null) return this.#refuse(want, body.from, rejection)
      }
    }
  }

  /** A path is blocked: peers whose headers do not lead to the wanted block can't give it in any other way. */
  #failOffMain({ id, offMain }: WantedBlock): void {
    for (const peer of offMain) this.#host.wanted.onFailed(id, peer)
  }

  /** A peer gave a body that does not lead to a wanted block: no honest peer has it, but for blocks that our clock refuses. */
  #refuse({ id, path }: WantedBlock, from: PeerId, reason: Rejection): void {
    path.restart()
    this.#host.wanted.onFailed(id, from)
    this.#host.outbox.emit({ type: 'reject', from, reason })
  }
}
