// The clients of a run that mean harm, each with an account of its own and one kind of attack (hostilities.ts). They are
// owed nothing but what must always hold; and honest clients get what they are owed while the attacks go on.

import type { Address } from '../../chain/address.ts'
import { signDigest } from '../../chain/signature.ts'
import {
  encodeTransaction,
  signingHash,
  type TransactionFields,
  type TransactionId,
} from '../../chain/transaction.ts'
import type { SubmitResult } from '../../replica/effects.ts'
import type { SimNode } from '../cluster/sim-node.ts'
import type { Random } from '../virtual/random.ts'
import type { Schedule } from '../virtual/schedule.ts'
import { HOSTILITIES, type Hostility } from './hostilities.ts'
import type { Client } from './workload.ts'

/** Milliseconds between two attacks on average. */
const ATTACK_EVERY_MS = 1_000

/** What hostile clients need of their run. */
export interface HostileClientsOptions {
  readonly schedule: Schedule
  /** The nodes that clients know. */
  readonly nodes: readonly SimNode[]
  /** An account for each kind of attack. */
  readonly accounts: readonly Client[]
  readonly chainId: bigint
  readonly blockGas: bigint
  readonly random: Random
}

/** All hostile clients of one run. */
export class HostileClients {
  /** Attacks by their names. */
  readonly attacks = new Map<string, number>()
  readonly #options: HostileClientsOptions
  readonly #recipients: readonly Address[]
  /** What is waited for, by token: the sender and nonce of a transaction. */
  readonly #unanswered = new Map<string, string>()
  /** The first version that a node took, by sender and nonce, and the later ones. */
  readonly #first = new Map<string, TransactionId>()
  readonly #replacements = new Set<TransactionId>()
  #tokens = 0
  #isOver = false

  constructor(options: HostileClientsOptions) {
    this.#options = options
    this.#recipients = options.accounts.map(({ address }) => address)
  }

  /** Attacks from now on. */
  start(): void {
    const { schedule, random } = this.#options
    const next = (): void => {
      if (this.#isOver) return
      this.#attack(random.integer(0, HOSTILITIES.length - 1))
      schedule.after(random.exponential(ATTACK_EVERY_MS), next)
    }
    schedule.after(random.exponential(ATTACK_EVERY_MS), next)
  }

  /** Ends all attacks. */
  stop(): void {
    this.#isOver = true
  }

  /** A node answers. */
  onReply(token: string, result: SubmitResult): void {
    const nonce = this.#unanswered.get(token)
    if (nonce === undefined || 'rejection' in result) return
    const first = this.#first.get(nonce)
    if (first === undefined) this.#first.set(nonce, result.id)
    else if (first !== result.id) this.#replacements.add(result.id)
  }

  /** Transactions that took the place of another and of which this holds. */
  replacements(isMined: (id: TransactionId) => boolean): number {
    return [...this.#replacements].filter(isMined).length
  }

  #attack(index: number): void {
    const { nodes, accounts, chainId, blockGas, random } = this.#options
    const [hostility, account] = [HOSTILITIES[index] as Hostility, accounts[index] as Client]
    const node = random.pick(nodes)
    // A node that is down answers nothing and accepts nothing.
    if (node.replica === null) return
    const { nonce, balance } = node.replica.tree.head.execution.state.get(account.address)
    const standing = { nonce, balance, chainId, blockGas, recipients: this.#recipients, random }
    const all = hostility.attack(standing)
    if (all.length === 0) return
    this.attacks.set(hostility.name, (this.attacks.get(hostility.name) ?? 0) + 1)
    for (const fields of all)
      for (const target of hostility.isEverywhere === true ? nodes : [node])
        this.#submit(fields, account, target)
  }

  #submit(fields: TransactionFields, account: Client, node: SimNode): void {
    const raw = encodeTransaction(fields, signDigest(signingHash(fields), account.secretKey))
    const token = `h${this.#tokens++}`
    this.#unanswered.set(token, `${account.address} ${fields.nonce}`)
    node.input({ type: 'submit', raw, token })
  }
}
