// Body download: which peers are asked for which bodies of a branch whose headers are checked, and what connects them.
// Bodies (body-download.ts) are asked for in groups, each from any peer that is idle (suppliers.ts); one that is late is
// asked of another peer as well. They are connected in order. A branch whose blocks do not come makes way for another.

import type { Block } from '../chain/block.ts'
import type { BlockId } from '../chain/header.ts'
import type { ChainedHeader } from '../chain/header-chain.ts'
import { BodyDownload } from './body-download.ts'
import type { PeerId } from './effects.ts'
import { MESSAGE_LIMITS } from './messages.ts'
import { type BodiesRequest, Suppliers } from './suppliers.ts'
import type { SyncParts } from './sync-host.ts'
import { ASKED_MAX } from './wanted-blocks.ts'

/** An answer with bodies: those that were asked for, by their ids. */
export interface BodiesAnswer {
  readonly request: BodiesRequest
  readonly bodies: ReadonlyMap<BlockId, Block>
}

/** The body download of one replica. */
export class BodySync {
  readonly #host: SyncParts
  readonly #suppliers: Suppliers
  #download: BodyDownload | null = null
  #downloads = 0

  constructor(host: SyncParts) {
    this.#host = host
    this.#suppliers = new Suppliers(host.limits.bodiesMax)
  }

  add(peer: PeerId): void {
    this.#suppliers.add(peer)
  }

  remove(peer: PeerId): void {
    this.#suppliers.remove(peer)
  }

  /** The download of a branch that is under way; null when none is. */
  get download(): BodyDownload | null {
    return this.#download
  }

  /** The largest number of late requests that are remembered of one peer. */
  get overdueSize(): number {
    return this.#suppliers.overdueSize
  }

  /** Begins to download the bodies of a branch. The first `decidedCount` of its headers are of decided blocks. */
  begin(
    source: PeerId,
    headers: readonly ChainedHeader[],
    branch: { readonly target: number; readonly decidedCount: number },
  ): BodyDownload {
    this.#suppliers.restart()
    this.#downloads += 1
    this.#download = new BodyDownload(source, headers, { ...branch, number: this.#downloads })
    return this.#download
  }

  /** Gives the download up: its branch can't be had now. Returns its source; null where that has left. */
  giveUp(): PeerId | null {
    if (this.#download === null) return null
    const { source } = this.#download
    const { requests, wanted } = this.#host
    this.#download = null
    if (!requests.has(source)) return null
    for (const { id, path } of wanted.all()) if (path.isDeep) wanted.onFailed(id, source)
    return source
  }

  // ---- connecting

  /**
   * Connects the bodies that are here and have nothing missing before them. Returns the source of a download that is given
   * up because a block is invalid.
   */
  connect(): PeerId | null {
    const { outbox, claims } = this.#host
    const download = this.#download
    if (download === null) return null
    for (let next = download.next; next !== null; next = download.next) {
      const body = download.bodyOf(next.id)
      const isHere = this.#isConnected(next)
      if (body === undefined && !isHere) return null
      const rejection = isHere ? null : this.#host.connect(body!.block, download.isNextDecided)
      if (rejection !== null) {
        // No honest peer has an invalid block, or follows one. The peers that gave other bodies are not to blame.
        for (const from of new Set([download.source, body!.from]))
          outbox.emit({ type: 'reject', from, reason: rejection })
        return this.giveUp()
      }
      if (body !== undefined) claims.prove(body.from)
      download.advance()
    }
    this.#download = null
    return null
  }

  /** Whether a block of the download is here: above the base no database is read. */
  #isConnected({ id, height }: ChainedHeader): boolean {
    const { tree, view } = this.#host
    return tree.has(id) || (height <= tree.base.chained.height && view.headerAt(height)?.id === id)
  }

  // ---- answers

  /** The request of this id that waits for its answer, or was given up for being late. */
  requestOf(peer: PeerId, requestId: number): BodiesRequest | null {
    const request = this.#host.requests.bodiesOf(peer)
    return request?.id === requestId ? request : this.#suppliers.overdue(peer, requestId)
  }

  /** Closes the request that a peer answers, and notes how well it did; null where it was not asked. */
  take(from: PeerId, requestId: number, blocks: readonly Block[]): BodiesAnswer | null {
    const { requests } = this.#host
    const request = this.requestOf(from, requestId)
    if (request === null || !requests.has(from)) return null
    const isLate = requests.bodiesOf(from) !== request
    if (isLate) this.#suppliers.forgetOverdue(from, requestId)
    else requests.closeBodies(from)
    const asked = new Set(request.ids)
    const bodies = new Map(blocks.filter(block => asked.has(block.id)).map(block => [block.id, block]))
    if (bodies.size > 0) requests.clearStrikes(from)
    // An honest answer ends early only because it is large. One that drips would hold all others up.
    const bytes = [...bodies.values()].reduce((sum, block) => sum + block.raw.length, 0)
    const isShort = bodies.size < asked.size && bytes < MESSAGE_LIMITS.blocksBytesMax / 2
    if (!isShort) this.#suppliers.onGood(from, { isLate })
    else if (request.wanted === null) this.#suppliers.onShort(from, requests.tick)
    return { request, bodies }
  }

  /** Keeps the bodies of an answer that are still missing. */
  addBodies(from: PeerId, bodies: ReadonlyMap<BlockId, Block>): void {
    for (const [id, block] of bodies)
      if (!this.#host.view.has(id) && this.isMissing(id)) this.#download?.add(block, from)
  }

  /** A peer has not answered this request in time. */
  onOverdue(peer: PeerId, request: BodiesRequest): void {
    this.#suppliers.onLate(peer, request, this.#host.requests.tick)
  }

  /** Whether a body is one of those that are needed next. */
  isMissing(id: BlockId): boolean {
    const { tree, limits, wanted } = this.#host
    if (tree.has(id)) return false
    return (
      wanted.all().some(({ path }) => path.target === id) ||
      this.#download?.missing(limits.bodiesAheadMax).some(header => header.id === id) === true
    )
  }

  // ---- which peer is asked for what

  /** Asks idle peers for the bodies that are missing next. Returns the source of a download that no peer is left for. */
  request(): PeerId | null {
    const download = this.#download
    if (download === null) return null
    const { requests } = this.#host
    const expected = this.#expectedToHave(download)
    const holders = this.#holders(download, expected)
    // New identities cost nothing. One place is kept for the source, or for the peer that is connected for longest.
    const anchor = holders.includes(download.source) ? download.source : (holders[0] ?? null)
    for (const id of this.#inOrder(holders, anchor, expected)) {
      if (this.#suppliers.isSlow(id, requests.tick) || requests.bodiesOf(id) !== null) continue
      const missing = this.#missingFor(id, anchor, download)
      if (missing.length > 0) requests.askForBodies(id, missing.slice(0, this.#suppliers.groupOf(id)), null)
    }
    const isAnyAsked = requests.peers().some(peer => requests.bodiesOf(peer) !== null)
    // The source may be asked again when its delay is over.
    if (isAnyAsked || holders.includes(download.source)) return null
    return this.#missingFor(null, anchor, download).length === 0 ? null : this.giveUp()
  }

  /** The peers that may have the bodies, in the order in which they connected. */
  #holders({ source }: BodyDownload, expected: ReadonlySet<PeerId>): PeerId[] {
    const { requests, claims, tree } = this.#host
    // The peer that gave the headers has the bodies for sure: any other may follow another branch.
    const mayHave = (id: PeerId): boolean =>
      id === source || expected.has(id) || claims.of(id) > tree.head.chained.work
    return requests.peers().filter(id => mayHave(id) && !this.#suppliers.isOut(id))
  }

  /** The peers that should have a wanted block of this branch. */
  #expectedToHave(download: BodyDownload): ReadonlySet<PeerId> {
    const wanted = this.#host.wanted.all().filter(({ id }) => download.brings(id))
    return new Set(wanted.flatMap(({ promised, others }) => [...promised, ...others]))
  }

  /** The anchor first, then the peers that are expected to have a wanted block, and of equals those with fewer strikes. */
  #inOrder(holders: readonly PeerId[], anchor: PeerId | null, expected: ReadonlySet<PeerId>): PeerId[] {
    const { requests } = this.#host
    const others = holders
      .filter(id => id !== anchor)
      .sort((one, other) => requests.strikesOf(one) - requests.strikesOf(other))
      .sort((one, other) => Number(expected.has(other)) - Number(expected.has(one)))
    return anchor === null ? others : [anchor, ...others]
  }

  /** The next bodies to request of a peer: those that are not here, nor requested of others. */
  #missingFor(id: PeerId | null, anchor: PeerId | null, download: BodyDownload): BlockId[] {
    const asked = new Set(this.#requestedOfOthers(id, anchor, download))
    return download
      .missing(this.#host.limits.bodiesAheadMax)
      .filter(header => !asked.has(header.id) && !this.#isConnected(header))
      .map(header => header.id)
  }

  /** The bodies of open requests that are not requested of one more peer. */
  #requestedOfOthers(id: PeerId | null, anchor: PeerId | null, download: BodyDownload): BlockId[] {
    const { requests, claims, wanted } = this.#host
    const first = requests.askedFor(download.next!.id)
    const isUnproved = (peer: PeerId): boolean => !claims.hasProved(peer)
    // All later bodies wait for the first. It is requested of one more peer once each that is asked is late, and either
    // finality waits as well or that peer has given no body yet: else each new identity could delay the download once. The
    // anchor need not wait for a peer that has given no body; if it is the source, only after it was late itself.
    const isAnchored = anchor === null || id === anchor || first.includes(anchor)
    const isFirstRepeated =
      first.length < (isAnchored ? ASKED_MAX : ASKED_MAX - 1) &&
      first.every(
        peer =>
          (requests.isLate(peer) && (wanted.size > 0 || isUnproved(peer))) ||
          (id === anchor &&
            isUnproved(peer) &&
            (id !== download.source || this.#suppliers.hasFailed(download.source))),
      )
    return requests
      .peers()
      .filter(peer => !isFirstRepeated || !first.includes(peer))
      .flatMap(peer => requests.bodiesOf(peer)?.ids ?? [])
  }

  // ---- whether the download makes way for another branch

  /** Whether a download that failed to come makes way for a branch of another peer that holds no more work. */
  yieldsTo(peer: PeerId): boolean {
    const source = this.#download?.source
    return source !== undefined && peer !== source && this.#suppliers.hasFailed(source)
  }

  /**
   * Whether all peers that are asked for the next body are late, and none of them has given one before: a branch can be
   * mined, or copied, by a peer that will never give its blocks. Meanwhile others are asked for headers, and one whose
   * branch holds more work takes its place. False without a download.
   */
  get isStalled(): boolean {
    const { requests, claims } = this.#host
    if (this.#download === null) return false
    const asked = requests.askedFor(this.#download.next!.id)
    return asked.every(id => requests.isLate(id) && !claims.hasProved(id))
  }
}
