// The links to peers, and their streams: at most one per peer, up and down in strict alternation.
//
// Of two peers the one with the lesser id opens the stream and the other waits for it, so two streams can't
// cross; over which connection is the opener's choice. A newer stream takes the place of the older one: the opener
// would not have opened it if the older still worked for it. A peer that is connected and gets no link is dropped, and so is one
// whose links come up more often than an honest peer's ever do.

import type { Connection, Stream } from '@libp2p/interface'
import { type FaultLog, guarded } from '../defence/guarded.ts'
import type { TokenRate } from '../defence/token-bucket.ts'
import { TokenBuckets } from '../defence/token-buckets.ts'
import type { PeerId } from '../replica/effects.ts'
import { FIRST_MESSAGE_TIMEOUT_MS, type LinkEnd, PeerLink } from './peer-link.ts'

/**
 * The protocol of the stream that carries messages. Its number goes up with each change of a message's layout, so that nodes
 * of two versions do not connect, rather than blame each other for what they can't read: 2 since transactions are announced.
 */
export const PROTOCOL = '/quorate/2'

/** Milliseconds before a link that broke while a connection stayed is opened again. */
const REOPEN_DELAY_MS = 1_000
/**
 * Links of one peer, over all its connections. Each costs a hello that is signed, a status and the announcement of the
 * pool. An honest peer opens one again after a second at the earliest, and a few at once where connections break.
 */
export const LINKS: TokenRate = { burst: 8, perSecond: 1 }

/** Handlers of what happens on links. */
export interface LinksHandlers {
  onUp(peer: PeerId): void
  onDown(peer: PeerId, end: LinkEnd): void
  /** A message came; the peer's next one is read when this resolves, which it always does. */
  onMessage(peer: PeerId, bytes: Uint8Array): Promise<void>
}

/** A peer with at least one open connection. */
interface ConnectedPeer {
  readonly id: PeerId
  readonly connections: Set<Connection>
  link: PeerLink | null
  isOpening: boolean
  /** Runs while there is no link; the peer is dropped when it ends. */
  deadline: NodeJS.Timeout | undefined
}

/** The links of one node. */
export class PeerLinks {
  readonly #ownId: PeerId
  readonly #handlers: LinksHandlers
  readonly #peers = new Map<PeerId, ConnectedPeer>()
  readonly #openings = new TokenBuckets(LINKS)
  readonly #log: FaultLog
  #isClosed = false

  constructor(ownId: PeerId, handlers: LinksHandlers, log: FaultLog) {
    this.#ownId = ownId
    this.#handlers = handlers
    this.#log = log
  }

  /** The link to a peer, or null. */
  get(peer: PeerId): PeerLink | null {
    return this.#peers.get(peer)?.link ?? null
  }

  /** All links. */
  all(): PeerLink[] {
    return [...this.#peers.values()].map(peer => peer.link).filter(link => link !== null)
  }

  /** The open connections of a peer. */
  connections(peer: PeerId): Connection[] {
    return [...(this.#peers.get(peer)?.connections ?? [])]
  }

  /** A connection was opened, by either side. */
  onConnection(connection: Connection): void {
    if (this.#isClosed || connection.status !== 'open') return
    const id = connection.remotePeer.toString()
    const peer = this.#peers.get(id) ?? {
      id,
      connections: new Set(),
      link: null,
      isOpening: false,
      deadline: undefined,
    }
    this.#peers.set(id, peer)
    peer.connections.add(connection)
    if (peer.link !== null) return
    this.#startDeadline(peer)
    this.#openIfOurs(peer)
  }

  /** A connection was closed. */
  onConnectionClosed(connection: Connection): void {
    const peer = this.#peers.get(connection.remotePeer.toString())
    if (peer?.connections.delete(connection) !== true) return
    if (peer.link?.connection === connection) peer.link.end('closed')
    if (peer.connections.size > 0) return
    clearTimeout(peer.deadline)
    this.#peers.delete(peer.id)
  }

  /** The peer opened a stream. */
  onStream(stream: Stream, connection: Connection): void {
    const peer = this.#peers.get(connection.remotePeer.toString())
    if (peer === undefined || this.#isClosed || this.#isOpener(peer.id))
      stream.abort(new Error('the other side opens this stream'))
    else this.#adopt(peer, stream, connection)
  }

  /** Ends all links and makes no more. */
  close(): void {
    this.#isClosed = true
    for (const peer of this.#peers.values()) {
      clearTimeout(peer.deadline)
      peer.link?.end('left')
    }
  }

  #isOpener(peer: PeerId): boolean {
    return this.#ownId < peer
  }

  /** Opens the link if that is our side's task. */
  #openIfOurs(peer: ConnectedPeer): void {
    if (!this.#isOpener(peer.id)) return
    const abort = () => {
      for (const connection of peer.connections) connection.abort(new Error('a fault'))
    }
    guarded(this.#log, 'opening a link', () => this.#open(peer), abort)()
  }

  async #open(peer: ConnectedPeer): Promise<void> {
    const connection = [...peer.connections].find(({ status }) => status === 'open')
    if (connection === undefined || peer.isOpening || peer.link !== null || this.#isClosed) return
    peer.isOpening = true
    try {
      const stream = await connection.newStream(PROTOCOL).catch(() => null)
      // The peer speaks another protocol, or has closed the connection.
      if (stream === null) closeConnection(connection)
      else if (this.#isClosed || !peer.connections.has(connection))
        stream.abort(new Error('no longer needed'))
      else this.#adopt(peer, stream, connection)
    } finally {
      peer.isOpening = false
    }
  }

  #adopt(peer: ConnectedPeer, stream: Stream, connection: Connection): void {
    if (!this.#openings.take(peer.id, performance.now())) {
      for (const one of peer.connections) one.abort(new Error('its links are opened too often'))
      return
    }
    peer.link?.end('closed')
    clearTimeout(peer.deadline)
    const handlers = {
      onMessage: (bytes: Uint8Array) => this.#handlers.onMessage(peer.id, bytes),
      onEnd: (end: LinkEnd) => this.#onEnd(peer, link, end),
    }
    const link: PeerLink = new PeerLink(stream, connection, { handlers, log: this.#log })
    peer.link = link
    this.#handlers.onUp(peer.id)
  }

  #onEnd(peer: ConnectedPeer, link: PeerLink, end: LinkEnd): void {
    if (peer.link === link) peer.link = null
    this.#handlers.onDown(peer.id, end)
    // The handler may have closed the connections.
    if (this.#isClosed || peer.connections.size === 0) return
    this.#startDeadline(peer)
    const open = guarded(this.#log, 'opening a link again', () => this.#openIfOurs(peer))
    setTimeout(open, REOPEN_DELAY_MS).unref()
  }

  #startDeadline(peer: ConnectedPeer): void {
    clearTimeout(peer.deadline)
    const close = () => {
      for (const connection of peer.connections) closeConnection(connection)
    }
    peer.deadline = setTimeout(guarded(this.#log, 'leaving a mute peer', close), FIRST_MESSAGE_TIMEOUT_MS)
  }
}

/** Ends connections at once, without telling the peer. */
export function abortAll(connections: readonly Connection[], reason: string): void {
  for (const connection of connections) connection.abort(new Error(reason))
}

/** Closes a connection in peace, or else by force. */
export function closeConnection(connection: Connection): void {
  connection.close().catch(error => connection.abort(error))
}
