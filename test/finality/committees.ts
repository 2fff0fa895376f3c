// Committees to test over chains of names: one alone, whose every step is given by hand, and several in virtual time
// on perfect wires. Their signatures are real.

import assert from 'node:assert/strict'
import { encodeCompact, HASH_MAX } from '../../src/chain/compact.ts'
import type { BlockId } from '../../src/chain/header.ts'
import type { ChainedHeader } from '../../src/chain/header-chain.ts'
import { PBFT_PATTERNS } from '../../src/consensus/catalogue.ts'
import type { LogKit } from '../../src/consensus/kit.ts'
import type { PbftMessage } from '../../src/consensus/pbft/messages.ts'
import type { Pattern } from '../../src/consensus/pbft/pbft.ts'
import { answerStatement } from '../../src/consensus/pbft/recall.ts'
import type { MemberIndex } from '../../src/consensus/process.ts'
import { quorumOf } from '../../src/consensus/quorum.ts'
import { toHex } from '../../src/encoding/bytes.ts'
import { Committee } from '../../src/finality/committee.ts'
import type {
  ChainAccess,
  Finality,
  FinalityEffect,
  FinalityInput,
  FinalityTimer,
  PeerId,
} from '../../src/finality/contract.ts'
import type { Identity } from '../../src/finality/identity.ts'
import { MinedBlockPolicy } from '../../src/finality/mined-block-policy.ts'
import type { Policy } from '../../src/finality/policy.ts'
import type { RecoverSigner } from '../../src/finality/signing.ts'
import { PACE, protocolTimer } from '../../src/finality/timers.ts'
import { type Byzantine, LyingFinality } from '../../src/lab/adversary/byzantine/lying-finality.ts'
import type { ByzantineRole } from '../../src/lab/adversary/byzantine/roles.ts'
import { Schedule } from '../../src/lab/virtual/schedule.ts'
import { decodeEnvelope, encodeEnvelope } from './pbft-envelope.ts'
import { idOf, recoverSigner, sign, TestValidators } from './test-validators.ts'

/** Milliseconds since 1970 at which tests begin. */
export const NOW_MS = 1_800_000_000_000

/** Everybody finds out the same about a signature, so it is found out once. */
const found = new Map<string, ReturnType<RecoverSigner>>()
export const recoverOnce: RecoverSigner = (digest, signature) => {
  const key = `${toHex(digest)} ${toHex(signature)}`
  const signer = found.has(key) ? found.get(key)! : recoverSigner(digest, signature)
  found.set(key, signer)
  return signer
}

/** How a block differs from the plain next one. */
export interface FakeChanges {
  /** Seconds since 1970; now unless given. */
  readonly time?: number
  readonly transactions?: number
  readonly work?: bigint
}

/** A block that has a name and nothing in it but a number of transactions. */
export interface FakeBlock extends ChainedHeader {
  readonly transactions: number
}

/** A chain of blocks that have a name and nothing in them. */
export class FakeChain implements ChainAccess {
  readonly root: FakeBlock
  head: FakeBlock
  final: FakeBlock
  nowMs = NOW_MS
  /** Transactions that wait for a block. */
  waiting = 0
  /** How often a block was looked up. */
  lookups = 0
  readonly certificates = new Map<number, { readonly height: number; readonly bytes: Uint8Array }>()
  readonly #blocks = new Map<BlockId, FakeBlock>()

  constructor() {
    this.root = fakeBlock('genesis', null, { time: NOW_MS / 1000 - 3_600 })
    this.head = this.root
    this.final = this.root
    this.add(this.root)
  }

  get(id: BlockId): FakeBlock | null {
    this.lookups += 1
    return this.#blocks.get(id) ?? null
  }

  ancestor(height: number): BlockId | null {
    return height < this.final.height ? null : (this.#below(this.head, height)?.id ?? null)
  }

  tips(): FakeBlock[] {
    const parents = new Set(this.blocks().map(({ header }) => header.previous))
    return this.blocks().filter(({ id }) => !parents.has(id))
  }

  transactionCount(id: BlockId): number {
    return this.#blocks.get(id)?.transactions ?? 0
  }

  hasPending(): boolean {
    return this.waiting > 0
  }

  certificateOf(sequence: number): Uint8Array | null {
    return this.certificates.get(sequence)?.bytes ?? null
  }

  certificateAt(height: number): Uint8Array | null {
    const above = [...this.certificates.values()].filter(certificate => certificate.height >= height)
    return above.sort((a, b) => a.height - b.height)[0]?.bytes ?? null
  }

  /** Makes a block and keeps it; the head stays. */
  make(parent: FakeBlock, name: string, changes: FakeChanges = {}): FakeBlock {
    const block = fakeBlock(name, parent, { time: Math.floor(this.nowMs / 1000), ...changes })
    this.add(block)
    return block
  }

  /** Makes blocks on the head, called `name` and their height, and follows them. */
  extend(name: string, count: number): FakeBlock[] {
    return Array.from({ length: count }, () => {
      this.head = this.make(this.head, `${name}${this.head.height + 1}`)
      return this.head
    })
  }

  add(block: FakeBlock): void {
    this.#blocks.set(block.id, block)
  }

  /** Every block, from the oldest. */
  blocks(): FakeBlock[] {
    return [...this.#blocks.values()]
  }

  finalise({ id, certificate }: Extract<FinalityEffect, { type: 'final' }>): void {
    const block = this.#blocks.get(id)
    assert.ok(block !== undefined, 'only a block that is here is made final')
    assert.ok(this.#isAbove(block, this.final), 'what is final descends from what was')
    assert.ok(certificate !== null)
    this.certificates.set(certificate.sequence, { height: block.height, bytes: certificate.bytes })
    if (this.transactionCount(id) > 0) this.waiting = 0
    this.final = block
    for (const other of this.blocks()) if (!this.#isAbove(other, block)) this.#blocks.delete(other.id)
    if (this.#isAbove(this.head, block)) return
    this.head = this.blocks().reduce((best, other) => (other.work > best.work ? other : best), block)
  }

  #isAbove(block: FakeBlock, below: FakeBlock): boolean {
    return this.#below(block, below.height)?.id === below.id
  }

  #below(block: FakeBlock, height: number): FakeBlock | undefined {
    let at: FakeBlock | undefined = block
    while (at !== undefined && at.height > height) at = this.#blocks.get(at.header.previous)
    return at?.height === height ? at : undefined
  }
}

/** A block called so. */
export function fakeBlock(name: string, parent: FakeBlock | null, changes: FakeChanges = {}): FakeBlock {
  const id = parent === null ? idOf(name) : idOf(`${name} on ${parent.id}`)
  const { time = NOW_MS / 1000, work = 1n, transactions = 0 } = changes
  const bits = encodeCompact((HASH_MAX + 1n) / work - 1n)
  return {
    id,
    header: { version: 1, previous: parent?.id ?? idOf('nothing'), merkleRoot: id, time, bits, nonce: 0 },
    height: parent === null ? 0 : parent.height + 1,
    work: (parent?.work ?? 0n) + work,
    recentTimes: [],
    scheduleStart: 0,
    transactions,
  }
}

/** A branch of so many blocks on a block, from the lowest; the head stays. */
export function branch(
  chain: FakeChain,
  from: FakeBlock,
  name: string,
  count: number,
  work = 1n,
): FakeBlock[] {
  const blocks: FakeBlock[] = []
  while (blocks.length < count)
    blocks.push(chain.make(blocks.at(-1) ?? from, `${name}${blocks.length}`, { work }))
  return blocks
}

export interface TestCommitteeOptions {
  /** The number of this life; one that no other has unless given. */
  readonly life?: number
  readonly network: TestValidators
  /** A place, or another key, or null for a node without one. */
  readonly self: MemberIndex | Uint8Array | null
  readonly peer?: PeerId
  readonly pattern?: Pattern
  /** That of the pattern unless given. */
  readonly kit?: LogKit
  readonly policy?: Policy
  readonly mayForgetVotes?: boolean
  readonly lie?: Byzantine | null
  readonly chain?: FakeChain
  /** What is on disk already. */
  readonly records?: ReadonlyMap<string, Uint8Array>
  /** Unless it has records. */
  readonly isFresh?: boolean
  /** Whether the others tell it at its start that they hold no votes of its own; they do unless told otherwise. */
  readonly isAnswered?: boolean
}

export const TIMEOUT_MS = 1_000
/** Times that the progress timer fires until the timeout is over. */
const TIMEOUT_PARTS = 9

/** Any block above the last final one may be decided, and the head should be. */
const ANY_BLOCK = new MinedBlockPolicy({ depth: 0, interval: 1 })

let lives = 0

/** A number that no other life in these tests has. */
function nextLife(): number {
  lives += 1
  return lives
}

/** One committee with a chain, a disk and timers. */
export class TestCommittee {
  readonly options: TestCommitteeOptions
  readonly chain: FakeChain
  readonly committee: Committee
  /** The committee, or the liar around it. */
  readonly #layer: Finality
  readonly records: Map<string, Uint8Array>
  readonly timers = new Map<FinalityTimer, number>()
  readonly alarms: string[] = []
  /** Everything that it wanted, in order. */
  readonly log: FinalityEffect[] = []
  #attached: FakeBlock | null = null
  #built = 0

  constructor(options: TestCommitteeOptions) {
    this.options = options
    const { network, self, pattern = 'all-to-all', policy = ANY_BLOCK } = options
    const kit = options.kit ?? PBFT_PATTERNS.get(pattern)!
    this.chain = options.chain ?? new FakeChain()
    this.records = new Map(options.records)
    const identity: Identity = {
      peer: options.peer ?? `p${typeof self === 'number' ? self : ''}`,
      secretKey: typeof self === 'number' ? network.keys[self]! : self,
      recover: recoverOnce,
      sign,
      life: options.life ?? nextLife(),
      mayForgetVotes: options.mayForgetVotes ?? false,
    }
    const settings = {
      validators: network.validators,
      timeoutMs: TIMEOUT_MS,
      isMined: policy instanceof MinedBlockPolicy,
      chainId: network.genesis.blocks.chainId,
      genesisId: network.genesis.block.id,
      identity,
    }
    const { futureLimitSeconds } = network.genesis.work
    this.committee = new Committee({ ...settings, pattern, kit, futureLimitSeconds }, policy)
    const { lie = null } = options
    this.#layer =
      lie === null ? this.committee : new LyingFinality(this.committee, { ...settings, ...lie, interval: 1 })
  }

  start(): this {
    const isFresh = this.options.isFresh ?? this.options.records === undefined
    this.step({ type: 'start', records: new Map(this.records), isFresh })
    if (this.options.isAnswered ?? true) this.answer()
    return this
  }

  /** So many others that it may vote say which votes of its own they hold: none, as nothing is decided. */
  answer(decided = 0): FinalityEffect[] {
    const { network } = this.options
    const query = this.log
      .flatMap(effect => (effect.type === 'broadcast' ? (decodeEnvelope(effect.body)?.content ?? []) : []))
      .findLast(content => content.type === 'protocol' && content.message.type === 'query')
    if (query?.type !== 'protocol' || query.message.type !== 'query') return []
    const { from: to, challenge } = query.message
    const members = [...network.keys.keys()].filter(member => member !== to)
    return members.slice(0, quorumOf(network.validators.size) - 1).flatMap(from => {
      const content = { to, challenge, decided, votes: [], viewChange: null }
      const signature = network.signing(from).sign(answerStatement(content))
      const message = { type: 'answer', from, ...content, signature } as const
      const body = encodeEnvelope({ clockMs: this.chain.nowMs, content: { type: 'protocol', message } })
      return this.receive(`p${from}`, body)
    })
  }

  /** The same member again, on the same chain and what it had on disk. */
  restarted(changes: Partial<TestCommitteeOptions> = {}): TestCommittee {
    const { chain, records } = this
    return new TestCommittee({ ...this.options, chain, records, isFresh: false, ...changes }).start()
  }

  report() {
    return this.committee.report(this.chain.nowMs)
  }

  step(input: FinalityInput): FinalityEffect[] {
    const all: FinalityEffect[] = []
    const inputs = [input]
    for (let next = inputs.shift(); next !== undefined; next = inputs.shift()) {
      for (const effect of this.#layer.step(next, this.chain)) {
        all.push(effect)
        inputs.push(...this.#perform(effect))
      }
    }
    this.log.push(...all)
    return all
  }

  connect(...peers: readonly PeerId[]): FinalityEffect[] {
    return peers.flatMap(peer => this.step({ type: 'peer-connected', peer }))
  }

  /** Takes bytes in, with the block that comes with them. */
  receive(from: PeerId, body: Uint8Array, attached: FakeBlock | null = null): FinalityEffect[] {
    this.#attached = attached
    const effects = this.step({ type: 'message', from, body })
    this.#attached = null
    return effects
  }

  /** Takes in what a member says. */
  hear(from: PeerId, message: PbftMessage): FinalityEffect[] {
    return this.receive(from, encodeEnvelope({ clockMs: NOW_MS, content: { type: 'protocol', message } }))
  }

  /** A timer of the protocol fires, or the committee's own. */
  timeout(timer: string): FinalityEffect[] {
    const name = timer === PACE ? timer : protocolTimer(timer)
    this.timers.delete(name)
    return this.step({ type: 'timeout', name })
  }

  /** The whole timeout is over, of which the progress timer tells in parts. */
  expire(): FinalityEffect[] {
    const effects: FinalityEffect[] = []
    for (let part = 0; part < TIMEOUT_PARTS; part++) effects.push(...this.timeout('progress'))
    return effects
  }

  /** A block came. */
  give(block: FakeBlock): FinalityEffect[] {
    this.chain.add(block)
    return this.step({ type: 'block', id: block.id })
  }

  #perform(effect: FinalityEffect): FinalityInput[] {
    switch (effect.type) {
      case 'final': {
        const { head } = this.chain
        this.chain.finalise(effect)
        return this.chain.head === head ? [] : [{ type: 'head' }]
      }
      case 'persist':
        if (effect.value === null) this.records.delete(effect.key)
        else this.records.set(effect.key, effect.value)
        return []
      case 'set-timer':
        this.timers.set(effect.name, effect.delayMs)
        return []
      case 'clear-timer':
        this.timers.delete(effect.name)
        return []
      case 'want':
        if (this.#attached?.id !== effect.id || this.chain.get(this.#attached.header.previous) === null)
          return []
        this.chain.add(this.#attached)
        return [{ type: 'block', id: effect.id }]
      case 'build': {
        const name = `built by ${this.options.peer} ${this.#built++}`
        const { id } = this.chain.make(this.chain.head, name, { transactions: this.chain.waiting })
        return [{ type: 'built', id }]
      }
      case 'alarm':
        this.alarms.push(effect.text)
        return []
      case 'send':
      case 'broadcast':
      case 'hold':
      case 'refuse':
        return []
    }
  }
}

/** The effects of one type. */
export function only<T extends FinalityEffect['type']>(
  effects: readonly FinalityEffect[],
  type: T,
): Extract<FinalityEffect, { type: T }>[] {
  return effects.filter((effect): effect is Extract<FinalityEffect, { type: T }> => effect.type === type)
}

/** The protocol's messages of one type among what is sent and broadcast. */
export function said<T extends PbftMessage['type']>(effects: readonly FinalityEffect[], type: T) {
  return effects.flatMap(effect => {
    if (effect.type !== 'send' && effect.type !== 'broadcast') return []
    const content = decodeEnvelope(effect.body)?.content
    if (content?.type !== 'protocol' || content.message.type !== type) return []
    const to = effect.type === 'send' ? effect.to : null
    return [{ to, block: effect.block, message: content.message as Extract<PbftMessage, { type: T }> }]
  })
}

const LATENCY_MS = 10

export interface NetworkOptions {
  readonly pattern?: Pattern
  readonly kit?: LogKit
  readonly policy?: () => Policy
  /** How the validators with these places lie. */
  readonly liars?: ReadonlyMap<MemberIndex, ByzantineRole>
  /** Validators that are not there. */
  readonly absent?: readonly MemberIndex[]
  readonly followers?: number
  /** What everybody's chain looks like at the start. */
  readonly prepare?: (chain: FakeChain) => void
}

/** A whole committee, each connected to each, in virtual time. A node that wants a block gets it. */
export class CommitteeNetwork {
  readonly validators: TestValidators
  readonly schedule = new Schedule()
  readonly nodes = new Map<PeerId, TestCommittee>()
  /** Everything that went from one to another. */
  readonly sent: { readonly from: PeerId; readonly to: PeerId; readonly message: string }[] = []
  readonly #options: NetworkOptions
  readonly #tokens = new Map<string, number>()
  #tokenCount = 0

  constructor(n: number, options: NetworkOptions = {}) {
    this.validators = new TestValidators(n)
    this.#options = options
    const { absent = [], followers = 0 } = options
    for (let member = 0; member < n; member++) if (!absent.includes(member)) this.#add(member)
    for (let index = 0; index < followers; index++) this.#add(null, `follower${index}`)
    for (const [id, node] of this.nodes) this.#perform(id, node, () => void node.start())
    for (const id of this.nodes.keys()) this.#connect(id)
  }

  /** The nodes that do not lie. */
  get honest(): TestCommittee[] {
    return [...this.nodes.values()].filter(({ options }) => options.lie == null)
  }

  node(member: MemberIndex): TestCommittee {
    return this.nodes.get(`p${member}`)!
  }

  /** Brings a validator up that was absent, with everybody's blocks. */
  join(member: MemberIndex): TestCommittee {
    const [other] = this.nodes.values()
    const node = this.#add(member)
    for (const block of other!.chain.blocks()) node.chain.add(block)
    node.chain.head = other!.chain.head
    node.chain.nowMs = NOW_MS + this.schedule.nowMs
    const id = `p${member}`
    this.#perform(id, node, () => void node.start())
    for (const peer of this.nodes.keys()) {
      if (peer === id) continue
      this.input(id, { type: 'peer-connected', peer })
      this.input(peer, { type: 'peer-connected', peer: id })
    }
    return node
  }

  /** Transactions come to everybody. */
  submit(): void {
    for (const [id, node] of this.nodes) {
      node.chain.waiting = 1
      this.input(id, { type: 'pool' })
    }
  }

  input(id: PeerId, input: FinalityInput): void {
    const node = this.nodes.get(id)!
    this.#perform(id, node, () => void node.step(input))
  }

  /** Lets so much time pass. */
  run(ms: number): void {
    const endMs = this.schedule.nowMs + ms
    this.schedule.after(ms, () => {})
    while (this.schedule.nowMs < endMs) assert.ok(this.schedule.advance())
  }

  /** Lets time pass until it is so; fails when it takes too long. */
  runUntil(isDone: () => boolean, ms = 20 * TIMEOUT_MS): void {
    const endMs = this.schedule.nowMs + ms
    this.schedule.after(ms, () => {})
    while (!isDone()) {
      assert.ok(this.schedule.nowMs < endMs, 'it takes too long')
      assert.ok(this.schedule.advance())
    }
  }

  #add(member: MemberIndex | null, peer = `p${member}`): TestCommittee {
    const {
      pattern = 'all-to-all',
      kit,
      policy,
      liars = new Map<MemberIndex, ByzantineRole>(),
    } = this.#options
    const role = member === null ? undefined : liars.get(member)
    const accomplices = [...liars.keys()].filter(other => other !== member)
    const chain = new FakeChain()
    this.#options.prepare?.(chain)
    const node = new TestCommittee({
      network: this.validators,
      self: member,
      peer,
      pattern,
      ...(kit === undefined ? {} : { kit }),
      policy: policy?.() ?? ANY_BLOCK,
      chain,
      lie: role === undefined ? null : { role, accomplices },
      isAnswered: false,
    })
    this.nodes.set(peer, node)
    return node
  }

  #connect(id: PeerId): void {
    for (const peer of this.nodes.keys()) if (peer !== id) this.input(id, { type: 'peer-connected', peer })
  }

  #perform(id: PeerId, node: TestCommittee, act: () => void): void {
    node.chain.nowMs = NOW_MS + this.schedule.nowMs
    const from = node.log.length
    act()
    for (const effect of node.log.slice(from)) {
      if (effect.type === 'send') this.#transmit(id, effect.to, effect)
      if (effect.type === 'broadcast')
        for (const peer of this.nodes.keys()) if (peer !== id) this.#transmit(id, peer, effect)
      if (effect.type === 'set-timer') this.#setTimer(id, effect.name, effect.delayMs)
      if (effect.type === 'clear-timer') this.#tokens.delete(`${id} ${effect.name}`)
      if (effect.type === 'want' && node.chain.get(effect.id) === null) this.#fetch(id, effect)
    }
  }

  #transmit(
    from: PeerId,
    to: PeerId,
    { body, block }: { readonly body: Uint8Array; readonly block: BlockId | null },
  ): void {
    const attached = block === null ? null : this.nodes.get(from)!.chain.get(block)
    this.sent.push({ from, to, message: this.nodes.get(from)!.committee.describe(body) })
    this.schedule.after(LATENCY_MS, () => {
      const node = this.nodes.get(to)
      if (node !== undefined) this.#perform(to, node, () => void node.receive(from, body, attached))
    })
  }

  #fetch(id: PeerId, want: Extract<FinalityEffect, { type: 'want' }>): void {
    const { promised, others } = want.holders
    this.schedule.after(2 * LATENCY_MS, () => {
      const found = [...promised, ...others].map(peer => this.nodes.get(peer)?.chain.get(want.id) ?? null)
      const block = found.find(block => block !== null) ?? null
      const node = this.nodes.get(id)!
      if (block !== null && node.chain.get(block.header.previous) !== null)
        this.#perform(id, node, () => void node.give(block))
    })
  }

  #setTimer(id: PeerId, name: FinalityTimer, delayMs: number): void {
    const token = ++this.#tokenCount
    const key = `${id} ${name}`
    this.#tokens.set(key, token)
    this.schedule.after(delayMs, () => {
      if (this.#tokens.get(key) !== token) return
      this.#tokens.delete(key)
      this.input(id, { type: 'timeout', name })
    })
  }
}
