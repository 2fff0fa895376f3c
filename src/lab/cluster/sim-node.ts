// One simulated node: a replica with a disk and a clock, whose effects are performed in virtual time (effect-performer.ts),
// and what can be done to it. A node that reads a damaged record stops, as the process of a real node does.

import type { Address } from '../../chain/address.ts'
import type { RecoverSender } from '../../chain/signature.ts'
import { ByteReader } from '../../encoding/bytes.ts'
import type { Identity } from '../../finality/identity.ts'
import { type CreateFinality, createFinality } from '../../finality/registry.ts'
import type { Input, PeerId } from '../../replica/effects.ts'
import { REPLICA_LIMITS, type ReplicaLimits } from '../../replica/limits.ts'
import { decodeMessage } from '../../replica/message-codec.ts'
import type { Message } from '../../replica/messages.ts'
import { CorruptStore } from '../../replica/records.ts'
import { Replica } from '../../replica/replica.ts'
import type { Rejection } from '../../replica/verdict.ts'
import { NO_FAULTS } from '../faults/fault-plan.ts'
import type { Tag } from '../network/costs.ts'
import type { Random } from '../virtual/random.ts'
import { describeInput } from '../virtual/trace.ts'
import { Disk } from './disk.ts'
import { EffectPerformer } from './effect-performer.ts'
import { NodeClock } from './node-clock.ts'
import type { SimHost } from './sim-host.ts'
import { WorkQueue } from './work-queue.ts'

/** What a simulated node is. */
export interface SimNodeOptions {
  readonly id: PeerId
  readonly beneficiary: Address
  /** Finds the senders of transactions. */
  readonly recoverSender: RecoverSender
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
  /** What its replica holds, serves and requests at most; the limits of a node unless given. */
  readonly limits?: ReplicaLimits
}

/** A node of the simulator. */
export class SimNode {
  readonly id: PeerId
  readonly beneficiary: Address
  readonly disk: Disk
  readonly clock: NodeClock
  /** Milliseconds that a synced write takes on average. */
  syncMeanMs = NO_FAULTS.syncMeanMs
  /** Milliseconds that each input keeps the node busy. */
  stepMs = 0
  replica: Replica | null = null
  /** The damage for which the node stopped last; null from its next start on. */
  stoppedBy: CorruptStore | null = null
  crashes = 0
  /** Those of the crashes that came before all that a start asked for was done. */
  startCrashes = 0
  readonly #host: SimHost
  readonly #options: SimNodeOptions
  readonly #random: Random
  readonly #performer: EffectPerformer
  readonly #work: WorkQueue
  /** Grows with every crash: what was scheduled in an earlier life does not happen. */
  #life = 0

  constructor(host: SimHost, options: SimNodeOptions) {
    const { schedule, epochMs } = host
    this.#host = host
    this.disk = new Disk(batch => host.observer.onDurable?.(this, batch))
    this.id = options.id
    this.beneficiary = options.beneficiary
    this.#options = options
    this.#random = options.random
    this.clock = new NodeClock({
      schedule,
      epochMs,
      offsetMs: options.clockOffsetMs,
      drift: options.clockDrift ?? 0,
    })
    this.#work = new WorkQueue(schedule)
    this.#performer = new EffectPerformer({
      node: this,
      host,
      random: options.random,
      hashrate: options.hashrate,
      isPunctual: options.isPunctual ?? false,
      later: (delayMs, action) => this.#later(delayMs, action),
      crash: reason => this.#crash(reason === 'sync-failed' || options.keepsUnsynced === true),
    })
  }

  get isUp(): boolean {
    return this.replica !== null
  }

  /** Starts the node on what its disk holds. */
  start(): void {
    const { genesis } = this.#host
    const salt = Uint8Array.of(...Array.from({ length: 4 }, () => this.#random.integer(0, 255)))
    const life = new ByteReader(salt).u32()
    const { identity, recoverSender, createFinality: create = createFinality } = this.#options
    const finality = create(genesis, { ...identity, life })
    const { limits = REPLICA_LIMITS } = this.#options
    this.stoppedBy = null
    this.#performer.start()
    this.#work.clear()
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

  /** Gives the node an input, which it ignores while it is down. `cause` is the tag of a message. */
  input(input: Input, cause: Tag | null = null): void {
    if (this.isUp) this.#whenFree(() => this.#step(input, cause))
  }

  /** Lets the node mine, until it has found so many blocks; null for no end. */
  startMining(blocks: number | null = null): void {
    this.input({ type: 'mining', beneficiary: this.beneficiary, blocks })
  }

  stopMining(): void {
    this.input({ type: 'mining', beneficiary: null, blocks: null })
  }

  #step(input: Input, cause: Tag | null): void {
    if (this.replica === null) return
    this.#traceInput(input)
    this.#handle(this.replica, input, cause)
  }

  #traceInput(input: Input): void {
    this.#trace(() => `< ${describeInput(input)}`)
  }

  #trace(describe: () => string): void {
    const { trace, schedule } = this.#host
    trace?.add(schedule.nowMs, this.id, describe())
  }

  #handle(replica: Replica, input: Input, cause: Tag | null): void {
    const effects = replica.step(input, this.clock.nowMs)
    this.#work.occupy(this.stepMs)
    this.#performer.add(input, effects, cause)
    this.#host.observer.afterStep?.(this, input, effects)
    this.#performer.perform()
  }

  /** Receives the bytes of a message, which is screened before it is decoded, as on sockets. */
  receive(from: PeerId, bytes: Uint8Array, tag: Tag | null = null): void {
    if (!this.isUp) return
    this.#whenFree(() => {
      const message = this.#screen(from, bytes, tag)
      if (message !== null) this.#step({ type: 'message', from, message }, tag)
    })
  }

  /** The message in these bytes if it is to be decoded. */
  #screen(from: PeerId, bytes: Uint8Array, tag: Tag | null): Message | null {
    const refusal = this.replica?.screen(from, bytes) ?? null
    if (refusal === null) return this.#decode(from, bytes)
    if (refusal === 'orphan') this.#step({ type: 'orphan', from }, tag)
    else if (refusal !== 'known') this.#refuse(from, refusal)
    return null
  }

  #decode(from: PeerId, bytes: Uint8Array): Message | null {
    const message = decodeMessage(bytes)
    if (typeof message !== 'string') return message
    if (!this.#host.mayBeBlamed(from)) throw new Error(`${from} sent what can't be decoded: ${message}`)
    this.#trace(() => `< ${message} ${from}`)
    this.#refuse(from, message)
    return null
  }

  #refuse(from: PeerId, reason: Rejection): void {
    this.#host.observer.beforeEffect?.(this, { type: 'reject', from, reason }, null)
  }

  /** Makes the node do nothing for so long; its inputs wait. */
  pause(forMs: number): void {
    this.#work.occupy(forMs)
  }

  /** Stops the node's process until `thaw`: its inputs wait. */
  freeze(): void {
    this.#work.freeze()
  }

  thaw(): void {
    this.#work.thaw()
  }

  /** Makes every sync fail for so long. */
  failDisk(forMs: number): void {
    this.#performer.failDisk(forMs)
  }

  /** Ends every fault of the node but a crash that is planned. */
  heal(): void {
    this.stepMs = 0
    this.clock.heal()
    this.#performer.healDisk()
    this.#work.release()
  }

  /** Makes the node crash after so many more effects. */
  planCrash(effects: number): void {
    this.#performer.planCrash(effects)
  }

  /** Makes the node crash now. */
  crash(): void {
    if (this.isUp) this.#crash()
  }

  #later(delayMs: number, action: () => void): void {
    const life = this.#life
    this.#host.schedule.after(delayMs, () => {
      if (life === this.#life) this.#whenFree(action)
    })
  }

  #whenFree(action: () => void): void {
    this.#work.run(() => this.#orStop(action))
  }

  /** A node that reads a record which a fault damaged goes down; damage without such a fault is a finding. */
  #orStop(action: () => void): void {
    try {
      action()
    } catch (error) {
      if (!(error instanceof CorruptStore && this.disk.isDamaged)) throw error
      this.#trace(() => `! stops: ${error.message}`)
      this.stoppedBy = error
      this.#crash()
    }
  }

  /** `mayKeep` says whether some of what was not synced may be durable all the same, from the oldest on. */
  #crash(mayKeep = this.#options.keepsUnsynced === true): void {
    this.crashes += 1
    if (this.#performer.isStarting) this.startCrashes += 1
    this.#life += 1
    this.#performer.clear()
    this.#work.clear()
    this.replica = null
    this.disk.crash(mayKeep ? this.#random.integer(0, this.disk.unsynced) : 0)
    this.#trace(() => '! crash')
    this.#host.crashed(this)
  }
}
