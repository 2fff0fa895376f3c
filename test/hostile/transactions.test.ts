// Strangers without funds against a real node. What is asserted is what noise can't change: how many signatures were
// checked, where, and who is connected.

import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { type TestContext, test } from 'node:test'
import { decodeTransaction, type Transaction } from '../../src/chain/transaction.ts'
import type { Node } from '../../src/node/node.ts'
import { CREDIT_MAX, CREDIT_PER_TICK } from '../../src/replica/relay-budget.ts'
import { loadNativeBackend } from '../../src/signatures/native-backend.ts'
import { nodesOf, transfer, until } from '../node/nodes.ts'
import { RawPeer } from '../node/raw-peer.ts'
import { attackWithUnfundedTransactions } from './transactions.ts'
import { someUnfunded } from './unfunded.ts'

const decoded = (raw: Uint8Array): Transaction => decodeTransaction(raw) as Transaction

/** A node, and how many ticks of its relay there were. */
async function attacked(t: TestContext): Promise<{
  node: Node
  target: { address: string; genesis: Node['replica']['genesis'] }
  ticks: () => number
}> {
  const node = await nodesOf(t)()
  const step = node.replica.step.bind(node.replica)
  let ticks = 0
  node.replica.step = (input, nowMs) => {
    if (input.type === 'timeout' && input.name === 'transactions') ticks += 1
    return step(input, nowMs)
  }
  return {
    node,
    target: { address: node.multiaddrs()[0]!, genesis: node.replica.genesis },
    ticks: () => ticks,
  }
}

test("a stranger's unfunded transactions cost a node no more than its budget, and it stays connected", async t => {
  const { node, target, ticks } = await attacked(t)
  const attack = await attackWithUnfundedTransactions(t, target)
  await until('it was asked for a part', () => ticks() >= 2 && attack.asked() > CREDIT_MAX / 4)
  const honest = await RawPeer.connect(t, target.address)
  honest.greet(node)
  const good = decoded(transfer(0, 0))
  honest.offer(good)
  await until('an honest transaction is taken in', () => node.replica.pool.get(good.id) !== undefined)
  const { signaturesChecked } = node.counters()
  assert.ok(signaturesChecked <= 1 + CREDIT_MAX + ticks() * CREDIT_PER_TICK, `${signaturesChecked}`)
  assert.equal(node.peers().length, 2)
})

test("recovery of a stranger's transaction never runs on the event loop", async t => {
  if (loadNativeBackend() === null)
    return t.skip('there is no native build here, whose calls could be counted')
  // Of this thread alone: each worker has its own.
  const recover = t.mock.method(createRequire(import.meta.url)('secp256k1/bindings.js'), 'ecdsaRecover')
  const { node, target } = await attacked(t)
  const stranger = await RawPeer.connect(t, target.address)
  stranger.greet(node)
  // One alone, a few, and many.
  for (const count of [1, 3, 60]) {
    const before = node.counters().signaturesChecked
    stranger.offer(...someUnfunded(target.genesis.blocks.chainId, count))
    await until('they are checked', () => node.counters().signaturesChecked >= before + count)
  }
  const good = decoded(transfer(0, 0))
  stranger.offer(good)
  await until('a good one is taken in', () => node.replica.pool.get(good.id) !== undefined)
  assert.equal(recover.mock.callCount(), 0)
})

test('an unasked batch of transactions is not decoded', async t => {
  const { node, target } = await attacked(t)
  const stranger = await RawPeer.connect(t, target.address)
  stranger.greet(node)
  const steps: string[] = []
  const step = node.replica.step
  node.replica.step = (input, nowMs) => {
    if (input.type === 'message') steps.push(input.message.type)
    return step(input, nowMs)
  }
  const transactions = someUnfunded(target.genesis.blocks.chainId, 256)
  for (let requestId = 0; requestId < 20; requestId++)
    stranger.send({ type: 'transactions', requestId, transactions })
  stranger.send({ type: 'get-headers', requestId: 1, locator: [] })
  await stranger.receive('headers')
  assert.ok(!steps.includes('transactions'))
  assert.equal(node.counters().signaturesChecked, 0)
  assert.equal(node.peers().length, 1)
})
