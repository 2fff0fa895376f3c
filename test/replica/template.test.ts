import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { chainHeader } from '../../src/chain/header-chain.ts'
import type { Transaction } from '../../src/chain/transaction.ts'
import { executeBlock } from '../../src/execution/block-execution.ts'
import type { Genesis } from '../../src/execution/genesis.ts'
import type { TreeBlock } from '../../src/replica/block-tree.ts'
import { Mempool } from '../../src/replica/mempool.ts'
import { buildTemplate, completeTemplate } from '../../src/replica/template.ts'
import { addressNumber, COIN, GWEI } from '../chain/examples.ts'
import {
  ChainBuilder,
  fees,
  mineHeader,
  namedSender,
  START_MS,
  smallGenesis,
  tipOf,
  transfer,
} from './small-chain.ts'

const MINER = addressNumber(0x500)
const NOW_SECONDS = START_MS / 1000 + 100
const options = { beneficiary: MINER, extraNonce: new Uint8Array(8), nowSeconds: NOW_SECONDS }

function poolOn(genesis: Genesis, parent: TreeBlock, transactions: readonly Transaction[]): Mempool {
  const pool = new Mempool(genesis.blocks, { state: parent.execution.state, baseFee: 0n })
  for (const tx of transactions) assert.equal(typeof pool.add(tx, namedSender(tx)!, 'back'), 'object')
  return pool
}

/** The ids in the template, once its block was found valid by the code that checks those of strangers. */
function chosen(genesis: Genesis, parent: TreeBlock, transactions: readonly Transaction[]): string[] {
  const template = buildTemplate(genesis, parent, poolOn(genesis, parent, transactions), options)
  const block = completeTemplate(template, mineHeader(template.header).nonce)
  assert.ok(block.raw.length <= genesis.blocks.blockBytesMax)
  assert.equal(typeof chainHeader(genesis.work, parent.chained, block.header, NOW_SECONDS), 'object')
  const layer = {
    height: parent.chained.height,
    coinbase: parent.block.coinbase,
    state: parent.execution.state,
  }
  const execution = executeBlock(genesis.blocks, layer, block, namedSender)
  assert.ok(typeof execution === 'object', String(execution))
  assert.equal(execution.state.root(), template.execution.state.root())
  assert.deepEqual(execution.changes, template.execution.changes)
  assert.deepEqual(execution.receipts, template.execution.receipts)
  return block.transactions.map(tx => tx.id)
}

const idsOf = (...transactions: readonly Transaction[]): string[] => transactions.map(tx => tx.id)

test('an empty pool makes an empty block', () => {
  const { genesis, root } = new ChainBuilder()
  assert.deepEqual(chosen(genesis, root, []), [])
})

test('the block takes what pays best, and a chain of one sender in order', () => {
  const { genesis, root } = new ChainBuilder()
  const cheap = [transfer(1, 0, fees(9, 1)), transfer(1, 1, fees(9, 9))]
  const dear = transfer(2, 0, fees(9, 5))
  assert.deepEqual(chosen(genesis, root, [...cheap, dear]), idsOf(dear, ...cheap))
})

test('what cannot pay the base fee, or waits behind a gap, is left out', () => {
  const { genesis, root } = new ChainBuilder()
  const poor = transfer(1, 0, { maxFeePerGas: GWEI / 2n, maxPriorityFeePerGas: 0n })
  const future = transfer(2, 1)
  const good = transfer(3, 0)
  assert.deepEqual(chosen(genesis, root, [poor, future, good]), idsOf(good))
})

test('a transaction that its sender could pay for when it came, but not any more, is never in a block', () => {
  const { genesis, root } = new ChainBuilder()
  const pool = poolOn(genesis, root, [transfer(1, 0, { value: 60n * COIN }), transfer(2, 0)])
  // A head the pool was not told of: account 1 has spent its money and its nonce is free.
  const poor = { ...root.execution, state: root.execution.state.with([[addressNumber(1), empty()]]) }
  const parent = { ...root, execution: poor }
  const template = buildTemplate(genesis, parent, pool, options)
  assert.deepEqual(idsOf(...template.transactions), idsOf(transfer(2, 0)))
})

test('a block holds no more gas than the limit, counting for the last what it may use and for the rest what they use', () => {
  const genesis = smallGenesis({ blocks: { gasLimit: 70_000 } })
  const { root } = new ChainBuilder(genesis)
  const three = [1, 2, 3].map(from => transfer(from, 0))
  assert.equal(chosen(genesis, root, three).length, 3)
  // 21,000 used and 50,000 reserved is more than the block has; used twice over, it fits.
  const wide = [1, 2].map(from => transfer(from, 0, { gasLimit: 50_000n }))
  assert.deepEqual(chosen(genesis, root, wide), idsOf(wide[0]!))
  const tight = [1, 2].map(from => transfer(from, 0, { gasLimit: 49_000n }))
  assert.equal(chosen(genesis, root, tight).length, 2)
})

test('a block may be full to the last gas', () => {
  const genesis = smallGenesis({ blocks: { gasLimit: 63_000 } })
  const { root } = new ChainBuilder(genesis)
  const four = [1, 2, 3, 4].map(from => transfer(from, 0))
  assert.equal(chosen(genesis, root, four).length, 3)
})

test('a crowd that reserves whole blocks and pays best keeps no other sender out', () => {
  const accounts = Object.fromEntries(
    Array.from({ length: 200 }, (_, index) => [addressNumber(index + 1), '100']),
  )
  const genesis = smallGenesis({ accounts })
  const { root } = new ChainBuilder(genesis)
  const crowd = Array.from({ length: 120 }, (_, index) =>
    transfer(index + 1, 0, { ...fees(90, 80), gasLimit: 30_000_000n }),
  )
  const others = Array.from({ length: 60 }, (_, index) => transfer(index + 121, 0))
  const ids = new Set(chosen(genesis, root, [...crowd, ...others]))
  for (const tx of others) assert.ok(ids.has(tx.id))
})

test('a block holds no more bytes than the limit and skips what is too large for smaller ones', () => {
  const genesis = smallGenesis({ blocks: { bytesMax: 1_000 } })
  const { root } = new ChainBuilder(genesis)
  const big = (from: number): Transaction =>
    transfer(from, 0, { ...fees(9, 9), data: new Uint8Array(400), gasLimit: 30_000n })
  const small = transfer(3, 0)
  const ids = chosen(genesis, root, [big(1), big(2), small])
  assert.deepEqual(ids, idsOf(big(1), small))
})

test('the time of a template is the clock, but never before the median allows', () => {
  const builder = new ChainBuilder()
  const { genesis, root } = builder
  const late = tipOf(builder.extend(root, 12, step => ({ time: START_MS / 1000 + 1000 + step })))
  const pool = poolOn(genesis, late, [])
  const median = START_MS / 1000 + 1000 + 7
  const timeAt = (nowSeconds: number): number =>
    buildTemplate(genesis, late, pool, { ...options, nowSeconds }).header.time
  assert.equal(timeAt(median - 500), median + 1)
  assert.equal(timeAt(median), median + 1)
  assert.equal(timeAt(median + 1), median + 1)
  assert.equal(timeAt(median + 50), median + 50)
})

test('whatever waits, the block made of it is valid and takes all that fit', () => {
  const genesis = smallGenesis({ blocks: { gasLimit: 120_000, bytesMax: 1_200 } })
  const builder = new ChainBuilder(genesis)
  const parent = tipOf(builder.extend(builder.root, 2))
  const arbitrary = fc.uniqueArray(
    fc.record({
      from: fc.integer({ min: 1, max: 4 }),
      nonce: fc.integer({ min: 0, max: 3 }),
      price: fc.constantFrom([1, 0], [2, 1], [3, 3], [9, 1]),
      size: fc.constantFrom(0, 0, 10, 500),
      extraGas: fc.constantFrom(0n, 0n, 60_000n),
    }),
    { maxLength: 12, selector: ({ from, nonce }) => from * 10 + nonce },
  )
  fc.assert(
    fc.property(arbitrary, list => {
      const transactions = list.map(({ from, nonce, price, size, extraGas }) =>
        transfer(from, nonce, {
          ...fees(price[0]!, price[1]!),
          data: new Uint8Array(size),
          gasLimit: 21_000n + 4n * BigInt(size) + extraGas,
        }),
      )
      const ids = chosen(genesis, parent, transactions)
      assert.equal(new Set(ids).size, ids.length)
    }),
    { numRuns: 100 },
  )
})

function empty(): { nonce: bigint; balance: bigint } {
  return { nonce: 0n, balance: 0n }
}
