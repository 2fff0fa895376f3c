// The peers of a replica: what they are sent when they connect, and where each of their messages goes. Requests for headers
// and blocks are answered here; everything else goes to the part that handles it.

import type { Block } from '../chain/block.ts'
import { hasLeastWork } from '../chain/header-chain.ts'
import type { Genesis } from '../execution/genesis.ts'
import type { Finality } from '../finality/contract.ts'
import type { Chain } from './chain.ts'
import type { ChainView } from './chain-view.ts'
import type { PeerOrigin } from './claims.ts'
import type { ClockWatch } from './clock-watch.ts'
import type { PeerId, ReplicaOutbox } from './effects.ts'
import type { FinalityDriver } from './finality-driver.ts'
import type { Message, OutgoingMessage, Status } from './messages.ts'
import { type Screened, screen } from './screening.ts'
import { headersAfter, storedBlocks } from './serving.ts'
import type { Sync } from './sync.ts'
import type { Transactions } from './transactions.ts'

/** The parts of a replica that handle messages. */
export interface PeersHost {
  readonly genesis: Genesis
  readonly finality: Finality
  readonly outbox: ReplicaOutbox
  readonly chain: Chain
  readonly view: ChainView
  readonly sync: Sync
  readonly transactions: Transactions
  readonly driver: FinalityDriver
  readonly clock: ClockWatch
  /** Headers in one answer. */
  readonly headersMax: number
}

/** Peers that a replica talks to. */
const PEERS_MAX = 256

/** The connected peers of one replica. */
export class Peers {
  readonly #host: PeersHost
  readonly #ids = new Set<PeerId>()

  constructor(host: PeersHost) {
    this.#host = host
  }

  /** All of them, in the order in which they connected. */
  ids(): Iterable<PeerId> {
    return this.#ids.values()
  }

  add(peer: PeerId, origin: PeerOrigin = { isOutbound: false, group: peer }): void {
    const { outbox, sync, clock, transactions, driver } = this.#host
    if (this.#ids.size >= PEERS_MAX) {
      outbox.emit({ type: 'disconnect', peer, reason: 'peer-too-many' })
      return
    }
    this.#ids.add(peer)
    sync.addPeer(peer, origin)
    clock.add(peer, origin)
    transactions.relay.addPeer(peer)
    this.#send(peer, { type: 'status', status: this.#status() })
    driver.step({ type: 'peer-connected', peer })
    transactions.announceSubmitted(peer)
  }

  remove(peer: PeerId): void {
    const { sync, clock, transactions, driver } = this.#host
    this.#ids.delete(peer)
    sync.removePeer(peer)
    clock.forget(peer)
    transactions.relay.removePeer(peer)
    driver.step({ type: 'peer-disconnected', peer })
  }

  /** Sends our status to all peers. */
  sendStatus(): void {
    for (const peer of this.#ids) this.#send(peer, { type: 'status', status: this.#status() })
  }

  /** Why what a peer sends need not be decoded: see `screen`. */
  screen(from: PeerId, bytes: Uint8Array): Screened {
    const { genesis, finality, chain, view, sync } = this.#host
    const { relay } = this.#host.transactions
    return screen(bytes, {
      limits: genesis.blocks,
      followsWork: finality.followsWork,
      bytesOf: id => chain.tree.get(id)?.block.raw.length ?? null,
      isAt: (id, height) => view.headerAt(height)?.id === id,
      hasWork: header => hasLeastWork(genesis.work, header),
      isAsked: (type, requestId) =>
        type === 'transactions' ? relay.isAsked(from, requestId) : sync.isAsked(from, type, requestId),
      asksFor: (requestId, id) => sync.asksFor(from, requestId, id),
      askedTransactions: requestId => relay.asked(from, requestId).size,
      isValidator: finality.isValidator(from),
    })
  }

  onMessage(from: PeerId, message: Message): void {
    const { chain, view, sync, driver, headersMax } = this.#host
    const { relay } = this.#host.transactions
    switch (message.type) {
      case 'status':
        return this.#onStatus(from, message.status)
      case 'get-headers': {
        const { requestId, locator } = message
        const headHeight = chain.tree.head.chained.height
        const headers = headersAfter(view, locator, { headHeight, headersMax })
        return this.#send(from, { type: 'headers', requestId, headers })
      }
      case 'headers':
        return sync.onHeaders(from, message.requestId, message.headers)
      case 'get-blocks': {
        const { requestId, ids } = message
        return this.#send(from, { type: 'blocks', requestId, blocks: storedBlocks(view, ids) })
      }
      case 'blocks':
        return sync.onBlocks(from, message.requestId, message.blocks)
      case 'block':
        return this.#onBlock(from, message.block)
      case 'announce':
        return relay.onAnnounce(from, message.ids)
      case 'get-transactions':
        return relay.onRequest(from, message.requestId, message.ids)
      case 'transactions':
        return relay.onAnswer(from, message.requestId, message.transactions)
      case 'finality': {
        // The attached block is connected only if the finality layer asks for it.
        const attached = message.block === null ? null : { block: message.block, from }
        return driver.step({ type: 'message', from, body: message.body }, attached)
      }
    }
  }

  #onStatus(from: PeerId, status: Status): void {
    const { genesis, outbox, sync } = this.#host
    if (status.genesisId !== genesis.block.id || status.chainId !== genesis.blocks.chainId) {
      outbox.emit({ type: 'disconnect', peer: from, reason: 'peer-other-network' })
      return
    }
    sync.onClaim(from, status.work)
  }

  #onBlock(from: PeerId, block: Block): void {
    const { genesis, finality, outbox, chain, sync, clock } = this.#host
    if (chain.tree.has(block.id)) return
    if (!finality.followsWork) {
      outbox.emit({ type: 'reject', from, reason: 'block-uncertified' })
      return
    }
    if (!chain.tree.has(block.header.previous)) {
      if (hasLeastWork(genesis.work, block.header)) sync.onOrphan(from)
      else outbox.emit({ type: 'reject', from, reason: 'header-work-insufficient' })
      return
    }
    const rejection = chain.connect(block, { isNeeded: false })
    if (rejection === 'header-time-too-new') clock.note(from, block.header.time)
    outbox.emit(rejection === null ? { type: 'relay' } : { type: 'reject', from, reason: rejection })
  }

  #status(): Status {
    const { genesis, chain } = this.#host
    const { id, height, work } = chain.tree.head.chained
    return { genesisId: genesis.block.id, chainId: genesis.blocks.chainId, headId: id, height, work }
  }

  #send(to: PeerId, message: OutgoingMessage): void {
    this.#host.outbox.emit({ type: 'send', to, message })
  }
}
