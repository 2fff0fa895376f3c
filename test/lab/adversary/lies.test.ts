// A peer that does the work and lies: each rule of a block broken in one way, on a chain with a past. No lie gets
// into a node, and the oracle would say which rule it breaks if one did. The lies are those of the simulator's lying
// miner; here every one of them is told, and none gets lost.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assembleBlock } from '../../../src/chain/block.ts'
import { medianTimePast } from '../../../src/chain/median-time-past.ts'
import { decodeTransaction, encodeTransaction } from '../../../src/chain/transaction.ts'
import { LIES, type Truth } from '../../../src/lab/adversary/lies.ts'
import type { SimNode } from '../../../src/lab/cluster/sim-node.ts'
import { NaiveChain } from '../../../src/lab/oracle/naive-chain.ts'
import { Oracle } from '../../../src/lab/oracle/oracle.ts'
import { decodeMessage, encodeMessage } from '../../../src/replica/message-codec.ts'
import type { Message } from '../../../src/replica/messages.ts'
import { accepted, addressNumber } from '../../chain/examples.ts'
import {
  type BlockChanges,
  ChainBuilder,
  namedSender,
  smallGenesis,
  tipOf,
  transfer,
} from '../../replica/small-chain.ts'
import { TestNode } from '../../replica/test-node.ts'

const builder = new ChainBuilder()
// Times that go back and forth, so that the median is none of its neighbours.
const past = builder.extend(builder.root, 14, step => ({
  transactions: [transfer(1, step - 1)],
  time: builder.genesis.header.header.time + 3_600 + 2 * step + (step % 2 === 0 ? 4 : 0),
}))
const parent = tipOf(past)
const median = medianTimePast(parent.chained)

const nowSeconds = parent.chained.header.time + 1

/** What every lie is made from: an honest block that pays, and an account whose signature is its number. */
const honest = builder.mine(parent, { transactions: [transfer(1, 14)], beneficiary: addressNumber(0x77) })
const truth: Truth = {
  genesis: builder.genesis,
  parent,
  block: honest.block,
  nowSeconds,
  recoverSender: namedSender,
  payer: {
    address: addressNumber(2),
    sign: fields => accepted(decodeTransaction(encodeTransaction(fields, { yParity: 0, r: 2n, s: 1n }))),
  },
}

/** The same where a block is soon full. */
const narrow = narrowTruth()

/** What only this chain with its easy signatures can show. */
const MORE: readonly { readonly name: string; readonly changes: BlockChanges }[] = [
  {
    name: 'an unsigned transaction',
    changes: { transactions: [transfer(2, 0, { signed: false })] },
  },
  { name: 'a time that has not come, by a second', changes: { time: nowSeconds + 16 } },
]

/** A chain whose blocks hold two transfers, or 1,000 bytes. */
function narrowTruth() {
  const genesis = smallGenesis({ blocks: { gasLimit: 42_000, bytesMax: 1_000 } })
  const builder = new ChainBuilder(genesis)
  const { block } = builder.mine(builder.root, { transactions: [transfer(1, 0)] })
  return { builder, truth: { ...truth, genesis, parent: builder.root, block } }
}

/** A node on the chain of this builder: with its past, where it has one. */
function victim({ genesis } = builder) {
  const node = new TestNode(genesis, { nowMs: nowSeconds * 1000 }).start()
  const chain = new NaiveChain(genesis, namedSender)
  const oracle = new Oracle(chain)
  const watched = { id: 'victim', disk: node.disk, replica: node.replica } as unknown as SimNode
  const feed = (message: Message): void => {
    node.receive('liar', message)
    oracle.afterStep(watched)
  }
  if (genesis !== builder.genesis) return { node, chain, feed }
  for (const { block } of past) feed({ type: 'block', block })
  assert.equal(node.headId, parent.chained.id)
  return { node, chain, feed }
}

for (const { name, isBlock, tell } of LIES) {
  if (!isBlock) continue
  test(`a block with ${name} is refused by the node, and by the oracle in its own way`, () => {
    const isWide = tell(truth) !== null
    const { node, chain, feed } = victim(isWide ? undefined : narrow.builder)
    const lie = tell(isWide ? truth : narrow.truth)
    assert.ok(lie !== null)
    const decoded = decodeMessage(encodeMessage({ type: 'block', block: lie }))
    assert.ok(typeof decoded !== 'string', String(decoded))
    const before = node.headId
    feed(decoded)
    assert.equal(node.headId, before)
    assert.ok(!node.replica.tree.has(lie.id))
    // The clock is not the naive chain's: see C9 in oracle.test.ts.
    if (name !== 'a time far ahead')
      assert.throws(() => chain.check({ ...honest, block: lie }), { name: 'Violation' })
    feed({ type: 'block', block: (isWide ? truth : narrow.truth).block })
    assert.notEqual(node.headId, before)
  })
}

for (const { name, isBlock, tell } of LIES) {
  if (isBlock) continue
  test(`a block with ${name} does not become a block, and the honest one is taken after it`, () => {
    const { node, chain, feed } = victim()
    const lie = tell(truth)
    assert.ok(lie !== null)
    assert.equal(typeof decodeMessage(encodeMessage({ type: 'block', block: lie })), 'string')
    assert.throws(() => chain.check({ ...honest, block: lie }), { name: 'Violation' })
    feed({ type: 'block', block: honest.block })
    assert.equal(node.headId, honest.chained.id)
  })
}

for (const { name, changes } of MORE) {
  test(`a block with ${name} is refused`, () => {
    const { node, feed } = victim()
    feed({ type: 'block', block: builder.mine(parent, changes).block })
    assert.equal(node.headId, parent.chained.id)
    feed({ type: 'block', block: honest.block })
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
