// A simulated network for attacks: nodes with shares of all hashes, and links that are made and cut one by one, because
// who is linked to whom is what most attacks are about. Time is virtual, chance comes from one seed.

import type { Address } from '../../chain/address.ts'
import type { Genesis } from '../../execution/genesis.ts'
import type { Message } from '../../replica/messages.ts'
import type { Replica } from '../../replica/replica.ts'
import type { RecoveryBackend } from '../../signatures/backend.ts'
import { SenderCache } from '../../signatures/sender-cache.ts'
import { signerRecovery } from '../../signatures/signer-recovery.ts'
import { SimNode, type World } from '../cluster/sim-node.ts'
import { NO_FAULTS } from '../faults/fault-plan.ts'
import { Network } from '../network/network.ts'
import type { Variant } from '../stage/variant.ts'
import { createAccounts } from '../stage/workload.ts'
import { Random } from '../virtual/random.ts'
import { Schedule } from '../virtual/schedule.ts'
import { Trace } from '../virtual/trace.ts'
import { attackGenesis, GENESIS_TIME } from './header-miner.ts'

/** A node of the network. */
export interface NodePlan {
  readonly name: string
  /** Its share of all hashes. */
  readonly hashShare: number
  /** Whether it has a validator's key, where there are validators. */
  readonly isValidator: boolean
}

/** What the network is made of. */
export interface AttackNetworkOptions {
  readonly variant: Variant
  readonly nodes: readonly NodePlan[]
  readonly funded: readonly Address[]
  /** Names the run. */
  readonly seed: string
  readonly backend: RecoveryBackend
}

/** Milliseconds in which all hashes together find one block. */
export const BLOCK_MS = 1_000
/** Hashes that a block takes: they are made for real. */
const HASHES_PER_BLOCK = 2
/** Milliseconds that virtual time starts after the genesis block. */
const AGE_MS = 10_000

/** The network of one attack. */
export class AttackNetwork {
  readonly genesis: Genesis
  readonly schedule = new Schedule()
  readonly #plans: readonly NodePlan[]
  readonly #nodes = new Map<string, SimNode>()
  readonly #links = new Set<string>()
  readonly #network: Network
  readonly #senders: SenderCache

  constructor({ variant, nodes, funded, seed, backend }: AttackNetworkOptions) {
    this.#senders = new SenderCache(backend)
    const recover = signerRecovery(backend)
    this.#plans = nodes
    const random = new Random(`quorate attack/network/${variant.name}/${seed}`)
    const voters = nodes.filter(plan => plan.isValidator)
    const keys = createAccounts(1, 'attacked-validator', voters.length)
    const named = voters.map(({ name }, index) => ({ name, address: keys[index]!.address }))
    this.genesis = attackGenesis(variant, funded, named)
    this.#network = new Network({
      schedule: this.schedule,
      random: random.stream('network'),
      faults: { ...NO_FAULTS, delayMinMs: 1, delayMeanMs: 2 },
      deliver: (from, to, bytes) => {
        if (this.#links.has(linkOf(from, to))) this.#node(to).receive(from, bytes)
      },
    })
    for (const [index, plan] of nodes.entries()) {
      const voter = variant.hasValidators ? voters.indexOf(plan) : -1
      const node = new SimNode(this.#world(), {
        id: plan.name,
        beneficiary: `0x${String(index + 1).padStart(40, '0')}`,
        identity: {
          peer: plan.name,
          secretKey: keys[voter]?.secretKey ?? null,
          sign: (digest, secretKey) => backend.sign(digest, secretKey),
          recover,
          mayForgetVotes: false,
        },
        random: random.stream(plan.name),
        hashrate: (plan.hashShare * HASHES_PER_BLOCK) / BLOCK_MS,
        clockOffsetMs: 0,
        isPunctual: true,
      })
      this.#nodes.set(plan.name, node)
    }
    for (const node of this.#nodes.values()) node.start()
  }

  /** The replica of a node. */
  replica(name: string): Replica {
    return this.#node(name).replica!
  }

  /** Links each of the named nodes to every other of them. */
  linkAll(names: readonly string[]): void {
    for (const [index, a] of names.entries()) for (const b of names.slice(index + 1)) this.#link(a, b)
  }

  /** Cuts a node off from all others. */
  isolate(name: string): void {
    for (const { name: other } of this.#plans) {
      if (!this.#links.delete(linkOf(name, other))) continue
      this.#node(name).input({ type: 'peer-disconnected', peer: other })
      this.#node(other).input({ type: 'peer-disconnected', peer: name })
    }
  }

  /** Lets a node mine, if it has hashes and blocks are mined here. */
  startMining(name: string): void {
    const plan = this.#plans.find(plan => plan.name === name)
    if (plan === undefined || plan.hashShare === 0 || !this.genesis.work.isProved) return
    const node = this.#node(name)
    node.input({ type: 'mining', beneficiary: node.beneficiary, blocks: null })
  }

  stopMining(name: string): void {
    this.#node(name).input({ type: 'mining', beneficiary: null, blocks: null })
  }

  submit(name: string, raw: Uint8Array): void {
    this.#node(name).input({ type: 'submit', raw, token: '' })
  }

  /** Hands a node a message as from another, whatever that one's replica thinks. */
  forge(from: string, to: string, message: Message): void {
    this.#network.send(from, [to], message)
  }

  /** Lets time pass until the condition holds (true) or so many milliseconds are over (false). */
  runUntil(holds: () => boolean, forMs: number): boolean {
    const endMs = this.schedule.nowMs + forMs
    let isOver = false
    this.schedule.after(forMs, () => {
      isOver = true
    })
    while (!holds()) {
      if (isOver && this.schedule.nowMs >= endMs) return false
      if (!this.schedule.advance()) return false
    }
    return true
  }

  #link(a: string, b: string): void {
    if (this.#links.has(linkOf(a, b))) return
    this.#links.add(linkOf(a, b))
    this.#node(a).input({ type: 'peer-connected', peer: b })
    this.#node(b).input({ type: 'peer-connected', peer: a })
  }

  #node(name: string): SimNode {
    const node = this.#nodes.get(name)
    if (node === undefined) throw new Error(`there is no node ${name}`)
    return node
  }

  #world(): World {
    const linked = (name: string): string[] =>
      this.#plans.map(({ name }) => name).filter(other => this.#links.has(linkOf(name, other)))
    return {
      genesis: this.genesis,
      recoverSender: tx => this.#senders.recoverSender(tx),
      schedule: this.schedule,
      trace: new Trace(1),
      epochMs: GENESIS_TIME * 1_000 + AGE_MS,
      send: (from, to, message) => {
        if (this.#links.has(linkOf(from.id, to))) this.#network.send(from.id, [to], message)
      },
      broadcast: (from, message) => this.#network.send(from.id, linked(from.id), message),
      disconnect: (from, peer) => {
        if (!this.#links.delete(linkOf(from.id, peer))) return
        this.schedule.after(1, () => {
          from.input({ type: 'peer-disconnected', peer })
          this.#node(peer).input({ type: 'peer-disconnected', peer: from.id })
        })
      },
      reply: () => {},
      afterStep: () => {},
      beforeEffect: () => {},
      crashed: () => {},
    }
  }
}

function linkOf(a: string, b: string): string {
  return a < b ? `${a}-${b}` : `${b}-${a}`
}
