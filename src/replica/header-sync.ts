// Header sync: which peer is asked for headers, and what follows from an answer. A peer that claims more work (claims.ts) is
// asked; the headers are checked alone (header-check.ts), and a branch is fetched only if its work passes our head's, so
// that a false claim costs its maker more than us. Where a branch takes more headers than one answer has, more are asked for;
// of a very long one a part is kept (header-branch.ts), fetched once the work of all is proved, and then the rest is asked
// for.

import type { BlockHeader, BlockId } from '../chain/header.ts'
import type { ChainedHeader } from '../chain/header-chain.ts'
import type { BodySync } from './body-sync.ts'
import type { PeerId } from './effects.ts'
import type { HeaderBranch } from './header-branch.ts'
import { HeaderCheck } from './header-check.ts'
import { locatorOf } from './locator.ts'
import type { SyncParts } from './sync-host.ts'
import type { HeadersRequest } from './sync-requests.ts'
import type { Rejection } from './verdict.ts'

/** What header sync needs besides what all parts of catching up have. */
export interface HeaderSyncParts extends SyncParts {
  readonly bodies: BodySync
}

/** Peers that are asked for headers at a time, each after the one before it was late: each may cost us a whole answer. */
const HEADERS_ASKED_MAX = 3

interface HeaderPeer {
  /**
   * The most headers of a branch that are requested of this peer while the branch holds no more work than ours. It doubles
   * each time that a branch reaches it, since an honest branch may have any length; a liar has to mine all of them.
   */
  allowance: number
  /** The number of the download during which the peer is not asked for headers: its last ones did not lead further. */
  notAskedDuring: number | null
}

/** What the headers of an answer lead to. */
interface Run {
  /** Those whose bodies are fetched now; none when the branch is not worth it. */
  readonly headers: readonly ChainedHeader[]
  /** Whether more of the branch is to be asked for after them. */
  readonly isPart: boolean
}

const NOTHING: Run = { headers: [], isPart: false }

/** The header sync of one replica. */
export class HeaderSync {
  readonly #host: HeaderSyncParts
  readonly #check: HeaderCheck
  readonly #peers = new Map<PeerId, HeaderPeer>()
  /** How far a branch is fetched whose rest this peer is still to be asked for. */
  #resume: { readonly source: PeerId; readonly id: BlockId } | null = null

  constructor(host: HeaderSyncParts) {
    this.#host = host
    this.#check = new HeaderCheck(host)
  }

  add(peer: PeerId): void {
    this.#peers.set(peer, { allowance: this.#host.limits.branchHeadersMax, notAskedDuring: null })
  }

  remove(peer: PeerId): void {
    this.#peers.delete(peer)
  }

  /** Whether a branch that is known in part stands on this block. */
  needs(id: BlockId): boolean {
    const open = this.#host.requests.openHeaders()
    return id === this.#resume?.id || open.some(({ branch }) => branch?.fresh.forkId === id)
  }

  /** Headers of the longest branch that is kept. */
  get branchSize(): number {
    const open = this.#host.requests.openHeaders()
    return Math.max(0, ...open.map(({ branch }) => branch?.fresh.kept.length ?? 0))
  }

  /**
   * Asks a peer that claims more work than ours: the one whose branch is fetched in part, or another; and one more when all
   * that are asked are late.
   */
  request(): void {
    const { requests, claims, tree, bodies } = this.#host
    const asked = requests.openHeaders()
    if (asked.length >= HEADERS_ASKED_MAX || asked.some(({ lateAt }) => lateAt > requests.tick)) return
    const { work } = tree.head.chained
    const source = this.#resume?.source
    if (source !== undefined && asked.length === 0) {
      if (claims.of(source) > work) return this.ask(source, { branch: null, wanted: null })
      this.#resume = null
    }
    const next = claims.next(work, requests.tick, id => {
      const { notAskedDuring } = this.#peers.get(id)!
      return requests.headersOf(id) === null && notAskedDuring !== bodies.download?.number
    })
    if (next !== null) this.ask(next, { branch: null, wanted: null })
  }

  /** Asks a peer for the headers of its main chain, or for those after a branch that is known in part. */
  ask(
    peer: PeerId,
    question: Pick<HeadersRequest, 'branch' | 'wanted'> & { readonly lateAt?: number },
  ): void {
    const { tree, view, requests } = this.#host
    const resumed = this.#resume?.source === peer ? this.#resume.id : null
    const from = question.branch?.lastId ?? resumed
    const own = locatorOf(tree, view)
    requests.askForHeaders(peer, { ...question, locator: from === null ? own : [from, ...own] })
  }

  /** A peer has answered this request, which is closed. */
  onAnswer(from: PeerId, request: HeadersRequest, headers: readonly BlockHeader[]): void {
    const { bodies } = this.#host
    const { download } = bodies
    // Another peer was asked as well, and was faster.
    if (download !== null && !bodies.isStalled) return
    const fresh = this.#check.check(headers, request)
    const run = typeof fresh === 'string' ? NOTHING : this.#worthFetching(fresh)
    const earlyTime = typeof fresh === 'string' ? null : fresh.newestEarlyTime
    if (earlyTime !== null) this.#host.noteEarly(from, earlyTime)
    if (download !== null) {
      const isBetter = run.headers.length > 0 && (fresh as HeaderBranch).tip!.work > download.work
      if (!isBetter && (run.headers.length === 0 || !bodies.yieldsTo(from))) {
        this.#peers.get(from)!.notAskedDuring = download.number
        return
      }
      this.failClaims(bodies.giveUp())
    }
    const rest = run.headers.length > 0 ? null : this.#check.rest(headers, request, fresh)
    if (rest !== null && this.#mayContinue(from, rest.fresh.size + rest.ownCount)) {
      // However many answers it takes: a branch that goes on and on is late as well.
      const { wanted, lateAt } = request
      return this.ask(from, { branch: rest, wanted, lateAt })
    }
    this.#conclude(from, request, { fresh, run })
  }

  /** The last answer to a question is here: the branch is fetched, or the claim has failed. */
  #conclude(
    from: PeerId,
    { wanted }: HeadersRequest,
    { fresh, run }: { readonly fresh: HeaderBranch | Rejection; readonly run: Run },
  ): void {
    const { outbox, claims, requests } = this.#host
    if (typeof fresh === 'string') outbox.emit({ type: 'reject', from, reason: fresh })
    if (wanted !== null && !run.isPart && !run.headers.some(header => header.id === wanted)) {
      if (typeof fresh === 'string') this.#host.wanted.onFailed(wanted, from)
      else this.#host.wanted.onNotOnMain(wanted, from)
    }
    if (typeof fresh === 'string') return this.failClaim(from)
    if (run.headers.length > 0) this.#beginDownload(from, run, fresh)
    else if (fresh.newestEarlyTime !== null || claims.isAssumed(from)) claims.defer(from, requests.tick)
    else this.failClaim(from)
  }

  #beginDownload(source: PeerId, { headers, isPart }: Run, fresh: HeaderBranch): void {
    const target = (isPart ? fresh.tip! : headers.at(-1)!).height
    const download = this.#host.bodies.begin(source, headers, { target, decidedCount: fresh.decidedSize })
    this.#resume = isPart ? { source, id: headers.at(-1)!.id } : null
    // From now on it sends bodies.
    this.#peers.get(source)!.notAskedDuring = download.number
  }

  /** The source of the download was late, so that other branches may take its place: all peers but it may be asked again. */
  askAllAgain(source: PeerId): void {
    for (const [id, peer] of this.#peers) if (id !== source) peer.notAskedDuring = null
  }

  /** The part of a branch whose bodies are fetched: all for its work, or up to the last block that is wanted. */
  #worthFetching({ kept, size, holdsWanted, timelyTip, timelySize, decidedSize }: HeaderBranch): Run {
    const due = kept.slice(0, Math.max(timelySize, decidedSize))
    if (timelyTip !== null && this.#host.isPreferred(timelyTip))
      return { headers: due, isPart: kept.length < timelySize }
    const end = due.findLastIndex(header => this.#host.wanted.has(header.id))
    if (end < 0 && holdsWanted) return { headers: due, isPart: kept.length < size }
    return { headers: due.slice(0, end + 1), isPart: false }
  }

  /** Whether a peer is asked for more after so many headers that are not worth fetching. */
  #mayContinue(id: PeerId, headers: number): boolean {
    const peer = this.#peers.get(id)!
    if (headers < peer.allowance) return true
    peer.allowance *= 2
    return false
  }

  /** A download was given up whose source is this peer; null where none was. */
  failClaims(source: PeerId | null): void {
    if (source !== null) this.failClaim(source)
  }

  /** A peer's claim led to nothing. That is its failure only where our own work has not grown beyond the claim since. */
  failClaim(id: PeerId): void {
    const { followsWork, claims, tree, requests } = this.#host
    if (this.#resume?.source === id) this.#resume = null
    if (!followsWork || claims.of(id) <= tree.head.chained.work) return
    claims.fail(id, requests.tick)
  }
}
