// What to pay: the base fee that the next block will have, and a tip.
//
// The suggested tip is the median of what the three cheapest transactions of each of the last twenty blocks
// gave, without those that a beneficiary sent to his own block (they cost him nothing; the way of
// go-ethereum's eth/gasprice). It is at least 1 gwei, also when all those blocks are empty, and at most 500
// gwei, so that nobody's transactions can make others pay without bound.

import type { Block } from '../chain/block.ts'
import { effectiveTip, nextBaseFee } from '../chain/fees.ts'
import type { Json } from '../chain/fields.ts'
import { intrinsicGas, type Transaction } from '../chain/transaction.ts'
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
/** Transactions that one fee history looks at; with more its range gets shorter, which the method allows. */
const HISTORY_TRANSACTIONS_MAX = 20_000
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
  const blocks = blocksUpTo(replica, newest.block, Math.min(Number(count), HISTORY_BLOCKS_MAX), percentiles)
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

function cheapestTips(replica: Replica, { coinbase, transactions }: Block): bigint[] {
  const tips: bigint[] = []
  for (const { tx, tip } of byTip(transactions, coinbase.baseFee)) {
    if (tips.length === SAMPLES_PER_BLOCK) break
    if (replica.senderOf(tx) !== coinbase.beneficiary) tips.push(tip)
  }
  return tips
}

/** The blocks of the main chain that end with `newest`, oldest first. */
function blocksUpTo(replica: Replica, newest: Block, count: number, percentiles: readonly number[]): Block[] {
  const blocks: Block[] = []
  let seen = 0
  for (let at = newest.coinbase.height; at >= 0 && blocks.length < count; at--) {
    const block = at === newest.coinbase.height ? newest : replica.view.blockAt(at)
    if (block === null) break
    // What is in memory costs nothing unless its tips are sorted.
    if (percentiles.length > 0 || !replica.tree.has(block.id)) seen += block.transactions.length
    if (seen > HISTORY_TRANSACTIONS_MAX && blocks.length > 0) break
    blocks.push(block)
  }
  return blocks.reverse()
}

/** The tips at these percentiles of a block's gas, cheapest first; zeros for an empty block. */
function rewardsOf(block: Block, percentiles: readonly number[]): Json {
  const sorted = byTip(block.transactions, block.coinbase.baseFee)
  if (sorted.length === 0) return percentiles.map(() => '0x0')
  let index = 0
  let gas = intrinsicGas(sorted[0]!.tx)
  return percentiles.map(percentile => {
    const threshold = BigInt(Math.floor((Number(block.coinbase.gasUsed) * percentile) / 100))
    while (gas < threshold && index < sorted.length - 1) gas += intrinsicGas(sorted[++index]!.tx)
    return quantity(sorted[index]!.tip)
  })
}

function byTip(transactions: readonly Transaction[], baseFee: bigint): { tx: Transaction; tip: bigint }[] {
  return transactions
    .map(tx => ({ tx, tip: effectiveTip(tx, baseFee) }))
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
        typeof item === 'number' && item >= (index === 0 ? 0 : (value[index - 1] as number)) && item <= 100,
    )
    return isAscending ? (value as number[]) : null
  },
}
