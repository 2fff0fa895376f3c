// The cluster of one variant in virtual time, whose nodes go by their index: their genesis file, keys and hashrate, what
// they cost, and the faults of a stage. Chance comes from one seed only: the same seed gives the same run.
//
// Every node is connected with every other, so that a broadcast reaches all and none is passed on. Of a connection that
// ends, by a death or by a cut, both ends learn at once; what was on it is lost.

import type { Address } from '../../chain/address.ts'
import { type Genesis, parseGenesis } from '../../execution/genesis.ts'
import type { Effect } from '../../replica/effects.ts'
import type { RecoveryBackend } from '../../signatures/backend.ts'
import { SenderCache } from '../../signatures/sender-cache.ts'
import { signerRecovery } from '../../signatures/signer-recovery.ts'
import { lyingFinality } from '../adversary/byzantine/lying-finality.ts'
import { type Answer, Cluster } from '../cluster/cluster.ts'
import type { NodeObserver } from '../cluster/sim-host.ts'
import type { SimNode } from '../cluster/sim-node.ts'
import { type FaultPlan, NO_FAULTS } from '../faults/fault-plan.ts'
import { Random } from '../virtual/random.ts'
import type { Schedule } from '../virtual/schedule.ts'

import type { StageParts, TotalCounters } from './stage.ts'
import { BLOCK_MS, createGenesis } from './variant.ts'
import { WorkMeter } from './work-meter.ts'
import { createAccounts, type SeededAccount } from './workload.ts'

/** What a simulated network is made of. */
export interface SimulatedNetworkOptions extends StageParts {
  /** Milliseconds that a message takes on average: a third of that at least, the rest exponential. */
  readonly latencyMs: number
  /** Share of messages that never arrive; none when absent. */
  readonly lossRate?: number
  readonly backend: RecoveryBackend
  readonly schedule: Schedule
  /** After every step of a node, and before each effect; `node` is its index. */
  readonly afterStep: (node: number) => void
  readonly onEffect: (node: number, effect: Effect) => void
}

/** Hashes that a block takes on average: few, for each is made for real, while its time is virtual. */
export const HASHES_PER_BLOCK = 256
/** Milliseconds until a connection that ended is up again, once it can be. */
export const RECONNECT_MS = 500
/** Milliseconds until both ends notice that a connection ended. */
const NOTICE_MS = 1
/** Second of the genesis block, and milliseconds from there to the start. */
const GENESIS_TIME = 1_700_000_000
const AGE_MS = 10_000

/** A running network. */
export class SimulatedNetwork {
  readonly genesis: Genesis
  readonly cluster: Cluster
  readonly #options: SimulatedNetworkOptions
  readonly #nodes: readonly SimNode[]
  readonly #meter: WorkMeter
  /** Hashes a millisecond of all nodes together. */
  readonly #hashrate: number
  #isMining: boolean

  constructor(options: SimulatedNetworkOptions) {
    const { variant, nodes, seed, funded, schedule, blockMs } = options
    this.#options = options
    this.#isMining = variant.isMined && options.isMining !== false
    this.#hashrate = HASHES_PER_BLOCK / (blockMs ?? BLOCK_MS)
    const random = new Random(`quorate compare/${variant.name}/${seed}`)
    const validators = createAccounts(seed, 'validator', nodes)
    const named = validators.map(({ address }, index) => ({ name: nameOf(index), address }))
    const parts = { time: GENESIS_TIME, validators: named, funded, hashesPerBlock: HASHES_PER_BLOCK, blockMs }
    this.genesis = parseGenesis(createGenesis(variant, parts))
    this.cluster = new Cluster({
      genesis: this.genesis,
      schedule,
      epochMs: GENESIS_TIME * 1_000 + AGE_MS,
      random: random.stream('network'),
      faults: faultsOf(options),
      linkTimes: { ownNoticeMs: NOTICE_MS, noticeMs: NOTICE_MS, reconnectMs: RECONNECT_MS },
    })
    this.cluster.observer = this.#createObserver()
    this.#meter = new WorkMeter(schedule, nodes)
    const senders = new SenderCache(options.backend)
    this.#nodes = validators.map((validator, index) => this.#addNode(index, validator, { random, senders }))
  }

  /** Starts all nodes but those that are kept out. */
  start(): void {
    const present = this.#nodes.length - (this.#options.keptOut ?? 0)
    for (let index = 0; index < present; index++) this.restart(index)
  }

  /** The replica of a running node, or null. */
  replica(index: number): SimNode['replica'] {
    return this.#nodes[index]!.replica
  }

  /** The node whose turn it is to propose, as the first one that runs knows; null where none proposes. */
  proposer(): number | null {
    const running = this.#nodes.find(({ isUp }) => isUp)
    // The validators are the nodes, in the same order.
    return running?.replica?.finality.report(this.#nowMs)?.proposer ?? null
  }

  /** The validators against which a node that runs has evidence. */
  convicted(): number[] {
    const reports = this.#nodes.map(({ replica }) => replica?.finality.report(this.#nowMs) ?? null)
    const evidence = reports.flatMap(report => report?.evidence ?? [])
    return [...new Set(evidence.map(({ validator }) => indexOf(validator.name)))].toSorted((a, b) => a - b)
  }

  /** Submits a transaction; the answer comes when it is stored, or when the node goes down. */
  submit(index: number, raw: Uint8Array, answer: Answer): void {
    this.cluster.submit(nameOf(index), raw, answer)
  }

  kill(index: number): void {
    this.#nodes[index]!.crash()
  }

  freeze(index: number): void {
    this.#nodes[index]!.freeze()
  }

  thaw(index: number): void {
    this.#nodes[index]!.thaw()
  }

  /** Lets all nodes mine, or none, also those that are started later. */
  mine(isOn: boolean): void {
    this.#isMining = isOn
    for (const node of this.#nodes) {
      if (isOn) node.startMining()
      else node.stopMining()
    }
  }

  /** Starts a node that does not run, from what is on its disk. */
  restart(index: number): void {
    const node = this.#nodes[index]!
    this.#meter.startLife(index)
    this.cluster.start(node)
    if (this.#isMining) node.startMining()
  }

  cut(halves: readonly (readonly number[])[]): void {
    this.cluster.links.cut(halves.map(half => half.map(nameOf)))
  }

  heal(): void {
    this.cluster.links.heal()
  }

  counters(): TotalCounters {
    const { messages, bytes } = this.cluster.network
    return {
      messages: [...messages.values()].reduce((sum, count) => sum + count, 0),
      bytes,
      hashes: (this.#meter.minedMs * this.#hashrate) / this.#nodes.length,
      signatures: this.#meter.signatures,
    }
  }

  get #nowMs(): number {
    return this.cluster.epochMs + this.cluster.schedule.nowMs
  }

  #createObserver(): NodeObserver {
    const { afterStep, onEffect } = this.#options
    return {
      afterStep: ({ id }, input) => {
        const index = indexOf(id)
        this.#meter.afterStep(index, input)
        afterStep(index)
      },
      beforeEffect: ({ id }, effect) => {
        const index = indexOf(id)
        this.#meter.beforeEffect(index, effect)
        onEffect(index, effect)
      },
      onCrash: ({ id }) => this.#meter.stopMining(indexOf(id)),
    }
  }

  #addNode(
    index: number,
    { secretKey }: SeededAccount,
    { random, senders }: { readonly random: Random; readonly senders: SenderCache },
  ): SimNode {
    const { backend, variant, liars, nodes } = this.#options
    const role = liars?.get(index)
    return this.cluster.add({
      id: nameOf(index),
      beneficiary: beneficiaryOf(index),
      recoverSender: this.#meter.countSenders(index, senders.recoverSender),
      identity: {
        peer: nameOf(index),
        secretKey: variant.hasValidators ? secretKey : null,
        sign: (digest, secretKey) => backend.sign(digest, secretKey),
        recover: this.#meter.countSigners(signerRecovery(backend)),
        mayForgetVotes: false,
      },
      ...(role === undefined ? {} : { createFinality: lyingFinality({ role, accomplices: [] }) }),
      random: random.stream(nameOf(index)),
      hashrate: this.#hashrate / nodes,
      clockOffsetMs: 0,
    })
  }
}

/** The account to which a node of a stage or of an attack mines. */
export function beneficiaryOf(index: number): Address {
  return `0x${String(index + 1).padStart(40, '0')}`
}

function faultsOf({ latencyMs, lossRate = 0 }: SimulatedNetworkOptions): FaultPlan {
  return { ...NO_FAULTS, lossRate, delayMinMs: latencyMs / 3, delayMeanMs: (latencyMs * 2) / 3 }
}

function nameOf(index: number): string {
  return `node-${index + 1}`
}

function indexOf(name: string): number {
  return Number(name.slice('node-'.length)) - 1
}
