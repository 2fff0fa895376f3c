// Catching up: headers first from one peer, then the bodies from several at once.
//
// A peer that claims more work is asked for headers; they are checked alone (header-check.ts) before a single body is
// fetched, and only a branch whose work passes our head's is fetched at all, so that a liar costs itself more than us;
// where it takes more headers than one answer has, more are asked for. Of a very long branch a part is kept
// (header-branch.ts), fetched once the work of all is proved, and then the rest is asked for. Bodies (body-download.ts) are
// asked for in groups, each from any peer that is idle (suppliers.ts); one that is late is asked of another peer as well.
// Bodies are connected in order, then the next headers are asked for. A block that finality needs is asked for alone, or
// with all before it where its parent is not here: of several peers if the first does not give it (wanted-blocks.ts).

import type { Block } from '../chain/block.ts'
import type { BlockHeader, BlockId } from '../chain/header.ts'
import type { ChainedHeader } from '../chain/header-chain.ts'
import type { Holders } from '../finality/contract.ts'
import { PATH_BYTES_MAX } from './ancestor-path.ts'
import { BodyDownload } from './body-download.ts'
import { Claims, type PeerOrigin } from './claims.ts'
import type { PeerId } from './effects.ts'
import type { HeaderBranch } from './header-branch.ts'
import { HeaderCheck, type HeaderHost, type HeadersQuestion } from './header-check.ts'
import type { ReplicaLimits } from './limits.ts'
import { locatorOf } from './locator.ts'
import { MESSAGE_LIMITS } from './messages.ts'
import { type BodiesRequest, OVERDUE_MAX, Suppliers } from './suppliers.ts'
import type { Rejection } from './verdict.ts'
import { ASKED_MAX, WANTED_MAX, type WantedBlock, WantedBlocks } from './wanted-blocks.ts'

/** What catching up needs of its replica. */
export interface SyncHost extends HeaderHost {
  /** Whether the branch that ends here should be followed for its work. */
  isPreferred(tip: ChainedHeader): boolean
  /** Whether what peers claim to follow is reason enough to ask them. */
  readonly followsWork: boolean
  /** Whether a peer speaks for a validator. */
  isValidator(peer: PeerId): boolean
  /**
   * Where the ids of requests begin, from 0 to 2^32 - 1: elsewhere in each life of a node, so that an answer to one that
   * asked before a crash is not taken for an answer to the next.
   */
  readonly firstRequestId: number
  readonly limits: Pick<ReplicaLimits, 'headersMax' | 'bodiesMax' | 'bodiesAheadMax' | 'branchHeadersMax'>
  /** Takes a block in, however many there are, and one that is decided whatever the clock says; or why it is refused. */
  connect(block: Block, isDecided: boolean): Rejection | null
  /** A peer follows a block of this time, in seconds since 1970, which is not due by our clock. */
  noteEarly(peer: PeerId, timeSeconds: number): void
}

/** Milliseconds between two ticks, in which what peers still owe is counted. The clock is not asked: it may be set. */
export const SYNC_TICK_MS = 500
/** Whole ticks that a peer has for an answer. */
export const ANSWER_TICKS = 8
/** Whole ticks after which another peer is asked as well: for headers, and for what finality waits for. */
const LATE_TICKS = 1
/** Peers that are asked for headers at a time, each after the one before it was late: each may cost us a whole answer. */
const HEADERS_ASKED_MAX = 3
/** Requests that a peer may leave unanswered before it is disconnected. */
const STRIKES_MAX = 3
interface Peer {
  /**
   * Headers that a branch of this peer may have without holding more work than ours. Nobody knows how long an honest branch
   * is: one that is cut off has twice as many the next time. A liar mines for each, and the others have their turn between.
   */
  patience: number
  strikes: number
  /** The bodies it was asked for. */
  request: BodiesRequest | null
  /** The headers it was asked for. */
  headersRequest: HeadersRequest | null
  /** The download during which its headers lead no further: it is not asked for them again while that runs. */
  saidAllOf: BodyDownload | null
}

type Request = Omit<BodiesRequest, 'ids'>

interface HeadersRequest extends Request, HeadersQuestion {}

/** What the headers of an answer lead to. */
interface Run {
  /** Those whose bodies are fetched now; none when the branch is not worth it. */
  readonly headers: readonly ChainedHeader[]
  /** Whether more of the branch is to be asked for after them. */
  readonly isPart: boolean
}

const NOTHING: Run = { headers: [], isPart: false }

/** The part of a replica that catches up. */
export class Sync {
  readonly #host: SyncHost
  readonly #peers = new Map<PeerId, Peer>()
  readonly #claims = new Claims()
  readonly #wanted: WantedBlocks
  readonly #suppliers: Suppliers
  readonly #check: HeaderCheck
  #download: BodyDownload | null = null
  /** How far a branch is fetched whose rest this peer is still to be asked for. */
  #resume: { readonly source: PeerId; readonly id: BlockId } | null = null
  #isConnecting = false
  /** Whether the next look at the deadlines is due: words of peers must not put it off. */
  #isTicking = false
  #requests: number
  /** How often it was looked at the deadlines, which are numbers of such looks. */
  #ticks = 0

  constructor(host: SyncHost) {
    this.#host = host
    this.#wanted = new WantedBlocks(peer => host.isValidator(peer))
    this.#suppliers = new Suppliers(host.limits.bodiesMax)
    this.#check = new HeaderCheck(host, this.#wanted)
    this.#requests = host.firstRequestId
  }

  /** How far this node is behind: heights of the head and of the header it is fetching toward; null when it is not. */
  progress(): { readonly height: number; readonly target: number } | null {
    const download = this.#download
    return download === null ? null : { height: this.#host.tree.head.chained.height, target: download.target }
  }

  /** What peers can make grow, each with its bound: its name, how large it is, and how large it may be. */
  sizes(): (readonly [name: string, size: number, max: number])[] {
    const { bodiesAheadMax, branchHeadersMax } = this.#host.limits
    const branches = [...this.#peers.values()].map(({ headersRequest }) => headersRequest?.branch?.fresh.kept)
    return [
      ['wanted blocks', this.#wanted.size, WANTED_MAX],
      ['bytes before wanted blocks', this.#wanted.bytes, WANTED_MAX * PATH_BYTES_MAX],
      ['peers and how they did', this.#wanted.standings, this.#peers.size],
      ['late requests of a peer', this.#suppliers.overdueSize, OVERDUE_MAX],
      ['bodies that wait', this.#download?.waiting ?? 0, bodiesAheadMax],
      ['headers of a branch', Math.max(0, ...branches.map(kept => kept?.length ?? 0)), branchHeadersMax],
    ]
  }

  /** Whether what is being fetched stands on this block: to give it up for lack of room would be to begin again. */
  needs(id: BlockId): boolean {
    return (
      id === this.#download?.next?.header.previous ||
      id === this.#resume?.id ||
      this.#wanted.all().some(({ path }) => path.connectedId === id) ||
      [...this.#peers.values()].some(peer => peer.headersRequest?.branch?.fresh.forkId === id)
    )
  }

  addPeer(peer: PeerId, origin: PeerOrigin): void {
    this.#claims.add(peer, origin)
    this.#wanted.addPeer(peer)
    this.#suppliers.add(peer)
    this.#peers.set(peer, {
      patience: this.#host.limits.branchHeadersMax,
      strikes: 0,
      request: null,
      headersRequest: null,
      saidAllOf: null,
    })
  }

  removePeer(peer: PeerId): void {
    this.#peers.delete(peer)
    this.#claims.remove(peer)
    this.#wanted.forgetPeer(peer)
    this.#suppliers.remove(peer)
    this.#proceed()
  }

  /** Whether a peer was asked for the answer with this id, and it is of use: late bodies may be here by now. */
  isAsked(peer: PeerId, type: 'headers' | 'blocks', requestId: number): boolean {
    const state = this.#peers.get(peer)
    if (type === 'headers') return state?.headersRequest?.id === requestId
    if (state?.request?.id === requestId) return true
    const overdue = this.#suppliers.overdue(peer, requestId)
    return overdue?.ids.some(id => this.#isMissing(id)) === true
  }

  /** Whether a peer is asked for this block by this request. */
  asksFor(peer: PeerId, requestId: number, id: BlockId): boolean {
    return this.#bodiesRequest(peer, requestId)?.ids.includes(id) === true
  }

  /** The request of this id that waits for its answer, or was given up for being late. */
  #bodiesRequest(peer: PeerId, requestId: number): BodiesRequest | null {
    const request = this.#peers.get(peer)?.request ?? null
    return request?.id === requestId ? request : this.#suppliers.overdue(peer, requestId)
  }

  /** Whether a body is one of those that are needed next. */
  #isMissing(id: BlockId): boolean {
    const { tree, limits } = this.#host
    if (tree.has(id)) return false
    return (
      this.#wanted.all().some(({ path }) => path.target === id) ||
      this.#download?.missing(limits.bodiesAheadMax).some(header => header.id === id) === true
    )
  }

  /** A peer says how much work it follows. */
  onClaim(peer: PeerId, work: bigint): void {
    this.#updateClaim(peer, () => this.#claims.claim(peer, work))
  }

  #updateClaim(peer: PeerId, update: () => void): void {
    if (!this.#peers.has(peer)) return
    const own = this.#host.tree.head.chained.work
    const before = this.#claims.of(peer)
    update()
    const isNews = before <= own && this.#claims.of(peer) > own
    // A claim is free for its sender. While there is anything to do it is looked at with each tick.
    if (isNews || !this.#isTicking) this.#proceed()
  }

  /** A block is needed with all before it, whatever work it holds. */
  onWanted(id: BlockId, holders: Holders, isDecided: boolean): void {
    if (this.#host.tree.has(id)) return
    this.#wanted.add(id, holders, isDecided)
    this.#proceed()
  }

  /** A peer has a block whose parent is not known here. */
  onOrphan(peer: PeerId): void {
    const atLeast = this.#host.tree.head.chained.work + 1n
    this.#updateClaim(peer, () => this.#claims.assume(peer, atLeast))
  }

  onHeaders(from: PeerId, requestId: number, headers: readonly BlockHeader[]): void {
    const peer = this.#peers.get(from)
    const request = peer?.headersRequest ?? null
    if (request?.id !== requestId) return
    peer!.headersRequest = null
    // Another peer was asked as well, and was faster.
    if (this.#download !== null && !this.#isStalled(this.#download)) return this.#proceed()
    const fresh = this.#check.check(headers, request)
    const run = typeof fresh === 'string' ? NOTHING : this.#worthFetching(fresh)
    const earlyTime = typeof fresh === 'string' ? null : fresh.newestEarlyTime
    if (earlyTime !== null) this.#host.noteEarly(from, earlyTime)
    if (this.#download !== null) {
      const isBetter = run.headers.length > 0 && (fresh as HeaderBranch).tip!.work > this.#download.work
      if (!isBetter && (run.headers.length === 0 || !this.#yieldsTo(from, this.#download))) {
        peer!.saidAllOf = this.#download
        return this.#proceed()
      }
      this.#giveUpDownload(this.#download)
    }
    const rest = run.headers.length > 0 ? null : this.#check.rest(headers, request, fresh)
    const next = rest !== null && this.#mayContinue(from, rest.fresh.size + rest.ownCount) ? rest : null
    if (next !== null) {
      // However many answers it takes: a branch that goes on and on is late as well.
      const { wanted, lateAt } = request
      this.#askForHeaders(from, { branch: next, wanted, lateAt })
      return this.#proceed()
    }
    if (typeof fresh === 'string') this.#host.outbox.emit({ type: 'reject', from, reason: fresh })
    const { wanted } = request
    if (wanted !== null && !run.isPart && !run.headers.some(header => header.id === wanted)) {
      if (typeof fresh === 'string') this.#wanted.onFailed(wanted, from)
      else this.#wanted.onNotOnMain(wanted, from)
    }
    if (run.headers.length > 0) this.#beginDownload(from, run, fresh as HeaderBranch)
    else if (earlyTime !== null || (typeof fresh !== 'string' && this.#claims.isAssumed(from)))
      this.#claims.defer(from, this.#ticks)
    else this.#failClaim(from)
    this.#proceed()
  }

  #beginDownload(source: PeerId, { headers, isPart }: Run, fresh: HeaderBranch): void {
    this.#suppliers.restart()
    const target = (isPart ? fresh.tip! : headers.at(-1)!).height
    this.#download = new BodyDownload(source, headers, { target, decidedCount: fresh.decidedSize })
    this.#resume = isPart ? { source, id: headers.at(-1)!.id } : null
    // Its line is busy with bodies from now on.
    this.#peers.get(source)!.saidAllOf = this.#download
  }

  /** The source of the download was late, so that other branches may take its place: what they are counts again. */
  #askAllAgain(source: PeerId): void {
    for (const [id, peer] of this.#peers) if (id !== source) peer.saidAllOf = null
  }

  /** The part of a branch whose bodies are fetched: all for its work, or up to the last block that is wanted. */
  #worthFetching({ kept, size, holdsWanted, timelyTip, timelySize, decidedSize }: HeaderBranch): Run {
    const due = kept.slice(0, Math.max(timelySize, decidedSize))
    if (timelyTip !== null && this.#host.isPreferred(timelyTip))
      return { headers: due, isPart: kept.length < timelySize }
    const end = due.findLastIndex(header => this.#wanted.has(header.id))
    if (end < 0 && holdsWanted) return { headers: due, isPart: kept.length < size }
    return { headers: due.slice(0, end + 1), isPart: false }
  }

  onBlocks(from: PeerId, requestId: number, blocks: readonly Block[]): void {
    const peer = this.#peers.get(from)
    const request = this.#bodiesRequest(from, requestId)
    if (peer === undefined || request === null) return
    const isLate = peer.request !== request
    if (isLate) this.#suppliers.forgetOverdue(from, requestId)
    else peer.request = null
    const asked = new Set(request.ids)
    const useful = new Map(blocks.filter(block => asked.has(block.id)).map(block => [block.id, block]))
    if (useful.size > 0) peer.strikes = 0
    // An honest answer ends early only because it is large. One that drips would hold all others up.
    const bytes = [...useful.values()].reduce((sum, block) => sum + block.raw.length, 0)
    const isShort = useful.size < asked.size && bytes < MESSAGE_LIMITS.blocksBytesMax / 2
    if (!isShort) this.#suppliers.onGood(from, { isLate })
    if (request.wanted !== null) {
      this.#takeWanted(from, request, request.wanted, useful.get(request.ids[0]!))
      return this.#proceed()
    }
    if (isShort) this.#suppliers.onShort(from, this.#ticks)
    for (const [id, block] of useful)
      if (!this.#isHere(id) && this.#isMissing(id)) this.#download?.add(block, from)
    this.#proceed()
  }

  /** The answer to a request for a wanted block, or for an ancestor of it that is not here. */
  #takeWanted(from: PeerId, { lateAt, ids }: BodiesRequest, id: BlockId, block: Block | undefined): void {
    const want = this.#wanted.get(id)
    const isNext = want?.path.target === ids[0]
    if (block === undefined) return isNext ? this.#wanted.onFailed(id, from) : undefined
    if (lateAt > this.#ticks) this.#wanted.onGiven(from)
    if (want === undefined || !isNext || this.#isHere(block.id)) return
    const rejection = this.#host.hasWork(block.header) ? null : 'header-work-insufficient'
    const isAdded = rejection === null && want.path.add({ block, from })
    if (!isAdded) return this.#refuseWanted(want, from, rejection ?? 'block-height-wrong')
    this.#connectPath(want)
  }

  /** Connects what can be connected on the way up to a wanted block, and looks further down where nothing can. */
  #connectPath(want: WantedBlock): void {
    const { path } = want
    const { tree, limits } = this.#host
    while (path.target !== null) {
      const { body } = path
      if (this.#isHere(path.target)) path.ascend()
      else if (body === undefined) return
      else if (!tree.has(body.block.header.previous)) {
        // A peer that has a block has its ancestors.
        want.promised.add(body.from)
        want.isDue ||= !path.isBlocked
        if (!path.descend(tree.base.chained.height, limits.branchHeadersMax)) return
      } else {
        const rejection = this.#connect(body.block, want.isDecided)
        if (rejection !== null) return this.#refuseWanted(want, body.from, rejection)
      }
    }
  }

  /** A peer gave a body that does not lead to a wanted block: no honest peer has it, but for blocks that our clock refuses. */
  #refuseWanted({ id, path }: WantedBlock, from: PeerId, reason: Rejection): void {
    path.restart()
    this.#wanted.onFailed(id, from)
    this.#host.outbox.emit({ type: 'reject', from, reason })
  }

  onTick(): void {
    this.#ticks += 1
    this.#isTicking = false
    this.#wanted.onTick([...this.#peers.keys()])
    for (const [id, peer] of this.#peers) {
      const { request, headersRequest } = peer
      if (headersRequest !== null && this.#isOver(id, headersRequest)) {
        peer.headersRequest = null
        this.#failClaim(id)
      }
      if (request !== null && this.#isOver(id, request)) {
        peer.request = null
        this.#suppliers.onLate(id, request, this.#ticks)
        if (id === this.#download?.source) this.#askAllAgain(id)
      }
    }
    this.#proceed()
  }

  /** Looks at the deadlines of a request: whether its answer is waited for no more. */
  #isOver(id: PeerId, { lateAt, deadline, wanted }: Request): boolean {
    if (wanted !== null && lateAt === this.#ticks) this.#wanted.onLate(wanted, id)
    if (deadline > this.#ticks) return false
    if (wanted !== null) this.#wanted.onFailed(wanted, id)
    this.#strike(id)
    return true
  }

  /** Whether a peer is asked on after so many headers that are not worth fetching. */
  #mayContinue(id: PeerId, headers: number): boolean {
    const peer = this.#peers.get(id)!
    if (headers < peer.patience) return true
    peer.patience *= 2
    return false
  }

  #connectBodies(): void {
    const download = this.#download
    if (download === null) return
    for (let next = download.next; next !== null; next = download.next) {
      const body = download.bodyOf(next.id)
      const isHere = this.#isConnected(next)
      if (body === undefined && !isHere) return
      const rejection = isHere ? null : this.#connect(body!.block, download.isNextDecided)
      if (rejection !== null) {
        // Nobody honest has a block that is invalid, nor follows one. Who gave us others is not to blame.
        for (const from of new Set([download.source, body!.from]))
          this.#host.outbox.emit({ type: 'reject', from, reason: rejection })
        return this.#giveUpDownload(download)
      }
      if (body !== undefined) this.#claims.prove(body.from)
      download.advance()
    }
    this.#download = null
  }

  #connect(block: Block, isDecided: boolean): Rejection | null {
    this.#isConnecting = true
    const rejection = this.#host.connect(block, isDecided)
    this.#isConnecting = false
    return rejection
  }

  /** Asks for whatever should be asked for next. */
  #proceed(): void {
    // What is connected may make the finality layer want a block, before it is counted as connected. Whoever connects
    // goes on by itself.
    if (this.#isConnecting) return
    // Bodies come by gossip too: what is wanted may be here by now.
    this.#connectBodies()
    for (const want of this.#wanted.all()) this.#requestWanted(want)
    if (this.#download !== null) this.#requestBodies(this.#download)
    const isFree = this.#download === null || this.#isStalled(this.#download)
    if (isFree && this.#host.followsWork) this.#requestHeaders()
    const isBusy =
      this.#wanted.size > 0 ||
      this.#download !== null ||
      this.#claims.isWaiting(this.#ticks) ||
      [...this.#peers.values()].some(peer => peer.headersRequest !== null || peer.request !== null)
    if (isBusy === this.#isTicking) return
    this.#isTicking = isBusy
    if (isBusy) this.#host.outbox.emit({ type: 'set-timer', name: 'sync', delayMs: SYNC_TICK_MS })
    else this.#host.outbox.emit({ type: 'clear-timer', name: 'sync' })
  }

  /** Asks for a wanted block, or for the next of its ancestors, where no peer or too few are asked. */
  #requestWanted(want: WantedBlock): void {
    const { id, path, offMain } = want
    this.#connectPath(want)
    const { target } = path
    if (target === null) return this.#wanted.delete(id)
    // A download that brings it must not have it taken away: it would ask for it again and again.
    if (this.#download?.brings(target) === true) return
    const isByHeaders = (peer: PeerId): boolean => path.isDeep && !offMain.has(peer)
    const peers = [...this.#peers]
    const asked = peers
      .filter(
        ([, { request, headersRequest }]) =>
          headersRequest?.wanted === id || (request?.wanted === id && request.ids[0] === target),
      )
      .map(([peer]) => peer)
    const free = peers
      .filter(([peer, { request, headersRequest }]) =>
        isByHeaders(peer) ? headersRequest === null && this.#download === null : request === null,
      )
      .map(([peer]) => peer)
    const next = this.#wanted.next(want, free, asked)
    if (next === null) {
      const isLost = asked.length === 0 && peers.every(([peer]) => want.failed.has(peer))
      return isLost ? this.#wanted.delete(id) : undefined
    }
    want.isDue = false
    if (isByHeaders(next)) this.#askForHeaders(next, { branch: null, wanted: id })
    else this.#askForBodies(next, [target], id)
  }

  /** Whether a block is here: in the tree, or final with others above it. */
  #isHere(id: BlockId): boolean {
    return this.#host.tree.has(id) || this.#host.view.mainHeight(id) !== null
  }

  /** The same of a header whose height is known: above the base no database is asked. */
  #isConnected({ id, height }: ChainedHeader): boolean {
    const { tree, view } = this.#host
    return tree.has(id) || (height <= tree.base.chained.height && view.headerAt(height)?.id === id)
  }

  #askForBodies(peer: PeerId, ids: readonly BlockId[], wanted: BlockId | null): void {
    const request = { ...this.#newRequest(), ids, wanted }
    this.#peers.get(peer)!.request = request
    const message = { type: 'get-blocks', requestId: request.id, ids } as const
    this.#host.outbox.emit({ type: 'send', to: peer, message })
  }

  /** Asks whoever claims more work than ours: the peer whose branch is fetched in part, or another, and one more when all are late. */
  #requestHeaders(): void {
    const asked = [...this.#peers.values()].flatMap(({ headersRequest }) => headersRequest ?? [])
    if (asked.length >= HEADERS_ASKED_MAX || asked.some(({ lateAt }) => lateAt > this.#ticks)) return
    const { work } = this.#host.tree.head.chained
    const source = this.#resume?.source
    if (source !== undefined && asked.length === 0) {
      if (this.#claims.of(source) > work) return this.#askForHeaders(source, { branch: null, wanted: null })
      this.#resume = null
    }
    const next = this.#claims.next(work, this.#ticks, id => {
      const { headersRequest, saidAllOf } = this.#peers.get(id)!
      return headersRequest === null && (saidAllOf === null || saidAllOf !== this.#download)
    })
    if (next !== null) this.#askForHeaders(next, { branch: null, wanted: null })
  }

  #askForHeaders(
    peer: PeerId,
    given: Pick<HeadersRequest, 'branch' | 'wanted'> & { readonly lateAt?: number },
  ): void {
    const resumed = this.#resume?.source === peer ? this.#resume.id : null
    const from = given.branch?.lastId ?? resumed
    const own = locatorOf(this.#host.tree, this.#host.view)
    const locator = from === null ? own : [from, ...own]
    const request = { ...this.#newRequest(), locator, ...given }
    this.#peers.get(peer)!.headersRequest = request
    const message = { type: 'get-headers', requestId: request.id, locator } as const
    this.#host.outbox.emit({ type: 'send', to: peer, message })
  }

  #requestBodies(download: BodyDownload): void {
    const wants = this.#wanted.all().filter(want => download.brings(want.id))
    const isHolder = (id: PeerId): boolean =>
      wants.some(want => want.promised.has(id) || want.others.includes(id))
    // The peer that gave the headers has the bodies for sure: any other may follow another branch.
    const mayHave = (id: PeerId): boolean =>
      id === download.source || isHolder(id) || this.#claims.of(id) > this.#host.tree.head.chained.work
    const holders = [...this.#peers.keys()].filter(id => mayHave(id) && !this.#suppliers.isOut(id))
    // New identities cost nothing. One place is kept for the source, or for the peer that is connected for longest.
    const anchor = holders.includes(download.source) ? download.source : (holders[0] ?? null)
    const others = holders
      .filter(id => id !== anchor)
      .sort((one, other) => this.#strikesOf(one) - this.#strikesOf(other))
      .sort((one, other) => Number(isHolder(other)) - Number(isHolder(one)))
    for (const id of anchor === null ? others : [anchor, ...others]) {
      if (this.#suppliers.isSlow(id, this.#ticks) || this.#peers.get(id)!.request !== null) continue
      const missing = this.#missingFor(id, anchor, download)
      if (missing.length > 0) this.#askForBodies(id, missing.slice(0, this.#suppliers.groupOf(id)), null)
    }
    const isAnyAsked = [...this.#peers.values()].some(peer => peer.request !== null)
    // The source may be asked again when its delay is over.
    if (isAnyAsked || holders.includes(download.source)) return
    if (this.#missingFor(null, anchor, download).length === 0) return
    // No peer is left that would give them: this branch can't be had now.
    this.#giveUpDownload(download)
  }

  /** The next blocks of which a peer may be asked for the bodies: neither here, nor waited for from others. */
  #missingFor(id: PeerId | null, anchor: PeerId | null, download: BodyDownload): BlockId[] {
    const asked = new Set(this.#waitedFor(id, anchor, download))
    return download
      .missing(this.#host.limits.bodiesAheadMax)
      .filter(header => !asked.has(header.id) && !this.#isConnected(header))
      .map(header => header.id)
  }

  /** The bodies that a peer is not asked for while these requests are under way. */
  #waitedFor(id: PeerId | null, anchor: PeerId | null, download: BodyDownload): BlockId[] {
    const first = this.#askedForNext(download)
    const isUnproved = (peer: PeerId): boolean => !this.#claims.hasProved(peer)
    // All others wait for the first. One that is late does not hold them up where finality waits too, or where it has given
    // nothing yet: else each new identity could do so once. It never holds up the anchor once that was late itself.
    const isAnchored = anchor === null || id === anchor || first.includes(anchor)
    const isHeldUp =
      first.length < (isAnchored ? ASKED_MAX : ASKED_MAX - 1) &&
      first.every(
        peer =>
          (this.#isLate(peer) && (this.#wanted.size > 0 || isUnproved(peer))) ||
          (id === anchor &&
            isUnproved(peer) &&
            (id !== download.source || this.#suppliers.hasFailed(download.source))),
      )
    return [...this.#peers]
      .filter(([peer]) => !isHeldUp || !first.includes(peer))
      .flatMap(([, { request }]) => request?.ids ?? [])
  }

  /** Whether a download that failed to come makes way for a branch of another peer that holds no more work. */
  #yieldsTo(peer: PeerId, { source }: BodyDownload): boolean {
    return peer !== source && this.#suppliers.hasFailed(source)
  }

  /**
   * Whether all peers that are asked for the next body are late, and none of them has given one before: a branch can be
   * mined, or copied, by a peer that will never give its blocks. Meanwhile others are asked for headers, and one whose
   * branch holds more work takes its place.
   */
  #isStalled(download: BodyDownload): boolean {
    return this.#askedForNext(download).every(id => this.#isLate(id) && !this.#claims.hasProved(id))
  }

  #askedForNext({ next }: BodyDownload): PeerId[] {
    return [...this.#peers].filter(([, { request }]) => request?.ids.includes(next!.id)).map(([id]) => id)
  }

  /** Whether a peer is late with the bodies that it was asked for. */
  #isLate(id: PeerId): boolean {
    return (this.#peers.get(id)?.request?.lateAt ?? 0) <= this.#ticks
  }

  #strikesOf(id: PeerId): number {
    return this.#peers.get(id)?.strikes ?? 0
  }

  #giveUpDownload({ source }: BodyDownload): void {
    this.#download = null
    if (!this.#peers.has(source)) return
    this.#failClaim(source)
    for (const { id, path } of this.#wanted.all()) if (path.isDeep) this.#wanted.onFailed(id, source)
  }

  /** Nothing came of what a peer claims. That is its failure only where our own work has not grown beyond the claim since. */
  #failClaim(id: PeerId): void {
    if (this.#resume?.source === id) this.#resume = null
    if (!this.#host.followsWork || this.#claims.of(id) <= this.#host.tree.head.chained.work) return
    this.#claims.fail(id, this.#ticks)
  }

  #strike(id: PeerId): void {
    const peer = this.#peers.get(id)
    if (peer === undefined) return
    peer.strikes += 1
    if (peer.strikes >= STRIKES_MAX)
      this.#host.outbox.emit({ type: 'disconnect', peer: id, reason: 'peer-stalled' })
  }

  #newRequest(): Omit<Request, 'wanted'> {
    const id = this.#requests
    this.#requests = (id + 1) >>> 0
    // The tick that is under way does not count.
    const ticks = this.#ticks + (this.#isTicking ? 1 : 0)
    return { id, lateAt: ticks + LATE_TICKS, deadline: ticks + ANSWER_TICKS }
  }
}
