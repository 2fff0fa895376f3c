// Catching up: headers first from one peer, then the bodies from several at once.
//
// A peer that claims more work is asked for headers; they are checked alone (header-check.ts) before a single body is
// fetched, and only a branch whose work passes our head's is fetched at all, so that a liar costs itself more than us;
// where it takes more headers than one answer has, more are asked for. Of a very long branch a part is kept
// (header-branch.ts), fetched once the work of all is proved, and then the rest is asked for. Bodies (body-download.ts) are
// asked for in small groups, each from any peer that is idle; a group that does not arrive in time goes to another peer.
// Bodies are connected in order, then the next headers are asked for. A block that finality needs is asked for alone, or
// with all before it where its parent is not here: of several peers if the first does not give it (wants.ts).

import type { Block } from '../chain/block.ts'
import type { BlockHeader, BlockId } from '../chain/header.ts'
import type { ChainedHeader } from '../chain/header-chain.ts'
import type { Holders } from '../finality/contract.ts'
import { BodyDownload } from './body-download.ts'
import { Claims, type PeerOrigin } from './claims.ts'
import type { PeerId } from './effects.ts'
import type { HeaderBranch } from './header-branch.ts'
import { HeaderCheck, type HeaderHost, type HeadersQuestion } from './header-check.ts'
import type { ReplicaLimits } from './limits.ts'
import { locatorOf } from './locator.ts'
import { MESSAGE_LIMITS } from './messages.ts'
import type { Rejection } from './verdict.ts'
import { ASKED_MAX, WANTED_MAX, type WantedBlock, WantedBlocks } from './wanted-blocks.ts'

/** What catching up needs of its replica. */
export interface SyncHost extends HeaderHost {
  /** Whether the branch that ends here should be followed for its work. */
  isPreferred(tip: ChainedHeader): boolean
  /** Whether what peers claim to follow is reason enough to ask them. */
  readonly followsWork: boolean
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
  /** It left a request of this download unanswered, or a part of one: the others are asked for the rest. */
  isSlow: boolean
}

interface Request {
  readonly id: number
  /** The looks by which the answer is late, and by which it is given up. */
  readonly lateAt: number
  readonly deadline: number
  /** The wanted block for which it was made; null for any other reason. */
  readonly wanted: BlockId | null
}

interface BodiesRequest extends Request {
  readonly ids: readonly BlockId[]
}

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
  readonly #wanted = new WantedBlocks()
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
      ['peers and how they did', this.#wanted.standings, this.#peers.size],
      ['bodies that wait', this.#download?.waiting ?? 0, bodiesAheadMax],
      ['headers of a branch', Math.max(0, ...branches.map(kept => kept?.length ?? 0)), branchHeadersMax],
    ]
  }

  /** Whether what is being fetched stands on this block: to give it up for lack of room would be to begin again. */
  needs(id: BlockId): boolean {
    return (
      id === this.#download?.next?.header.previous ||
      id === this.#resume?.id ||
      [...this.#peers.values()].some(peer => peer.headersRequest?.branch?.fresh.forkId === id)
    )
  }

  addPeer(peer: PeerId, origin: PeerOrigin): void {
    this.#claims.add(peer, origin)
    this.#peers.set(peer, {
      patience: this.#host.limits.branchHeadersMax,
      strikes: 0,
      request: null,
      headersRequest: null,
      isSlow: false,
    })
  }

  removePeer(peer: PeerId): void {
    this.#peers.delete(peer)
    this.#claims.remove(peer)
    this.#wanted.forgetPeer(peer)
    this.#proceed()
  }

  /** Whether a peer was asked for the answer with this id. */
  isAsked(peer: PeerId, type: 'headers' | 'blocks', requestId: number): boolean {
    const state = this.#peers.get(peer)
    const request = type === 'headers' ? state?.headersRequest : state?.request
    return request?.id === requestId
  }

  /** Whether a peer is asked for this block by this request. */
  asksFor(peer: PeerId, requestId: number, id: BlockId): boolean {
    const request = this.#peers.get(peer)?.request
    return request?.id === requestId && request.ids.includes(id)
  }

  /** A peer says how much work it follows. */
  onClaim(peer: PeerId, work: bigint): void {
    if (!this.#peers.has(peer)) return
    const own = this.#host.tree.head.chained.work
    const isNews = work > own && this.#claims.of(peer) <= own
    this.#claims.claim(peer, work)
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
    const claim = this.#claims.of(peer)
    this.onClaim(peer, claim > atLeast ? claim : atLeast)
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
      if (run.headers.length === 0 || (fresh as HeaderBranch).tip!.work <= this.#download.work)
        return this.#proceed()
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
    if (wanted !== null && !run.isPart && !run.headers.some(header => header.id === wanted))
      this.#wanted.onFailed(wanted, from)
    if (run.headers.length > 0) this.#beginDownload(from, run, fresh as HeaderBranch)
    else if (earlyTime !== null) this.#claims.defer(from, this.#ticks)
    else this.#failClaim(from)
    this.#proceed()
  }

  #beginDownload(source: PeerId, { headers, isPart }: Run, fresh: HeaderBranch): void {
    for (const peer of this.#peers.values()) peer.isSlow = false
    const target = (isPart ? fresh.tip! : headers.at(-1)!).height
    this.#download = new BodyDownload(source, headers, { target, decidedCount: fresh.decidedSize })
    this.#resume = isPart ? { source, id: headers.at(-1)!.id } : null
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
    if (peer?.request?.id !== requestId) return
    const { request } = peer
    const asked = new Set(request.ids)
    peer.request = null
    const useful = new Map(blocks.filter(block => asked.has(block.id)).map(block => [block.id, block]))
    if (useful.size > 0) peer.strikes = 0
    if (request.wanted !== null) {
      this.#takeWanted(from, request, request.wanted, useful.get(request.wanted))
      return this.#proceed()
    }
    // An honest answer ends early only because it is large. One that drips would hold all others up.
    const bytes = [...useful.values()].reduce((sum, block) => sum + block.raw.length, 0)
    if (useful.size < asked.size && bytes < MESSAGE_LIMITS.blocksBytesMax / 2) peer.isSlow = true
    for (const [id, block] of useful) if (!this.#isHere(id)) this.#download?.add(block, from)
    this.#proceed()
  }

  /** The answer to a request for a wanted block alone: it is taken in, or all before it is asked for too. */
  #takeWanted(from: PeerId, { lateAt }: Request, id: BlockId, block: Block | undefined): void {
    if (block === undefined) return this.#wanted.onFailed(id, from)
    if (lateAt > this.#ticks) this.#wanted.onGiven(from)
    const want = this.#wanted.get(id)
    if (want === undefined || this.#host.tree.has(id)) return
    if (!this.#host.tree.has(block.header.previous)) {
      want.isDue ||= want.part === 'block'
      want.part = 'headers'
      return
    }
    const rejection = this.#connect(block, want.isDecided)
    if (rejection === null) return
    this.#wanted.onFailed(id, from)
    this.#host.outbox.emit({ type: 'reject', from, reason: rejection })
  }

  onTick(): void {
    this.#ticks += 1
    this.#isTicking = false
    for (const [id, peer] of this.#peers) {
      const { request, headersRequest } = peer
      if (headersRequest !== null && this.#isOver(id, headersRequest)) {
        peer.headersRequest = null
        this.#failClaim(id)
      }
      if (request !== null && this.#isOver(id, request)) {
        peer.request = null
        peer.isSlow = true
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

  /** Asks for a wanted block where nobody is asked, or too few are. */
  #requestWanted(want: WantedBlock): void {
    const { id, part } = want
    if (this.#isHere(id)) return this.#wanted.delete(id)
    // A download that brings it must not have it taken away: it would ask for it again and again.
    if (this.#download !== null && (part === 'headers' || this.#download.brings(id))) return
    const requestOf = (peer: Peer): Request | null => (part === 'block' ? peer.request : peer.headersRequest)
    const peers = [...this.#peers]
    const asked = peers.filter(([, peer]) => requestOf(peer)?.wanted === id).map(([peer]) => peer)
    const free = peers.filter(([, peer]) => requestOf(peer) === null).map(([peer]) => peer)
    const next = this.#wanted.next(want, free, asked)
    if (next === null) {
      const isLost = asked.length === 0 && peers.every(([peer]) => want.failed.has(peer))
      return isLost ? this.#wanted.delete(id) : undefined
    }
    want.isDue = false
    if (part === 'block') this.#askForBodies(next, [id], id)
    else this.#askForHeaders(next, { branch: null, wanted: id })
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
    const next = this.#claims.next(work, this.#ticks, id => this.#peers.get(id)!.headersRequest === null)
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
    const asked = new Set(this.#waitedFor(download))
    const missing = download
      .missing(this.#host.limits.bodiesAheadMax)
      .filter(header => !asked.has(header.id) && !this.#isConnected(header))
      .map(header => header.id)
    const wants = this.#wanted.all().filter(want => download.brings(want.id))
    const isHolder = (id: PeerId): boolean =>
      wants.some(want => want.promised.has(id) || want.others.includes(id))
    // Who gave the headers has the bodies for sure: any other may follow another branch.
    const others = [...this.#peers.keys()]
      .filter(id => id !== download.source)
      .sort((one, other) => this.#strikesOf(one) - this.#strikesOf(other))
      .sort((one, other) => Number(isHolder(other)) - Number(isHolder(one)))
    for (const id of [download.source, ...others]) {
      const peer = this.#peers.get(id)
      if (missing.length === 0) return
      if (peer === undefined) continue
      const mayHave =
        id === download.source || isHolder(id) || this.#claims.of(id) > this.#host.tree.head.chained.work
      if (!mayHave || peer.isSlow || peer.request !== null) continue
      this.#askForBodies(id, missing.splice(0, this.#host.limits.bodiesMax), null)
    }
    const isAnyAsked = [...this.#peers.values()].some(peer => peer.request !== null)
    if (missing.length === 0 || isAnyAsked) return
    // Nobody is left who would give them: this chain can't be had now.
    this.#giveUpDownload(download)
  }

  /** The bodies that no other peer is asked for while these requests are under way. */
  #waitedFor(download: BodyDownload): BlockId[] {
    const first = this.#askedForNext(download)
    // All others wait for the first. One that is late does not hold them up where finality waits too, or where it has given
    // nothing yet: else each new identity could do so once.
    const isHeldUp =
      first.length < ASKED_MAX &&
      first.every(id => this.#isLate(id) && (this.#wanted.size > 0 || !this.#claims.hasProved(id)))
    return [...this.#peers]
      .filter(([id]) => !isHeldUp || !first.includes(id))
      .flatMap(([, { request }]) => request?.ids ?? [])
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
    for (const { id, part } of this.#wanted.all()) if (part === 'headers') this.#wanted.onFailed(id, source)
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
