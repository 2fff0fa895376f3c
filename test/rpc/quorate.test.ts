// Our own methods: how far a node is, how settled a transfer is, and
// proofs that need no trust in the node.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { readCoinbase } from '../../src/chain/coinbase.ts'
import { decodeCompact } from '../../src/chain/compact.ts'
import { sha256d } from '../../src/chain/hash.ts'
import { blockId, meetsTarget, readHeader } from '../../src/chain/header.ts'
import { verifyInclusionProof } from '../../src/chain/inclusion-proof.ts'
import { rootOfBranch } from '../../src/chain/merkle.ts'
import { ByteReader, equalBytes, fromHex, type Hex, toHex, toReversedHex } from '../../src/encoding/bytes.ts'
import type { Json } from '../../src/encoding/fields.ts'
import { type Account, NO_ACCOUNT, verifyAccountProof } from '../../src/execution/state.ts'
import { exactReversal, nakamotoReversal } from '../../src/finality/reversal.ts'
import { KEYS } from '../../src/replica/records.ts'
import {
  alice,
  bob,
  COIN,
  carol,
  GWEI,
  hex,
  miner,
  serve,
  TestNode,
  testGenesis,
  transfer,
} from './harness.ts'

// The node.

test('a new node tells its network and its first block', async t => {
  const node = new TestNode()
  const { genesis } = node.replica
  const client = await serve(t, node)
  assert.deepEqual(await client.result('quorate_status'), {
    name: 'test',
    chainId: '0x4f25',
    genesisId: genesis.block.id,
    head: {
      id: genesis.block.id,
      height: '0x0',
      time: hex(genesis.block.header.time),
      work: '0x0',
      stateRoot: genesis.state.root(),
    },
    final: null,
    safe: null,
    finality: 'longest-chain',
    lag: '0x0',
    halted: null,
    muted: null,
    isMined: true,
    checkpoint: null,
    peers: '0x0',
    pool: { pending: '0x0', queued: '0x0', bytes: '0x0' },
    mining: null,
    syncing: null,
    clock: null,
    version: '1.2.3',
  })
})

test('a node tells what it has counted', async t => {
  const node = new TestNode()
  node.counted = {
    sent: new Map([
      ['block', { messages: 3, bytes: 900 }],
      ['pre-prepare', { messages: 1, bytes: 200 }],
    ]),
    signaturesChecked: 7,
    hashes: 4_096,
    reorganisations: 2,
    deepestReorganisation: 5,
  }
  const client = await serve(t, node)
  assert.deepEqual(await client.result('quorate_counters'), {
    sent: { block: { messages: '0x3', bytes: '0x384' }, 'pre-prepare': { messages: '0x1', bytes: '0xc8' } },
    signaturesChecked: '0x7',
    hashes: '0x1000',
    reorganisations: '0x2',
    deepestReorganisation: '0x5',
  })
})

test('a busy node tells what is final, what waits, its peers and its beneficiary', async t => {
  const node = new TestNode(testGenesis({ depth: 4 }))
  const client = await serve(t, node)
  node.mine(10)
  const waiting = [transfer(), transfer({ nonce: 1n }), transfer({ nonce: 9n })]
  for (const tx of waiting) node.pool(tx)
  node.peerList = [{ id: '12D3', address: '/ip4/127.0.0.1/tcp/4001', direction: 'inbound' }]
  node.progress = { height: 10, target: 300 }
  node.hashesPerSecond = 999.6
  node.setMining(miner.address, 16)
  const { tree, view } = node.replica
  const status = await client.object('quorate_status')
  assert.deepEqual(status.final, { height: '0x6', id: tree.base.chained.id })
  assert.deepEqual(status.safe, { height: '0x8', id: view.headerAt(8)!.id })
  assert.deepEqual(status.head, {
    id: tree.head.chained.id,
    height: '0xa',
    time: hex(tree.head.chained.header.time),
    work: hex(tree.head.chained.work),
    stateRoot: tree.head.block.coinbase.stateRoot,
  })
  const bytes = waiting.reduce((sum, tx) => sum + tx.raw.length, 0)
  assert.deepEqual(status.pool, { pending: '0x2', queued: '0x1', bytes: hex(bytes) })
  assert.deepEqual(status.mining, { beneficiary: miner.address, blocksLeft: '0x10', hashrate: '0x3e8' })
  assert.deepEqual(status.syncing, { height: '0xa', target: '0x12c' })
  assert.equal(status.peers, '0x1')
  assert.deepEqual(await client.result('quorate_peers'), node.peerList)
  node.setMining(miner.address, null)
  const { mining } = (await client.object('quorate_status')) as { mining: { blocksLeft: Json } }
  assert.equal(mining.blocksLeft, null)
})

test('tips are the head and the ends of all branches, with their length off the main chain', async t => {
  const genesis = testGenesis()
  const node = new TestNode(genesis)
  const other = new TestNode(genesis, 1)
  const client = await serve(t, node)
  //   genesis ── m1 ── m2 ── m3 ── m4
  //                └── b2 ── b3
  const m1 = node.mine()
  other.receive(m1)
  const [b2, b3] = [other.mine(), other.mine()]
  node.mine(2)
  node.receive(b2, b3)
  node.mine()
  const { tree } = node.replica
  const tip = (id: Hex, branchLength: Hex, status: string): Json => {
    const { height, work } = tree.get(id)!.chained
    return { id, height: hex(height), work: hex(work), branchLength, status }
  }
  assert.deepEqual(await client.result('quorate_tips'), [
    tip(tree.head.chained.id, '0x0', 'active'),
    tip(b3.id, '0x2', 'branch'),
  ])
  assert.equal(tree.head.chained.height, 4)
})

// A transaction.

test('a transaction is unknown, pending, mined, final', async t => {
  const node = new TestNode(testGenesis({ depth: 2 }))
  const client = await serve(t, node)
  const tx = transfer()
  const status = (): Promise<Json> => client.result('quorate_getTransactionStatus', tx.id)
  assert.equal(await status(), null)
  node.pool(tx)
  assert.deepEqual(await status(), { status: 'pending', queued: false })
  const block = node.mine()
  const mined = { status: 'mined', blockHash: block.id, blockNumber: '0x1' }
  assert.deepEqual(await status(), { ...mined, confirmations: '0x1', final: false })
  node.mine()
  assert.deepEqual(await status(), { ...mined, confirmations: '0x2', final: false })
  node.mine()
  assert.deepEqual(await status(), { ...mined, confirmations: '0x3', final: true })
  node.mine(20)
  assert.deepEqual(await status(), { ...mined, confirmations: '0x17', final: true })
})

test('a transaction behind a gap says which nonce it waits for', async t => {
  const node = new TestNode()
  const client = await serve(t, node)
  const tx = transfer({ nonce: 5n })
  node.pool(tx)
  const status = (): Promise<Json> => client.result('quorate_getTransactionStatus', tx.id)
  assert.deepEqual(await status(), { status: 'pending', queued: true, waitsFor: '0x0' })
  for (const nonce of [0n, 1n, 3n]) node.pool(transfer({ nonce }))
  assert.deepEqual(await status(), { status: 'pending', queued: true, waitsFor: '0x2' })
  for (const nonce of [2n, 4n]) node.pool(transfer({ nonce }))
  assert.deepEqual(await status(), { status: 'pending', queued: false })
})

test('a transaction that a better one replaced names it', async t => {
  const node = new TestNode()
  const client = await serve(t, node)
  const tx = transfer()
  const better = transfer({ maxFeePerGas: 20n * GWEI, maxPriorityFeePerGas: 2n * GWEI, to: carol.address })
  node.pool(tx)
  node.pool(better)
  const replaced = { status: 'replaced', by: better.id }
  assert.deepEqual(await client.result('quorate_getTransactionStatus', tx.id), replaced)
  assert.equal(await client.result('eth_getTransactionByHash', tx.id), null)
})

test('of a double spend one is mined, and the other says which took its place', async t => {
  const genesis = testGenesis()
  const node = new TestNode(genesis)
  const other = new TestNode(genesis, 1)
  const client = await serve(t, node)
  const status = (id: Hex): Promise<Json> => client.result('quorate_getTransactionStatus', id)
  const toBob = transfer({ value: 600n * COIN })
  const toCarol = transfer({ value: 600n * COIN, to: carol.address })
  node.pool(toBob)
  node.mine()
  assert.equal(((await status(toBob.id)) as { status: string }).status, 'mined')
  // A branch with more work holds the other.
  other.pool(toCarol)
  node.receive(other.mine(), other.mine())
  assert.deepEqual(await status(toBob.id), { status: 'replaced', by: toCarol.id })
  assert.equal(((await status(toCarol.id)) as { status: string }).status, 'mined')
  assert.equal(await client.result('eth_getTransactionReceipt', toBob.id), null)
  assert.equal(await client.result('eth_getBalance', bob.address), hex(1000n * COIN))
  assert.equal(await client.result('eth_getBalance', carol.address), hex(600n * COIN))
  const refused = await client.error('eth_sendRawTransaction', toHex(toBob.raw))
  assert.equal(refused.message, 'nonce too low')
})

test('a transaction that its sender can no longer pay is dropped, with the reason', async t => {
  const genesis = testGenesis()
  const node = new TestNode(genesis)
  const other = new TestNode(genesis, 1)
  const client = await serve(t, node)
  const first = transfer({ value: 10n * COIN })
  const second = transfer({ nonce: 1n, value: 900n * COIN })
  node.pool(first)
  node.pool(second)
  const rich = transfer({ value: 950n * COIN })
  other.pool(rich)
  node.receive(other.mine())
  const status = (id: Hex): Promise<Json> => client.result('quorate_getTransactionStatus', id)
  assert.deepEqual(await status(first.id), { status: 'replaced', by: rich.id })
  assert.deepEqual(await status(second.id), { status: 'dropped', reason: 'tx-insufficient-funds' })
})

// Finality.

test('how settled a block is: confirmations, finality, and the odds against an attacker', async t => {
  const node = new TestNode(testGenesis({ depth: 4 }))
  const client = await serve(t, node)
  const tx = transfer()
  node.pool(tx)
  const block = node.mine()
  const odds = (count: number): Json =>
    [0.1, 0.2, 0.3].map(share => ({
      share,
      exact: exactReversal(share, count),
      nakamoto: nakamotoReversal(share, count),
    }))
  const settled = (count: number, final: boolean): Json => ({
    blockHash: block.id,
    blockNumber: '0x1',
    confirmations: hex(count),
    final,
    finality: 'longest-chain',
    reversal: odds(count),
  })
  const ways: readonly Json[] = ['0x1', block.id, tx.id, { blockHash: block.id }, { blockNumber: '0x1' }]
  for (const way of ways)
    assert.deepEqual(await client.result('quorate_finalityStatus', way), settled(1, false))
  assert.deepEqual(await client.result('quorate_finalityStatus'), settled(1, false))
  node.mine(4)
  for (const way of ways)
    assert.deepEqual(await client.result('quorate_finalityStatus', way), settled(5, true))
  assert.deepEqual(await client.result('quorate_finalityStatus', 'finalized'), settled(5, true))
  assert.equal(await client.result('quorate_finalityStatus', transfer({ nonce: 1n }).id), null)
  assert.equal(await client.result('quorate_finalityStatus', '0x64'), null)
})

test('a block beside the main chain has no confirmations and is sure to be reversed', async t => {
  const genesis = testGenesis()
  const node = new TestNode(genesis)
  const branch = new TestNode(genesis, 1).mine()
  node.mine(3)
  node.receive(branch)
  const status = await (await serve(t, node)).object('quorate_finalityStatus', branch.id)
  assert.deepEqual([status.confirmations, status.final], ['0x0', false])
  assert.deepEqual((status.reversal as { exact: number }[])[0], { share: 0.1, exact: 1, nakamoto: 1 })
})

// Proofs. What follows uses nothing of the node but its answers, and trusts only the work of a header.

interface BlockProof {
  readonly blockHash: Hex
  readonly headerHex: Hex
  readonly coinbase: Hex
  readonly coinbaseBranch: readonly Hex[]
}

/**
 * What a light client learns from a proof's header and coinbase record; throws unless they belong together.
 */
function readBlockProof(proof: BlockProof) {
  const header = readHeader(new ByteReader(fromHex(proof.headerHex)))
  assert.equal(blockId(header), proof.blockHash)
  assert.ok(meetsTarget(blockId(header), decodeCompact(header.bits)!))
  const leaf = sha256d(fromHex(proof.coinbase))
  assert.equal(toReversedHex(rootOfBranch(leaf, 0, proof.coinbaseBranch.map(fromHex))), header.merkleRoot)
  return { header, coinbase: readCoinbase(new ByteReader(fromHex(proof.coinbase))) }
}

interface AccountAnswer extends BlockProof {
  readonly blockNumber: Hex
  readonly stateRoot: Hex
  readonly nonce: Hex
  readonly balance: Hex
  readonly siblings: readonly Hex[]
  readonly leaf: { readonly path: Hex; readonly nonce: Hex; readonly balance: Hex } | null
}

/** The account that an answer proves under its header's work. */
function provenAccount(address: Hex, answer: AccountAnswer): Account | null {
  const { coinbase } = readBlockProof(answer)
  assert.equal(coinbase.stateRoot, answer.stateRoot)
  assert.equal(hex(coinbase.height), answer.blockNumber)
  const leaf = answer.leaf && {
    path: fromHex(answer.leaf.path),
    account: { nonce: BigInt(answer.leaf.nonce), balance: BigInt(answer.leaf.balance) },
  }
  return verifyAccountProof(coinbase.stateRoot, address, { siblings: answer.siblings.map(fromHex), leaf })
}

test("an account is proven under a header's work, and so is that there is none", async t => {
  const { node, client } = await chainWithTransfers(t)
  const ask = async (...params: readonly Json[]): Promise<AccountAnswer> =>
    (await client.result('quorate_getAccountProof', ...params)) as unknown as AccountAnswer
  const { state } = node.replica.tree.head.execution
  for (const { address } of [alice, bob, miner]) {
    const answer = await ask(address)
    assert.deepEqual(provenAccount(address, answer), state.get(address))
    assert.deepEqual(
      { nonce: answer.nonce, balance: answer.balance },
      { nonce: hex(state.get(address).nonce), balance: hex(state.get(address).balance) },
    )
  }
  assert.deepEqual(provenAccount(carol.address, await ask(carol.address)), NO_ACCOUNT)
  const earlier = await ask(alice.address, '0x1')
  assert.equal(provenAccount(alice.address, earlier)?.nonce, 0n)
  // A richer alice is not proven by it.
  const lie = { ...earlier, leaf: { ...earlier.leaf!, balance: hex(10n ** 30n) } }
  assert.equal(provenAccount(alice.address, lie), null)
})

test("a transaction is proven under a header's work", async t => {
  const { client, sent } = await chainWithTransfers(t)
  for (const [index, tx] of sent.entries()) {
    const answer = await client.object('quorate_getInclusionProof', tx.id)
    const { raw, merkleBranch, transactionIndex } = answer as {
      raw: Hex
      merkleBranch: Hex[]
      transactionIndex: Hex
    }
    assert.deepEqual([raw, transactionIndex], [toHex(tx.raw), hex(index)])
    const { header, coinbase } = readBlockProof(answer as unknown as BlockProof)
    assert.equal(coinbase.transactionCount, sent.length)
    const branch = merkleBranch.map(fromHex)
    const rootFrom = (bytes: Uint8Array, place: number): Hex =>
      toReversedHex(rootOfBranch(sha256d(bytes), place, branch))
    assert.equal(rootFrom(fromHex(raw), index + 1), header.merkleRoot)
    assert.notEqual(rootFrom(fromHex(raw).fill(0, 40, 50), index + 1), header.merkleRoot)
    assert.ok(!equalBytes(fromHex(raw), transfer({ nonce: 90n }).raw))
    const proven = verifyInclusionProof(answer.blockHash as Hex, answer)
    assert.equal(typeof proven === 'object' && proven.transaction.id, tx.id)
  }
})

test('what is in no block has no inclusion proof', async t => {
  const node = new TestNode(testGenesis({ depth: 2 }))
  const client = await serve(t, node)
  const tx = transfer()
  node.pool(tx)
  assert.equal(await client.result('quorate_getInclusionProof', tx.id), null)
  node.mine(9)
  assert.equal((await client.object('quorate_getInclusionProof', tx.id)).blockNumber, '0x1')
})

test('a proof that the records on disk do not bear out stops the node', async t => {
  const node = new TestNode(testGenesis({ depth: 2 }))
  node.mine(8)
  const record = node.records.get(KEYS.undo(4))!
  record[record.length - 1]! ^= 1
  const client = await serve(t, node)
  assert.equal((await client.error('quorate_getAccountProof', miner.address, '0x3')).code, -32603)
  assert.match(node.damage!.message, /do not lead to the state root of block 3/)
})

/** Block 2 holds three transfers. */
async function chainWithTransfers(t: TestContext) {
  const node = new TestNode()
  node.mine()
  const sent = [0n, 1n, 2n].map(nonce => transfer({ nonce }))
  for (const tx of sent) node.pool(tx)
  node.mine()
  return { node, sent, client: await serve(t, node) }
}
