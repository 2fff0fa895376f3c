// A peer that does the work and lies: each rule of a block broken in one way, on a chain with a past. No lie gets
// into a node, and the oracle would say which rule it breaks if one did. The simulator's own nodes are honest, so
// without these scenarios a check that is missing would never be missed.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assembleBlock } from '../../src/chain/block.ts'
import { type BlockHeader, blockId } from '../../src/chain/header.ts'
import { medianTimePast } from '../../src/chain/header-chain.ts'
import { encodeTransaction, SECP256K1_N } from '../../src/chain/transaction.ts'
import type { TreeBlock } from '../../src/replica/block-tree.ts'
import { decodeMessage, encodeMessage, type Message } from '../../src/replica/messages.ts'
import { NaiveChain } from '../../src/sim/naive-chain.ts'
import { Oracle } from '../../src/sim/oracle.ts'
import type { SimNode } from '../../src/sim/sim-node.ts'
import { addressNumber, COIN } from '../chain/examples.ts'
import {
  type BlockChanges,
  ChainBuilder,
  mineHeader,
  namedSender,
  tipOf,
  transfer,
  unmineHeader,
} from '../replica/small-chain.ts'
import { TestNode } from '../replica/test-node.ts'

const builder = new ChainBuilder()
// Times that go back and forth, so that the median is none of its neighbours.
const past = builder.extend(builder.root, 14, step => ({
  transactions: [transfer(1, step - 1)],
  time: builder.genesis.header.header.time + 3_600 + 2 * step + (step % 2 === 0 ? 4 : 0),
}))
const parent = tipOf(past)
const median = medianTimePast(parent.chained)
const nowSeconds = parent.chained.header.time + 1
const miner = addressNumber(0x77)

/** The state root as it would be if the miner got one wei more. */
function greedyRoot(): `0x${string}` {
  const { state } = builder.mine(parent).execution
  const account = state.get(miner)
  return state.with([[miner, { ...account, balance: account.balance + 1n }]]).root()
}

const withHeader =
  (change: (header: BlockHeader) => BlockHeader) =>
  (entry: TreeBlock): TreeBlock => {
    const header = change(entry.block.header)
    const block = assembleBlock(header, entry.block.coinbase, entry.block.transactions)
    return { ...entry, block, chained: { ...entry.chained, id: blockId(header), header } }
  }

const LIES: readonly {
  readonly name: string
  readonly changes?: BlockChanges
  readonly block?: (entry: TreeBlock) => TreeBlock
}[] = [
  {
    name: 'a wei more for the miner',
    changes: { spoil: claim => ({ ...claim, stateRoot: greedyRoot() }) },
  },
  {
    name: 'other receipts',
    changes: { spoil: claim => ({ ...claim, receiptsRoot: parent.block.coinbase.stateRoot }) },
  },
  { name: 'less gas used', changes: { spoil: claim => ({ ...claim, gasUsed: 1n }) } },
  { name: 'no base fee', changes: { spoil: claim => ({ ...claim, baseFee: 0n }) } },
  { name: 'a higher gas limit', changes: { spoil: claim => ({ ...claim, gasLimit: 60_000_000n }) } },
  { name: 'the height of its parent', changes: { spoil: claim => ({ ...claim, height: 14 }) } },
  { name: 'another chain', changes: { spoil: claim => ({ ...claim, chainId: 1n }) } },
  { name: 'a transaction of its parent again', changes: { transactions: [transfer(1, 13)] } },
  { name: 'a transaction twice', changes: { transactions: [transfer(1, 14), transfer(1, 14)] } },
  { name: 'a nonce left out', changes: { transactions: [transfer(1, 15)] } },
  {
    name: 'more spent than there is',
    changes: { transactions: [transfer(2, 0, { value: 100n * COIN })] },
  },
  {
    name: 'a transaction that nobody signed',
    changes: { transactions: [transfer(2, 0, { signed: false })] },
  },
  { name: 'a transaction of another chain', changes: { transactions: [transfer(2, 0, { chainId: 1n })] } },
  {
    name: 'a fee below the base fee',
    changes: { transactions: [transfer(2, 0, { maxFeePerGas: 1n, maxPriorityFeePerGas: 0n })] },
  },
  { name: 'the median of the last times', changes: { time: median } },
  { name: 'a time before all', changes: { time: 1 } },
  { name: 'a time that has not come', changes: { time: nowSeconds + 16 } },
  { name: 'an easier target', block: withHeader(header => mineHeader({ ...header, bits: 0x207fffff })) },
  { name: 'no work', block: withHeader(unmineHeader) },
]

function victim() {
  const node = new TestNode(builder.genesis, { nowMs: nowSeconds * 1000 }).start()
  const chain = new NaiveChain(builder.genesis, namedSender)
  const oracle = new Oracle(chain)
  const watched = { id: 'victim', disk: node.disk, replica: node.replica } as unknown as SimNode
  const feed = (message: Message): void => {
    node.receive('liar', message)
    oracle.afterStep(watched)
  }
  for (const { block } of past) feed({ type: 'block', block })
  assert.equal(node.headId, parent.chained.id)
  return { node, chain, feed }
}

for (const { name, changes = {}, block = (entry: TreeBlock) => entry } of LIES) {
  test(`a block with ${name} is refused by the node, and by the oracle in its own way`, () => {
    const { node, chain, feed } = victim()
    const lie = block(builder.mine(parent, changes))
    feed({ type: 'block', block: lie.block })
    assert.equal(node.headId, parent.chained.id)
    assert.ok(!node.replica.tree.has(lie.chained.id))
    // The clock is not the naive chain's: see C9 in oracle.test.ts.
    if (name !== 'a time that has not come') assert.throws(() => chain.check(lie), { name: 'Violation' })
    feed({ type: 'block', block: builder.mine(parent, { transactions: [transfer(1, 14)] }).block })
    assert.equal(node.height, 15)
  })
}

test('the same chain with the least time that is allowed, and the latest, is taken', () => {
  for (const time of [median + 1, nowSeconds + 15]) {
    const { node, feed } = victim()
    feed({ type: 'block', block: builder.mine(parent, { time }).block })
    assert.equal(node.height, 15)
  }
})

test('a block whose transaction has the high one of its two signatures does not become a block', () => {
  const { node, feed } = victim()
  const low = transfer(1, 14)
  const signature = { yParity: 1, r: low.r, s: SECP256K1_N - low.s } as const
  const high = { ...low, ...signature, raw: encodeTransaction(low, signature) }
  const { block } = builder.mine(parent, { transactions: [high] })
  const decoded = decodeMessage(encodeMessage({ type: 'block', block }))
  if (typeof decoded === 'object') feed(decoded)
  assert.equal(decoded, 'block-malformed')
  assert.equal(node.height, 14)
})

test('a body that was tampered with does not even become a block', () => {
  const { node } = victim()
  const transactions = [transfer(1, 14), transfer(2, 0)]
  const { block } = builder.mine(parent, { transactions })
  const repeated = [...transactions, transactions[1]!]
  const bodies = [repeated, transactions.slice(1), transactions.toReversed(), []]
  for (const body of bodies) {
    for (const transactionCount of [body.length, transactions.length]) {
      const tampered = assembleBlock(block.header, { ...block.coinbase, transactionCount }, body)
      assert.equal(typeof decodeMessage(encodeMessage({ type: 'block', block: tampered })), 'string')
    }
  }
  node.receive('honest', { type: 'block', block })
  assert.equal(node.headId, block.id)
})
