// Block templates: the transactions that pay best, the coinbase record of their execution, and a header whose nonce is still
// to be found. Blocks are built by the same execution that checks them.

import type { Address } from '../chain/address.ts'
import { assembleBlock, type Block, contentRoot } from '../chain/block.ts'
import { transactionBytesMax } from '../chain/block-size.ts'
import type { CoinbaseRecord } from '../chain/coinbase.ts'
import { decodeCompact } from '../chain/compact.ts'
import { nextBaseFee } from '../chain/fees.ts'
import { intrinsicGas, TRANSACTION_GAS_MIN } from '../chain/gas.ts'
import type { BlockHeader } from '../chain/header.ts'
import { requiredBits } from '../chain/header-chain.ts'
import { medianTimePast } from '../chain/median-time-past.ts'
import type { Transaction } from '../chain/transaction.ts'
import { BlockExecution, describeExecution, type Execution } from '../execution/block-execution.ts'
import type { Genesis } from '../execution/genesis.ts'
import type { TreeBlock } from './block-tree.ts'
import type { Mempool } from './mempool.ts'

/** A block that lacks only its nonce. */
export interface Template {
  readonly header: BlockHeader
  readonly target: bigint
  readonly coinbase: CoinbaseRecord
  readonly transactions: readonly Transaction[]
  readonly execution: Execution
}

const VERSION = 0x2000_0000
/** With less gas left than this, nothing fits. */
const LEAST_GAS = BigInt(TRANSACTION_GAS_MIN)

/** The best block that can follow `parent` now. */
export function buildTemplate(
  genesis: Genesis,
  parent: TreeBlock,
  pool: Mempool,
  options: { beneficiary: Address; extraNonce: Uint8Array; nowSeconds: number },
): Template {
  const { beneficiary, extraNonce, nowSeconds } = options
  const rules = genesis.blocks
  const baseFee = nextBaseFee(parent.block.coinbase)
  const height = parent.chained.height + 1
  const run = new BlockExecution(rules, parent.execution.state, baseFee)
  const bytesMax = transactionBytesMax(rules)
  const transactions = chooseTransactions(pool, run, { baseFee, bytesMax, gasMax: rules.gasLimit })
  const execution = run.finish(beneficiary, height)
  const coinbase = describeExecution(rules, execution, { height, beneficiary, baseFee, extraNonce })
  const bits = requiredBits(genesis.work, parent.chained)
  const header = {
    version: VERSION,
    previous: parent.chained.id,
    merkleRoot: contentRoot({ coinbase, transactions }),
    time: Math.max(nowSeconds, medianTimePast(parent.chained) + 1),
    bits,
    nonce: 0,
  }
  return { header, target: decodeCompact(bits)!, coinbase, transactions, execution }
}

/** The block that a template becomes with this nonce. */
export function completeTemplate(template: Template, nonce: number): Block {
  return assembleBlock({ ...template.header, nonce }, template.coinbase, template.transactions)
}

function chooseTransactions(
  pool: Mempool,
  run: BlockExecution,
  room: { baseFee: bigint; bytesMax: number; gasMax: bigint },
): Transaction[] {
  const chosen: Transaction[] = []
  let bytes = 0
  let gas = 0n
  // What does not fit is skipped, however much of it there is: many transactions that each reserve a whole block and use
  // little of it must not keep others out.
  const candidates = pool.byPrice(room.baseFee)
  let next = candidates.next()
  while (next.done !== true && gas + LEAST_GAS <= room.gasMax) {
    const { tx, sender } = next.value
    const fits = bytes + tx.raw.length <= room.bytesMax && gas + tx.gasLimit <= room.gasMax
    const isChosen = fits && run.apply(tx, sender) === null
    if (isChosen) {
      chosen.push(tx)
      bytes += tx.raw.length
      gas += intrinsicGas(tx)
    }
    next = candidates.next(isChosen ? undefined : 'skip')
  }
  return chosen
}
