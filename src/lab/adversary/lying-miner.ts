// A miner that lies: beside an honest block it sometimes sends others that break the rules, each in one way (lies.ts). It
// does their work, so that they cost a node all its checks. Honest nodes must accept none of them, relay none of them, and
// blame no other peer for them. Sometimes it withholds an honest block for a while.

import type { Block } from '../../chain/block.ts'
import { type RecoverSender, signDigest } from '../../chain/signature.ts'
import {
  decodeTransaction,
  encodeTransaction,
  signingHash,
  type Transaction,
  type TransactionFields,
} from '../../chain/transaction.ts'
import type { Genesis } from '../../execution/genesis.ts'
import type { TreeBlock } from '../../replica/block-tree.ts'
import type { PeerId } from '../../replica/effects.ts'
import type { Client } from '../clients/workload.ts'
import type { Random } from '../virtual/random.ts'
import { LIES, type Lie } from './lies.ts'

/** Share of the liar's blocks that do not come alone, and lies beside one of them at most. */
const LYING_RATE = 0.7
const LIES_MAX = 3
/** Share of its honest blocks that it withholds, and block times for which it does at most. */
const WITHHOLDING_RATE = 0.2
const WITHHELD_BLOCKS_MAX = 5

/** What is counted where a block is withheld. */
const WITHHELD = 'an honest block, withheld'

/** A lie that is told, and whether it comes before the truth. */
export interface ToldLie {
  readonly name: string
  readonly block: Block
  readonly isFirst: boolean
}

/** What a lying miner is made of. */
export interface LyingMinerOptions {
  readonly id: PeerId
  readonly genesis: Genesis
  readonly recoverSender: RecoverSender
  /** The client whose key the liar has. */
  readonly client: Client
  readonly random: Random
}

/** The one miner of a run that lies. */
export class LyingMiner {
  readonly id: PeerId
  /** Lies that were told, by name. */
  readonly told = new Map<string, number>()
  readonly #options: LyingMinerOptions
  readonly #withholding: Random
  /** The kinds that this one knows. */
  readonly #repertoire: readonly Lie[]

  constructor(options: LyingMinerOptions) {
    this.id = options.id
    this.#options = options
    const { random } = options
    this.#withholding = random.stream('withholding')
    this.#repertoire = random.shuffle(LIES).slice(0, random.integer(1, LIES.length))
  }

  /** The lies that go out with an honest block on this parent. */
  tell(block: Block, parent: TreeBlock, nowSeconds: number): ToldLie[] {
    const { genesis, recoverSender, client, random } = this.#options
    if (!random.chance(LYING_RATE)) return []
    const payer = { address: client.address, sign: (fields: TransactionFields) => sign(fields, client) }
    const truth = { genesis, parent, block, nowSeconds, recoverSender, payer }
    return Array.from({ length: random.integer(1, LIES_MAX) }, () => {
      const [{ name, tell }, isFirst] = [random.pick(this.#repertoire), random.chance(0.5)]
      const spoiled = tell(truth)
      return spoiled === null ? null : { name, block: spoiled, isFirst }
    }).filter(lie => lie !== null)
  }

  /** Milliseconds for which an honest block is withheld: mostly none. */
  withheldMs(): number {
    const maxMs = WITHHELD_BLOCKS_MAX * this.#options.genesis.work.blockTimeSeconds * 1000
    if (!this.#withholding.chance(WITHHOLDING_RATE)) return 0
    this.count({ name: WITHHELD })
    return this.#withholding.between(0, maxMs)
  }

  /** One of them is sent. */
  count({ name }: Pick<ToldLie, 'name'>): void {
    this.told.set(name, (this.told.get(name) ?? 0) + 1)
  }
}

function sign(fields: TransactionFields, client: Client): Transaction {
  const tx = decodeTransaction(encodeTransaction(fields, signDigest(signingHash(fields), client.secretKey)))
  if (typeof tx === 'string') throw new Error(`the liar signs what is no transaction: ${tx}`)
  return tx
}
