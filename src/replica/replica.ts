// A replica: one participant of the network as a deterministic state machine.
//
// It holds the block tree, the mempool and the finality layer, builds blocks and catches up with others. All it
// knows of the world comes in through `step`; all it wants done goes out as effects (see effects.ts). The hour is
// a parameter, the database and the recovery of senders are given, nothing is random: the same inputs always give
// the same effects, on sockets and in the simulator.

import type { Address } from '../chain/address.ts'
import type { Block } from '../chain/block.ts'
import { decodeCompact } from '../chain/compact.ts'
import { maximumCost, nextBaseFee } from '../chain/fees.ts'
import { type BlockHeader, type BlockId, blockId, meetsTarget } from '../chain/header.ts'
import { type ChainedHeader, chainHeader, isTimeTooNew } from '../chain/header-chain.ts'
import type { RecoverSender } from '../chain/signature.ts'
import { decodeTransaction, type Transaction, type TransactionId } from '../chain/transaction.ts'
import { BoundedMap } from '../collections/bounded-map.ts'
import { ByteReader } from '../encoding/bytes.ts'
import { type Execution, executeBlock } from '../execution/block-execution.ts'
import type { Genesis } from '../execution/genesis.ts'
import type { Finality, FinalityEffect, Holders } from '../finality/contract.ts'
import type { BlockTree, TreeBlock } from './block-tree.ts'
import { ChainView } from './chain-view.ts'
import { applyCheckpoint, type Checkpoint, isBesideCheckpoint } from './checkpoint.ts'
import type { PeerOrigin } from './claims.ts'
import { type ClockDoubt, ClockWatch } from './clock-watch.ts'
import { type Effect, type Input, Outbox, type PeerId, type Store, type TimerName } from './effects.ts'
import { writeCertificate, writeDropped, writeFinalised } from './finalise.ts'
import { FinalityDriver, isFinalityTimer } from './finality-driver.ts'
import { REPLICA_LIMITS, type ReplicaLimits } from './limits.ts'
import { Mempool } from './mempool.ts'
import type { Message, OutgoingMessage, Status } from './messages.ts'
import { type MiningOrder, Production } from './production.ts'
import { CorruptStore, encodeId, KEYS } from './records.ts'
import { type Screened, screen } from './screening.ts'
import { headersAfter, storedBlocks } from './serving.ts'
import { initialiseStore, loadTree } from './start.ts'
import { Sync } from './sync.ts'
import { type TransactionOutcome, TransactionOutcomes } from './transaction-outcomes.ts'
import { type Refusal, TransactionRelay } from './transaction-relay.ts'
import type { Rejection } from './verdict.ts'

/** What a replica is given. */
export interface ReplicaOptions {
  readonly genesis: Genesis
  readonly finality: Finality
  readonly store: Store
  readonly recoverSender: RecoverSender
  /**
   * 4 bytes that no other replica has, nor an earlier life of this one: they keep two miners of one account from searching
   * the same headers, and an answer to somebody who asked before from being taken for one to us.
   */
  readonly salt: Uint8Array
  /** What it holds, hands out and asks for at most; the limits of a node unless given. */
  readonly limits?: ReplicaLimits
  /** A block without which no chain is followed; any may be unless given. */
  readonly checkpoint?: Checkpoint | null
}

/** Milliseconds between words to all peers about our head: the way by which lost messages are made up for. */
const STATUS_INTERVAL_MS = 5_000
/** Such words between two alarms about one clock: ten minutes. */
const CLOCK_ALARM_STATUSES = 120
/** Milliseconds after which transactions that were handed in here and wait are announced again. */
const REBROADCAST_INTERVAL_MS = 10_000
/** Ids of blocks that are remembered as invalid. */
const INVALID_BLOCKS_MAX = 1_000
/** Transactions handed in here and given up that are remembered. */
const GIVEN_UP_MAX = 10_000
/**
 * Blocks that the finality layer asked for or voted for, each of which is kept with the branch that it stands on. What
 * can still be decided is among the newest: it is proposed again in every view.
 */
const HELD_BLOCKS_MAX = 64
/** Peers that a replica talks to. */
const PEERS_MAX = 256

/** One participant. `step` must be given `start` first and once. */
export class Replica {
  readonly genesis: Genesis
  readonly finality: Finality
  readonly outcomes = new TransactionOutcomes()
  /** A block without which no chain is followed; null when any is. */
  readonly checkpoint: Checkpoint | null
  readonly #store: Store
  readonly #recoverSender: RecoverSender
  readonly #outbox = new Outbox()
  readonly #peers = new Set<PeerId>()
  readonly #invalid = new BoundedMap<BlockId, true>(INVALID_BLOCKS_MAX)
  readonly #held = new BoundedMap<BlockId, true>(HELD_BLOCKS_MAX)
  readonly #production: Production
  readonly #salt: Uint8Array
  readonly #limits: ReplicaLimits
  /** Transactions that were handed in here and that no final block holds. */
  readonly #own = new Set<TransactionId>()
  /** Transactions that were handed in here and left the pool: should they come back, they are kept as before. */
  readonly #givenUp = new BoundedMap<TransactionId, true>(GIVEN_UP_MAX)
  /** The block that came with the message that is being handled. */
  #attached: { readonly block: Block; readonly from: PeerId } | null = null
  /** Whether it was said that somebody follows a chain without the checkpoint: once is enough. */
  #hasToldOfCheckpoint = false
  readonly #clock: ClockWatch
  /** Words about our head since our clock began to look wrong. */
  #clockTicks = 0
  #nowMs = 0
  #arrivals = 0
  #tree!: BlockTree
  #view!: ChainView
  #pool!: Mempool
  #sync!: Sync
  #driver!: FinalityDriver
  #relay!: TransactionRelay

  constructor(options: ReplicaOptions) {
    this.genesis = options.genesis
    this.finality = options.finality
    this.checkpoint = options.checkpoint ?? null
    this.#store = options.store
    this.#recoverSender = options.recoverSender
    this.#salt = options.salt
    this.#limits = options.limits ?? REPLICA_LIMITS
    this.#clock = new ClockWatch(options.genesis.work.futureLimitSeconds)
    this.#production = new Production(options.genesis, this.#outbox, options.salt)
  }

  get tree(): BlockTree {
    return this.#tree
  }

  get view(): ChainView {
    return this.#view
  }

  get pool(): Mempool {
    return this.#pool
  }

  get sync(): Sync {
    return this.#sync
  }

  /** How transactions come from peers and go to them. */
  get relay(): TransactionRelay {
    return this.#relay
  }

  /** Whether the chain has come to the checkpoint. Nothing is mined before that: it would be for another chain. */
  get isCheckpointReached(): boolean {
    return this.checkpoint === null || this.#tree.head.chained.height >= this.checkpoint.height
  }

  /** How far the clock seems to be behind, by the blocks that peers follow; null where nothing speaks against it. */
  get clockDoubt(): ClockDoubt | null {
    return this.#clock.doubt(this.#nowSeconds())
  }

  /** For whom this replica mines; null when it does not mine. */
  get mining(): MiningOrder | null {
    return this.#production.order
  }

  /** The one who signed a transaction, or null. */
  senderOf(tx: Transaction): Address | null {
    return this.#recoverSender(tx)
  }

  /** Takes one input in at the given time (milliseconds since 1970) and says what is to be done. */
  step(input: Input, nowMs: number): Effect[] {
    this.#nowMs = nowMs
    switch (input.type) {
      case 'start':
        this.#start()
        break
      case 'peer-connected':
        this.#onPeerConnected(input.peer, input.origin)
        break
      case 'peer-disconnected':
        this.#peers.delete(input.peer)
        this.#sync.removePeer(input.peer)
        this.#clock.forget(input.peer)
        this.#relay.removePeer(input.peer)
        this.#driver.step({ type: 'peer-disconnected', peer: input.peer })
        break
      case 'message':
        this.#onMessage(input.from, input.message)
        break
      case 'orphan':
        this.#sync.onOrphan(input.from)
        break
      case 'timeout':
        this.#onTimeout(input.name)
        break
      case 'submit':
        this.#onSubmit(input.raw, input.token)
        break
      case 'mining':
        this.#onMining(input.beneficiary, input.blocks)
        break
      case 'mined':
        this.#onMined(input.templateId, input.nonce)
        break
    }
    this.#driver.lookAtPool()
    if (this.isCheckpointReached) this.#production.renew(this.#tree.head, this.#pool, nowMs)
    return this.#outbox.take()
  }

  // ---- start

  #start(): void {
    const started = loadTree(this.genesis, this.#store, this.#recoverSender)
    const { tree, arrivals } = started ?? initialiseStore(this.genesis, this.#outbox)
    this.#tree = tree
    this.#arrivals = arrivals
    this.#view = new ChainView(tree, this.#outbox.over(this.#store))
    if (this.checkpoint !== null) {
      const tip = this.#bestAbove(tree.base)
      applyCheckpoint(this.checkpoint, { tree, view: this.#view, tip, outbox: this.#outbox })
    }
    this.#pool = new Mempool(this.genesis.blocks, poolContext(tree.head), this.#limits.pool)
    this.#sync = new Sync({
      tree,
      view: this.#view,
      outbox: this.#outbox,
      chain: (parent, header) => this.#chain(parent, header),
      isEarly: header => this.#isEarly(header),
      isKnownInvalid: id => this.#invalid.has(id),
      hasWork: header => this.#hasWork(header),
      connect: (block, isDecided) => this.#connect(block, { isNeeded: true, isDecided }),
      noteEarly: (peer, timeSeconds) => this.#clock.note(peer, timeSeconds),
      isPreferred: tip => this.finality.prefers(tip, this.#tree.head.chained),
      followsWork: this.finality.followsWork,
      firstRequestId: new ByteReader(this.#salt).u32(),
      limits: this.#limits,
    })
    this.#relay = new TransactionRelay({
      outbox: this.#outbox,
      pooled: id => this.#pool.get(id)?.tx,
      isKnown: id => this.#pool.get(id) !== undefined || this.#tree.including(id) !== undefined,
      take: tx => this.#takeRelayed(tx),
      isTrusted: peer => this.finality.isValidator(peer),
      firstRequestId: new ByteReader(this.#salt).u32(),
      transactionsMax: this.#limits.gossipTransactionsMax,
    })
    this.#driver = new FinalityDriver({
      finality: this.finality,
      tree,
      view: this.#view,
      pool: this.#pool,
      store: this.#store,
      outbox: this.#outbox,
      nowMs: () => this.#nowMs,
      finalise: final => this.#finalise(final),
      want: (id, holders, isDecided) => this.#want(id, holders, isDecided),
      hold: id => this.#held.set(id, true),
      build: beneficiary => this.#build(beneficiary),
    })
    this.#driver.start(started === null)
    const best = this.#bestAbove(tree.base)
    if (best !== tree.base) this.#follow(best)
    // The limits may be smaller than they were.
    this.#evict()
    for (const [key, raw] of this.#store.entries(KEYS.pooledTransactions)) this.#loadPooled(key, raw)
    this.#setTimer('status', STATUS_INTERVAL_MS)
    this.#setTimer('rebroadcast', REBROADCAST_INTERVAL_MS)
  }

  #loadPooled(key: string, raw: Uint8Array): void {
    const tx = decodeTransaction(raw)
    if (typeof tx === 'string' || KEYS.pooled(tx.id) !== key)
      throw new CorruptStore(`record ${key} is damaged`)
    this.#own.add(tx.id)
    if (this.#tree.including(tx.id) !== undefined) return
    const rejection = this.#addToPool(tx, 'back')
    if (rejection !== null) this.#settle(tx.id, { status: 'dropped', reason: rejection })
  }

  // ---- peers and messages

  /** Why what a peer sends need not be decoded: see `screen`. */
  screen(from: PeerId, bytes: Uint8Array): Screened {
    return screen(bytes, {
      limits: this.genesis.blocks,
      followsWork: this.finality.followsWork,
      bytesOf: id => this.#tree.get(id)?.block.raw.length ?? null,
      isAt: (id, height) => this.#view.headerAt(height)?.id === id,
      hasWork: header => this.#hasWork(header),
      isAsked: (type, requestId) =>
        type === 'transactions'
          ? this.#relay.isAsked(from, requestId)
          : this.#sync.isAsked(from, type, requestId),
      asksFor: (requestId, id) => this.#sync.asksFor(from, requestId, id),
      askedTransactions: requestId => this.#relay.asked(from, requestId).size,
      isValidator: this.finality.isValidator(from),
    })
  }

  #onPeerConnected(peer: PeerId, origin: PeerOrigin = { isOutbound: false, group: peer }): void {
    if (this.#peers.size >= PEERS_MAX) {
      this.#outbox.emit({ type: 'disconnect', peer, reason: 'peer-too-many' })
      return
    }
    this.#peers.add(peer)
    this.#sync.addPeer(peer, origin)
    this.#clock.add(peer, origin)
    this.#relay.addPeer(peer)
    this.#send(peer, { type: 'status', status: this.#status() })
    this.#driver.step({ type: 'peer-connected', peer })
    this.#announceOwn(peer)
  }

  #onMessage(from: PeerId, message: Message): void {
    switch (message.type) {
      case 'status':
        return this.#onStatus(from, message.status)
      case 'get-headers':
        return this.#send(from, {
          type: 'headers',
          requestId: message.requestId,
          headers: headersAfter(this.#view, message.locator, {
            headHeight: this.#tree.head.chained.height,
            headersMax: this.#limits.headersMax,
          }),
        })
      case 'headers':
        return this.#sync.onHeaders(from, message.requestId, message.headers)
      case 'get-blocks':
        return this.#send(from, {
          type: 'blocks',
          requestId: message.requestId,
          blocks: storedBlocks(this.#view, message.ids),
        })
      case 'blocks':
        return this.#sync.onBlocks(from, message.requestId, message.blocks)
      case 'block':
        return this.#onBlock(from, message.block)
      case 'announce':
        return this.#relay.onAnnounce(from, message.ids)
      case 'get-transactions':
        return this.#relay.onRequest(from, message.requestId, message.ids)
      case 'transactions':
        return this.#relay.onAnswer(from, message.requestId, message.transactions)
      case 'finality':
        return this.#onFinality(from, message.body, message.block)
    }
  }

  #onStatus(from: PeerId, status: Status): void {
    if (status.genesisId !== this.genesis.block.id || status.chainId !== this.genesis.blocks.chainId) {
      this.#outbox.emit({ type: 'disconnect', peer: from, reason: 'peer-other-network' })
      return
    }
    this.#sync.onClaim(from, status.work)
  }

  #onBlock(from: PeerId, block: Block): void {
    if (this.#tree.has(block.id)) return
    if (!this.finality.followsWork) {
      this.#outbox.emit({ type: 'reject', from, reason: 'block-uncertified' })
      return
    }
    if (!this.#tree.has(block.header.previous)) {
      if (this.#hasWork(block.header)) this.#sync.onOrphan(from)
      else this.#outbox.emit({ type: 'reject', from, reason: 'header-work-insufficient' })
      return
    }
    const rejection = this.#connect(block, { isNeeded: false })
    if (rejection === 'header-time-too-new') this.#clock.note(from, block.header.time)
    this.#outbox.emit(rejection === null ? { type: 'relay' } : { type: 'reject', from, reason: rejection })
  }

  /** The block that comes with a message is taken in only when the finality layer wants it. */
  #onFinality(from: PeerId, body: Uint8Array, block: Block | null): void {
    this.#attached = block === null ? null : { block, from }
    this.#driver.step({ type: 'message', from, body })
    this.#attached = null
  }

  #want(id: BlockId, holders: Holders, isDecided: boolean): void {
    this.#held.set(id, true)
    const attached = this.#attached
    if (attached?.block.id !== id || !this.#tree.has(attached.block.header.previous))
      return this.#sync.onWanted(id, holders, isDecided)
    const { block, from } = attached
    const rejection = this.#connect(block, { isNeeded: true, isDecided })
    if (rejection !== null) this.#outbox.emit({ type: 'reject', from, reason: rejection })
  }

  #onTimeout(name: TimerName): void {
    if (isFinalityTimer(name)) return this.#driver.onTimeout(name)
    switch (name) {
      case 'gossip':
        return this.#relay.flush()
      case 'transactions':
        return this.#relay.onTick()
      case 'status':
        for (const peer of this.#peers) this.#send(peer, { type: 'status', status: this.#status() })
        this.#warnOfClock()
        return this.#setTimer('status', STATUS_INTERVAL_MS)
      case 'sync':
        return this.#sync.onTick()
      case 'template':
        return this.#production.onTimeout(this.#pool, this.#nowMs)
      case 'rebroadcast':
        for (const peer of this.#peers) this.#announceOwn(peer)
        return this.#setTimer('rebroadcast', REBROADCAST_INTERVAL_MS)
    }
  }

  /** Raises an alarm when our clock begins to look wrong, and from time to time for as long as it does. */
  #warnOfClock(): void {
    const doubt = this.clockDoubt
    if (doubt === null) this.#clockTicks = 0
    else if (this.#clockTicks++ % CLOCK_ALARM_STATUSES === 0)
      this.#outbox.emit({
        type: 'alarm',
        text: `the clock of this node looks wrong: ${doubt.peers} of its peers follow blocks for which it is ${doubt.behindSeconds} seconds behind at least; what is mined after its time is not followed`,
      })
  }

  #status(): Status {
    const { id, height, work } = this.#tree.head.chained
    return {
      genesisId: this.genesis.block.id,
      chainId: this.genesis.blocks.chainId,
      headId: id,
      height,
      work,
    }
  }

  // ---- transactions

  #onSubmit(raw: Uint8Array, token: string): void {
    const tx = decodeTransaction(raw)
    const rejection = typeof tx === 'string' ? tx : this.#addToPool(tx, 'new')
    if (rejection !== null || typeof tx === 'string') {
      this.#outbox.emit({ type: 'reply', token, result: { rejection: rejection as Rejection } })
      return
    }
    this.#keep(tx)
    this.#relay.announce(tx.id)
    this.#outbox.emit({ type: 'reply', token, result: { id: tx.id } })
  }

  /** Takes a transaction into the pool. The sender is given where it is known, as for one of a block that was executed. */
  #addToPool(tx: Transaction, origin: 'new' | 'back', known?: Address): Rejection | null {
    // The cheap answer first: recovering a sender is the dearest check there is.
    if (this.#pool.get(tx.id) !== undefined) return 'tx-already-known'
    const sender = known ?? this.#recoverSender(tx)
    if (sender === null) return 'tx-signature-invalid'
    const result = this.#pool.add(tx, sender, origin)
    if (typeof result === 'string') return result
    this.#relay.onKnown(tx.id)
    this.outcomes.forget(tx.id)
    if (this.#givenUp.has(tx.id)) this.#keep(tx)
    if (result.replaced !== null) this.#settle(result.replaced.tx.id, { status: 'replaced', by: tx.id })
    for (const { entry, reason } of result.evicted) this.#settle(entry.tx.id, { status: 'dropped', reason })
    return null
  }

  /** A transaction left the pool for good. */
  #settle(id: TransactionId, outcome: TransactionOutcome): void {
    this.outcomes.record(id, outcome)
    if (this.#own.has(id)) this.#givenUp.set(id, true)
    this.#disown(id)
  }

  /** From now on this node answers for a transaction: over restarts, and to peers that have not got it. */
  #keep(tx: Transaction): void {
    this.#givenUp.delete(tx.id)
    this.#own.add(tx.id)
    this.#outbox.write(KEYS.pooled(tx.id), tx.raw)
  }

  #disown(id: TransactionId): void {
    if (this.#own.delete(id)) this.#outbox.write(KEYS.pooled(id), null)
  }

  /** Announces what was handed in here and waits. */
  #announceOwn(peer: PeerId): void {
    this.#relay.announceTo(
      peer,
      [...this.#own].filter(id => this.#pool.get(id) !== undefined),
    )
  }

  /** Takes in a transaction that a peer was asked for. */
  #takeRelayed(tx: Transaction): 'pending' | 'future' | Refusal {
    const sender = this.#recoverSender(tx)
    if (sender === null) return { reason: 'tx-signature-invalid', isFunded: false }
    const reason = this.#addToPool(tx, 'new', sender)
    const { balance } = this.#pool.context.state.get(sender)
    if (reason !== null) return { reason, isFunded: maximumCost(tx) <= balance }
    this.#relay.announce(tx.id)
    return tx.nonce < this.#pool.nextNonce(sender) ? 'pending' : 'future'
  }

  // ---- blocks

  /**
   * Takes a block whose parent is in the tree: checks it, keeps it and follows it if it should be followed. One that is
   * needed is never refused for lack of room: the finality layer asked for it, this node built it, or it is fetched with a
   * branch whose headers hold more work than our head. All of these have another bound: a vote, or work. One that is decided
   * is not held against the clock. An execution is passed in for a block that was just made here.
   */
  #connect(
    block: Block,
    {
      isNeeded,
      isDecided = false,
      known,
    }: { readonly isNeeded: boolean; readonly isDecided?: boolean; readonly known?: Execution },
  ): Rejection | null {
    if (this.#tree.has(block.id)) return null
    if (this.#invalid.has(block.id)) return 'block-known-invalid'
    const parent = this.#tree.get(block.header.previous)
    if (parent === undefined) return 'block-below-final'
    const chained = this.#chain(parent.chained, block.header)
    if (typeof chained === 'string') return chained
    if (!isDecided && this.#isEarly(block.header)) return 'header-time-too-new'
    const isPreferred = this.finality.prefers(chained, this.#tree.head.chained)
    if (!isNeeded && !isPreferred && !this.#hasRoomFor(chained, parent)) return 'block-tree-full'
    const layer = {
      height: parent.chained.height,
      coinbase: parent.block.coinbase,
      state: parent.execution.state,
    }
    const execution = known ?? executeBlock(this.genesis.blocks, layer, block, this.#recoverSender)
    if (typeof execution === 'string') {
      this.#invalid.set(block.id, true)
      return execution
    }
    const entry = { chained, block, execution, arrival: this.#arrivals++, seenMs: this.#nowMs }
    this.#tree.add(entry)
    this.#outbox.write(KEYS.block(block.id), block.raw)
    this.#outbox.write(KEYS.openBlock(entry.arrival), encodeId(block.id))
    if (isPreferred) this.#follow(entry)
    this.#evict(entry)
    this.#driver.step({ type: 'block', id: block.id })
    return null
  }

  /** A header in context, or why it can't follow, whatever the clock says: every chain passes here, whatever way it came. */
  #chain(parent: ChainedHeader, header: BlockHeader): ChainedHeader | Rejection {
    const chained = chainHeader(this.genesis.work, parent, header, Number.POSITIVE_INFINITY)
    if (typeof chained === 'string' || !isBesideCheckpoint(this.checkpoint, chained)) return chained
    if (!this.#hasToldOfCheckpoint) {
      this.#hasToldOfCheckpoint = true
      const text = `block ${chained.id} at the height of the checkpoint, ${chained.height}, is not the checkpoint: somebody follows another history, or the checkpoint is wrong`
      this.#outbox.emit({ type: 'alarm', text })
    }
    return 'block-not-checkpoint'
  }

  /**
   * Whether a block is not to be taken in yet by our clock. Where blocks count only once they are decided it is asked when
   * they are voted for, and not here.
   */
  #isEarly(header: BlockHeader): boolean {
    return this.finality.followsWork && isTimeTooNew(this.genesis.work, header, this.#nowSeconds())
  }

  /**
   * Whether a block beside the main chain may come in: while there are too many, only in the place of a lighter one. So
   * blocks that are cheap, because the target of their branch has eased, push out each other and no branch with more work.
   */
  #hasRoomFor(chained: ChainedHeader, parent: TreeBlock): boolean {
    this.#evict(parent)
    if (this.#tree.sideSize < this.#limits.sideBlocksMax) return true
    const lightest = this.#tree.lightestSideTip(tip => tip === parent || this.#isKept(tip))
    return lightest !== null && lightest.chained.work < chained.work
  }

  /** Gives up the lightest blocks beside the main chain where there are too many; `spared` is not among them. */
  #evict(spared?: TreeBlock): void {
    const { sideBlocksMax } = this.#limits
    const evicted = this.#tree.evict(sideBlocksMax, entry => entry === spared || this.#isKept(entry))
    writeDropped(this.#outbox, evicted)
  }

  /** Whether a block is needed, with all before it. */
  #isKept({ chained }: TreeBlock): boolean {
    return this.#held.has(chained.id) || this.#sync.needs(chained.id)
  }

  /** Whether a header out of context holds at least the least work that there can be: nothing comes for free. */
  #hasWork(header: BlockHeader): boolean {
    if (!this.genesis.work.isProved) return true
    const target = decodeCompact(header.bits)
    const isHard = target !== null && target <= this.genesis.work.targetMax
    return isHard && meetsTarget(blockId(header), target)
  }

  #follow(entry: TreeBlock): void {
    const { left, joined } = this.#tree.moveHead(entry)
    const { id, height } = entry.chained
    this.#outbox.emit({ type: 'head', id, height, reorganised: left.length })
    this.#updatePool(left, joined)
    this.#production.invalidate()
    this.#driver.step({ type: 'head' })
  }

  #updatePool(left: readonly TreeBlock[], joined: readonly TreeBlock[]): void {
    const touched = new Set([...left, ...joined].flatMap(entry => [...entry.execution.changes.keys()]))
    const gone = this.#pool.moveTo(poolContext(this.#tree.head), touched)
    for (const { entry, reason } of gone) {
      if (this.#tree.including(entry.tx.id) !== undefined) continue
      const by =
        reason === 'tx-nonce-too-low' ? this.#includedInstead(entry.sender, entry.tx.nonce, joined) : null
      this.#settle(entry.tx.id, by === null ? { status: 'dropped', reason } : { status: 'replaced', by })
    }
    for (const { block, execution } of left)
      for (const [index, tx] of block.transactions.entries())
        this.#takeBack(tx, execution.senders[index]!, joined)
    for (const entry of joined) for (const tx of entry.block.transactions) this.#onIncluded(tx.id)
    this.#relay.onHead()
  }

  #onIncluded(id: TransactionId): void {
    this.outcomes.forget(id)
    this.#relay.onKnown(id)
  }

  /** A transaction of a block that was left waits again, unless the new branch holds it or another in its place. */
  #takeBack(tx: Transaction, sender: Address, joined: readonly TreeBlock[]): void {
    if (this.#tree.including(tx.id) !== undefined) return
    const rejection = this.#addToPool(tx, 'back', sender)
    if (rejection === null) {
      this.#relay.announce(tx.id)
    } else if (rejection !== 'tx-already-known') {
      const by = this.#includedInstead(sender, tx.nonce, joined)
      this.#settle(tx.id, by === null ? { status: 'dropped', reason: rejection } : { status: 'replaced', by })
    }
  }

  #includedInstead(sender: Address, nonce: bigint, blocks: readonly TreeBlock[]): TransactionId | null {
    for (const { block, execution } of blocks) {
      const other = block.transactions.find(
        (tx, index) => tx.nonce === nonce && execution.senders[index] === sender,
      )
      if (other !== undefined) return other.id
    }
    return null
  }

  /** Makes a block the last final one. What is final overrides work: a head on another branch is left for it. */
  #finalise({ id, certificate }: Extract<FinalityEffect, { type: 'final' }>): void {
    const entry = this.#tree.get(id)
    if (entry === undefined || entry === this.#tree.base) return
    if (!this.#tree.isOnMainChain(entry)) this.#follow(this.#bestAbove(entry))
    const { final, dropped } = this.#tree.moveBase(entry)
    writeFinalised(this.#outbox, final, dropped)
    if (certificate !== null) writeCertificate(this.#outbox, final, certificate)
    for (const block of final) for (const tx of block.block.transactions) this.#disown(tx.id)
    this.#outbox.emit({ type: 'final', id, height: entry.chained.height })
  }

  /** The block itself, or the descendant of it that is preferred. */
  #bestAbove(entry: TreeBlock): TreeBlock {
    return this.#tree
      .descendants(entry)
      .reduce((best, other) => (this.finality.prefers(other.chained, best.chained) ? other : best))
  }

  // ---- mining

  #onMining(beneficiary: Address | null, blocks: number | null): void {
    this.#production.command(
      beneficiary === null || blocks === 0 ? null : { beneficiary, blocksLeft: blocks },
    )
  }

  #onMined(templateId: string, nonce: number): void {
    const made = this.#production.complete(templateId, nonce)
    if (made === null) return
    if (this.#connect(made.block, { isNeeded: false, known: made.execution }) !== null) return
    this.#outbox.emit({ type: 'broadcast', message: { type: 'block', block: made.block } })
    this.#production.count()
  }

  /** Makes a block that holds no work; it counts only when the finality layer says so. */
  #build(beneficiary: Address): BlockId | null {
    const { block, execution } = this.#production.build(this.#tree.head, this.#pool, beneficiary, this.#nowMs)
    return this.#connect(block, { isNeeded: true, known: execution }) === null ? block.id : null
  }

  // ---- small words

  #send(to: PeerId, message: OutgoingMessage): void {
    this.#outbox.emit({ type: 'send', to, message })
  }

  #setTimer(name: TimerName, delayMs: number): void {
    this.#outbox.emit({ type: 'set-timer', name, delayMs })
  }

  #nowSeconds(): number {
    return Math.floor(this.#nowMs / 1000)
  }
}

function poolContext(head: TreeBlock): { state: TreeBlock['execution']['state']; baseFee: bigint } {
  return { state: head.execution.state, baseFee: nextBaseFee(head.block.coinbase) }
}
