// A node: a replica whose effects are performed for real, on a disk, a network and threads that mine.
//
// Every input goes through `#step`, one at a time; what the replica wants done is performed by one loop (performer.ts).
// Messages of peers come through message-intake.ts, transactions of clients through submissions.ts. After a fault (the
// disk fails, a record on it is damaged, the replica throws) the node does nothing more: it closes and tells its owner.

import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import type { Logger } from 'pino'
import type { Address } from '../chain/address.ts'
import type { Transaction } from '../chain/transaction.ts'
import { groupWith } from '../defence/network-group.ts'
import type { AgreementReport } from '../finality/contract.ts'
import type { Identity } from '../finality/identity.ts'
import { createFinality } from '../finality/registry.ts'
import { Miner } from '../mining/miner.ts'
import type { Input, PeerId, SubmitResult, TimerName } from '../replica/effects.ts'
import { CorruptStore } from '../replica/records.ts'
import { Replica } from '../replica/replica.ts'
import type { RecoveryBackend } from '../signatures/backend.ts'
import { chooseBackend } from '../signatures/choose-backend.ts'
import { RecoveryPool } from '../signatures/recovery-pool.ts'
import { SenderCache } from '../signatures/sender-cache.ts'
import { signerRecovery } from '../signatures/signer-recovery.ts'
import { AddressBook } from './address-book.ts'
import { Counters, type NodeCounters } from './counters.ts'
import { Host } from './host.ts'
import type { PeerInfo } from './host-options.ts'
import { MessageIntake, type PeerHead, type PerformedStep } from './message-intake.ts'
import { type NodeFiles, openNodeFiles } from './node-files.ts'
import { type NodeOptions, networkOptions } from './node-options.ts'
import { type FinalEvent, type HeadEvent, OutwardEffects } from './outward-effects.ts'
import { Performer } from './performer.ts'
import { SenderRecovery } from './sender-recovery.ts'
import { Submissions } from './submissions.ts'
import { Timers } from './timers.ts'

/** A linked peer. */
export interface NodePeer extends PeerInfo {
  /** The head that it said last; null until its handshake. */
  readonly head: PeerHead | null
}

/** A running node. */
export class Node {
  readonly version: string
  readonly replica: Replica
  readonly #fault = Promise.withResolvers<never>()
  /** Rejects with the fault that stopped the node; pending otherwise. */
  readonly failed: Promise<never> = this.#fault.promise
  readonly #log: Logger
  readonly #files: NodeFiles
  readonly #timers: Timers<TimerName>
  readonly #performer: Performer
  readonly #miner: Miner
  readonly #senders: SenderCache
  readonly #counters = new Counters()
  readonly #recovery: RecoveryPool
  readonly #intake: MessageIntake
  readonly #submissions: Submissions
  readonly #outward: OutwardEffects
  #host: Host | null = null
  #hasFailed = false
  #closing: Promise<void> | null = null

  private constructor(options: NodeOptions, files: NodeFiles, backend: RecoveryBackend) {
    const { genesis, log, mining = {}, createFinality: create = createFinality } = options
    // Avoids an unhandled rejection when nobody awaits it.
    this.failed.catch(() => {})
    this.version = options.version
    this.#log = log
    this.#files = files
    this.#senders = new SenderCache(backend)
    const salt = randomBytes(4)
    this.replica = new Replica({
      genesis,
      finality: create(genesis, this.#identity(options, backend, salt.readUInt32LE())),
      store: files.store,
      recoverSender: this.#senders.recoverSender,
      salt,
      checkpoint: options.checkpoint ?? null,
    })
    this.#timers = new Timers(name => void this.#step({ type: 'timeout', name }))
    this.#performer = new Performer({
      store: files.store,
      timers: this.#timers,
      perform: effect => this.#outward.perform(effect),
      onFault: error => this.fail(error),
    })
    this.#miner = new Miner({
      ...mining,
      onFound: ({ id, nonce }) => void this.#step({ type: 'mined', templateId: id, nonce }),
      onExhausted: () => log.debug('no nonce of the template is valid work; waiting for the next template'),
      onError: error => log.error({ err: error }, 'mining goes on with fewer threads'),
    })
    this.#recovery = new RecoveryPool(this.#senders, {
      onError: error => log.error({ err: error }, 'recovering senders goes on with fewer threads'),
    })
    this.#intake = new MessageIntake({
      replica: this.replica,
      recovery: new SenderRecovery(this.replica, this.#recovery),
      host: () => this.#host,
      step: (input, relay) => this.#step(input, relay),
      log,
    })
    const submit = (raw: Uint8Array, token: string) => void this.#step({ type: 'submit', raw, token })
    this.#submissions = new Submissions(this.#recovery, submit, log)
    this.#outward = new OutwardEffects({
      host: () => this.#host,
      miner: this.#miner,
      submissions: this.#submissions,
      counters: this.#counters,
      log,
    })
  }

  /**
   * Opens the node of a data directory: reads its chain, listens and dials. Throws the errors of `openNodeFiles` and
   * `Host.start`, a replica's `OtherNetwork`, `CheckpointMismatch` and `CorruptStore`, a validator's `DamagedVotes`, and
   * `InvalidField` for a finality that the genesis file configures wrongly.
   */
  static async open(options: NodeOptions): Promise<Node> {
    createFinality(options.genesis)
    const backend = await chooseBackend()
    const files = await openNodeFiles(options)
    let node: Node | null = null
    try {
      node = new Node(options, files, backend)
      await node.#start(options)
      return node
    } catch (error) {
      await (node ?? files.store).close()
      throw error
    }
  }

  /**
   * Submits a signed transaction (its raw bytes, as in EIP-2718). Resolves when it is accepted and durable, or with the
   * reason why it is rejected. Rejects with `NodeClosed` if the node closes before that.
   */
  submit(raw: Uint8Array): Promise<SubmitResult> {
    return this.#submissions.add(raw)
  }

  /** Recovers the senders of these transactions in threads, so that the replica finds them in the cache. */
  recoverSenders(transactions: readonly Transaction[]): Promise<void> {
    return this.#recovery.recover(transactions)
  }

  /** Mines for this account, without end or until so many blocks are found; null stops. */
  setMining(beneficiary: Address | null, blocks: number | null = null): void {
    void this.#step({ type: 'mining', beneficiary, blocks })
  }

  /** The peers that this node is linked to. */
  peers(): NodePeer[] {
    return (this.#host?.peers() ?? []).map(peer => ({ ...peer, head: this.#intake.headOf(peer.id) }))
  }

  /** The addresses of this node, each with its peer id. */
  multiaddrs(): string[] {
    return this.#host?.multiaddrs() ?? []
  }

  /** Keeps a connection to this multiaddr from now on. Throws `InvalidAddress`. */
  addPeer(address: string): void {
    this.#host?.addPeer(address)
  }

  /** Hashes per second of all mining threads. */
  hashrate(): number {
    return this.#miner.hashrate()
  }

  /** What this node has done since it was started. */
  counters(): NodeCounters {
    const hashes = this.#miner.hashes()
    return this.#counters.read({ signaturesChecked: this.#senders.recoveries, hashes })
  }

  /** Aborts all connections with a peer; `mayConnect` says whether it may connect again. */
  abortConnections(peer: PeerId): void {
    this.#host?.admission.abortConnections(peer)
  }

  /** The state of the validators' agreement, as far as this node knows; null in a network without validators. */
  finalityReport(): AgreementReport | null {
    return this.replica.finality.report(Date.now())
  }

  /** The own height, and the height that it catches up with; null when it is not behind its peers. */
  syncProgress(): { readonly height: number; readonly target: number } | null {
    return this.replica.sync.progress()
  }

  /** Calls the listener with every new head, once it is durable. Returns a function that ends this, as the next two do. */
  onHead(listener: (event: HeadEvent) => void): () => void {
    return this.#outward.heads.add(listener)
  }

  /** Calls the listener with every block that becomes final. */
  onFinal(listener: (event: FinalEvent) => void): () => void {
    return this.#outward.finals.add(listener)
  }

  /** Calls the listener with every alarm, a condition that an operator must look at. */
  onAlarm(listener: (text: string) => void): () => void {
    return this.#outward.alarms.add(listener)
  }

  /**
   * Stops after a fault, since writes may not be durable, records may have been misread, and an exception may have left the
   * replica's state half changed.
   */
  fail(cause: unknown): void {
    if (this.#hasFailed) return
    this.#hasFailed = true
    const error = new Error(`the node stops: ${cause instanceof Error ? cause.message : cause}`, { cause })
    // A stack trace does not help where the disk is to blame.
    this.#log.fatal(cause instanceof CorruptStore ? {} : { err: error }, error.message)
    this.#fault.reject(error)
    void this.close()
  }

  /** Stops mining, performs the effects that wait, and closes everything. May be called more than once. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #start(options: NodeOptions): Promise<void> {
    const { dataDirectory, genesis, log } = options
    const network = networkOptions(options)
    const bookPath = join(dataDirectory, 'peers.json')
    const addressBook = await AddressBook.load(bookPath, log, groupWith(network.limitLoopback))
    // An error is thrown to the caller of `open`: it is no fault of a running node.
    const effects = this.replica.step({ type: 'start' }, Date.now())
    this.#files.database.forget()
    if (!(await this.#performer.perform(effects))) await this.failed
    this.#host = await Host.start({
      privateKey: this.#files.privateKey,
      genesisId: genesis.block.id,
      blockBytesMax: genesis.blocks.blockBytesMax,
      ...network,
      addressBook,
      counters: this.#counters,
      onPeerConnected: peer => this.#intake.onPeerConnected(peer),
      onPeerDisconnected: peer => this.#intake.onPeerDisconnected(peer),
      onMessage: (from, bytes) => this.#intake.onMessage(from, bytes),
      onGossip: (from, type, bytes) => this.#intake.onGossip(from, type, bytes),
      isValidator: peer => this.replica.finality.isValidator(peer),
    })
    // A fault closed the node while its host started.
    if (this.#hasFailed) {
      await this.#host.close()
      await this.failed
    }
    const { id, height } = this.replica.tree.head.chained
    log.info({ id, height, addresses: this.multiaddrs() }, 'the node is up')
  }

  async #close(): Promise<void> {
    this.#timers.clearAll()
    this.#miner.stop()
    this.#intake.close()
    await this.#performer.stop()
    this.#submissions.close()
    const onError = (err: unknown) => this.#log.error({ err }, 'a part of the node could not be closed')
    for (const part of [this.#host, this.#miner, this.#recovery, this.#files.store])
      await part?.close().catch(onError)
    this.#log.info('the node is closed')
  }

  /** The identity of this node in its finality layer. */
  #identity({ validator }: NodeOptions, backend: RecoveryBackend, life: number): Identity {
    return {
      peer: peerIdFromPrivateKey(this.#files.privateKey).toString(),
      secretKey: validator?.secretKey ?? null,
      life,
      mayForgetVotes: validator?.mayForgetVotes ?? false,
      sign: (digest, secretKey) => backend.sign(digest, secretKey),
      recover: this.#counters.counting(signerRecovery(backend)),
    }
  }

  /** The only way into the replica. `relay` passes on the message of the step. */
  #step(input: Input, relay?: () => void): PerformedStep {
    if (this.#closing !== null) return { effects: [], performed: Promise.resolve(false) }
    try {
      const effects = this.replica.step(input, Date.now())
      return { effects, performed: this.#performer.perform(effects, relay) }
    } catch (error) {
      this.fail(error)
      return { effects: [], performed: Promise.resolve(false) }
    }
  }
}
