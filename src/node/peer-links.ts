// Which peers we have a link to, and over which stream: at most one per peer, up and down in strict alternation.
//
// Of two peers the one with the lesser id opens the stream and the other waits for it, so two streams can't
// cross; over which connection is the opener's choice. A newer stream takes the place of the older one: the opener
// would not have opened it if the older still worked for him.

import type { Connection, Stream } from '@libp2p/interface'
import type { PeerId } from '../replica/effects.ts'
import { FIRST_MESSAGE_TIMEOUT_MS, type LinkEnd, PeerLink } from './peer-link.ts'

/** The protocol of the stream that carries messages. */
export const PROTOCOL = '/quorate/1'

/** Milliseconds before a link that broke while its connection stayed is opened anew. */
const REOPEN_DELAY_MS = 1_000

/** Who is told of links. */
export interface LinksHandlers {
  onUp(peer: PeerId): void
  onDown(peer: PeerId, end: LinkEnd): void
  /** A message came; the next of this peer is read when this resolves, which it always does. */
  onMessage(peer: PeerId, bytes: Uint8Array): Promise<void>
}

/** The links of one node. */
export class PeerLinks {
  readonly #ownId: PeerId
  readonly #handlers: LinksHandlers
  readonly #links = new Map<PeerId, PeerLink>()
  /** Connections without a link, and when their time is over: as many as there are connections. */
  readonly #waiting = new Map<Connection, NodeJS.Timeout>()
  #isClosed = false

  constructor(ownId: PeerId, handlers: LinksHandlers) {
    this.#ownId = ownId
    this.#handlers = handlers
  }

  get(peer: PeerId): PeerLink | undefined {
    return this.#links.get(peer)
  }

  /** All links. */
  all(): PeerLink[] {
    return [...this.#links.values()]
  }

  /** A connection was opened, by either side. One that brings no link in time is closed. */
  onConnection(connection: Connection): void {
    if (this.#isClosed) return
    this.#waiting.set(
      connection,
      setTimeout(() => this.#giveUp(connection), FIRST_MESSAGE_TIMEOUT_MS),
    )
    const peer = connection.remotePeer.toString()
    if (this.#isOpener(peer) && !this.#links.has(peer)) void this.#open(connection)
  }

  /** A connection was closed; its streams were closed before. */
  onConnectionClosed(connection: Connection): void {
    this.#stopWaiting(connection)
  }

  /** The peer opened a stream. */
  onStream(stream: Stream, connection: Connection): void {
    const peer = connection.remotePeer.toString()
    if (this.#isClosed || this.#isOpener(peer)) stream.abort(new Error('it is not for you to open the stream'))
    else this.#adopt(stream, connection)
  }

  /** Ends all links and makes no more. */
  close(): void {
    this.#isClosed = true
    for (const connection of this.#waiting.keys()) this.#stopWaiting(connection)
    for (const link of this.all()) link.end('left')
  }

  #isOpener(peer: PeerId): boolean {
    return this.#ownId < peer
  }

  async #open(connection: Connection): Promise<void> {
    try {
      const stream = await connection.newStream(PROTOCOL)
      if (this.#isClosed) stream.abort(new Error('the node is closing'))
      else this.#adopt(stream, connection)
    } catch {
      this.#giveUp(connection)
    }
  }

  #adopt(stream: Stream, connection: Connection): void {
    const peer = connection.remotePeer.toString()
    this.#stopWaiting(connection)
    this.#links.get(peer)?.end('closed')
    const link: PeerLink = new PeerLink(stream, connection, {
      onMessage: bytes => this.#handlers.onMessage(peer, bytes),
      onEnd: end => this.#onEnd(link, end),
    })
    this.#links.set(peer, link)
    this.#handlers.onUp(peer)
  }

  #onEnd(link: PeerLink, end: LinkEnd): void {
    this.#links.delete(link.peer)
    this.#handlers.onDown(link.peer, end)
    const { connection } = link
    if (this.#isClosed || connection.status !== 'open') return
    // The peer may want another link over the same connection, which has as much time as a new one.
    this.#waiting.set(
      connection,
      setTimeout(() => this.#giveUp(connection), FIRST_MESSAGE_TIMEOUT_MS),
    )
    if (this.#isOpener(link.peer)) setTimeout(() => this.#reopen(connection), REOPEN_DELAY_MS)
  }

  #reopen(connection: Connection): void {
    const isWanted = this.#waiting.has(connection) && !this.#links.has(connection.remotePeer.toString())
    if (isWanted) void this.#open(connection)
  }

  #giveUp(connection: Connection): void {
    this.#stopWaiting(connection)
    connection.close().catch(error => connection.abort(error))
  }

  #stopWaiting(connection: Connection): void {
    clearTimeout(this.#waiting.get(connection))
    this.#waiting.delete(connection)
  }
}
