// A node: a replica whose effects are performed for real, on a disk, a network and threads that mine.
//
// Everything that happens comes to one place, `#step`, one thing after the other; what the replica wants done is
// performed by one loop (performer.ts). Messages are decoded at the edge, large ones in parts, and the senders of their transactions
// recovered off the event loop, before the replica sees them. After a fault (the disk fails, a record on it is damaged,
// the replica throws) nothing is done any more: the node closes, and its owner is told.

import { randomBytes } from 'node:crypto'
import { join, resolve, sep } from 'node:path'
import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import type { Logger } from 'pino'
import type { Address } from '../chain/address.ts'
import { type BlockId, encodeHeader, HEADER_BYTES } from '../chain/header.ts'
import { addressOfSecretKey } from '../chain/signature.ts'
import type { Transaction } from '../chain/transaction.ts'
import type { Genesis } from '../execution/genesis.ts'
import type { AgreementReport } from '../finality/contract.ts'
import { isHello } from '../finality/envelope.ts'
import type { Identity } from '../finality/identity.ts'
import { type CreateFinality, createFinality } from '../finality/registry.ts'
import { Miner } from '../mining/miner.ts'
import type { Checkpoint } from '../replica/checkpoint.ts'
import type { Effect, Input, PeerId, SubmitResult, TimerName } from '../replica/effects.ts'
import { decodeMessageInSteps } from '../replica/message-codec.ts'
import { typeOfMessage } from '../replica/message-peek.ts'
import type { Message } from '../replica/messages.ts'
import { CorruptStore, STARTING_PREFIXES } from '../replica/records.ts'
import { Replica } from '../replica/replica.ts'
import { verdictOn } from '../replica/verdict.ts'
import type { RecoveryBackend } from '../signatures/backend.ts'
import { chooseBackend } from '../signatures/choose-backend.ts'
import { RecoveryPool } from '../signatures/recovery-pool.ts'
import { SenderCache } from '../signatures/sender-cache.ts'
import { signerRecovery } from '../signatures/signer-recovery.ts'
import { AddressBook } from './address-book.ts'
import { Counters, type NodeCounters } from './counters.ts'
import { openDataFolder } from './data-folder.ts'
import { Database } from './database.ts'
import type { GossipType, GossipVerdict } from './gossip.ts'
import { Host, type HostOptions, type PeerInfo } from './host.ts'
import { loadIdentity } from './identity.ts'
import { Listeners } from './listeners.ts'
import { MarkedStore } from './marked-store.ts'
import { groupWith, placeOf } from './network-group.ts'
import { originOf } from './peer-origin.ts'
import { type OutwardEffect, Performer } from './performer.ts'
import { RequestQueue } from './request-queue.ts'
import { SenderRecovery } from './sender-recovery.ts'
import { StepScheduler } from './step-scheduler.ts'
import { Submissions } from './submissions.ts'
import { Timers } from './timers.ts'
import type { TokenRate } from './token-bucket.ts'
import { TokenBuckets } from './token-buckets.ts'
import { VoteMarkFile } from './vote-mark-file.ts'

/** How a node is set up. */
export interface NodeOptions {
  readonly genesis: Genesis
  /** Where the chain, the node's identity and its known peers are kept; made when it does not exist. */
  readonly dataDirectory: string
  /** Multiaddrs to listen at; a free port of the loopback interface unless given. */
  readonly listen?: readonly string[]
  /** Multiaddrs of nodes to stay connected to. */
  readonly bootstrap?: readonly string[]
  /** Whether to look for nodes on the local network; false unless given. */
  readonly mdns?: boolean
  /** What stands between a connection of the transport and all that libp2p makes of it; nothing unless given. */
  readonly wrapConnection?: HostOptions['wrapConnection']
  /** Whether it may have a connection with this peer; with any unless given. */
  readonly mayConnect?: HostOptions['mayConnect']
  /** Whether loopback addresses are limited as others are; false unless given. */
  readonly limitLoopback?: boolean
  /** Threads that mine, and the share of time that they do (see src/mining/miner.ts for both defaults). */
  readonly mining?: { readonly threads?: number; readonly throttle?: number }
  /** Who this node is among the validators; it only follows unless given. */
  readonly validator?: ValidatorOptions
  /** Makes its finality layer: the one that the genesis file chooses unless given. */
  readonly createFinality?: CreateFinality
  /** A block without which no chain is followed; any may be unless given. */
  readonly checkpoint?: Checkpoint
  /** Such as `0.1.0`; peers and clients are told. */
  readonly version: string
  readonly log: Logger
}

/** A validator. */
export interface ValidatorOptions {
  /** 32 bytes, of an address that the genesis file names. */
  readonly secretKey: Uint8Array
  /** Vote although no record of earlier votes is left: only for who knows that there were none, or that none counts. */
  readonly mayForgetVotes: boolean
  /**
   * The file that the key is in: how far it voted is kept beside it, where the loss of the data folder does not reach. In
   * the data folder unless given, and where nothing can be written beside the key.
   */
  readonly keyPath?: string
}

/** The node follows another head. */
export type HeadEvent = Extract<Effect, { type: 'head' }>
/** A block became final. */
export type FinalEvent = Extract<Effect, { type: 'final' }>

/** A peer, and what it said last. */
export interface NodePeer extends PeerInfo {
  /** The head that it follows; null until it has said so. */
  readonly head: { readonly id: BlockId; readonly height: number } | null
}

/** What a node is made of before it can begin. */
interface NodeParts {
  readonly database: Database
  readonly store: MarkedStore
  readonly senders: SenderCache
  readonly backend: RecoveryBackend
  readonly privateKey: PrivateKey
}

/**
 * What a byte that has no use costs, in bytes of answers: it was decrypted, copied and cut into a message, which no answer
 * paid for. With the price of request-queue.ts 1.5 MiB a second are read of a peer that sends nothing else.
 */
const USELESS_BYTES_FACTOR = 10
/**
 * Hellos of one peer that do not wait behind what strangers ask for. The bucket outlives the link: a new link is no new
 * right to be heard first, and a validator that reconnects a few times in a minute keeps it.
 */
const PROMPT_HELLOS: TokenRate = { burst: 4, perSecond: 0.1 }

/** A running node. */
export class Node {
  readonly version: string
  readonly replica: Replica
  /** Rejects with the fault when one has stopped the node; it never settles otherwise. */
  readonly failed: Promise<never>
  readonly #log: Logger
  readonly #database: Database
  readonly #store: MarkedStore
  readonly #timers: Timers<TimerName>
  readonly #performer: Performer
  readonly #miner: Miner
  readonly #senders: SenderCache
  /** Votes whose signers were recovered. */
  #votesChecked = 0
  readonly #counters = new Counters()
  readonly #recovery: RecoveryPool
  readonly #senderRecovery: SenderRecovery
  readonly #submissions: Submissions
  readonly #requests = new RequestQueue()
  readonly #decoding = new StepScheduler()
  readonly #heads: Listeners<HeadEvent>
  readonly #finals: Listeners<FinalEvent>
  readonly #alarms: Listeners<string>
  /** What each linked peer said last of its head. */
  readonly #peerHeads = new Map<PeerId, { readonly id: BlockId; readonly height: number }>()
  /** How often a peer's hello was served before what others ask for. */
  readonly #hellos = new TokenBuckets(PROMPT_HELLOS)
  #host: Host | null = null
  #tellFault!: (error: Error) => void
  #hasFailed = false
  #closing: Promise<void> | null = null

  private constructor(options: NodeOptions, parts: NodeParts) {
    const { genesis, log, mining = {}, createFinality: create = createFinality } = options
    const { database, store, senders } = parts
    this.failed = new Promise((_, reject) => {
      this.#tellFault = reject
    })
    // Avoids an unhandled rejection where nobody awaits it.
    this.failed.catch(() => {})
    this.version = options.version
    this.#log = log
    this.#database = database
    this.#store = store
    this.#senders = senders
    const salt = randomBytes(4)
    this.replica = new Replica({
      genesis,
      finality: create(genesis, this.#identity(options, parts, salt.readUInt32LE())),
      store,
      recoverSender: senders.recoverSender,
      salt,
      checkpoint: options.checkpoint ?? null,
    })
    this.#timers = new Timers(name => void this.#step({ type: 'timeout', name }))
    this.#performer = new Performer({
      store,
      timers: this.#timers,
      perform: effect => this.#perform(effect),
      onFault: error => this.fail(error),
    })
    this.#miner = new Miner({
      ...mining,
      onFound: ({ id, nonce }) => void this.#step({ type: 'mined', templateId: id, nonce }),
      onExhausted: () => log.debug('no nonce fits the template; the next one comes soon'),
      onError: error => log.error({ err: error }, 'mining goes on with fewer threads'),
    })
    this.#recovery = new RecoveryPool(senders, {
      onError: error => log.error({ err: error }, 'recovering senders goes on with fewer threads'),
    })
    this.#senderRecovery = new SenderRecovery(this.replica, this.#recovery)
    const submit = (raw: Uint8Array, token: string) => void this.#step({ type: 'submit', raw, token })
    this.#submissions = new Submissions(this.#recovery, submit, log)
    const onListenerError = (error: unknown) => log.error({ err: error }, 'a listener failed')
    this.#heads = new Listeners(onListenerError)
    this.#finals = new Listeners(onListenerError)
    this.#alarms = new Listeners(onListenerError)
  }

  /**
   * Opens the node of a data directory: reads its chain, listens and dials. Throws what is wrong by name: the
   * errors of `openDataFolder`, `Database.open`, `VoteMarkFile.open`, `loadIdentity` and `Host.start`, a replica's `OtherNetwork`, `CheckpointMismatch` and `CorruptStore`, a
   * validator's `DamagedVotes`, and `InvalidField` for a finality that the genesis file sets up wrongly.
   */
  static async open(options: NodeOptions): Promise<Node> {
    createFinality(options.genesis)
    const backend = await chooseBackend()
    await openDataFolder(options.dataDirectory)
    const database = await Database.open(join(options.dataDirectory, 'chain'))
    let store = new MarkedStore(database, null)
    let node: Node | null = null
    try {
      store = new MarkedStore(database, await openMark(options))
      const privateKey = await loadIdentity(join(options.dataDirectory, 'identity.key'))
      const senders = new SenderCache(backend)
      await database.preload(STARTING_PREFIXES)
      node = new Node(options, { database, store, senders, backend, privateKey })
      await node.#start(options, privateKey)
      return node
    } catch (error) {
      await (node ?? store).close()
      throw error
    }
  }

  /**
   * Hands in a signed transaction; resolves when it is safely taken in, or with the reason why it is not. Rejects
   * with `NodeClosed` when the node ends before that.
   */
  submit(raw: Uint8Array): Promise<SubmitResult> {
    return this.#submissions.add(raw)
  }

  /** Recovers who sent these, off the event loop; the replica knows it then. */
  recoverSenders(transactions: readonly Transaction[]): Promise<void> {
    return this.#recovery.recover(transactions)
  }

  /** Mines for this account, for ever or until so many blocks are found; null stops. */
  setMining(beneficiary: Address | null, blocks: number | null = null): void {
    void this.#step({ type: 'mining', beneficiary, blocks })
  }

  /** The peers that this node is linked to. */
  peers(): NodePeer[] {
    return (this.#host?.peers() ?? []).map(peer => ({ ...peer, head: this.#peerHeads.get(peer.id) ?? null }))
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
    return this.#counters.read({
      signaturesChecked: this.#senders.recoveries + this.#votesChecked,
      hashes: this.#miner.hashes(),
    })
  }

  /** Ends all connections with a peer; whether it may come back `mayConnect` says. */
  abortConnections(peer: PeerId): void {
    this.#host?.abortConnections(peer)
  }

  /** Where the agreement of the validators stands, as far as this node knows; null where there are none. */
  finalityReport(): AgreementReport | null {
    return this.replica.finality.report(Date.now())
  }

  /** How far this node is behind what it fetches from its peers, in heights; null when it is not. */
  syncProgress(): { readonly height: number; readonly target: number } | null {
    return this.replica.sync.progress()
  }

  /** Tells of every new head that is safely on disk. Returns what ends it, as the next two do. */
  onHead(listener: (event: HeadEvent) => void): () => void {
    return this.#heads.add(listener)
  }

  /** Tells of every block that becomes final. */
  onFinal(listener: (event: FinalEvent) => void): () => void {
    return this.#finals.add(listener)
  }

  /** Tells the alarms that are meant for an operator. */
  onAlarm(listener: (text: string) => void): () => void {
    return this.#alarms.add(listener)
  }

  /**
   * Stops after a fault: never goes on with what may not be on disk, nor with what may have been read wrongly, nor with
   * a state that a mistake may have left half changed.
   */
  fail(cause: unknown): void {
    if (this.#hasFailed) return
    this.#hasFailed = true
    const error = new Error(`the node stops: ${cause instanceof Error ? cause.message : cause}`, { cause })
    // Where a disk is to blame, its owner has no use for the place in the code.
    this.#log.fatal(cause instanceof CorruptStore ? {} : { err: error }, error.message)
    this.#tellFault(error)
    void this.close()
  }

  /** Stops mining, writes what is to be written, and closes everything. May be called more than once. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  // ---- the life of a node

  async #start(options: NodeOptions, privateKey: PrivateKey): Promise<void> {
    const { dataDirectory, genesis, log, limitLoopback = false } = options
    const bookPath = join(dataDirectory, 'peers.json')
    const addressBook = await AddressBook.load(bookPath, log, groupWith(limitLoopback))
    // Thrown to who opens the node, not treated as a fault of a running one.
    const effects = this.replica.step({ type: 'start' }, Date.now())
    this.#database.forget()
    if (!(await this.#performer.perform(effects))) await this.failed
    this.#host = await Host.start({
      privateKey,
      genesisId: genesis.block.id,
      blockBytesMax: genesis.blocks.blockBytesMax,
      listen: options.listen ?? ['/ip4/127.0.0.1/tcp/0'],
      bootstrap: options.bootstrap ?? [],
      mdns: options.mdns ?? false,
      wrapConnection: options.wrapConnection ?? (raw => raw),
      mayConnect: options.mayConnect ?? (() => true),
      limitLoopback,
      addressBook,
      counters: this.#counters,
      version: options.version,
      log,
      onPeerConnected: peer => this.#onPeerConnected(peer),
      onPeerDisconnected: peer => this.#onPeerDisconnected(peer),
      onMessage: (from, bytes) => this.#onMessage(from, bytes),
      onGossip: (from, type, bytes) => this.#onGossip(from, type, bytes),
      isValidator: peer => this.replica.finality.isValidator(peer),
    })
    // A fault meanwhile closed the node without its host.
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
    this.#requests.close()
    await this.#performer.stop()
    this.#submissions.close()
    const parts = [this.#host, this.#miner, this.#recovery, this.#store]
    for (const part of parts) {
      await part
        ?.close()
        .catch(error => this.#log.error({ err: error }, 'a part of the node could not be closed'))
    }
    this.#log.info('the node is closed')
  }

  /** Who this node is to its finality layer. */
  #identity({ validator }: NodeOptions, { backend, privateKey }: NodeParts, life: number): Identity {
    const recover = signerRecovery(backend)
    return {
      peer: peerIdFromPrivateKey(privateKey).toString(),
      secretKey: validator?.secretKey ?? null,
      life,
      mayForgetVotes: validator?.mayForgetVotes ?? false,
      sign: (digest, secretKey) => backend.sign(digest, secretKey),
      recover: (digest, signature) => {
        this.#votesChecked += 1
        return recover(digest, signature)
      },
    }
  }

  // ---- inputs

  /** The one way into the replica. `relay` passes on the message that the step takes in. */
  #step(input: Input, relay?: () => void): { effects: readonly Effect[]; performed: Promise<boolean> } {
    if (this.#closing !== null) return { effects: [], performed: Promise.resolve(false) }
    try {
      const effects = this.replica.step(input, Date.now())
      return { effects, performed: this.#performer.perform(effects, relay) }
    } catch (error) {
      this.fail(error)
      return { effects: [], performed: Promise.resolve(false) }
    }
  }

  #onPeerConnected(peer: PeerId): void {
    this.#peerHeads.delete(peer)
    const info = this.#host?.peers().find(({ id }) => id === peer)
    this.#step({ type: 'peer-connected', peer, ...(info === undefined ? {} : { origin: originOf(info) }) })
  }

  #onPeerDisconnected(peer: PeerId): void {
    this.#peerHeads.delete(peer)
    this.#senderRecovery.forget(peer)
    this.#step({ type: 'peer-disconnected', peer })
  }

  async #onMessage(from: PeerId, bytes: Uint8Array): Promise<void> {
    const { message, spentMs } = await this.#decode(from, bytes)
    if (typeof message === 'string') return this.#charge(from, bytes.length, spentMs)
    const isFirst = !this.#peerHeads.has(from)
    if (message.type === 'status') this.#onStatus(from, message)
    // Before the handshake nothing counts. Not a fault: of two crossing streams one is closed, with what was on it.
    else if (isFirst) return
    await this.#recoverSenders(from, message)
    // It may have left while its message waited.
    if (!this.#peerHeads.has(from)) return
    // The handshake is free, for links have a rate (peer-links.ts).
    if (!isFirst && this.#isPriced(from, message)) return this.#serve(from, message)
    const given = message.type === 'transactions' ? message.transactions : []
    const unaskedBytes = message.type === 'transactions' ? this.#unaskedBytes(from, message) : 0
    const news = given.filter(({ id }) => this.replica.pool.get(id) === undefined)
    const relay = () => this.#host?.broadcast(message)
    const { effects, performed } = this.#step({ type: 'message', from, message }, relay)
    if (movesHead(effects)) this.#host?.credit(from, 'block')
    if (news.some(({ id }) => this.replica.pool.get(id) !== undefined))
      this.#host?.credit(from, 'transactions')
    await performed
    // An orphan, one too many or one that is here by now: whatever it was, it must not be decoded anew for nothing.
    if (message.type === 'block' && !effects.some(({ type }) => type === 'relay'))
      await this.#charge(from, bytes.length, spentMs)
    if (unaskedBytes > 0) await this.#charge(from, unaskedBytes, spentMs)
  }

  /** Bytes of the transactions of an answer that were not asked for by its request. */
  #unaskedBytes(
    from: PeerId,
    { requestId, transactions }: Extract<Message, { type: 'transactions' }>,
  ): number {
    const asked = this.replica.relay.asked(from, requestId)
    return transactions.reduce((sum, { id, raw }) => (asked.has(id) ? sum : sum + raw.length), 0)
  }

  /** Whether a message makes work for its sender alone: what is asked, and what is announced or said by no validator. */
  #isPriced(from: PeerId, { type }: Message): boolean {
    if (type === 'get-headers' || type === 'get-blocks') return true
    const isPriced =
      type === 'status' || type === 'finality' || type === 'announce' || type === 'get-transactions'
    return isPriced && !this.replica.finality.isValidator(from)
  }

  /**
   * What has no use is paid for by its bytes and by the time that decoding it took: until it is, nothing more is read of the
   * peer that sent it.
   */
  async #charge(from: PeerId, bytes: number, spentMs = 0): Promise<void> {
    if (this.replica.finality.isValidator(from)) return
    await this.#requests.charge(from, this.#groupOf(from), bytes * USELESS_BYTES_FACTOR, spentMs)
  }

  /** The address, or the /64, from which a peer is connected: what its peers cost together has a bound. */
  #groupOf(peer: PeerId): string {
    const address = this.#host?.addressOf(peer) ?? null
    return address === null ? 'unknown' : placeOf(address).address
  }

  async #serve(from: PeerId, message: Message): Promise<void> {
    let performed = Promise.resolve(false)
    const work = () => {
      if (!this.#peerHeads.has(from)) return 0
      const step = this.#step({ type: 'message', from, message })
      performed = step.performed
      return answerBytes(step.effects)
    }
    const group = this.#groupOf(from)
    // A validator is a stranger until its hello is taken in: that does not wait for others, also after a reconnect or two.
    const isPrompt =
      message.type === 'finality' && isHello(message.body) && this.#hellos.take(from, performance.now())
    await (isPrompt ? this.#requests.serveHello(from, group, work) : this.#requests.serve(from, group, work))
    await performed
  }

  async #onGossip(from: PeerId, type: GossipType, bytes: Uint8Array): Promise<GossipVerdict> {
    if (typeOfMessage(bytes) !== type) {
      this.#host?.refuse(from, 'message-malformed')
      return 'reject'
    }
    const { message, spentMs } = await this.#decode(from, bytes)
    if (message === 'ignore') await this.#charge(from, bytes.length, spentMs)
    if (typeof message === 'string') return message
    await this.#recoverSenders(from, message)
    let isGood = false
    const { effects, performed } = this.#step({ type: 'message', from, message }, () => {
      isGood = true
      this.#host?.passOn(message, type, from)
    })
    if (movesHead(effects)) this.#host?.credit(from, 'block')
    await performed
    const isBad = effects.some(effect => effect.type === 'reject' && verdictOn(effect.reason) === 'punish')
    if (isGood) return 'accept'
    if (isBad) return 'reject'
    // An honest peer passes on what it has taken in, so that little of what it sends is ignored.
    await this.#charge(from, bytes.length, spentMs)
    return 'ignore'
  }

  /** A status is the handshake: until it comes nothing else on the link is heard. */
  #onStatus(from: PeerId, { status }: Extract<Message, { type: 'status' }>): void {
    // Once: what all that come after cost is what the replica does with them.
    const isFirst = !this.#peerHeads.has(from)
    this.#peerHeads.set(from, { id: status.headId, height: status.height })
    if (isFirst && status.genesisId === this.replica.genesis.block.id) this.#host?.confirm(from)
  }

  /** The message in these bytes, if it is to be taken in; else whether its sender is to blame. And what that took. */
  async #decode(
    from: PeerId,
    bytes: Uint8Array,
  ): Promise<{ readonly message: Message | 'ignore' | 'reject'; readonly spentMs: number }> {
    const screened = this.replica.screen(from, bytes)
    const { value: message, spentMs } =
      screened === null
        ? await this.#decoding.run(from, decodeMessageInSteps(bytes))
        : { value: screened, spentMs: 0 }
    if (typeof message !== 'string') return { message, spentMs }
    if (message === 'known') return { message: 'ignore', spentMs }
    if (message === 'orphan') {
      // Before the handshake nothing counts.
      if (this.#peerHeads.has(from)) await this.#step({ type: 'orphan', from }).performed
      return { message: 'ignore', spentMs }
    }
    this.#host?.refuse(from, message)
    return { message: verdictOn(message) === 'punish' ? 'reject' : 'ignore', spentMs }
  }

  async #recoverSenders(from: PeerId, message: Message): Promise<void> {
    try {
      await this.#senderRecovery.recover(from, message, Date.now())
    } catch (error) {
      // The replica will recover what is missing itself.
      this.#log.error({ err: error }, 'senders could not be recovered ahead')
    }
  }

  // ---- effects

  #perform(effect: OutwardEffect): void {
    switch (effect.type) {
      case 'send':
        this.#senderRecovery.onSend(effect.to, effect.message)
        return this.#host?.send(effect.to, effect.message)
      case 'broadcast':
        return this.#host?.broadcast(effect.message)
      case 'reject':
        return this.#host?.refuse(effect.from, effect.reason)
      case 'disconnect':
        return this.#host?.disconnect(effect.peer, effect.reason)
      case 'mine': {
        const { id, header, target } = effect.template
        return this.#miner.mine({ id, header: encodeHeader(header), target })
      }
      case 'stop-mining':
        return this.#miner.stop()
      case 'reply':
        return this.#submissions.onReply(effect.token, effect.result)
      case 'head':
        this.#counters.countHead(effect.reorganised)
        return this.#heads.emit(effect)
      case 'final':
        return this.#finals.emit(effect)
      case 'alarm':
        this.#log.warn(effect.text)
        return this.#alarms.emit(effect.text)
    }
  }
}

/** The mark beside the validator's key; null for a node that has none. */
async function openMark({
  validator,
  dataDirectory,
  genesis,
  log,
}: NodeOptions): Promise<VoteMarkFile | null> {
  if (validator === undefined) return null
  const { id } = genesis.block
  const address = addressOfSecretKey(validator.secretKey)
  const name = `${address.slice(2, 10)}-${id.slice(-8)}.votes`
  const inside = join(dataDirectory, name)
  const { keyPath } = validator
  const paths = keyPath === undefined ? [inside] : [`${keyPath}.${name}`, inside]
  const file = await VoteMarkFile.open(paths, { address, genesisId: id })
  if (file.path !== paths[0])
    log.warn(`nothing can be written beside ${keyPath}: how far this key voted is kept in ${file.path}`)
  if (resolve(file.path).startsWith(resolve(dataDirectory) + sep))
    log.warn(
      `how far this key voted is kept in the data folder, and is lost with it: do not empty ${dataDirectory}`,
    )
  return file
}

/** Whether a step took a block in that the node follows. */
function movesHead(effects: readonly Effect[]): boolean {
  return effects.some(({ type }) => type === 'head')
}

/** Bytes of what a step sends to peers, but for a few each. */
function answerBytes(effects: readonly Effect[]): number {
  return effects.reduce((sum, effect) => {
    if (effect.type !== 'send') return sum
    const { message } = effect
    switch (message.type) {
      case 'headers':
        return sum + message.headers.length * HEADER_BYTES
      case 'blocks':
        return sum + message.blocks.reduce((bytes, { raw }) => bytes + raw.length, 0)
      case 'transactions':
        return sum + message.transactions.reduce((bytes, { raw }) => bytes + raw.length, 0)
      case 'finality':
        return sum + message.body.length + (message.block?.raw.length ?? 0)
      default:
        return sum
    }
  }, 0)
}
