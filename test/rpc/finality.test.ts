// What is final by certificate, as clients are told it: tags, proofs, evidence, and where the validators stand.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { fromHex } from '../../src/encoding/bytes.ts'
import type { Json } from '../../src/encoding/fields.ts'
import type { Genesis } from '../../src/execution/genesis.ts'
import { readFinalityProof } from '../../src/finality/finality-proof.ts'
import { NOBODY } from '../../src/finality/registry.ts'
import { verifyFinalityProof } from '../../src/finality/verify-proof.ts'
import {
  alice,
  bob,
  carol,
  committeeFile,
  committeeGenesis,
  miner,
  type Person,
  serve,
  TestNode,
  testGenesis,
  transfer,
} from './harness.ts'

/** The node of a validator. */
function nodeOf(person: Person, genesis: Genesis): TestNode {
  return new TestNode(genesis, 0, { ...NOBODY, peer: 'own', secretKey: fromHex(person.secretKey) })
}

/** The only validator of a network without work: what it proposes is decided at once. */
async function alone(t: TestContext) {
  const node = nodeOf(alice, committeeGenesis('pbft', [alice]))
  return { node, client: await serve(t, node) }
}

/** Puts a transfer into the next block, a second later. */
function decide(node: TestNode, nonce: bigint): void {
  node.wait(1_000)
  node.pool(transfer({ nonce }))
}

test('finalized and safe are no block before the first certificate, and the certified one after it', async t => {
  const { node, client } = await alone(t)
  for (const tag of ['finalized', 'safe']) {
    assert.equal((await client.error('eth_getBlockByNumber', tag, false)).code, -39001)
    assert.equal((await client.error('quorate_getFinalityProof', tag)).code, -39001)
  }
  decide(node, 0n)
  for (const tag of ['latest', 'finalized', 'safe'])
    assert.equal((await client.object('eth_getBlockByNumber', tag, false)).number, '0x1', tag)
})

test('hybrid: finalized is the certified block below the head, and what lies above it is left to work', async t => {
  const node = nodeOf(alice, committeeGenesis('hybrid', [alice]))
  const client = await serve(t, node)
  node.mine(2)
  assert.equal((await client.error('eth_getBlockByNumber', 'finalized', false)).code, -39001)
  node.mine(3)
  assert.equal((await client.object('eth_getBlockByNumber', 'finalized', false)).number, '0x3')
  const { lag, final, halted, isMined } = await client.object('quorate_status')
  assert.deepEqual([lag, (final as { height: Json }).height, halted, isMined], ['0x2', '0x3', null, true])
  assert.equal((await client.object('quorate_finalityStatus', '0x3')).reversal, null)
  assert.notEqual((await client.object('quorate_finalityStatus', '0x4')).reversal, null)
})

test('a proof of any final block verifies with the genesis file alone', async t => {
  const node = nodeOf(alice, committeeGenesis('hybrid', [alice]))
  const client = await serve(t, node)
  node.mine(6)
  for (const height of [1, 4]) {
    const proof = await client.result('quorate_getFinalityProof', `0x${height}`)
    const { id } = node.replica.view.headerAt(height)!
    assert.deepEqual(readFinalityProof(proof).block, { id, height })
    const verified = verifyFinalityProof(committeeFile('hybrid', [alice]), proof)
    assert.deepEqual(verified, { block: id, signers: ['v1'] })
  }
  const last = readFinalityProof(await client.result('quorate_getFinalityProof'))
  assert.equal(last.block.height, 4)
})

test('there is no proof of what is not final, of the genesis block, or without validators', async t => {
  const node = nodeOf(alice, committeeGenesis('hybrid', [alice]))
  const client = await serve(t, node)
  node.mine(5)
  const message = async (...params: Json[]) =>
    (await client.error('quorate_getFinalityProof', ...params)).message
  assert.equal(await message('0x5'), 'block 5 is not final')
  assert.equal(await message('0x0'), 'the genesis block needs no proof')
  assert.equal(await message('0x64'), 'Unknown block')
  const mined = new TestNode(testGenesis({ depth: 1 }))
  mined.mine(3)
  const other = await serve(t, mined)
  for (const method of ['quorate_getFinalityProof', 'quorate_getEvidence', 'quorate_finalityReport'])
    assert.match((await other.error(method)).message, /no validators: its finality is longest-chain/)
})

test('without work there is no probability of reversal, no mining, and a coinbase all the same', async t => {
  const { node, client } = await alone(t)
  decide(node, 0n)
  const { final, reversal } = await client.object('quorate_finalityStatus')
  assert.deepEqual({ final, reversal }, { final: true, reversal: null })
  node.setMining(miner.address, null)
  const { mining, isMined, lag } = await client.object('quorate_status')
  assert.deepEqual({ mining, isMined, lag }, { mining: null, isMined: false, lag: '0x0' })
  assert.equal(await client.result('eth_mining'), false)
  assert.equal(await client.result('eth_coinbase'), miner.address)
  decide(node, 1n)
  assert.equal((await client.object('eth_getBlockByNumber', 'latest', false)).miner, miner.address)
})

test('the report says what is due, which validators are linked and what the last certificate was', async t => {
  const { node, client } = await alone(t)
  decide(node, 0n)
  const report = await client.object('quorate_finalityReport')
  const { mode, quorum, self, sequence, isWaiting, head, final, lag, lastCertificate, validators } = report
  assert.deepEqual(
    { mode, quorum, self, sequence, isWaiting, head, final, lag },
    { mode: 'pbft', quorum: 1, self: 0, sequence: 1, isWaiting: false, head: 1, final: 1, lag: 0 },
  )
  const { id } = node.replica.tree.head.chained
  assert.deepEqual(lastCertificate, { sequence: 1, view: 0, height: 1, id, signers: ['v1'] })
  assert.equal((validators as Json[]).length, 1)
  assert.deepEqual(await client.result('quorate_getEvidence'), [])
})

test('one of four alone decides nothing, and its report says that something waits', async t => {
  const node = nodeOf(alice, committeeGenesis('pbft', [alice, bob, carol, miner]))
  const client = await serve(t, node)
  decide(node, 0n)
  const { isWaiting, sequence, validators } = await client.object('quorate_finalityReport')
  assert.deepEqual({ isWaiting, sequence }, { isWaiting: true, sequence: 0 })
  const linked = (validators as { name: string; isLinked: boolean }[]).filter(({ isLinked }) => isLinked)
  assert.deepEqual(
    linked.map(({ name }) => name),
    ['v1'],
  )
})
