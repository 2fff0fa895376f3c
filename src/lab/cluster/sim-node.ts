// One simulated node: a replica whose effects are performed in virtual time, one after the other. A persist holds
// everything behind it back until the disk has synced, and the node may crash between any two effects. One that reads a
// damaged record stops, as the process of a node does.

import type { Address } from '../../chain/address.ts'
import { workOfTarget } from '../../chain/compact.ts'
import { type BlockHeader, blockId, meetsTarget } from '../../chain/header.ts'
import type { RecoverSender } from '../../chain/signature.ts'
import { ByteReader } from '../../encoding/bytes.ts'
import type { Genesis } from '../../execution/genesis.ts'
import type { Identity } from '../../finality/identity.ts'
import { type CreateFinality, createFinality } from '../../finality/registry.ts'
import type { Effect, Input, PeerId, SubmitResult, TimerName, Write } from '../../replica/effects.ts'
import { REPLICA_LIMITS, type ReplicaLimits } from '../../replica/limits.ts'
import { decodeMessage } from '../../replica/message-codec.ts'
import type { Message, OutgoingMessage } from '../../replica/messages.ts'
import { CorruptStore } from '../../replica/records.ts'
import { Replica } from '../../replica/replica.ts'
import type { Rejection } from '../../replica/verdict.ts'
import { NO_FAULTS } from '../faults/fault-plan.ts'
import type { Tag } from '../network/costs.ts'
import type { Random } from '../virtual/random.ts'
import type { Schedule } from '../virtual/schedule.ts'
import { describeEffect, describeInput, type Trace } from '../virtual/trace.ts'
import { Disk } from './disk.ts'

/** What a simulated node needs of the run it is part of. */
export interface World {
  readonly genesis: Genesis
  readonly recoverSender: RecoverSender
  readonly schedule: Schedule
  readonly trace: Trace
  /** Milliseconds since 1970 at which virtual time starts. */
  readonly epochMs: number
  send(from: SimNode, to: PeerId, message: OutgoingMessage, tag: Tag | null): void
  broadcast(from: SimNode, message: OutgoingMessage, tag: Tag | null): void
  disconnect(from: SimNode, peer: PeerId): void
  reply(from: SimNode, token: string, result: SubmitResult): void
  /** What is worth knowing of an effect when the step that wants it is made; `cause` is the tag of the message. */
  tag?(node: SimNode, effect: Effect, cause: Tag | null): Tag | null
  /** After every step of a replica. */
  afterStep(node: SimNode, input: Input, effects: readonly Effect[]): void
  /** Before an effect is performed. */
  beforeEffect(node: SimNode, effect: Effect, tag: Tag | null): void
  /** Something that a node wrote is on its disk for certain. */
  onDurable?(node: SimNode, batch: readonly Write[]): void
  /** A node is down that was up: by a crash, or because of what it read (see `stoppedBy`). */
  crashed(node: SimNode): void
  /** Whether a node may send what can't even be decoded; nobody may unless said. */
  mayBeBlamed?(peer: PeerId): boolean
  /** Whether nodes look at the first bytes of what comes before they decode it, as those on sockets do. */
  readonly isScreened?: boolean
  /** A node has refused what came without showing it to its replica. */
  refuse?(node: SimNode, from: PeerId, reason: Rejection): void
  /** A node passes on what came from this peer. */
  relay?(from: SimNode, message: Message, source: PeerId): void
}

/** What a simulated node is. */
export interface SimNodeOptions {
  readonly id: PeerId
  readonly beneficiary: Address
  /** Without the number of its life, of which each start draws another. */
  readonly identity: Omit<Identity, 'life'>
  /** Makes its finality layer: an honest one unless given. */
  readonly createFinality?: CreateFinality
  readonly random: Random
  /** Hashes per millisecond. */
  readonly hashrate: number
  readonly clockOffsetMs: number
  /** Milliseconds by which its clock gains on the right time, each millisecond. */
  readonly clockDrift?: number
  /** Whether every write takes the same time. */
  readonly isPunctual?: boolean
  /** Whether a crash may leave some of what was not synced. */
  readonly keepsUnsynced?: boolean
  /** What its replica holds, hands out and asks for at most; the limits of a node unless given. */
  readonly limits?: ReplicaLimits
}

/** Milliseconds by which a clock may be off when faults end: one that is off by more is set right. */
const CLOCK_BEARABLE_MS = 25_000

/** An effect that is to be performed, and what brought it about. */
interface Queued {
  readonly effect: Effect
  readonly tag: Tag | null
  readonly input: Input
}

/** A node of the simulator. */
export class SimNode {
  readonly id: PeerId
  readonly beneficiary: Address
  readonly disk: Disk
  /** How far this node's clock is off. */
  clockOffsetMs: number
  /** Milliseconds that a synced write takes on average. */
  syncMeanMs = NO_FAULTS.syncMeanMs
  /** Milliseconds that the node works at each thing that happens to it. */
  stepMs = 0
  replica: Replica | null = null
  /** The damage for which the node stopped last; null from its next start on. */
  stoppedBy: CorruptStore | null = null
  crashes = 0
  /** Those of the crashes that came before all that a start asked for was done. */
  startCrashes = 0
  readonly #world: World
  readonly #options: SimNodeOptions
  readonly #random: Random
  #queue: Queued[] = []
  #isSyncing = false
  #isStarting = false
  /** Effects to perform before the node crashes; null when no crash is planned. */
  #crashAfter: number | null = null
  /** Until then the node does nothing: it stands still, or works at what came last. */
  #freeAtMs = 0
  /** What waits for that, in the order in which it came. */
  #backlog: (() => void)[] = []
  #isWaking = false
  /** What the clock shows as long as it stands still, and until when it does. */
  #stoppedClock: { readonly atMs: number; readonly untilMs: number } | null = null
  /** Until then whatever should become durable makes the node crash. */
  #diskFailsUntilMs = 0
  /** Grows with every start: what was scheduled for an earlier life does not happen. */
  #life = 0
  #jobs = 0
  readonly #timers = new Map<TimerName, number>()
  #timerCount = 0

  constructor(world: World, options: SimNodeOptions) {
    this.#world = world
    this.disk = new Disk(batch => world.onDurable?.(this, batch))
    this.id = options.id
    this.beneficiary = options.beneficiary
    this.#options = options
    this.#random = options.random
    this.clockOffsetMs = options.clockOffsetMs
  }

  get isUp(): boolean {
    return this.replica !== null
  }

  /** What the node's clock shows: milliseconds since 1970. */
  get clockMs(): number {
    const { nowMs } = this.#world.schedule
    const stopped = this.#stoppedClock
    if (stopped !== null && nowMs < stopped.untilMs) return stopped.atMs
    const gainedMs = nowMs * (this.#options.clockDrift ?? 0)
    return Math.floor(this.#world.epochMs + nowMs + this.clockOffsetMs + gainedMs)
  }

  /** Starts the node on what its disk holds. */
  start(): void {
    const { genesis, recoverSender } = this.#world
    const salt = Uint8Array.of(...Array.from({ length: 4 }, () => this.#random.integer(0, 255)))
    const life = new ByteReader(salt).u32()
    const { identity, createFinality: create = createFinality } = this.#options
    const finality = create(genesis, { ...identity, life })
    const { limits = REPLICA_LIMITS } = this.#options
    this.stoppedBy = null
    this.#isStarting = true
    this.#freeAtMs = 0
    this.disk.backUp()
    try {
      this.#orStop(() => {
        this.#traceInput({ type: 'start' })
        this.replica = new Replica({ genesis, finality, store: this.disk, recoverSender, salt, limits })
        this.#handle(this.replica, { type: 'start' }, null)
      })
    } catch (error) {
      // A disk that can't be started from is a finding; half a replica must not hide it.
      this.replica = null
      throw error
    }
  }

  /** Lets something happen to the node; nothing does while it is down. `cause` is the tag of a message. */
  input(input: Input, cause: Tag | null = null): void {
    if (this.isUp) this.#whenFree(() => this.#step(input, cause))
  }

  #step(input: Input, cause: Tag | null): void {
    if (this.replica === null) return
    this.#traceInput(input)
    this.#handle(this.replica, input, cause)
  }

  #traceInput(input: Input): void {
    this.#world.trace.add(this.#world.schedule.nowMs, this.id, `< ${describeInput(input)}`)
  }

  #handle(replica: Replica, input: Input, cause: Tag | null): void {
    const { schedule } = this.#world
    const effects = replica.step(input, this.clockMs)
    this.#freeAtMs = schedule.nowMs + this.stepMs
    for (const effect of effects) {
      if (effect.type === 'persist') this.disk.write(effect.writes)
      // At once, as a node does: a timer that the replica has replaced must not fire while the disk is waited for.
      else if (effect.type === 'set-timer') this.#setTimer(effect.name, effect.delayMs)
      else if (effect.type === 'clear-timer') this.#timers.delete(effect.name)
      this.#queue.push({ effect, tag: this.#world.tag?.(this, effect, cause) ?? null, input })
    }
    this.#world.afterStep(this, input, effects)
    this.#perform()
  }

  /** Takes bytes off the wire. */
  receive(from: PeerId, bytes: Uint8Array, tag: Tag | null = null): void {
    if (this.#world.isScreened !== true) {
      const message = this.#decode(from, bytes)
      if (message !== null) this.input({ type: 'message', from, message }, tag)
    } else if (this.isUp) {
      this.#whenFree(() => {
        const message = this.#screen(from, bytes, tag)
        if (message !== null) this.#step({ type: 'message', from, message }, tag)
      })
    }
  }

  /** The message in these bytes if it is to be decoded. */
  #screen(from: PeerId, bytes: Uint8Array, tag: Tag | null): Message | null {
    const refusal = this.replica?.screen(from, bytes) ?? null
    if (refusal === null) return this.#decode(from, bytes)
    if (refusal === 'orphan') this.#step({ type: 'orphan', from }, tag)
    else if (refusal !== 'known') this.#world.refuse?.(this, from, refusal)
    return null
  }

  #decode(from: PeerId, bytes: Uint8Array): Message | null {
    const message = decodeMessage(bytes)
    if (typeof message !== 'string') return message
    if (this.#world.mayBeBlamed?.(from) !== true)
      throw new Error(`${from} sent what can't be decoded: ${message}`)
    this.#world.trace.add(this.#world.schedule.nowMs, this.id, `< ${message} ${from}`)
    this.#world.refuse?.(this, from, message)
    return null
  }

  /** Makes the node do nothing for so long; what happens to it meanwhile waits. */
  pause(forMs: number): void {
    this.#freeAtMs = this.#world.schedule.nowMs + forMs
  }

  /** Makes the clock stand still for so long; afterwards it is right again. */
  stopClock(forMs: number): void {
    this.#stoppedClock = { atMs: this.clockMs, untilMs: this.#world.schedule.nowMs + forMs }
  }

  /** Lets the disk take nothing in for so long. */
  failDisk(forMs: number): void {
    this.#diskFailsUntilMs = this.#world.schedule.nowMs + forMs
  }

  /** Ends all that was wrong with the node, but for a crash that is planned. */
  heal(): void {
    this.stepMs = 0
    this.#stoppedClock = null
    this.#diskFailsUntilMs = 0
    if (Math.abs(this.clockOffsetMs) > CLOCK_BEARABLE_MS) this.clockOffsetMs = 0
    this.#freeAtMs = 0
    this.#workOff()
  }

  /** Makes the node crash after so many more effects. */
  planCrash(effects: number): void {
    this.#crashAfter = effects
  }

  /** Makes the node crash now. */
  crash(): void {
    if (this.isUp) this.#crash()
  }

  #perform(): void {
    while (!this.#isSyncing && this.#queue.length > 0) {
      if (this.#crashAfter === 0) return this.#crash()
      if (this.#crashAfter !== null) this.#crashAfter -= 1
      const { effect, tag, input } = this.#queue.shift()!
      this.#world.trace.add(this.#world.schedule.nowMs, this.id, `> ${describeEffect(effect)}`)
      this.#world.beforeEffect(this, effect, tag)
      this.#performOne(effect, tag, input)
    }
    if (!this.#isSyncing) this.#isStarting = false
  }

  #performOne(effect: Effect, tag: Tag | null, input: Input): void {
    switch (effect.type) {
      case 'persist':
        this.#isSyncing = true
        return this.#later(this.#syncMs(), () => this.#sync())
      case 'send':
        return this.#world.send(this, effect.to, effect.message, tag)
      case 'broadcast':
        return this.#world.broadcast(this, effect.message, tag)
      case 'disconnect':
        return this.#world.disconnect(this, effect.peer)
      case 'relay':
        if (input.type === 'message') this.#world.relay?.(this, input.message, input.from)
        return
      case 'reply':
        return this.#world.reply(this, effect.token, effect.result)
      case 'mine':
        return this.#mine(effect.template)
      case 'stop-mining':
        this.#jobs += 1
        return
      case 'set-timer':
      case 'clear-timer':
      case 'reject':
      case 'head':
      case 'final':
      case 'alarm':
        return
    }
  }

  #sync(): void {
    // Whoever is told that a write failed does not know what of it landed, and may not try again (PostgreSQL's fsyncgate).
    if (this.#world.schedule.nowMs < this.#diskFailsUntilMs) return this.#crash(true)
    this.disk.sync()
    this.#isSyncing = false
    this.#perform()
  }

  #syncMs(): number {
    return this.#options.isPunctual === true ? this.syncMeanMs : this.#random.exponential(this.syncMeanMs)
  }

  #setTimer(name: TimerName, delayMs: number): void {
    const token = ++this.#timerCount
    this.#timers.set(name, token)
    this.#later(delayMs, () => {
      if (this.#timers.get(name) !== token) return
      this.#timers.delete(name)
      this.input({ type: 'timeout', name })
    })
  }

  /** A search has no memory: how long it takes is exponential, with the mean that target and hashrate give. */
  #mine(template: { id: string; header: BlockHeader; target: bigint }): void {
    const job = ++this.#jobs
    const meanMs = Number(workOfTarget(template.target)) / this.#options.hashrate
    this.#later(this.#random.exponential(meanMs), () => {
      if (job !== this.#jobs) return
      this.input({
        type: 'mined',
        templateId: template.id,
        nonce: searchNonce(template.header, template.target),
      })
    })
  }

  #later(delayMs: number, action: () => void): void {
    const life = this.#life
    this.#world.schedule.after(delayMs, () => {
      if (life === this.#life) this.#whenFree(action)
    })
  }

  /** Does something now, or when all that came before it is done. */
  #whenFree(action: () => void): void {
    const waitMs = this.#freeAtMs - this.#world.schedule.nowMs
    if (waitMs <= 0 && this.#backlog.length === 0) return this.#orStop(action)
    this.#backlog.push(action)
    this.#wakeAfter(waitMs)
  }

  #wakeAfter(delayMs: number): void {
    if (this.#isWaking) return
    this.#isWaking = true
    const life = this.#life
    this.#world.schedule.after(delayMs, () => {
      if (life !== this.#life) return
      this.#isWaking = false
      this.#workOff()
    })
  }

  /** Does what waits, as far as there is time for it now. */
  #workOff(): void {
    while (this.#backlog.length > 0) {
      const waitMs = this.#freeAtMs - this.#world.schedule.nowMs
      if (waitMs > 0) return this.#wakeAfter(waitMs)
      this.#orStop(this.#backlog.shift()!)
    }
  }

  /** Who meets damage that was done to the disk goes down; damage out of nowhere is a finding. */
  #orStop(action: () => void): void {
    try {
      action()
    } catch (error) {
      if (!(error instanceof CorruptStore && this.disk.isDamaged)) throw error
      this.#world.trace.add(this.#world.schedule.nowMs, this.id, `! stops: ${error.message}`)
      this.stoppedBy = error
      this.#crash()
    }
  }

  /** `mayKeep` says whether some of what was not synced may be durable all the same, from the oldest on. */
  #crash(mayKeep = this.#options.keepsUnsynced === true): void {
    this.crashes += 1
    if (this.#isStarting) this.startCrashes += 1
    this.#life += 1
    this.#crashAfter = null
    this.#queue = []
    this.#backlog = []
    this.#isWaking = false
    this.#isSyncing = false
    this.#timers.clear()
    this.replica = null
    this.disk.crash(mayKeep ? this.#random.integer(0, this.disk.unsynced) : 0)
    this.#world.trace.add(this.#world.schedule.nowMs, this.id, '! crash')
    this.#world.crashed(this)
  }
}

/** The first nonce from `first` on that meets the target: the work is real, only its time is virtual. */
export function searchNonce(header: BlockHeader, target: bigint, first = 0): number {
  for (let nonce = first; nonce < 2 ** 32; nonce++) {
    if (meetsTarget(blockId({ ...header, nonce }), target)) return nonce
  }
  throw new Error('no nonce meets the target: the genesis file of a simulation must ask for little work')
}
