// Blocks that break one rule each, made from an honest block that could stand in their place. All else about them is
// right: they hold the work that they claim unless that is the lie, and what they claim of their transactions is what a
// node would find that lacked the one check. They are data for the lying miner of a run and for the tests.

import type { Address } from '../../chain/address.ts'
import { assembleBlock, type Block, contentRoot } from '../../chain/block.ts'
import type { CoinbaseRecord } from '../../chain/coinbase.ts'
import { decodeCompact } from '../../chain/compact.ts'
import { intrinsicGas } from '../../chain/gas.ts'
import { type BlockHeader, blockId, meetsTarget } from '../../chain/header.ts'
import { medianTimePast } from '../../chain/median-time-past.ts'
import type { RecoverSender } from '../../chain/signature.ts'
import {
  encodeTransaction,
  SECP256K1_N,
  type Transaction,
  type TransactionFields,
} from '../../chain/transaction.ts'
import { BlockExecution, type BlockRules, describeExecution } from '../../execution/block-execution.ts'
import type { Genesis } from '../../execution/genesis.ts'
import type { TreeBlock } from '../../replica/block-tree.ts'
import { searchNonce } from '../cluster/search-nonce.ts'

/** What a lie is made from. */
export interface Truth {
  readonly genesis: Genesis
  readonly parent: TreeBlock
  /** An honest block on it. */
  readonly block: Block
  /** Seconds since 1970. */
  readonly nowSeconds: number
  readonly recoverSender: RecoverSender
  /** An account with money, whose transactions the liar may sign. */
  readonly payer: Payer
}

/** An account whose key the liar has. */
export interface Payer {
  readonly address: Address
  readonly sign: (fields: TransactionFields) => Transaction
}

/** One way to break the rules of a block. */
export interface Lie {
  readonly name: string
  /** Whether its bytes are a block at all, so that a node gets to judge it. */
  readonly isBlock: boolean
  /** The block that breaks the rule; null where the honest one has nothing that could be spoiled so. */
  readonly tell: (truth: Truth) => Block | null
}

/** What differs from the honest block. */
interface Spoiled {
  readonly coinbase?: CoinbaseRecord
  readonly transactions?: readonly Transaction[]
  readonly header?: Partial<BlockHeader>
}

const GWEI = 10n ** 9n
const TRANSFER_GAS = 21_000n
/** The easiest target that a header can say in its usual form. */
const EASY_BITS = 0x207fffff
/** Seconds by which a time is too far ahead for every clock of a run. */
const FAR_AHEAD_SECONDS = 120
/** Bytes of the notes that fill a block, and of the largest block that is worth filling. */
const NOTE_BYTES = 500
const FILLED_BYTES_MAX = 8_192
/** Transfers that fill a block at most. */
const FILLED_TRANSFERS_MAX = 8

/** All of them; names say what the block has. */
export const LIES: readonly Lie[] = [
  lie('a wei more for the miner', claiming(greedy)),
  lie(
    'other receipts',
    claiming((claim, { parent }) => ({ ...claim, receiptsRoot: parent.block.coinbase.stateRoot })),
  ),
  lie(
    'other gas used',
    claiming(claim => ({ ...claim, gasUsed: claim.gasUsed + 1n })),
  ),
  lie('no base fee', truth => running(truth, { baseFee: 0n })),
  lie(
    'a higher gas limit',
    claiming(claim => ({ ...claim, gasLimit: claim.gasLimit * 2n })),
  ),
  lie('the height of its parent', truth => running(truth, { height: truth.parent.chained.height })),
  lie(
    'another chain',
    claiming(claim => ({ ...claim, chainId: claim.chainId + 1n })),
  ),
  lie('a transaction of its parent again', truth => {
    const again = truth.parent.block.transactions.at(-1)
    return again === undefined ? null : adding(truth, [again])
  }),
  lie('a transaction twice', truth => {
    const tx = pay(truth)
    // Not side by side: the Merkle tree of such a body would be that of another (CVE-2012-2459).
    return adding(truth, [tx, pay(truth, { nonce: tx.nonce + 1n }), tx])
  }),
  lie('a nonce left out', truth => adding(truth, [pay(truth, { nonce: nextNonce(truth) + 1n })])),
  lie('more spent than there is', truth =>
    adding(truth, [pay(truth, { value: truth.parent.execution.state.get(truth.payer.address).balance })]),
  ),
  lie('a transaction of another chain', truth => {
    const chainId = truth.genesis.blocks.chainId + 1n
    return adding(truth, [pay(truth, { chainId })], { chainId })
  }),
  lie('a fee below the base fee', truth =>
    adding(truth, [pay(truth, { maxFeePerGas: 1n, maxPriorityFeePerGas: 0n })]),
  ),
  lie('more gas than there is', truth => {
    const { gasLimit } = truth.genesis.blocks
    const room = Number(gasLimit / TRANSFER_GAS) + 1 - truth.block.transactions.length
    return room > FILLED_TRANSFERS_MAX
      ? null
      : adding(truth, payments(truth, room), { gasLimit: gasLimit * 2n })
  }),
  lie('more bytes than a block may have', truth => {
    const { blockBytesMax } = truth.genesis.blocks
    const notes = Math.ceil((blockBytesMax + 1 - truth.block.raw.length) / NOTE_BYTES)
    const data = new Uint8Array(NOTE_BYTES).fill(1)
    if (blockBytesMax > FILLED_BYTES_MAX) return null
    return adding(truth, payments(truth, notes, data), { blockBytesMax: FILLED_BYTES_MAX * 2 })
  }),
  lie(
    'the median of the last times',
    heading(({ parent }) => ({ time: medianTimePast(parent.chained) })),
  ),
  lie(
    'a time before all',
    heading(() => ({ time: 1 })),
  ),
  lie(
    'a time far ahead',
    heading(({ genesis, nowSeconds }) => ({
      time: nowSeconds + genesis.work.futureLimitSeconds + FAR_AHEAD_SECONDS,
    })),
  ),
  lie('an easier target', truth =>
    truth.block.header.bits === EASY_BITS ? null : make(truth, { header: { bits: EASY_BITS } }),
  ),
  lie('no work', ({ block }) => assembleBlock(unmined(block.header), block.coinbase, block.transactions)),
  {
    name: 'the high one of two signatures',
    isBlock: false,
    tell: truth => {
      const low = pay(truth)
      const signature = { yParity: low.yParity === 0 ? 1 : 0, r: low.r, s: SECP256K1_N - low.s } as const
      return adding(truth, [{ ...low, ...signature, raw: encodeTransaction(low, signature) }])
    },
  },
  {
    name: 'one transaction more than its header says',
    isBlock: false,
    tell: truth => tampered(truth, [...truth.block.transactions, pay(truth)]),
  },
  {
    name: 'one transaction less than its header says',
    isBlock: false,
    tell: truth =>
      truth.block.transactions.length === 0 ? null : tampered(truth, truth.block.transactions.slice(1)),
  },
]

function lie(name: string, tell: Lie['tell']): Lie {
  return { name, isBlock: true, tell }
}

// ---- what can be spoiled

/** The honest content with another claim about it. */
function claiming(spoil: (claim: CoinbaseRecord, truth: Truth) => CoinbaseRecord): Lie['tell'] {
  return truth => make(truth, { coinbase: spoil(truth.block.coinbase, truth) })
}

/** The honest content under another header. */
function heading(change: (truth: Truth) => Partial<BlockHeader>): Lie['tell'] {
  return truth => make(truth, { header: change(truth) })
}

/** The honest transactions, executed at another price or height. */
function running(truth: Truth, other: { baseFee?: bigint; height?: number }): Block {
  return make(truth, { coinbase: claimsOf(truth, { ...other, transactions: truth.block.transactions }) })
}

/** More transactions than the honest ones; claims are true under rules with these changes. */
function adding(truth: Truth, more: readonly Transaction[], rules: Partial<BlockRules> = {}): Block {
  const transactions = [...truth.block.transactions, ...more]
  return make(truth, { transactions, coinbase: claimsOf(truth, { transactions, rules }) })
}

/** Another body under the honest header, and so with the honest id. */
function tampered({ block }: Truth, transactions: readonly Transaction[]): Block {
  return assembleBlock(
    block.header,
    { ...block.coinbase, transactionCount: transactions.length },
    transactions,
  )
}

/** The state root as it would be if the miner got one wei more. */
function greedy(claim: CoinbaseRecord, truth: Truth): CoinbaseRecord {
  const { state } = execute(truth, { transactions: truth.block.transactions })
  const account = state.get(claim.beneficiary)
  const richer = state.with([[claim.beneficiary, { ...account, balance: account.balance + 1n }]])
  return { ...claim, stateRoot: richer.root() }
}

// ---- how blocks are made

/** The honest block but for this, with its work. */
function make({ block }: Truth, spoiled: Spoiled): Block {
  const { coinbase = block.coinbase, transactions = block.transactions } = spoiled
  const merkleRoot = contentRoot({ coinbase, transactions })
  const header = { ...block.header, merkleRoot, ...spoiled.header }
  return assembleBlock(mined(header), coinbase, transactions)
}

interface Run {
  readonly transactions: readonly Transaction[]
  readonly rules?: Partial<BlockRules>
  readonly baseFee?: bigint
  readonly height?: number
}

/** What transactions do that are taken for valid wherever they can be applied at all. */
function execute({ genesis, parent, block, recoverSender }: Truth, run: Run) {
  const { baseFee, height, beneficiary } = { ...block.coinbase, ...run }
  const execution = new BlockExecution({ ...genesis.blocks, ...run.rules }, parent.execution.state, baseFee)
  for (const tx of run.transactions) {
    const sender = recoverSender(tx)
    if (sender !== null) execution.apply(tx, sender)
  }
  return execution.finish(beneficiary, height)
}

function claimsOf(truth: Truth, run: Run): CoinbaseRecord {
  const { baseFee, height, beneficiary, extraNonce } = { ...truth.block.coinbase, ...run }
  const place = { height, beneficiary, baseFee, extraNonce }
  const claims = describeExecution(truth.genesis.blocks, execute(truth, run), place)
  return { ...claims, transactionCount: run.transactions.length }
}

/** A transfer of the liar to himself that could follow the honest transactions, but for these changes. */
function pay(truth: Truth, changes: Partial<TransactionFields> = {}): Transaction {
  const { genesis, block, payer } = truth
  const fields: TransactionFields = {
    type: 'eip1559',
    chainId: genesis.blocks.chainId,
    nonce: nextNonce(truth),
    maxFeePerGas: block.coinbase.baseFee + GWEI,
    maxPriorityFeePerGas: GWEI,
    gasLimit: TRANSFER_GAS,
    to: payer.address,
    value: 1n,
    data: new Uint8Array(),
    accessList: [],
    ...changes,
  }
  return payer.sign(fields)
}

/** Transfers one after the other, each with these data. */
function payments(truth: Truth, count: number, data = new Uint8Array()): Transaction[] {
  const first = nextNonce(truth)
  const gasLimit = intrinsicGas({ to: truth.payer.address, data, accessList: [] })
  return Array.from({ length: count }, (_, index) =>
    pay(truth, { nonce: first + BigInt(index), data, gasLimit }),
  )
}

/** The payer's nonce after the honest block. */
function nextNonce({ block, parent, payer, recoverSender }: Truth): bigint {
  const spent = block.transactions.filter(tx => recoverSender(tx) === payer.address).length
  return parent.execution.state.get(payer.address).nonce + BigInt(spent)
}

function mined(header: BlockHeader): BlockHeader {
  return { ...header, nonce: searchNonce(header, decodeCompact(header.bits)!) }
}

/** The header with the first nonce that does not do. */
function unmined(header: BlockHeader): BlockHeader {
  const target = decodeCompact(header.bits)!
  let nonce = 0
  while (meetsTarget(blockId({ ...header, nonce }), target)) nonce += 1
  return { ...header, nonce }
}
