// What the tests of src/replica, src/finality and src/sim share: a network that is cheap to mine, transactions
// whose signature only names their sender, and blocks that are mined on the spot.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Address } from '../../src/chain/address.ts'
import { assembleBlock, type Block, contentRoot } from '../../src/chain/block.ts'
import type { CoinbaseRecord } from '../../src/chain/coinbase.ts'
import { decodeCompact } from '../../src/chain/compact.ts'
import { nextBaseFee } from '../../src/chain/fees.ts'
import { type BlockHeader, blockId, meetsTarget } from '../../src/chain/header.ts'
import { type ChainedHeader, chainHeader, requiredBits } from '../../src/chain/header-chain.ts'
import type { RecoverSender } from '../../src/chain/signature.ts'
import {
  decodeTransaction,
  encodeTransaction,
  type Transaction,
  type TransactionFields,
} from '../../src/chain/transaction.ts'
import { BlockExecution, describeExecution } from '../../src/execution/block-execution.ts'
import { type Genesis, parseGenesis } from '../../src/execution/genesis.ts'
import type { TreeBlock } from '../../src/replica/block-tree.ts'
import { accepted, addressNumber, exampleFields, GWEI } from '../chain/examples.ts'

/** The genesis file of simulations, parsed from JSON: its work takes a few hashes. */
export const SIMULATED_FILE: Readonly<Record<string, Record<string, unknown>>> = JSON.parse(
  readFileSync(join(import.meta.dirname, '..', '..', 'genesis', 'simulated.json'), 'utf8'),
)

/** Accounts 1 to 9 have a hundred coins each. */
const ACCOUNTS = 9

/** The network of `genesis/simulated.json` with some accounts, but for these changes. */
export function smallGenesis(
  changes: { work?: object; blocks?: object; finality?: object; accounts?: Record<string, string> } = {},
): Genesis {
  const { work, blocks, finality, ...rest } = SIMULATED_FILE
  const numbers = Array.from({ length: ACCOUNTS }, (_, index) => index + 1)
  const accounts = Object.fromEntries(numbers.map(number => [addressNumber(number), '100']))
  return parseGenesis({
    ...rest,
    chainId: Number(CHAIN_ID),
    work: { ...work, ...changes.work },
    blocks: { ...blocks, ...changes.blocks },
    finality: { ...finality, ...changes.finality },
    accounts: changes.accounts ?? accounts,
  })
}

const CHAIN_ID = 20262n

/** Milliseconds since 1970, an hour after genesis: when the tests begin. */
export const START_MS = ((SIMULATED_FILE as unknown as { time: number }).time + 3_600) * 1000

/** A signature that no key made. */
const NOBODYS = 0xdeadn

/** The sender that a transaction made by `transfer` names. */
export const namedSender: RecoverSender = tx => (tx.r === NOBODYS ? null : addressNumber(Number(tx.r)))

/** The other fields of a transfer. */
export type TransferChanges = Partial<TransactionFields> & { readonly signed?: false }

/** A transfer of account `from`, at 2 gwei with 1 gwei for the miner unless said otherwise. */
export function transfer(from: number, nonce: number | bigint, changes: TransferChanges = {}): Transaction {
  const { signed, ...fields } = changes
  const r = signed === false ? NOBODYS : BigInt(from)
  const complete = exampleFields({
    chainId: CHAIN_ID,
    nonce: BigInt(nonce),
    to: addressNumber(0x99),
    value: 1000n,
    ...fields,
  })
  return accepted(decodeTransaction(encodeTransaction(complete, { yParity: 0, r, s: 1n })))
}

/** Both fees, in gwei. */
export function fees(maxFee: number, tip: number): TransferChanges {
  return { maxFeePerGas: BigInt(maxFee) * GWEI, maxPriorityFeePerGas: BigInt(tip) * GWEI }
}

/** How a block differs from the plain next one. */
export interface BlockChanges {
  readonly transactions?: readonly Transaction[]
  /** Seconds since 1970; one block time after the parent unless given. */
  readonly time?: number
  readonly beneficiary?: Address
  /** Tells twins apart. */
  readonly extra?: number
  /** Makes a false claim; the block is mined all the same. */
  readonly spoil?: (coinbase: CoinbaseRecord) => CoinbaseRecord
  readonly spoilHeader?: (header: BlockHeader) => BlockHeader
}

/** Builds blocks, each on any other, and remembers none. */
export class ChainBuilder {
  readonly genesis: Genesis
  readonly root: TreeBlock
  #arrivals = 0

  constructor(genesis: Genesis = smallGenesis()) {
    this.genesis = genesis
    const { block, header, state } = genesis
    const execution = { state, changes: new Map(), before: new Map(), receipts: [], senders: [], gasUsed: 0n }
    this.root = { chained: header, block, execution, arrival: -1, seenMs: 0 }
  }

  /** The next block on `parent`. Transactions that can't be applied are in it all the same, without effect. */
  mine(parent: TreeBlock, changes: BlockChanges = {}): TreeBlock {
    const { blocks: rules, work } = this.genesis
    const { transactions = [], beneficiary = addressNumber(0x77), extra = 0 } = changes
    const baseFee = nextBaseFee(parent.block.coinbase)
    const height = parent.chained.height + 1
    const run = new BlockExecution(rules, parent.execution.state, baseFee)
    for (const tx of transactions) run.apply(tx, namedSender(tx) ?? addressNumber(0))
    const execution = run.finish(beneficiary, height)
    const extraNonce = new Uint8Array(8)
    new DataView(extraNonce.buffer).setUint32(0, extra)
    const honest = describeExecution(rules, execution, { height, beneficiary, baseFee, extraNonce })
    const claimed = { ...honest, transactionCount: transactions.length }
    const coinbase = changes.spoil?.(claimed) ?? claimed
    const plain: BlockHeader = {
      version: 0x2000_0000,
      previous: parent.chained.id,
      merkleRoot: contentRoot({ coinbase, transactions }),
      time: changes.time ?? this.#timeAfter(parent),
      bits: requiredBits(work, parent.chained),
      nonce: 0,
    }
    const header = mineHeader(changes.spoilHeader?.(plain) ?? plain)
    const block = assembleBlock(header, coinbase, transactions)
    const chained = chainHeader(work, parent.chained, header, Number.POSITIVE_INFINITY)
    const entry = { block, execution, arrival: this.#arrivals++, seenMs: 0 }
    return { ...entry, chained: typeof chained === 'string' ? unchecked(parent, header) : chained }
  }

  /** A run of blocks, each on the one before; `changes` may depend on the height above `parent`, from 1. */
  extend(
    parent: TreeBlock,
    count: number,
    changes: (step: number) => BlockChanges = () => ({}),
  ): TreeBlock[] {
    const run: TreeBlock[] = []
    for (let step = 1; step <= count; step++) run.push(this.mine(run.at(-1) ?? parent, changes(step)))
    return run
  }

  #timeAfter(parent: TreeBlock): number {
    if (parent.chained.height === 0) return START_MS / 1000
    return parent.chained.header.time + this.genesis.work.blockTimeSeconds
  }
}

/** The same header with the first nonce that meets its own target, whether or not that is the target due. */
export function mineHeader(header: BlockHeader): BlockHeader {
  const target = decodeCompact(header.bits)!
  for (let nonce = 0; ; nonce++) {
    const candidate = { ...header, nonce }
    if (meetsTarget(blockId(candidate), target)) return candidate
  }
}

/** The first nonce with which the header does not meet its own target. */
export function unmineHeader(header: BlockHeader): BlockHeader {
  const target = decodeCompact(header.bits)!
  for (let nonce = 0; ; nonce++) {
    const candidate = { ...header, nonce }
    if (!meetsTarget(blockId(candidate), target)) return candidate
  }
}

/** The order of the ids of some blocks, for messages of tests. */
export function idsOf(entries: readonly TreeBlock[]): string[] {
  return entries.map(entry => entry.chained.id)
}

/** The last of a run. */
export function tipOf(entries: readonly TreeBlock[]): TreeBlock {
  const tip = entries.at(-1)
  assert.ok(tip !== undefined, 'a run without blocks has no tip')
  return tip
}

/** The block of a run, as it goes over the wire. */
export function blocksOf(entries: readonly TreeBlock[]): Block[] {
  return entries.map(entry => entry.block)
}

function unchecked(parent: TreeBlock, header: BlockHeader): ChainedHeader {
  const { height, work, scheduleStart, recentTimes } = parent.chained
  return { id: blockId(header), header, height: height + 1, work, scheduleStart, recentTimes }
}
