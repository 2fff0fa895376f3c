// Catching up: headers first from one peer (header-sync.ts), then the bodies from several at once (body-sync.ts), then the
// next headers. Blocks that the finality layer needs are fetched beside that, whatever work they hold (wanted-fetch.ts).
// Here inputs are routed to these parts, and after each input all of them ask for what should be asked for next.

import type { Block } from '../chain/block.ts'
import type { BlockHeader, BlockId } from '../chain/header.ts'
import type { Holders } from '../finality/contract.ts'
import { PATH_BYTES_MAX } from './ancestor-path.ts'
import { BodySync } from './body-sync.ts'
import { Claims, type PeerOrigin } from './claims.ts'
import type { PeerId } from './effects.ts'
import { HeaderSync } from './header-sync.ts'
import { OVERDUE_MAX } from './suppliers.ts'
import type { SyncHost } from './sync-host.ts'
import { type SyncRequest, SyncRequests } from './sync-requests.ts'
import type { Rejection } from './verdict.ts'
import { WANTED_MAX, WantedBlocks } from './wanted-blocks.ts'
import { WantedFetch } from './wanted-fetch.ts'

/** The part of a replica that catches up. */
export class Sync {
  readonly #host: SyncHost
  readonly #requests: SyncRequests
  readonly #claims = new Claims()
  readonly #wanted: WantedBlocks
  readonly #headers: HeaderSync
  readonly #bodies: BodySync
  readonly #fetch: WantedFetch
  #isConnecting = false

  constructor(host: SyncHost) {
    const requests = new SyncRequests(host.outbox, host.firstRequestId)
    const wanted = new WantedBlocks(peer => host.isValidator(peer))
    const connect = (block: Block, isDecided: boolean) => this.#connect(block, isDecided)
    const parts = { ...host, requests, claims: this.#claims, wanted, connect }
    const bodies = new BodySync(parts)
    const headers = new HeaderSync({ ...parts, bodies })
    this.#host = host
    this.#requests = requests
    this.#wanted = wanted
    this.#headers = headers
    this.#bodies = bodies
    this.#fetch = new WantedFetch({ ...parts, headers, bodies })
  }

  /** How far this node is behind: heights of the head and of the header it is fetching toward; null when it is not. */
  progress(): { readonly height: number; readonly target: number } | null {
    const { download } = this.#bodies
    return download === null ? null : { height: this.#host.tree.head.chained.height, target: download.target }
  }

  /** What peers can make grow, each with its bound: its name, how large it is, and how large it may be. */
  sizes(): (readonly [name: string, size: number, max: number])[] {
    const { bodiesAheadMax, branchHeadersMax } = this.#host.limits
    return [
      ['wanted blocks', this.#wanted.size, WANTED_MAX],
      ['bytes before wanted blocks', this.#wanted.bytes, WANTED_MAX * PATH_BYTES_MAX],
      ['peers and how they did', this.#wanted.standings, this.#requests.peerCount],
      ['late requests of a peer', this.#bodies.overdueSize, OVERDUE_MAX],
      ['bodies that wait', this.#bodies.download?.waiting ?? 0, bodiesAheadMax],
      ['headers of a branch', this.#headers.branchSize, branchHeadersMax],
    ]
  }

  /** Whether what is being fetched stands on this block: to give it up for lack of room would be to begin again. */
  needs(id: BlockId): boolean {
    return (
      id === this.#bodies.download?.next?.header.previous ||
      this.#wanted.all().some(({ path }) => path.connectedId === id) ||
      this.#headers.needs(id)
    )
  }

  addPeer(peer: PeerId, origin: PeerOrigin): void {
    this.#claims.add(peer, origin)
    this.#wanted.addPeer(peer)
    this.#bodies.add(peer)
    this.#headers.add(peer)
    this.#requests.add(peer)
  }

  removePeer(peer: PeerId): void {
    this.#requests.remove(peer)
    this.#claims.remove(peer)
    this.#wanted.forgetPeer(peer)
    this.#bodies.remove(peer)
    this.#headers.remove(peer)
    this.#proceed()
  }

  /** Whether a peer was asked for the answer with this id, and it is of use: late bodies may be here by now. */
  isAsked(peer: PeerId, type: 'headers' | 'blocks', requestId: number): boolean {
    if (type === 'headers') return this.#requests.headersOf(peer)?.id === requestId
    if (this.#requests.bodiesOf(peer)?.id === requestId) return true
    const overdue = this.#bodies.requestOf(peer, requestId)
    return overdue?.ids.some(id => this.#bodies.isMissing(id)) === true
  }

  /** Whether a peer is asked for this block by this request, which may be one that it is late with. */
  asksFor(peer: PeerId, requestId: number, id: BlockId): boolean {
    return this.#bodies.requestOf(peer, requestId)?.ids.includes(id) === true
  }

  /** A peer says how much work it follows. */
  onClaim(peer: PeerId, work: bigint): void {
    this.#updateClaim(peer, () => this.#claims.claim(peer, work))
  }

  /** A peer has a block whose parent is not known here. */
  onOrphan(peer: PeerId): void {
    const atLeast = this.#host.tree.head.chained.work + 1n
    this.#updateClaim(peer, () => this.#claims.assume(peer, atLeast))
  }

  #updateClaim(peer: PeerId, update: () => void): void {
    if (!this.#requests.has(peer)) return
    const own = this.#host.tree.head.chained.work
    const before = this.#claims.of(peer)
    update()
    const isNews = before <= own && this.#claims.of(peer) > own
    // A claim is free for its sender. While there is anything to do it is looked at with each tick.
    if (isNews || !this.#requests.isTicking) this.#proceed()
  }

  /** A block is needed with all before it, whatever work it holds. */
  onWanted(id: BlockId, holders: Holders, isDecided: boolean): void {
    if (this.#host.tree.has(id)) return
    this.#wanted.add(id, holders, isDecided)
    this.#proceed()
  }

  onHeaders(from: PeerId, requestId: number, headers: readonly BlockHeader[]): void {
    const request = this.#requests.headersOf(from)
    if (request?.id !== requestId) return
    this.#requests.closeHeaders(from)
    this.#headers.onAnswer(from, request, headers)
    this.#proceed()
  }

  onBlocks(from: PeerId, requestId: number, blocks: readonly Block[]): void {
    const answer = this.#bodies.take(from, requestId, blocks)
    if (answer === null) return
    const { request, bodies } = answer
    if (request.wanted === null) this.#bodies.addBodies(from, bodies)
    else this.#fetch.onAnswer(from, request, request.wanted, bodies.get(request.ids[0]!))
    this.#proceed()
  }

  onTick(): void {
    const requests = this.#requests
    requests.onTick()
    this.#wanted.onTick(requests.peers())
    for (const id of requests.peers()) {
      const [headers, bodies] = [requests.headersOf(id), requests.bodiesOf(id)]
      if (headers !== null && this.#isOver(id, headers)) {
        requests.closeHeaders(id)
        this.#headers.failClaim(id)
      }
      if (bodies !== null && this.#isOver(id, bodies)) {
        requests.closeBodies(id)
        this.#bodies.onOverdue(id, bodies)
        if (id === this.#bodies.download?.source) this.#headers.askAllAgain(id)
      }
    }
    this.#proceed()
  }

  /** Looks at the deadlines of a request: whether its answer is waited for no more. */
  #isOver(id: PeerId, { lateAt, deadline, wanted }: SyncRequest): boolean {
    const { tick } = this.#requests
    if (wanted !== null && lateAt === tick) this.#wanted.onLate(wanted, id)
    if (deadline > tick) return false
    if (wanted !== null) this.#wanted.onFailed(wanted, id)
    this.#requests.strike(id)
    return true
  }

  #connect(block: Block, isDecided: boolean): Rejection | null {
    this.#isConnecting = true
    const rejection = this.#host.connect(block, isDecided)
    this.#isConnecting = false
    return rejection
  }

  /** Asks for whatever should be asked for next. */
  #proceed(): void {
    // To connect a block may make the finality layer want another, before the first is counted as connected. The caller
    // that connects goes on by itself.
    if (this.#isConnecting) return
    // Bodies come by gossip too: what is wanted may be here by now.
    this.#headers.failClaims(this.#bodies.connect())
    this.#fetch.request()
    this.#headers.failClaims(this.#bodies.request())
    const isFree = this.#bodies.download === null || this.#bodies.isStalled
    if (isFree && this.#host.followsWork) this.#headers.request()
    this.#requests.keepTicking(
      this.#wanted.size > 0 ||
        this.#bodies.download !== null ||
        this.#claims.isWaiting(this.#requests.tick) ||
        this.#requests.isAnyOpen,
    )
  }
}
