// What to pay: the base fee that the next block will have, and a tip.
//
// The suggested tip is the median over the tips of the three cheapest transactions of each of the last twenty blocks,
// without those that a beneficiary sent in its own block, which cost it nothing (as in go-ethereum's eth/gasprice). It is
// at least 1 gwei, also when all those blocks are empty, and at most 500 gwei, so that no sender can make others pay
// without bound.

import { type Block, peekCoinbase } from '../chain/block.ts'
import type { CoinbaseRecord } from '../chain/coinbase.ts'
import { effectiveTip, nextBaseFee } from '../chain/fees.ts'
import { intrinsicGas } from '../chain/gas.ts'
import type { Transaction } from '../chain/transaction.ts'
import { BoundedMap } from '../collections/bounded-map.ts'
import type { Json } from '../encoding/fields.ts'
import type { TreeBlock } from '../replica/block-tree.ts'
import type { Replica } from '../replica/replica.ts'
import type { RpcBackend } from './backend.ts'
import { requireBlock } from './block-choice.ts'
import { CODES, RpcError } from './errors.ts'
import { BLOCK, type Kind, optional, type Params, QUANTITY, required } from './parameters.ts'
import { quantity } from './quantity.ts'

const GWEI = 10n ** 9n
const TIP_MIN = GWEI
const TIP_MAX = 500n * GWEI
const SAMPLED_BLOCKS = 20
const SAMPLES_PER_BLOCK = 3
/** Blocks in a fee history at most. */
const HISTORY_BLOCKS_MAX = 1_024
/**
 * Transactions that one fee history decodes or sorts at most, and bytes of blocks that it reads: with more its range gets
 * shorter, which the method allows. What one has looked at the next has for nothing.
 */
const HISTORY_TRANSACTIONS_MAX = 3_000
const HISTORY_BYTES_MAX = 4 * 1024 * 1024
/** Blocks whose fees are remembered. */
const REMEMBERED_MAX = 2 * HISTORY_BLOCKS_MAX
const PERCENTILES_MAX = 100

/** `eth_maxPriorityFeePerGas`: the suggested tip, wei per gas. */
export function maxPriorityFeePerGas({ replica }: RpcBackend): Json {
  return quantity(suggestedTip(replica))
}

/** `eth_gasPrice`: the base fee of the next block and the suggested tip. */
export function gasPrice({ replica }: RpcBackend): Json {
  return quantity(nextBaseFee(replica.tree.head.block.coinbase) + suggestedTip(replica))
}

/** `eth_feeHistory`: base fees, fullness and tips of the blocks up to one, and the base fee after it. */
export function feeHistory({ replica }: RpcBackend, params: Params): Json {
  const count = required(params, 0, QUANTITY)
  const parameter = required(params, 1, BLOCK)
  const percentiles = optional(params, 2, PERCENTILES, [])
  if ('number' in parameter && parameter.number > replica.tree.head.chained.height) {
    throw new RpcError(CODES.refused, 'request beyond head block')
  }
  const newest = requireBlock(replica, parameter)
  if (!newest.isMain) throw new RpcError(CODES.refused, 'hash is not currently canonical')
  const blocks = feesUpTo(replica, newest.block.coinbase.height, {
    count: Math.min(Number(count), HISTORY_BLOCKS_MAX),
    withTips: percentiles.length > 0,
  })
  const last = blocks.at(-1)
  if (last === undefined) return { oldestBlock: '0x0', baseFeePerGas: [], gasUsedRatio: [] }
  return {
    oldestBlock: quantity(blocks[0]!.coinbase.height),
    baseFeePerGas: [...blocks.map(({ coinbase }) => coinbase.baseFee), nextBaseFee(last.coinbase)].map(
      quantity,
    ),
    gasUsedRatio: blocks.map(({ coinbase }) => Number(coinbase.gasUsed) / Number(coinbase.gasLimit)),
    ...(percentiles.length === 0 ? {} : { reward: blocks.map(block => rewardsOf(block, percentiles)) }),
  }
}

/** What a fee history tells of one block. */
interface BlockFees {
  readonly coinbase: CoinbaseRecord
  /** Cheapest first; null until they are requested. */
  readonly tips: readonly { readonly tip: bigint; readonly gas: bigint }[] | null
}

/** What was asked for before, by replica: of final blocks, which stay as they are, by height. */
const remembered = new WeakMap<Replica, BoundedMap<number, BlockFees>>()

/** The fees of the main chain up to this height, oldest first: as many as there is room for. */
function feesUpTo(
  replica: Replica,
  newest: number,
  { count, withTips }: { readonly count: number; readonly withTips: boolean },
): BlockFees[] {
  const { view, tree } = replica
  const known = remembered.get(replica) ?? new BoundedMap<number, BlockFees>(REMEMBERED_MAX)
  remembered.set(replica, known)
  const all: BlockFees[] = []
  let [transactions, bytes] = [0, 0]
  for (let height = newest; height >= 0 && all.length < count; height--) {
    let fees = known.get(height)
    if (fees === undefined || (withTips && fees.tips === null)) {
      const isSpent = transactions > HISTORY_TRANSACTIONS_MAX || bytes > HISTORY_BYTES_MAX
      if (isSpent && all.length > 0) break
      const read = readFees(view, height, withTips)
      if (read === null) break
      fees = read.fees
      if (withTips) transactions += fees.coinbase.transactionCount
      bytes += tree.atHeight(height) === undefined ? read.bytes : 0
      if (height < tree.base.chained.height) known.set(height, fees)
    }
    all.push(fees)
  }
  return all.reverse()
}

/** The transactions of a block are decoded only for their tips. */
function readFees(
  view: Replica['view'],
  height: number,
  withTips: boolean,
): { readonly fees: BlockFees; readonly bytes: number } | null {
  const raw = view.rawBlockAt(height)
  if (raw === null) return null
  const coinbase = withTips ? null : peekCoinbase(raw)
  if (coinbase !== null) return { fees: { coinbase, tips: null }, bytes: raw.length }
  const block = view.blockAt(height)!
  const tips = byTip(block.transactions, block.coinbase.baseFee).map(({ tx, tip }) => ({
    tip,
    gas: intrinsicGas(tx),
  }))
  return { fees: { coinbase: block.coinbase, tips }, bytes: raw.length }
}

// The answer depends on the head and what lies under it, so each head is asked once.
const suggestions = new WeakMap<TreeBlock, bigint>()

/** Wei per gas that a transaction should offer the beneficiary now. */
function suggestedTip(replica: Replica): bigint {
  const { head } = replica.tree
  const known = suggestions.get(head)
  if (known !== undefined) return known
  const { height } = head.chained
  const samples: bigint[] = []
  for (let at = height; at > Math.max(0, height - SAMPLED_BLOCKS); at--) {
    const block = replica.view.blockAt(at)
    if (block !== null) samples.push(...cheapestTips(replica, block))
  }
  const median = samples.sort(ascending)[samples.length >> 1] ?? 0n
  const tip = median < TIP_MIN ? TIP_MIN : median > TIP_MAX ? TIP_MAX : median
  suggestions.set(head, tip)
  return tip
}

function cheapestTips(replica: Replica, block: Block): bigint[] {
  const { coinbase, transactions } = block
  const tips: bigint[] = []
  // Old blocks may lack their senders: none is then taken for the beneficiary, since recovery costs too much for a hint.
  const senders = replica.view.sendersOf(block)
  for (const { index, tip } of byTip(transactions, coinbase.baseFee)) {
    if (tips.length === SAMPLES_PER_BLOCK) break
    if (senders?.[index] !== coinbase.beneficiary) tips.push(tip)
  }
  return tips
}

/** The tips at these percentiles of a block's gas, cheapest first; zeros for an empty block. */
function rewardsOf({ coinbase, tips }: BlockFees, percentiles: readonly number[]): Json {
  const sorted = tips ?? []
  if (sorted.length === 0) return percentiles.map(() => '0x0')
  let index = 0
  let gas = sorted[0]!.gas
  return percentiles.map(percentile => {
    const threshold = BigInt(Math.floor((Number(coinbase.gasUsed) * percentile) / 100))
    while (gas < threshold && index < sorted.length - 1) gas += sorted[++index]!.gas
    return quantity(sorted[index]!.tip)
  })
}

function byTip(
  transactions: readonly Transaction[],
  baseFee: bigint,
): { tx: Transaction; index: number; tip: bigint }[] {
  return transactions
    .map((tx, index) => ({ tx, index, tip: effectiveTip(tx, baseFee) }))
    .sort((a, b) => ascending(a.tip, b.tip))
}

function ascending(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0
}

const PERCENTILES: Kind<readonly number[]> = {
  expected: `a list of at most ${PERCENTILES_MAX} numbers from 0 to 100, ascending`,
  read: value => {
    if (!Array.isArray(value) || value.length > PERCENTILES_MAX) return null
    const isAscending = value.every(
      (item, index) =>
        typeof item === 'number' &&
        (index === 0 ? item >= 0 : item > (value[index - 1] as number)) &&
        item <= 100,
    )
    return isAscending ? (value as number[]) : null
  },
}
