// A double-spend race between whole replicas: what a node runs, with its blocks, its state and its mempool. The merchant's
// node has the payment, the attacker's the other transfer for the same nonce; the secret branch is shown as messages.

import type { Address } from '../../chain/address.ts'
import { type RecoverSender, recoverSender } from '../../chain/signature.ts'
import type { Transaction, TransactionId } from '../../chain/transaction.ts'
import { fromHex, type Hex } from '../../encoding/bytes.ts'
import type { Genesis } from '../../execution/genesis.ts'
import { LONGEST_CHAIN } from '../../finality/modes/longest-chain.ts'
import { createFinality } from '../../finality/registry.ts'
import type { TreeBlock } from '../../replica/block-tree.ts'
import type { Input, MiningTemplate } from '../../replica/effects.ts'
import { Replica } from '../../replica/replica.ts'
import { Disk } from '../cluster/disk.ts'
import { variantNamed } from '../stage/variant.ts'
import { createAccounts, Workload } from '../stage/workload.ts'
import type { RaceField } from './double-spend-race.ts'
import { attackGenesis, GENESIS_TIME, searchNonce } from './header-miner.ts'

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

/** Two replicas that do not know of each other until the branch is shown. */
class ReplicaField implements RaceField {
  readonly #spend: DoubleSpend
  readonly #merchant: Miner
  readonly #attacker: Miner
  #seconds = 0

  constructor(spend: DoubleSpend, genesis: Genesis, senderOf: RecoverSender) {
    this.#spend = spend
    this.#merchant = new Miner(genesis, senderOf, 1)
    this.#attacker = new Miner(genesis, senderOf, 2)
    this.#merchant.step({ type: 'submit', raw: fromHex(spend.payment.raw), token: '' }, this.#nowMs)
    this.#attacker.step({ type: 'submit', raw: fromHex(spend.rival.raw), token: '' }, this.#nowMs)
    for (const miner of [this.#merchant, this.#attacker]) miner.startMining(this.#nowMs)
  }

  mineSecret(): void {
    this.#seconds += 1
    this.#attacker.mine(this.#nowMs)
  }

  mineOpen(): void {
    this.#seconds += 1
    this.#merchant.mine(this.#nowMs)
  }

  isHeavier(): boolean {
    const { finality } = this.#merchant.replica
    return finality.prefers(this.#attacker.head.chained, this.#merchant.head.chained)
  }

  release(): boolean {
    const { payment, rival } = this.#spend
    if (!this.#merchant.holds(payment.id)) throw new Error('the merchant was never paid')
    const from = 'attacker'
    this.#merchant.step({ type: 'peer-connected', peer: from }, this.#nowMs)
    for (const { block } of this.#attacker.branch())
      this.#merchant.step({ type: 'message', from, message: { type: 'block', block } }, this.#nowMs)
    return this.#merchant.holds(rival.id) && !this.#merchant.holds(payment.id)
  }

  get #nowMs(): number {
    return (GENESIS_TIME + this.#seconds) * 1_000
  }
}

/** A replica that finds a block when it is told to. */
class Miner {
  readonly replica: Replica
  readonly #disk = new Disk()
  readonly #number: number
  #template: MiningTemplate | null = null

  constructor(genesis: Genesis, recoverSender: RecoverSender, number: number) {
    this.#number = number
    const salt = Uint8Array.of(0, 0, 0, number)
    this.replica = new Replica({
      genesis,
      finality: createFinality(genesis),
      store: this.#disk,
      recoverSender,
      salt,
    })
    this.step({ type: 'start' }, GENESIS_TIME * 1_000)
  }

  get head(): TreeBlock {
    return this.replica.tree.head
  }

  /** Whether a block on the way to the head holds this transaction. */
  holds(id: TransactionId): boolean {
    return this.replica.tree.including(id) !== undefined
  }

  /** The blocks on the way to the head, oldest first, without the genesis block. */
  branch(): TreeBlock[] {
    const { tree } = this.replica
    const heights = tree.head.chained.height - tree.base.chained.height
    return Array.from({ length: heights }, (_, index) => tree.atHeight(tree.base.chained.height + index + 1)!)
  }

  startMining(nowMs: number): void {
    const beneficiary: Address = `0x${String(this.#number).padStart(40, '0')}`
    this.step({ type: 'mining', beneficiary, blocks: null }, nowMs)
  }

  mine(nowMs: number): void {
    const { id, header, target } = this.#template!
    this.step({ type: 'mined', templateId: id, nonce: searchNonce(header, target).nonce }, nowMs)
  }

  step(input: Input, nowMs: number): void {
    for (const effect of this.replica.step(input, nowMs)) {
      if (effect.type === 'mine') this.#template = effect.template
      else if (effect.type === 'persist') {
        this.#disk.write(effect.writes)
        this.#disk.sync()
      }
    }
  }
}
