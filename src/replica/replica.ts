// A replica: one participant of the network as a deterministic state machine.
//
// All that it knows of the world comes in through `step`; all that it wants done goes out as effects (effects.ts). The time
// is a parameter, the database and the recovery of senders are given, and nothing is random: the same inputs always give the
// same effects, on sockets and in the simulator. This file makes the parts and routes inputs to them: the chain (chain.ts),
// peers and their messages (peers.ts), transactions (transactions.ts), catching up (sync.ts), block production
// (production.ts) and the finality layer (finality-driver.ts). It is long because all parts are joined here and nowhere else.

import type { Address } from '../chain/address.ts'
import type { BlockId } from '../chain/header.ts'
import { hasLeastWork } from '../chain/header-chain.ts'
import type { RecoverSender } from '../chain/signature.ts'
import type { Transaction } from '../chain/transaction.ts'
import { ByteReader } from '../encoding/bytes.ts'
import type { Genesis } from '../execution/genesis.ts'
import type { Finality, Holders } from '../finality/contract.ts'
import type { BlockTree } from './block-tree.ts'
import { Chain } from './chain.ts'
import { ChainView } from './chain-view.ts'
import { applyCheckpoint, type Checkpoint } from './checkpoint.ts'
import { type ClockDoubt, ClockWatch } from './clock-watch.ts'
import { type Effect, type Input, type PeerId, ReplicaOutbox, type Store, type TimerName } from './effects.ts'
import { type AttachedBlock, FinalityDriver, isFinalityTimer } from './finality-driver.ts'
import { REPLICA_LIMITS, type ReplicaLimits } from './limits.ts'
import type { Mempool } from './mempool.ts'
import { Peers } from './peers.ts'
import { type MiningOrder, Production } from './production.ts'
import type { Screened } from './screening.ts'
import { initialiseStore, loadTree } from './start.ts'
import { Sync } from './sync.ts'
import type { TransactionOutcomes } from './transaction-outcomes.ts'
import type { TransactionRelay } from './transaction-relay.ts'
import { Transactions } from './transactions.ts'

/** What a replica is given. */
export interface ReplicaOptions {
  readonly genesis: Genesis
  readonly finality: Finality
  readonly store: Store
  readonly recoverSender: RecoverSender
  /**
   * 4 bytes that no other replica has, nor an earlier run of this one. They keep two miners of one account from searching the
   * same headers, and an answer to a request before a restart from being taken for an answer to a later one.
   */
  readonly salt: Uint8Array
  /** What it holds, sends and requests at most; the limits of a node unless given. */
  readonly limits?: ReplicaLimits
  /** A block without which no chain is followed; null or absent where any may be. */
  readonly checkpoint?: Checkpoint | null
}

/** Milliseconds between two status messages to all peers, which make up for lost messages. */
const STATUS_INTERVAL_MS = 5_000
/** Milliseconds after which submitted transactions that wait in the pool are announced again. */
const REBROADCAST_INTERVAL_MS = 10_000

/** One participant. `step` must be given `start` first and once. */
export class Replica {
  readonly genesis: Genesis
  readonly finality: Finality
  /** A block without which no chain is followed; null where any may be. */
  readonly checkpoint: Checkpoint | null
  readonly view: ChainView
  readonly sync: Sync
  readonly #store: Store
  readonly #recoverSender: RecoverSender
  readonly #outbox = new ReplicaOutbox()
  readonly #isFresh: boolean
  readonly #chain: Chain
  readonly #transactions: Transactions
  readonly #production: Production
  readonly #driver: FinalityDriver
  readonly #peers: Peers
  readonly #clock: ClockWatch
  #nowMs = 0

  /**
   * Loads the chain from the store. Throws `OtherNetwork`, `CorruptStore` or `CheckpointMismatch`. What has to be written is
   * among the effects of `start`.
   */
  constructor(options: ReplicaOptions) {
    const { genesis, finality, store, recoverSender, salt } = options
    const { limits = REPLICA_LIMITS, checkpoint = null } = options
    const outbox = this.#outbox
    const firstRequestId = new ByteReader(salt).u32()
    const nowMs = () => this.#nowMs
    this.genesis = genesis
    this.finality = finality
    this.checkpoint = checkpoint
    this.#store = store
    this.#recoverSender = recoverSender
    this.#clock = new ClockWatch(genesis.work.futureLimitSeconds)
    this.#production = new Production(genesis, outbox, salt)
    const loaded = loadTree(genesis, store, recoverSender)
    this.#isFresh = loaded === null
    const chain = new Chain(loaded ?? initialiseStore(genesis, outbox), {
      genesis,
      finality,
      checkpoint,
      outbox,
      recoverSender,
      sideBlocksMax: limits.sideBlocksMax,
      nowMs,
      isNeeded: id => this.sync.needs(id),
      onHead: move => {
        this.#transactions.onHead(move)
        this.#production.invalidate()
        this.#driver.step({ type: 'head' })
      },
      onBlock: id => this.#driver.step({ type: 'block', id }),
      onFinal: blocks => this.#transactions.onFinal(blocks),
    })
    const { tree } = chain
    this.#chain = chain
    this.view = new ChainView(tree, outbox.over(store))
    if (checkpoint !== null) {
      const tip = chain.bestAbove(tree.base)
      applyCheckpoint(checkpoint, { tree, view: this.view, tip, outbox })
    }
    this.#transactions = new Transactions({
      rules: genesis.blocks,
      tree,
      outbox,
      recoverSender,
      isTrusted: peer => finality.isValidator(peer),
      firstRequestId,
      limits,
    })
    this.sync = new Sync({
      tree,
      view: this.view,
      outbox,
      chain: (parent, header) => chain.chainHeader(parent, header),
      isEarly: header => chain.isEarly(header),
      isKnownInvalid: id => chain.isKnownInvalid(id),
      hasWork: header => hasLeastWork(genesis.work, header),
      connect: (block, isDecided) => chain.connect(block, { isNeeded: true, isDecided }),
      noteEarly: (peer, timeSeconds) => this.#clock.note(peer, timeSeconds),
      isPreferred: tip => finality.prefers(tip, tree.head.chained),
      followsWork: finality.followsWork,
      isValidator: peer => finality.isValidator(peer),
      firstRequestId,
      limits,
    })
    this.#driver = new FinalityDriver({
      finality,
      tree,
      view: this.view,
      pool: this.pool,
      store,
      outbox,
      nowMs,
      finalise: final => chain.finalise(final),
      want: (id, holders, options) => this.#fetch(id, holders, options),
      hold: id => chain.hold(id),
      build: beneficiary => this.#build(beneficiary),
    })
    this.#peers = new Peers({
      genesis,
      finality,
      outbox,
      chain,
      view: this.view,
      sync: this.sync,
      transactions: this.#transactions,
      driver: this.#driver,
      clock: this.#clock,
      headersMax: limits.headersMax,
    })
  }

  get tree(): BlockTree {
    return this.#chain.tree
  }

  get pool(): Mempool {
    return this.#transactions.pool
  }

  /** How transactions come from peers and go to them. */
  get relay(): TransactionRelay {
    return this.#transactions.relay
  }

  /** What became of transactions that left the pool without a block. */
  get outcomes(): TransactionOutcomes {
    return this.#transactions.outcomes
  }

  /** Whether the chain has reached the checkpoint. Nothing is mined before: it would be for another chain. */
  get isCheckpointReached(): boolean {
    return this.#chain.isCheckpointReached
  }

  /** How far the clock seems to be behind, by the blocks that peers follow; null where nothing speaks against it. */
  get clockDoubt(): ClockDoubt | null {
    return this.#clock.doubt(Math.floor(this.#nowMs / 1000))
  }

  /** The account that this replica mines for; null when it does not mine. */
  get mining(): MiningOrder | null {
    return this.#production.order
  }

  /** The account that signed a transaction, or null. */
  senderOf(tx: Transaction): Address | null {
    return this.#recoverSender(tx)
  }

  /** Handles one input at the given time (milliseconds since 1970) and returns what is to be done, in order. */
  step(input: Input, nowMs: number): Effect[] {
    this.#nowMs = nowMs
    switch (input.type) {
      case 'start':
        this.#start()
        break
      case 'peer-connected':
        this.#peers.add(input.peer, input.origin)
        break
      case 'peer-disconnected':
        this.#peers.remove(input.peer)
        break
      case 'message':
        this.#peers.onMessage(input.from, input.message)
        break
      case 'orphan':
        this.sync.onOrphan(input.from)
        break
      case 'timeout':
        this.#onTimeout(input.name)
        break
      case 'submit':
        this.#transactions.submit(input.raw, input.token)
        break
      case 'mining':
        this.#onMining(input.beneficiary, input.blocks)
        break
      case 'mined':
        this.#onMined(input.templateId, input.nonce)
        break
    }
    this.#driver.updatePending()
    if (this.isCheckpointReached) this.#production.renew(this.tree.head, this.pool, nowMs)
    return this.#outbox.take()
  }

  #start(): void {
    this.#driver.start(this.#isFresh)
    this.#chain.start()
    this.#transactions.load(this.#store)
    this.#setTimer('status', STATUS_INTERVAL_MS)
    this.#setTimer('rebroadcast', REBROADCAST_INTERVAL_MS)
  }

  /** Why what a peer sends need not be decoded: see `screen`. */
  screen(from: PeerId, bytes: Uint8Array): Screened {
    return this.#peers.screen(from, bytes)
  }

  /** Gets a block that the finality layer needs: the one attached to the message being handled, or from peers. */
  #fetch(
    id: BlockId,
    holders: Holders,
    { isDecided, attached }: { readonly isDecided: boolean; readonly attached: AttachedBlock | null },
  ): void {
    this.#chain.hold(id)
    if (attached?.block.id !== id || !this.tree.has(attached.block.header.previous))
      return this.sync.onWanted(id, holders, isDecided)
    const { block, from } = attached
    const rejection = this.#chain.connect(block, { isNeeded: true, isDecided })
    if (rejection !== null) this.#outbox.emit({ type: 'reject', from, reason: rejection })
  }

  #onTimeout(name: TimerName): void {
    if (isFinalityTimer(name)) return this.#driver.onTimeout(name)
    switch (name) {
      case 'gossip':
        return this.relay.flush()
      case 'transactions':
        return this.relay.onTick()
      case 'status':
        return this.#onStatusTimer()
      case 'sync':
        return this.sync.onTick()
      case 'template':
        return this.#production.onTimeout(this.pool, this.#nowMs)
      case 'rebroadcast':
        for (const peer of this.#peers.ids()) this.#transactions.announceSubmitted(peer)
        return this.#setTimer('rebroadcast', REBROADCAST_INTERVAL_MS)
    }
  }

  #onStatusTimer(): void {
    this.#peers.sendStatus()
    const text = this.#clock.alarm(Math.floor(this.#nowMs / 1000))
    if (text !== null) this.#outbox.emit({ type: 'alarm', text })
    this.#setTimer('status', STATUS_INTERVAL_MS)
  }

  // ---- block production

  #onMining(beneficiary: Address | null, blocks: number | null): void {
    this.#production.command(
      beneficiary === null || blocks === 0 ? null : { beneficiary, blocksLeft: blocks },
    )
  }

  #onMined(templateId: string, nonce: number): void {
    const made = this.#production.complete(templateId, nonce)
    if (made === null) return
    if (this.#chain.connect(made.block, { isNeeded: false, known: made.execution }) !== null) return
    this.#outbox.emit({ type: 'broadcast', message: { type: 'block', block: made.block } })
    this.#production.count()
  }

  /** Builds a block without work; it counts only when the finality layer says so. */
  #build(beneficiary: Address): BlockId | null {
    const { block, execution } = this.#production.build(this.tree.head, this.pool, beneficiary, this.#nowMs)
    return this.#chain.connect(block, { isNeeded: true, known: execution }) === null ? block.id : null
  }

  #setTimer(name: TimerName, delayMs: number): void {
    this.#outbox.emit({ type: 'set-timer', name, delayMs })
  }
}
