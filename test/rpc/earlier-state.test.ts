// Reads pinned to a block while the chain goes on: what an explorer, a wallet with several calls for one page, or a
// client under load does. They are answered in every mode, from the state after that very block.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromHex, type Hex } from '../../src/encoding/bytes.ts'
import { verifyAccountProof } from '../../src/execution/state.ts'
import { NOBODY } from '../../src/finality/registry.ts'
import { EARLIER_STATES } from '../../src/replica/undo.ts'
import {
  alice,
  bob,
  COIN,
  committeeGenesis,
  hex,
  miner,
  type RpcClient,
  serve,
  TestNode,
  testGenesis,
  transfer,
} from './harness.ts'

const MODES = ['pbft', 'hybrid', 'longest-chain'] as const
type Mode = (typeof MODES)[number]

function nodeOf(mode: Mode): TestNode {
  if (mode === 'longest-chain') return new TestNode(testGenesis({ depth: 2 }))
  const identity = { ...NOBODY, peer: 'own', secretKey: fromHex(alice.secretKey) }
  return new TestNode(committeeGenesis(mode, [alice]), 0, identity)
}

/** A block with a transfer from bob to any address: each changes bob's nonce and balance. */
function extend(node: TestNode, mode: Mode): void {
  const nonce = node.replica.pool.nextNonce(bob.address)
  const { height } = node.replica.tree.head.chained
  node.wait(1_000)
  node.pool(transfer({ by: bob, nonce, to: miner.address, value: 1n }))
  if (mode !== 'pbft') node.mine()
  assert.equal(node.replica.tree.head.chained.height, height + 1)
}

/** What the chain said of bob when a block was its head. */
interface Seen {
  readonly height: number
  readonly id: Hex
  readonly balance: Hex
  readonly nonce: Hex
  readonly stateRoot: Hex
}

function look(node: TestNode): Seen {
  const { chained, block, execution } = node.replica.tree.head
  const { balance, nonce } = execution.state.get(bob.address)
  return {
    height: chained.height,
    id: chained.id,
    balance: hex(balance),
    nonce: hex(nonce),
    stateRoot: block.coinbase.stateRoot,
  }
}

async function assertReads(client: RpcClient, seen: Seen): Promise<void> {
  const names = [
    hex(seen.height),
    seen.id,
    { blockHash: seen.id, requireCanonical: true },
    { blockNumber: hex(seen.height) },
  ]
  for (const name of names) {
    assert.equal(await client.result('eth_getBalance', bob.address, name), seen.balance)
    assert.equal(await client.result('eth_getTransactionCount', bob.address, name), seen.nonce)
    assert.equal(await client.result('eth_call', { to: bob.address }, name), '0x')
    assert.equal(await client.result('eth_getCode', bob.address, name), '0x')
    const all = { from: bob.address, to: miner.address, value: seen.balance }
    assert.equal(await client.result('eth_estimateGas', all, name), hex(21_000))
    const tooMuch = { ...all, value: hex(BigInt(seen.balance) + 1n) }
    assert.match((await client.error('eth_estimateGas', tooMuch, name)).message, /insufficient funds/)
  }
}

async function assertProof(client: RpcClient, seen: Seen): Promise<void> {
  const answer = await client.object('quorate_getAccountProof', bob.address, hex(seen.height))
  const leaf = answer.leaf as { path: Hex; nonce: Hex; balance: Hex }
  const account = { nonce: BigInt(leaf.nonce), balance: BigInt(leaf.balance) }
  const siblings = (answer.siblings as Hex[]).map(fromHex)
  const proof = { siblings, leaf: { path: fromHex(leaf.path), account } }
  assert.equal(answer.stateRoot, seen.stateRoot)
  assert.deepEqual(verifyAccountProof(seen.stateRoot, bob.address, proof), account)
  assert.deepEqual([hex(account.balance), hex(account.nonce)], [seen.balance, seen.nonce])
}

for (const mode of MODES) {
  test(`${mode}: reads pinned to the block of a moment ago are answered while blocks go on`, async t => {
    const node = nodeOf(mode)
    const client = await serve(t, node)
    const seen = [look(node)]
    for (let block = 0; block < 12; block++) {
      extend(node, mode)
      seen.push(look(node))
      for (const back of [1, 2, 5]) {
        const pinned = seen.at(-1 - back)
        if (pinned !== undefined) await assertReads(client, pinned)
      }
    }
    for (const one of seen) await assertReads(client, one)
    for (const one of seen) await assertProof(client, one)
  })

  test(`${mode}: the state of the last 128 final blocks is read, after a restart too`, async t => {
    const node = nodeOf(mode)
    const seen = [look(node)]
    while ((node.replica.tree.base.chained.height ?? 0) < EARLIER_STATES + 3) {
      extend(node, mode)
      seen.push(look(node))
    }
    for (const one of [node, node.restarted()]) {
      const client = await serve(t, one)
      for (const height of [3, 4, 40, EARLIER_STATES, EARLIER_STATES + 2, EARLIER_STATES + 3]) {
        await assertReads(client, seen[height]!)
        await assertProof(client, seen[height]!)
      }
      const error = await client.error('eth_getBalance', bob.address, '0x2')
      assert.equal(error.code, -32000)
      assert.match(error.message, /^missing trie node: .*\(kept from block 3\)$/)
    }
  })
}

test('a reorganisation is seen by number, and a block of the other branch by its hash', async t => {
  const genesis = testGenesis({ depth: 10 })
  const [node, other] = [new TestNode(genesis), new TestNode(genesis, 1)]
  const client = await serve(t, node)
  node.pool(transfer({ value: COIN }))
  const left = node.mine()
  node.mine()
  const balance = (block: Hex) => client.result('eth_getBalance', bob.address, block)
  assert.equal(await balance('0x1'), hex(1_001n * COIN))
  other.wait(1_000)
  node.wait(100_000)
  for (let mined = 0; mined < 4; mined++) node.receive(other.mine())
  assert.equal(await balance('0x1'), hex(1_000n * COIN))
  assert.equal(await balance(left.id), hex(1_001n * COIN))
  for (let mined = 0; mined < 10; mined++) node.receive(other.mine())
  // What is final now was never on the branch that was left.
  assert.equal(await balance('0x1'), hex(1_000n * COIN))
  assert.equal((await client.error('eth_getBalance', bob.address, left.id)).code, -39001)
})
