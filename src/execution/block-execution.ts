// Block execution: the rules of a transfer, the reward, and the check of what a block claims about its result.
//
// Building and checking a block run the same code: transactions are applied one by one to an overlay of changed
// accounts, then the beneficiary gets reward and tips, and the result is one new state.

import type { Address } from '../chain/address.ts'
import type { Block } from '../chain/block.ts'
import { isBlockTooLarge } from '../chain/block-size.ts'
import type { CoinbaseRecord } from '../chain/coinbase.ts'
import { effectiveTip, maximumCost, nextBaseFee } from '../chain/fees.ts'
import { intrinsicGas } from '../chain/gas.ts'
import type { RecoverSender } from '../chain/signature.ts'
import type { Transaction } from '../chain/transaction.ts'
import { type ChainRejection, checkTransaction, type TransactionRules } from '../chain/transaction-rules.ts'
import type { Hex } from '../encoding/bytes.ts'
import { type Receipt, receiptsRoot } from './receipts.ts'
import { type RewardRules, rewardAt } from './reward.ts'
import type { Account, State } from './state.ts'

/** What makes the blocks of one network valid, besides their work. */
export interface BlockRules extends TransactionRules {
  readonly reward: RewardRules
}

/** Why a transaction can't be applied to a state. */
export type StateRejection =
  | 'tx-nonce-too-low'
  | 'tx-nonce-too-high'
  | 'tx-insufficient-funds'
  | 'tx-fee-below-base'

/** Why a block whose header and body are in order does not follow its parent. */
export type BlockRejection =
  | 'block-too-large'
  | 'block-wrong-chain'
  | 'block-height-wrong'
  | 'block-gas-limit-wrong'
  | 'block-base-fee-wrong'
  | 'block-tx-invalid'
  | 'block-gas-used-wrong'
  | 'block-receipts-root-wrong'
  | 'block-state-root-wrong'

/** The result of a block. */
export interface Execution {
  readonly state: State
  /** The accounts that have other values than before. */
  readonly changes: ReadonlyMap<Address, Account>
  /** The values of those accounts before, and of others that were read. */
  readonly before: ReadonlyMap<Address, Account>
  readonly receipts: readonly Receipt[]
  /** The sender of each transaction, in order: recovered once, with the block. */
  readonly senders: readonly Address[]
  readonly gasUsed: bigint
}

/** The execution of one block: transactions applied one after the other to the parent's state. */
export class BlockExecution {
  readonly #rules: BlockRules
  readonly #parentState: State
  readonly #baseFee: bigint
  readonly #changes = new Map<Address, Account>()
  readonly #before = new Map<Address, Account>()
  readonly #receipts: Receipt[] = []
  readonly #senders: Address[] = []
  #gasUsed = 0n
  #tips = 0n
  #isFinished = false

  constructor(rules: BlockRules, parentState: State, baseFee: bigint) {
    this.#rules = rules
    this.#parentState = parentState
    this.#baseFee = baseFee
  }

  /**
   * Applies one transaction of `sender`, or returns why it can't be and changes nothing. That `sender` signed it is the
   * caller's to check (`recoverSender`). Throws a RangeError for an address that is not in lower case, and an error after
   * `finish`.
   */
  apply(tx: Transaction, sender: Address): ChainRejection | StateRejection | null {
    this.#assertNotFinished()
    const rejection = checkTransaction(this.#rules, tx) ?? this.#checkAgainstState(tx, sender)
    if (rejection !== null) return rejection
    const gas = intrinsicGas(tx)
    const tip = effectiveTip(tx, this.#baseFee)
    const gasPrice = this.#baseFee + tip
    const payer = this.#get(sender)
    // Throws, where it does, before anything has changed.
    this.#get(tx.to!)
    this.#changes.set(sender, { nonce: payer.nonce + 1n, balance: payer.balance - tx.value - gas * gasPrice })
    // Read after the sender was written: the two may be one account.
    this.#credit(tx.to!, tx.value)
    this.#tips += gas * tip
    this.#gasUsed += gas
    this.#receipts.push({ gasUsed: gas, cumulativeGasUsed: this.#gasUsed, effectiveGasPrice: gasPrice })
    this.#senders.push(sender)
    return null
  }

  /** Pays the beneficiary of a block at this height, once, and returns what the block did. Throws like `apply`. */
  finish(beneficiary: Address, height: number): Execution {
    this.#assertNotFinished()
    this.#get(beneficiary)
    this.#isFinished = true
    this.#credit(beneficiary, rewardAt(this.#rules.reward, height) + this.#tips)
    const changes = new Map(this.#changes)
    return {
      state: this.#parentState.with(changes),
      changes,
      before: this.#before,
      receipts: this.#receipts,
      senders: this.#senders,
      gasUsed: this.#gasUsed,
    }
  }

  #assertNotFinished(): void {
    if (this.#isFinished) throw new Error('a block execution that has finished takes nothing more')
  }

  #checkAgainstState(tx: Transaction, sender: Address): ChainRejection | StateRejection | null {
    const account = this.#get(sender)
    if (tx.nonce < account.nonce) return 'tx-nonce-too-low'
    if (tx.nonce > account.nonce) return 'tx-nonce-too-high'
    if (tx.maxFeePerGas < this.#baseFee) return 'tx-fee-below-base'
    if (maximumCost(tx) > account.balance) return 'tx-insufficient-funds'
    return tx.gasLimit > this.#rules.gasLimit - this.#gasUsed ? 'tx-gas-above-block' : null
  }

  #get(address: Address): Account {
    const known = this.#changes.get(address) ?? this.#before.get(address)
    if (known !== undefined) return known
    const account = this.#parentState.get(address)
    this.#before.set(address, account)
    return account
  }

  #credit(address: Address, amount: bigint): void {
    if (amount === 0n) return
    const account = this.#get(address)
    this.#changes.set(address, { nonce: account.nonce, balance: account.balance + amount })
  }
}

/**
 * Executes a block on its parent's state and compares every claim of its coinbase record; the reason when one is false.
 * The header is not looked at (`chainHeader`), nor is the body against it (`decodeBlock`). `recoverSender` is called once
 * for each transaction.
 */
export function executeBlock(
  rules: BlockRules,
  parent: { readonly height: number; readonly coinbase: CoinbaseRecord; readonly state: State },
  block: Block,
  recoverSender: RecoverSender,
): Execution | BlockRejection {
  const { coinbase } = block
  const claim = checkClaims(rules, parent, block)
  if (claim !== null) return claim
  const run = new BlockExecution(rules, parent.state, coinbase.baseFee)
  for (const tx of block.transactions) {
    const sender = recoverSender(tx)
    if (sender === null || run.apply(tx, sender) !== null) return 'block-tx-invalid'
  }
  const execution = run.finish(coinbase.beneficiary, coinbase.height)
  if (execution.gasUsed !== coinbase.gasUsed) return 'block-gas-used-wrong'
  if (receiptsRoot(execution.receipts) !== coinbase.receiptsRoot) return 'block-receipts-root-wrong'
  if (execution.state.root() !== coinbase.stateRoot) return 'block-state-root-wrong'
  return execution
}

/** The coinbase record of a block with this outcome. `baseFee` is wei per gas; `extraNonce` has 8 to 100 bytes. */
export function describeExecution(
  rules: BlockRules,
  execution: Execution,
  block: { height: number; beneficiary: Address; baseFee: bigint; extraNonce: Uint8Array },
): CoinbaseRecord {
  const stateRoot: Hex = execution.state.root()
  return {
    chainId: rules.chainId,
    height: block.height,
    beneficiary: block.beneficiary,
    stateRoot,
    receiptsRoot: receiptsRoot(execution.receipts),
    gasUsed: execution.gasUsed,
    gasLimit: rules.gasLimit,
    baseFee: block.baseFee,
    transactionCount: execution.receipts.length,
    extraNonce: block.extraNonce,
  }
}

function checkClaims(
  rules: BlockRules,
  parent: { readonly height: number; readonly coinbase: CoinbaseRecord },
  block: Block,
): BlockRejection | null {
  const { coinbase } = block
  if (isBlockTooLarge(rules, block.raw.length)) return 'block-too-large'
  if (coinbase.chainId !== rules.chainId) return 'block-wrong-chain'
  if (coinbase.height !== parent.height + 1) return 'block-height-wrong'
  if (coinbase.gasLimit !== rules.gasLimit) return 'block-gas-limit-wrong'
  return coinbase.baseFee === nextBaseFee(parent.coinbase) ? null : 'block-base-fee-wrong'
}
