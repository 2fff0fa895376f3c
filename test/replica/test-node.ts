// Replicas to test: one alone, whose every step is given by hand, and several in virtual time on perfect wires.

import assert from 'node:assert/strict'
import type { BlockId } from '../../src/chain/header.ts'
import type { RecoverSender } from '../../src/chain/signature.ts'
import type { Transaction, TransactionId } from '../../src/chain/transaction.ts'
import type { Genesis } from '../../src/execution/genesis.ts'
import type { Identity } from '../../src/finality/identity.ts'
import { createFinality, NOBODY } from '../../src/finality/registry.ts'
import { Disk } from '../../src/lab/cluster/disk.ts'
import { Schedule } from '../../src/lab/virtual/schedule.ts'
import type { TreeBlock } from '../../src/replica/block-tree.ts'
import type { Checkpoint } from '../../src/replica/checkpoint.ts'
import type { Effect, Input, MiningTemplate, PeerId, TimerName } from '../../src/replica/effects.ts'
import { REPLICA_LIMITS, type ReplicaLimits } from '../../src/replica/limits.ts'
import { decodeMessage, encodeMessage } from '../../src/replica/message-codec.ts'
import type { Message, MessageType, OutgoingMessage } from '../../src/replica/messages.ts'
import { Replica } from '../../src/replica/replica.ts'
import { accepted, addressNumber } from '../chain/examples.ts'
import { mineHeader, namedSender, START_MS } from './small-chain.ts'

/** The effects of one type. */
export function effectsOf<T extends Effect['type']>(
  effects: readonly Effect[],
  type: T,
): Extract<Effect, { type: T }>[] {
  return effects.filter((effect): effect is Extract<Effect, { type: T }> => effect.type === type)
}

/** The messages of one type that are sent, with their receivers. */
export function sentOf<T extends MessageType>(effects: readonly Effect[], type: T) {
  return effectsOf(effects, 'send')
    .filter(({ message }) => message.type === type)
    .map(({ to, message }) => ({ to, message: message as Extract<Message, { type: T }> }))
}

/** One replica with a disk that syncs at once. */
export class TestNode {
  readonly id: PeerId
  readonly genesis: Genesis
  readonly disk: Disk
  /** What it is among the validators. */
  readonly identity: Identity
  /** What it holds, hands out and asks for at most. */
  readonly limits: ReplicaLimits
  /** Without which it follows no chain. */
  readonly checkpoint: Checkpoint | null
  replica: Replica
  nowMs: number
  /** Every batch that was persisted, in order. */
  readonly batches: Extract<Effect, { type: 'persist' }>['writes'][] = []
  readonly connected = new Set<PeerId>()
  /** The job that is being mined. */
  template: MiningTemplate | null = null

  constructor(
    genesis: Genesis,
    options: {
      id?: PeerId
      nowMs?: number
      disk?: Disk
      salt?: number
      identity?: Identity
      limits?: Partial<ReplicaLimits>
      checkpoint?: Checkpoint | null
      recoverSender?: RecoverSender
    } = {},
  ) {
    this.id = options.id ?? 'node'
    this.genesis = genesis
    this.disk = options.disk ?? new Disk()
    this.nowMs = options.nowMs ?? START_MS
    const salt = Uint8Array.of(options.salt ?? 1, 0, 0, 0)
    this.identity = options.identity ?? NOBODY
    const finality = createFinality(genesis, this.identity)
    this.limits = { ...REPLICA_LIMITS, ...options.limits }
    this.checkpoint = options.checkpoint ?? null
    const { disk: store, limits, checkpoint } = this
    const { recoverSender = namedSender } = options
    const given = { genesis, finality, store, recoverSender, salt, limits, checkpoint }
    this.replica = new Replica(given)
  }

  get headId(): BlockId {
    return this.replica.tree.head.chained.id
  }

  get height(): number {
    return this.replica.tree.head.chained.height
  }

  /** Starts the replica; for use as `new TestNode(genesis).start()`. */
  start(): this {
    this.step({ type: 'start' })
    return this
  }

  /** Another replica on what this one has on disk. */
  restarted(checkpoint: Checkpoint | null = this.checkpoint): TestNode {
    const { id, nowMs, disk, identity, limits } = this
    return new TestNode(this.genesis, { id, nowMs, disk, identity, limits, checkpoint, salt: 2 }).start()
  }

  step(input: Input): Effect[] {
    const effects = this.replica.step(input, this.nowMs)
    assertPersistFirst(effects)
    if (input.type === 'peer-connected') this.connected.add(input.peer)
    if (input.type === 'peer-disconnected') this.connected.delete(input.peer)
    for (const effect of effects) {
      if (effect.type === 'persist') {
        this.batches.push(effect.writes)
        this.disk.write(effect.writes)
        this.disk.sync()
      }
      if (effect.type === 'mine') this.template = effect.template
      if (effect.type === 'stop-mining') this.template = null
    }
    return effects
  }

  connect(...peers: readonly PeerId[]): Effect[] {
    return peers.flatMap(peer => this.step({ type: 'peer-connected', peer }))
  }

  /** Takes a message in, through its bytes. */
  receive(from: PeerId, message: Message): Effect[] {
    return this.step({ type: 'message', from, message: overTheWire(message) })
  }

  /**
   * Takes transactions in from a peer, which is connected where it is not: it announces them, and gives what it is asked
   * for. The effects are those of the answer.
   */
  pull(from: PeerId, ...transactions: readonly Transaction[]): Effect[] {
    if (!this.connected.has(from)) this.connect(from)
    const asked = sentOf(
      this.receive(from, { type: 'announce', ids: transactions.map(({ id }) => id) }),
      'get-transactions',
    )
    return asked.flatMap(({ to, message: { requestId, ids } }) => {
      assert.equal(to, from)
      const given = ids.map(id => transactions.find(tx => tx.id === id)!)
      return this.receive(from, { type: 'transactions', requestId, transactions: given })
    })
  }

  /** Takes blocks in, one after the other, from a peer that has nothing to do with anything else. */
  feed(entries: readonly TreeBlock[]): Effect[] {
    return entries.flatMap(({ block }) => this.receive('feeder', { type: 'block', block }))
  }

  submit(raw: Uint8Array, token = 'token'): Effect[] {
    return this.step({ type: 'submit', raw, token })
  }

  timeout(name: TimerName): Effect[] {
    return this.step({ type: 'timeout', name })
  }

  /** Finds the nonce of the current template. */
  finishMining(): Effect[] {
    assert.ok(this.template !== null, `${this.id} does not mine`)
    const { id, header } = this.template
    return this.step({ type: 'mined', templateId: id, nonce: mineHeader(header).nonce })
  }

  startMining(blocks: number | null = null, beneficiary = addressNumber(0x500)): Effect[] {
    return this.step({ type: 'mining', beneficiary, blocks })
  }

  /** How often the main chain above the base and below it holds the transaction. */
  inclusions(id: TransactionId): number {
    const { view } = this.replica
    let count = 0
    for (let height = 1; height <= this.height; height++)
      count += view.blockAt(height)!.transactions.filter(tx => tx.id === id).length
    return count
  }
}

/** The ids that each peer is told of. */
export function announcedIn(effects: readonly Effect[]): string[] {
  return sentOf(effects, 'announce').flatMap(({ to, message }) => message.ids.map(id => `${to} ${id}`))
}

/** The message as its receiver decodes it. */
export function overTheWire(message: OutgoingMessage): Message {
  return accepted<Message>(decodeMessage(encodeMessage(message)))
}

/** What depends on a write stands behind it: one persist at most, and nothing before it. */
function assertPersistFirst(effects: readonly Effect[]): void {
  const places = effects.flatMap((effect, index) => (effect.type === 'persist' ? [index] : []))
  assert.deepEqual(places, places.length === 0 ? [] : [0], 'one step persists once and first')
}

const LATENCY_MS = 10

/** Replicas joined by wires that lose nothing, in virtual time. */
export class TestNetwork {
  readonly schedule = new Schedule()
  readonly genesis: Genesis
  readonly nodes = new Map<PeerId, TestNode>()
  /** Milliseconds by which the clock of a node is ahead; those that are not named are right. */
  readonly clockOffsetsMs = new Map<PeerId, number>()
  /** Everything that anybody did. */
  readonly log: { readonly node: PeerId; readonly effect: Effect }[] = []
  /** Whether a message arrives; all do unless a test says otherwise. */
  carries: (from: PeerId, to: PeerId, message: OutgoingMessage) => boolean = () => true
  readonly #links = new Map<PeerId, Set<PeerId>>()
  readonly #timers = new Map<string, number>()
  readonly #startMs: number
  readonly #identityOf: (id: PeerId) => Identity
  readonly #limits: ReplicaLimits
  #timerCount = 0

  constructor(
    genesis: Genesis,
    startMs = START_MS,
    options: { identityOf?: (id: PeerId) => Identity; limits?: ReplicaLimits } = {},
  ) {
    this.genesis = genesis
    this.#startMs = startMs
    this.#identityOf = options.identityOf ?? (() => NOBODY)
    this.#limits = options.limits ?? REPLICA_LIMITS
  }

  get nowMs(): number {
    return this.#startMs + this.schedule.nowMs
  }

  /** Puts nodes on the network and starts them. */
  add(...ids: readonly PeerId[]): TestNode[] {
    return ids.map(id => {
      const identity = this.#identityOf(id)
      const node = new TestNode(this.genesis, {
        id,
        salt: this.nodes.size + 1,
        nowMs: this.nowMs,
        identity,
        limits: this.#limits,
      })
      this.nodes.set(id, node)
      this.#links.set(id, new Set())
      this.input(id, { type: 'start' })
      return node
    })
  }

  connect(a: PeerId, b: PeerId): void {
    this.#links.get(a)!.add(b)
    this.#links.get(b)!.add(a)
    this.input(a, { type: 'peer-connected', peer: b })
    this.input(b, { type: 'peer-connected', peer: a })
  }

  disconnect(a: PeerId, b: PeerId): void {
    if (!this.#links.get(a)!.delete(b)) return
    this.#links.get(b)!.delete(a)
    this.input(a, { type: 'peer-disconnected', peer: b })
    this.input(b, { type: 'peer-disconnected', peer: a })
  }

  input(id: PeerId, input: Input): void {
    const node = this.nodes.get(id)!
    node.nowMs = this.nowMs + (this.clockOffsetsMs.get(id) ?? 0)
    const effects = node.step(input)
    for (const effect of effects) {
      this.log.push({ node: id, effect })
      this.#perform(id, effect, input)
    }
  }

  /** Lets so much time pass. */
  run(ms: number): void {
    const endMs = this.schedule.nowMs + ms
    this.schedule.after(ms, () => {})
    while (this.schedule.nowMs < endMs) assert.ok(this.schedule.advance())
  }

  /** Lets one node mine one block on its head, now. */
  mine(id: PeerId): void {
    const beneficiary = addressNumber(0x500 + [...this.nodes.keys()].indexOf(id))
    this.input(id, { type: 'mining', beneficiary, blocks: 1 })
    const { id: templateId, header } = this.nodes.get(id)!.template!
    this.input(id, { type: 'mined', templateId, nonce: mineHeader(header).nonce })
  }

  /** The effects of one type of one node, so far. */
  done<T extends Effect['type']>(node: PeerId, type: T): Extract<Effect, { type: T }>[] {
    return effectsOf(
      this.log.filter(entry => entry.node === node).map(entry => entry.effect),
      type,
    )
  }

  #perform(id: PeerId, effect: Effect, input: Input): void {
    switch (effect.type) {
      case 'send':
        return this.#transmit(id, effect.to, effect.message)
      case 'broadcast':
        for (const peer of this.#links.get(id)!) this.#transmit(id, peer, effect.message)
        return
      case 'relay':
        assert.ok(input.type === 'message', 'only what was taken in can be passed on')
        for (const peer of this.#links.get(id)!)
          if (peer !== input.from) this.#transmit(id, peer, input.message)
        return
      case 'disconnect':
        this.schedule.after(0, () => this.disconnect(id, effect.peer))
        return
      case 'set-timer':
        return this.#setTimer(id, effect.name, effect.delayMs)
      case 'clear-timer':
        this.#timers.delete(`${id} ${effect.name}`)
        return
      case 'persist':
      case 'reject':
      case 'mine':
      case 'stop-mining':
      case 'reply':
      case 'head':
      case 'final':
      case 'alarm':
        return
    }
  }

  #transmit(from: PeerId, to: PeerId, message: OutgoingMessage): void {
    const copy = overTheWire(message)
    if (!this.carries(from, to, message)) return
    this.schedule.after(LATENCY_MS, () => {
      if (this.#links.get(to)!.has(from)) this.input(to, { type: 'message', from, message: copy })
    })
  }

  #setTimer(id: PeerId, name: TimerName, delayMs: number): void {
    const token = ++this.#timerCount
    const key = `${id} ${name}`
    this.#timers.set(key, token)
    this.schedule.after(delayMs, () => {
      if (this.#timers.get(key) !== token) return
      this.#timers.delete(key)
      this.input(id, { type: 'timeout', name })
    })
  }
}
