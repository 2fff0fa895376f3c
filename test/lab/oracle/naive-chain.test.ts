import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assembleBlock } from '../../../src/chain/block.ts'
import { type BlockHeader, blockId } from '../../../src/chain/header.ts'
import { SECP256K1_N } from '../../../src/chain/transaction.ts'
import type { Genesis } from '../../../src/execution/genesis.ts'
import type { Account } from '../../../src/execution/state.ts'
import { NaiveChain } from '../../../src/lab/oracle/naive-chain.ts'
import type { TreeBlock } from '../../../src/replica/block-tree.ts'
import { addressNumber, COIN, GWEI } from '../../chain/examples.ts'
import {
  type BlockChanges,
  ChainBuilder,
  mineHeader,
  namedSender,
  START_MS,
  smallGenesis,
  tipOf,
  transfer,
  unmineHeader,
} from '../../replica/small-chain.ts'

const chainOf = (genesis: Genesis): NaiveChain => new NaiveChain(genesis, namedSender)

test('honest blocks pass: halvings, full and empty ones, data, self-transfers, a miner that pays, branches', () => {
  const genesis = smallGenesis({ blocks: { gasLimit: 63_000 } })
  const builder = new ChainBuilder(genesis)
  const chain = chainOf(genesis)
  const rich = { maxFeePerGas: 900n * GWEI }
  const main = builder.extend(builder.root, 110)
  const full = builder.extend(tipOf(main), 6, step => ({
    transactions: [0, 1, 2].map(index =>
      transfer(1, (step - 1) * 3 + index, { ...rich, to: addressNumber(index) }),
    ),
    beneficiary: addressNumber(1),
  }))
  const data = Uint8Array.of(0, 1, 0, 255)
  const last = builder.mine(tipOf(full), {
    transactions: [transfer(1, 18, { ...rich, data, gasLimit: 30_000n, type: 'legacy' })],
  })
  const side = builder.extend(main[50]!, 3, () => ({ extra: 1 }))
  for (const entry of [...main, ...full, last, ...side]) chain.check(entry)
  const head = last.chained.id
  assert.equal(chain.workOf(head), last.chained.work)
  assert.equal(chain.parentOf(main[1]!.chained.id), main[0]!.chained.id)
  assert.equal(chain.spender(head, addressNumber(1), 4n), full[1]!.block.transactions[1]!.id)
  assert.equal(chain.spender(tipOf(side).chained.id, addressNumber(1), 4n), null)
  assert.equal(chain.spender(head, addressNumber(1), 19n), null)
})

test('the target of a block is what ASERT says, however its parents lie in time', () => {
  const builder = new ChainBuilder()
  const chain = chainOf(builder.genesis)
  let parent = builder.root
  for (const gap of [1, 1, 1, 60, 200, 1, 0, 0, 0, 30]) {
    const time = (parent === builder.root ? START_MS / 1000 : parent.chained.header.time) + gap
    parent = builder.mine(parent, { time })
    chain.check(parent)
  }
})

// ---- each rule, broken by hand

const builder = new ChainBuilder()

interface Broken {
  readonly rule: string
  readonly name: string
  readonly changes?: BlockChanges
  readonly genesis?: (genesis: Genesis) => Genesis
  readonly block?: (entry: TreeBlock) => TreeBlock
}

const withHeader =
  (change: (header: BlockHeader) => BlockHeader) =>
  (entry: TreeBlock): TreeBlock => {
    const header = change(entry.block.header)
    return { ...entry, block: { ...entry.block, header, id: blockId(header) } }
  }

const BROKEN: readonly Broken[] = [
  {
    rule: 'C1',
    name: 'money that was never issued',
    genesis: genesis => ({ ...genesis, supply: genesis.supply - 1n }),
  },
  {
    rule: 'C2',
    name: 'an account below zero',
    changes: { transactions: [transfer(1, 0, { value: 200n * COIN })] },
  },
  {
    rule: 'C2',
    name: 'an account with more than 256 bits',
    genesis: genesis => {
      const rich: Account = { nonce: 0n, balance: 2n ** 256n - 1n }
      return { ...genesis, state: genesis.state.with([[addressNumber(0x77), rich]]) }
    },
  },
  { rule: 'C3', name: 'a nonce left out', changes: { transactions: [transfer(1, 1)] } },
  {
    rule: 'C3',
    name: 'the same transaction twice (C4)',
    changes: { transactions: [transfer(1, 0), transfer(1, 0)] },
  },
  {
    rule: 'C5',
    name: 'another state root',
    changes: { spoil: claim => ({ ...claim, stateRoot: `0x${'11'.repeat(32)}` }) },
  },
  { rule: 'C9', name: 'another gas', changes: { spoil: claim => ({ ...claim, gasUsed: 1n }) } },
  { rule: 'C9', name: 'another base fee', changes: { spoil: claim => ({ ...claim, baseFee: 1n }) } },
  {
    rule: 'C9',
    name: 'an unsigned transaction',
    changes: { transactions: [transfer(1, 0, { signed: false })] },
  },
  {
    rule: 'C9',
    name: 'a fee below the base fee',
    changes: { transactions: [transfer(1, 0, { maxFeePerGas: 1n, maxPriorityFeePerGas: 0n })] },
  },
  {
    rule: 'C9',
    name: 'a transaction for another chain',
    changes: { transactions: [transfer(1, 0, { chainId: 1n })] },
  },
  {
    rule: 'C9',
    name: 'a transaction that reserves more gas than is left',
    changes: { transactions: [transfer(1, 0), transfer(1, 1, { gasLimit: 29_979_001n })] },
  },
  {
    rule: 'C9',
    name: 'a transaction that uses more gas than it may',
    changes: { transactions: [transfer(1, 0, { gasLimit: 20_999n })] },
  },
  {
    rule: 'C9',
    name: 'a signature with a high s',
    block: entry => {
      const [tx] = builder.mine(builder.root, { transactions: [transfer(1, 0)] }).block.transactions
      return { ...entry, block: { ...entry.block, transactions: [{ ...tx!, s: SECP256K1_N - 1n }] } }
    },
    changes: { transactions: [transfer(1, 0)] },
  },
  {
    rule: 'C9',
    name: 'another receipts root',
    changes: { spoil: claim => ({ ...claim, receiptsRoot: `0x${'11'.repeat(32)}` }) },
  },
  { rule: 'C9', name: 'another height', changes: { spoil: claim => ({ ...claim, height: 2 }) } },
  { rule: 'C9', name: 'another chain id', changes: { spoil: claim => ({ ...claim, chainId: 1n }) } },
  { rule: 'C9', name: 'another gas limit', changes: { spoil: claim => ({ ...claim, gasLimit: 1n }) } },
  { rule: 'C9', name: 'another count', changes: { spoil: claim => ({ ...claim, transactionCount: 1 }) } },
  {
    rule: 'C9',
    name: 'another body than its header says',
    block: withHeader(header => mineHeader({ ...header, merkleRoot: `0x${'11'.repeat(32)}` })),
  },
  { rule: 'C9', name: 'no work', block: withHeader(unmineHeader) },
  {
    rule: 'C9',
    name: 'an easier target',
    block: withHeader(header => mineHeader({ ...header, bits: 0x207fffff })),
  },
  {
    rule: 'C9',
    name: 'a time before the median',
    block: withHeader(header => mineHeader({ ...header, time: 1 })),
  },
  {
    rule: 'C9',
    name: 'too many bytes',
    genesis: genesis => ({ ...genesis, blocks: { ...genesis.blocks, blockBytesMax: 100 } }),
  },
]

for (const { rule, name, changes, genesis, block } of BROKEN) {
  test(`a block with ${name} breaks ${rule}`, () => {
    const good = builder.mine(builder.root, changes)
    const chain = chainOf(genesis?.(builder.genesis) ?? builder.genesis)
    assert.throws(() => chain.check(block?.(good) ?? good), { name: 'Violation', rule })
  })
}

test('two bodies under one id break C9, whichever came first', () => {
  const builder = new ChainBuilder()
  const entry = builder.mine(builder.root, { transactions: [transfer(1, 0)] })
  const { header, coinbase } = entry.block
  const chain = chainOf(builder.genesis)
  chain.check(entry)
  chain.check(entry)
  const other = { ...entry, block: assembleBlock(header, coinbase, []) }
  assert.throws(() => chain.check(other), { rule: 'C9' })
})

test('a block whose parent the oracle has not seen breaks C9', () => {
  const builder = new ChainBuilder()
  const run = builder.extend(builder.root, 2)
  assert.throws(() => chainOf(builder.genesis).check(run[1]!), { rule: 'C9' })
})

test('a time must be later than the median of eleven, and one second is enough', () => {
  const builder = new ChainBuilder()
  const times = [5, 3, 9, 1, 7, 2, 8, 4, 6, 10, 11, 12]
  const chain = chainOf(builder.genesis)
  let parent = builder.root
  for (const time of times) {
    const entry = builder.mine(parent, { time: START_MS / 1000 + time })
    const isLater = time > medianOf(parent)
    if (isLater) chain.check(entry)
    else assert.throws(() => chain.check(entry), { rule: 'C9' })
    if (isLater) parent = entry
  }
  assert.ok(parent.chained.height > 5)
})

function medianOf(entry: TreeBlock): number {
  const sorted = entry.chained.recentTimes.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]! - START_MS / 1000
}
