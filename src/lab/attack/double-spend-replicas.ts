// A double-spend race between whole replicas: what a node runs, with its blocks, its state and its mempool. The merchant's
// node has the payment, the attacker's the other transfer for the same nonce; the secret branch is shown as messages.

import type { Address } from '../../chain/address.ts'
import { type RecoverSender, recoverSender } from '../../chain/signature.ts'
import type { Transaction, TransactionId } from '../../chain/transaction.ts'
import { fromHex, type Hex } from '../../encoding/bytes.ts'
import type { Genesis } from '../../execution/genesis.ts'
import { LONGEST_CHAIN } from '../../finality/modes/longest-chain.ts'
import { NOBODY } from '../../finality/registry.ts'
import type { TreeBlock } from '../../replica/block-tree.ts'
import type { MiningTemplate } from '../../replica/effects.ts'
import { Cluster } from '../cluster/cluster.ts'
import { searchNonce } from '../cluster/search-nonce.ts'
import type { SimNode } from '../cluster/sim-node.ts'
import { NO_FAULTS } from '../faults/fault-plan.ts'
import { beneficiaryOf } from '../stage/simulated-network.ts'
import { variantNamed } from '../stage/variant.ts'
import { createAccounts, Workload } from '../stage/workload.ts'
import { Random } from '../virtual/random.ts'
import { Schedule } from '../virtual/schedule.ts'
import { LINK_TIMES } from './attack-cluster.ts'
import type { RaceField } from './double-spend-race.ts'
import { attackGenesis, GENESIS_TIME } from './header-miner.ts'

/** A payment and the transfer that contradicts it, of an account that has the money for one of them. */
export interface DoubleSpend {
  readonly funded: Address
  readonly payment: { readonly id: TransactionId; readonly raw: Hex }
  readonly rival: { readonly id: TransactionId; readonly raw: Hex }
}

/** Two transfers for one nonce; the same seed gives the same ones. */
export function signDoubleSpend(seed: number): DoubleSpend {
  const [payer] = createAccounts(seed, 'double-spender', 1)
  const [{ id, raw, rival } = null!] = new Workload([payer!], seed).plan(1, { isDouble: true })
  return { funded: payer!.address, payment: { id, raw }, rival: rival! }
}

/** Where whole replicas race, again and again. */
export class ReplicaRaces {
  readonly #spend = signDoubleSpend(1)
  readonly #genesis = attackGenesis(variantNamed(LONGEST_CHAIN.name), [this.#spend.funded])
  /** The same two signatures are looked at in every race. */
  readonly #senders = new Map<TransactionId, Address | null>()

  /** A new race. */
  field(): RaceField {
    return new ReplicaField(this.#spend, this.#genesis, tx => this.#senderOf(tx))
  }

  #senderOf(tx: Transaction): Address | null {
    const known = this.#senders.get(tx.id)
    if (known !== undefined) return known
    const sender = recoverSender(tx)
    this.#senders.set(tx.id, sender)
    return sender
  }
}

/** Two nodes that are not connected: what they find is decided by the race, and the secret branch is shown as messages. */
class ReplicaField implements RaceField {
  readonly #spend: DoubleSpend
  readonly #cluster: Cluster
  readonly #merchant: SimNode
  readonly #attacker: SimNode
  /** What each node searches the nonce of. */
  readonly #templates = new Map<SimNode, MiningTemplate>()

  constructor(spend: DoubleSpend, genesis: Genesis, senderOf: RecoverSender) {
    const random = new Random('quorate attack/double-spend/replicas')
    this.#spend = spend
    this.#cluster = new Cluster({
      genesis,
      schedule: new Schedule(),
      epochMs: GENESIS_TIME * 1_000,
      random: random.stream('network'),
      faults: NO_FAULTS,
      linkTimes: LINK_TIMES,
    })
    this.#cluster.observer = {
      beforeEffect: (node, effect) => {
        if (effect.type === 'mine') this.#templates.set(node, effect.template)
      },
    }
    const start = (id: string, index: number, raw: Hex): SimNode => {
      const node = this.#cluster.add({
        id,
        beneficiary: beneficiaryOf(index),
        recoverSender: senderOf,
        identity: NOBODY,
        random: random.stream(id),
        hashrate: 0,
        clockOffsetMs: 0,
        isPunctual: true,
      })
      node.start()
      this.#cluster.submit(id, fromHex(raw))
      node.startMining()
      return node
    }
    this.#merchant = start('merchant', 0, spend.payment.raw)
    this.#attacker = start('attacker', 1, spend.rival.raw)
  }

  mineSecret(): void {
    this.#mine(this.#attacker)
  }

  mineOpen(): void {
    this.#mine(this.#merchant)
  }

  isHeavier(): boolean {
    const { finality } = this.#merchant.replica!
    return finality.prefers(headOf(this.#attacker).chained, headOf(this.#merchant).chained)
  }

  release(): boolean {
    const { payment, rival } = this.#spend
    if (!holds(this.#merchant, payment.id)) throw new Error('the merchant was never paid')
    const from = this.#attacker.id
    this.#merchant.input({ type: 'peer-connected', peer: from })
    for (const { block } of branchOf(this.#attacker))
      this.#merchant.input({ type: 'message', from, message: { type: 'block', block } })
    return holds(this.#merchant, rival.id) && !holds(this.#merchant, payment.id)
  }

  /** A second passes, and a node finds a block. */
  #mine(node: SimNode): void {
    this.#cluster.runFor(1_000)
    const { id, header, target } = this.#templates.get(node)!
    node.input({ type: 'mined', templateId: id, nonce: searchNonce(header, target) })
  }
}

function headOf({ replica }: SimNode): TreeBlock {
  return replica!.tree.head
}

/** Whether a block on the way to the node's head holds this transaction. */
function holds({ replica }: SimNode, id: TransactionId): boolean {
  return replica!.tree.including(id) !== undefined
}

/** The blocks on the way to the node's head, oldest first, without the genesis block. */
function branchOf({ replica }: SimNode): TreeBlock[] {
  const { tree } = replica!
  const first = tree.base.chained.height + 1
  const count = tree.head.chained.height - tree.base.chained.height
  return Array.from({ length: count }, (_, index) => tree.atHeight(first + index)!)
}
