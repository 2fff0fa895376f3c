// What Ethereum's methods answer, against a chain whose every block and
// transaction the test knows.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { decodeCompact, workOfTarget } from '../../src/chain/compact.ts'
import { keccak256 } from '../../src/chain/hash.ts'
import { encodeHeader } from '../../src/chain/header.ts'
import { toHex } from '../../src/encoding/bytes.ts'
import type { Json } from '../../src/encoding/fields.ts'
import {
  alice,
  baseFeeNow,
  bob,
  COIN,
  carol,
  GWEI,
  hex,
  miner,
  rawOf,
  serve,
  TestNode,
  testGenesis,
  transfer,
} from './harness.ts'

test('the chain, the program and the network say who they are', async t => {
  const node = new TestNode()
  const client = await serve(t, node)
  assert.equal(await client.result('eth_chainId'), '0x4f25')
  assert.equal(await client.result('net_version'), '20261')
  assert.equal(await client.result('web3_clientVersion'), 'quorate/v1.2.3')
  assert.equal(await client.result('net_listening'), true)
  assert.equal(await client.result('net_peerCount'), '0x0')
  node.peerList = [{ id: 'p', address: '/ip4/127.0.0.1/tcp/1', direction: 'outbound' }]
  assert.equal(await client.result('net_peerCount'), '0x1')
  assert.deepEqual(await client.result('eth_accounts'), [])
  assert.equal(await client.result('eth_blockNumber'), '0x0')
  node.mine(17)
  assert.equal(await client.result('eth_blockNumber'), '0x11')
  assert.equal(await client.result('web3_sha3', '0x'), toHex(keccak256(new Uint8Array())))
})

test('eth_syncing is false, or says from where to where', async t => {
  const node = new TestNode()
  const client = await serve(t, node)
  assert.equal(await client.result('eth_syncing'), false)
  node.progress = { height: 5, target: 100 }
  assert.deepEqual(await client.result('eth_syncing'), {
    startingBlock: '0x0',
    currentBlock: '0x5',
    highestBlock: '0x64',
  })
})

test('mining is shown to every client', async t => {
  const node = new TestNode()
  const client = await serve(t, node)
  assert.equal(await client.result('eth_mining'), false)
  assert.equal(await client.result('eth_hashrate'), '0x0')
  assert.deepEqual(await client.error('eth_coinbase'), {
    code: -32000,
    message: 'etherbase must be explicitly specified',
  })
  node.setMining(miner.address, null)
  node.hashesPerSecond = 1000.4
  assert.equal(await client.result('eth_mining'), true)
  assert.equal(await client.result('eth_hashrate'), '0x3e8')
  assert.equal(await client.result('eth_coinbase'), miner.address)
})

test('a block has the fields of Ethereum, with the values of the chain', async t => {
  const { node, client, sent } = await minedTransfer(t)
  const { block, chained } = node.replica.tree.head
  const { header, coinbase } = block
  const expected = {
    hash: block.id,
    parentHash: header.previous,
    sha3Uncles: toHex(keccak256(Uint8Array.of(0xc0))),
    miner: miner.address,
    stateRoot: coinbase.stateRoot,
    transactionsRoot: header.merkleRoot,
    receiptsRoot: coinbase.receiptsRoot,
    logsBloom: `0x${'0'.repeat(512)}`,
    difficulty: hex(workOfTarget(decodeCompact(header.bits)!)),
    number: '0x3',
    gasLimit: hex(30_000_000),
    gasUsed: hex(21_000),
    timestamp: hex(header.time),
    extraData: toHex(coinbase.extraNonce),
    mixHash: `0x${'0'.repeat(64)}`,
    nonce: `0x${header.nonce.toString(16).padStart(16, '0')}`,
    baseFeePerGas: hex(coinbase.baseFee),
    size: hex(block.raw.length),
    transactions: [sent.id],
    uncles: [],
    bits: '0x207fffff',
    headerHex: toHex(encodeHeader(header)),
    work: hex(chained.work),
    final: false,
  }
  assert.deepEqual(await client.result('eth_getBlockByNumber', '0x3', false), expected)
  assert.deepEqual(await client.result('eth_getBlockByNumber', 'latest'), expected)
  assert.deepEqual(await client.result('eth_getBlockByNumber'), expected)
  assert.deepEqual(await client.result('eth_getBlockByHash', block.id, false), expected)
  const whole = await client.object('eth_getBlockByHash', block.id, true)
  assert.deepEqual(whole, {
    ...expected,
    transactions: [await client.result('eth_getTransactionByHash', sent.id)],
  })
})

test('a transaction has the fields of its type, mined or pending', async t => {
  const { node, client, sent } = await minedTransfer(t)
  const { block } = node.replica.tree.head
  const own = {
    hash: sent.id,
    from: alice.address,
    nonce: '0x0',
    gas: '0x5208',
    to: bob.address,
    value: hex(COIN),
    input: '0x',
    type: '0x2',
    chainId: '0x4f25',
    v: hex(sent.yParity),
    r: hex(sent.r),
    s: hex(sent.s),
    yParity: hex(sent.yParity),
    maxFeePerGas: hex(10n * GWEI),
    maxPriorityFeePerGas: hex(GWEI),
    accessList: [],
  }
  assert.deepEqual(await client.result('eth_getTransactionByHash', sent.id), {
    ...own,
    gasPrice: hex(block.coinbase.baseFee + GWEI),
    blockHash: block.id,
    blockNumber: '0x3',
    blockTimestamp: hex(block.header.time),
    transactionIndex: '0x0',
  })
  const nowhere = { blockHash: null, blockNumber: null, blockTimestamp: null, transactionIndex: null }
  const legacy = transfer({
    type: 'legacy',
    by: bob,
    to: carol.address,
    data: Uint8Array.of(0, 0xff),
    gasLimit: 30_000n,
  })
  node.pool(legacy)
  assert.deepEqual(await client.result('eth_getTransactionByHash', legacy.id), {
    hash: legacy.id,
    from: bob.address,
    nonce: '0x0',
    gas: '0x7530',
    to: carol.address,
    value: hex(COIN),
    input: '0x00ff',
    type: '0x0',
    chainId: '0x4f25',
    v: hex(20_261 * 2 + 35 + legacy.yParity),
    r: hex(legacy.r),
    s: hex(legacy.s),
    gasPrice: hex(10n * GWEI),
    ...nowhere,
  })
  assert.equal(await client.result('eth_getTransactionByHash', block.id), null)
})

test('a receipt has exactly the published fields and what the sender paid', async t => {
  const { node, client, sent, before } = await minedTransfer(t)
  const { block } = node.replica.tree.head
  const receipt = {
    transactionHash: sent.id,
    transactionIndex: '0x0',
    blockHash: block.id,
    blockNumber: '0x3',
    from: alice.address,
    to: bob.address,
    cumulativeGasUsed: '0x5208',
    gasUsed: '0x5208',
    effectiveGasPrice: hex(block.coinbase.baseFee + GWEI),
    contractAddress: null,
    logs: [],
    logsBloom: `0x${'0'.repeat(512)}`,
    type: '0x2',
    status: '0x1',
  }
  assert.deepEqual(await client.result('eth_getTransactionReceipt', sent.id), receipt)
  assert.deepEqual(await client.result('eth_getBlockReceipts', 'latest'), [receipt])
  const paid = BigInt(receipt.gasUsed) * BigInt(receipt.effectiveGasPrice) + COIN
  const after = BigInt(String(await client.result('eth_getBalance', alice.address)))
  assert.equal(before - after, paid)
  assert.equal(await client.result('eth_getTransactionReceipt', transfer({ nonce: 7n }).id), null)
})

test('receipts of one block count its gas on', async t => {
  const node = new TestNode()
  node.pool(transfer({ maxPriorityFeePerGas: 3n * GWEI }))
  node.pool(transfer({ nonce: 1n, data: Uint8Array.of(1), gasLimit: 40_000n }))
  node.pool(transfer({ by: bob, type: 'legacy', maxFeePerGas: GWEI }))
  const block = node.mine()
  const client = await serve(t, node)
  const receipts = (await client.result('eth_getBlockReceipts', '0x1')) as { [name: string]: string }[]
  assert.deepEqual(
    receipts.map(({ gasUsed }) => Number(gasUsed)),
    [21_000, 21_016, 21_000],
  )
  assert.deepEqual(
    receipts.map(({ cumulativeGasUsed }) => Number(cumulativeGasUsed)),
    [21_000, 42_016, 63_016],
  )
  assert.equal(Number(receipts[2]!.cumulativeGasUsed), Number(block.coinbase.gasUsed))
  // What the chain itself says of them.
  assert.deepEqual(
    receipts.map(({ gasUsed, cumulativeGasUsed, effectiveGasPrice }) => ({
      gasUsed: BigInt(gasUsed!),
      cumulativeGasUsed: BigInt(cumulativeGasUsed!),
      effectiveGasPrice: BigInt(effectiveGasPrice!),
    })),
    node.replica.tree.head.execution.receipts,
  )
  for (const [index, receipt] of receipts.entries()) {
    assert.deepEqual(await client.result('eth_getTransactionReceipt', block.transactions[index]!.id), receipt)
  }
})

test('transactions are found and counted by block and place', async t => {
  const { node, client, sent } = await minedTransfer(t)
  const { id } = node.replica.tree.head.chained
  const whole = await client.result('eth_getTransactionByHash', sent.id)
  assert.deepEqual(await client.result('eth_getTransactionByBlockHashAndIndex', id, '0x0'), whole)
  assert.deepEqual(await client.result('eth_getTransactionByBlockNumberAndIndex', '0x3', '0x0'), whole)
  assert.equal(await client.result('eth_getTransactionByBlockNumberAndIndex', '0x3', '0x1'), null)
  assert.equal(await client.result('eth_getTransactionByBlockNumberAndIndex', '0x3', hex(2n ** 64n)), null)
  assert.equal(await client.result('eth_getBlockTransactionCountByHash', id), '0x1')
  assert.equal(await client.result('eth_getBlockTransactionCountByNumber', '0x2'), '0x0')
  assert.equal(await client.result('eth_getBlockTransactionCountByNumber', '0x4'), null)
})

test('a missing block is null, and an error where its state is asked for', async t => {
  const client = await serve(t, new TestNode())
  const nowhere = `0x${'ab'.repeat(32)}`
  assert.equal(await client.result('eth_getBlockByNumber', '0x1', false), null)
  assert.equal(await client.result('eth_getBlockByNumber', hex(2n ** 255n), false), null)
  assert.equal(await client.result('eth_getBlockByHash', nowhere, true), null)
  assert.equal(await client.result('eth_getBlockReceipts', nowhere), null)
  for (const block of ['0x1', nowhere, { blockNumber: '0x1' }, { blockHash: nowhere }]) {
    assert.deepEqual(await client.error('eth_getBalance', alice.address, block), UNKNOWN_BLOCK)
    assert.deepEqual(await client.error('eth_getCode', alice.address, block), UNKNOWN_BLOCK)
  }
})

test('accounts are read at any block whose state is kept', async t => {
  const { node, client } = await minedTransfer(t)
  const balance = (block: Json): Promise<Json> => client.result('eth_getBalance', bob.address, block)
  assert.equal(await balance('0x2'), hex(1000n * COIN))
  assert.equal(await balance('0x3'), hex(1001n * COIN))
  assert.equal(await balance('pending'), hex(1001n * COIN))
  assert.equal(await balance('earliest'), hex(1000n * COIN))
  assert.equal(await client.result('eth_getBalance', carol.address), '0x0')
  const mixed = `0x${alice.address.slice(2).toUpperCase()}`
  assert.equal(await client.result('eth_getTransactionCount', mixed), '0x1')
  assert.equal(await client.result('eth_getTransactionCount', alice.address, '0x2'), '0x0')
  assert.equal(await client.result('eth_getCode', alice.address, 'latest'), '0x')
  assert.equal(await client.result('eth_getStorageAt', alice.address, '0x0', 'latest'), `0x${'0'.repeat(64)}`)
  assert.equal(node.replica.pool.size, 0)
})

test('a pending nonce counts what waits, but not what waits behind a gap', async t => {
  const node = new TestNode()
  node.pool(transfer())
  node.pool(transfer({ nonce: 1n }))
  node.pool(transfer({ nonce: 3n }))
  const client = await serve(t, node)
  assert.equal(await client.result('eth_getTransactionCount', alice.address, 'pending'), '0x2')
  assert.equal(await client.result('eth_getTransactionCount', alice.address, 'latest'), '0x0')
})

test('a block is named by EIP-1898 too, and a branch counts only when canonical is not required', async t => {
  const genesis = testGenesis()
  const node = new TestNode(genesis)
  const other = new TestNode(genesis, 1)
  const branch = other.mine(1, carol.address)
  node.mine(2)
  node.receive(branch)
  const client = await serve(t, node)
  const balance = (block: Json): Promise<Json> => client.result('eth_getBalance', carol.address, block)
  const main = node.replica.tree.head.chained.id
  assert.equal(await balance({ blockNumber: '0x1' }), '0x0')
  assert.equal(await balance({ blockNumber: 'latest' }), '0x0')
  assert.equal(await balance({ blockHash: main, requireCanonical: true }), '0x0')
  assert.equal(await balance({ blockHash: branch.id }), hex(2n * COIN))
  assert.equal(await balance(branch.id), hex(2n * COIN))
  const refused = { code: -32000, message: 'hash is not currently canonical' }
  const canonical = { blockHash: branch.id, requireCanonical: true }
  assert.deepEqual(await client.error('eth_getBalance', carol.address, canonical), refused)
  for (const wrong of [
    {},
    { blockHash: main, blockNumber: '0x1' },
    { blockNumber: main },
    { blockHash: '0x1' },
    [main],
  ]) {
    assert.equal((await client.error('eth_getBalance', carol.address, wrong)).code, -32602)
  }
})

test('before anything is final, finalized and safe are unknown blocks', async t => {
  const node = new TestNode(testGenesis({ depth: 4 }))
  const client = await serve(t, node)
  const askAll = async (expected: (tag: string) => Promise<void>): Promise<void> => {
    for (const tag of ['finalized', 'safe']) await expected(tag)
  }
  const isUnknown = async (tag: string): Promise<void> => {
    assert.deepEqual(await client.error('eth_getBlockByNumber', tag, false), UNKNOWN_BLOCK)
    assert.deepEqual(await client.error('eth_getBalance', alice.address, tag), UNKNOWN_BLOCK)
    assert.deepEqual(await client.error('eth_getTransactionCount', alice.address, tag), UNKNOWN_BLOCK)
    assert.deepEqual(await client.error('eth_feeHistory', '0x1', tag, []), UNKNOWN_BLOCK)
  }
  await askAll(isUnknown)
  node.mine(4)
  await askAll(isUnknown)
})

test('finalized is the last final block, and safe lies between it and the head', async t => {
  const node = new TestNode(testGenesis({ depth: 4 }))
  node.mine(10)
  const client = await serve(t, node)
  const numberAt = async (tag: string): Promise<Json> =>
    (await client.object('eth_getBlockByNumber', tag, false)).number!
  assert.equal(await numberAt('finalized'), '0x6')
  assert.equal(await numberAt('safe'), '0x8')
  assert.equal(await numberAt('latest'), '0xa')
  assert.equal(await numberAt('pending'), '0xa')
  assert.equal(await numberAt('earliest'), '0x0')
  assert.equal((await client.object('eth_getBlockByNumber', '0x6')).final, true)
  assert.equal((await client.object('eth_getBlockByNumber', '0x7')).final, false)
  assert.equal(await client.result('eth_getBalance', miner.address, 'finalized'), hex(12n * COIN))
})

test('final blocks that are old have no state any more, and the error says from where on it is kept', async t => {
  const node = new TestNode(testGenesis({ depth: 4 }))
  node.mine(140)
  const client = await serve(t, node)
  const message = 'missing trie node: the state after block 7 is not kept any more (kept from block 8)'
  for (const method of ['eth_getBalance', 'eth_getTransactionCount', 'quorate_getAccountProof'])
    assert.deepEqual(await client.error(method, alice.address, '0x7'), { code: -32000, message })
  assert.equal((await client.error('eth_getBalance', alice.address, 'earliest')).code, -32000)
  assert.equal((await client.error('eth_estimateGas', { to: bob.address }, '0x7')).code, -32000)
  assert.equal(await client.result('eth_getBalance', miner.address, '0x8'), hex(16n * COIN))
  // The blocks themselves are.
  assert.equal((await client.object('eth_getBlockByNumber', '0x5', true)).number, '0x5')
  assert.equal((await client.object('eth_getBlockByNumber', '0x5', true)).work, null)
})

test('final transactions keep their receipts', async t => {
  const node = new TestNode(testGenesis({ depth: 2 }))
  const tx = transfer()
  node.pool(tx)
  const block = node.mine()
  node.mine(9)
  const client = await serve(t, node)
  assert.equal((await client.object('eth_getTransactionReceipt', tx.id)).blockHash, block.id)
  assert.equal((await client.object('eth_getTransactionByHash', tx.id)).blockNumber, '0x1')
})

test('a call returns nothing and a transfer costs its intrinsic gas', async t => {
  const client = await serve(t, new TestNode())
  const call = { from: alice.address, to: bob.address }
  assert.equal(await client.result('eth_call', call, 'latest'), '0x')
  assert.equal(await client.result('eth_call', { to: carol.address, data: '0x70a08231' }, 'latest', {}), '0x')
  assert.equal(await client.result('eth_estimateGas', call), hex(21_000))
  assert.equal(await client.result('eth_estimateGas', { ...call, value: hex(COIN) }, 'pending'), hex(21_000))
  assert.equal(await client.result('eth_estimateGas', { ...call, input: '0x00ff' }), hex(21_020))
  assert.equal(await client.result('eth_estimateGas', { ...call, data: '0x00ff' }), hex(21_020))
  assert.equal(await client.result('eth_estimateGas', { ...call, data: '0x01', input: '0x01' }), hex(21_016))
  const accessList = [{ address: bob.address, storageKeys: [`0x${'00'.repeat(32)}`] }]
  assert.equal(await client.result('eth_estimateGas', { ...call, accessList }), hex(21_000 + 2_400 + 1_900))
  // Without a sender no balance is checked.
  assert.equal(
    await client.result('eth_estimateGas', { to: bob.address, value: hex(10n ** 30n) }),
    hex(21_000),
  )
})

test('an estimate says why a transfer could not be', async t => {
  const client = await serve(t, new TestNode())
  const refused = async (request: Json, reason: string, message: string): Promise<void> =>
    assert.deepEqual(await client.error('eth_estimateGas', request), {
      code: -32000,
      message,
      data: { reason },
    })
  const noContract = 'contract creation is not supported: this chain carries transfers only'
  await refused({ from: alice.address, data: '0x6000' }, 'tx-creates-contract', noContract)
  await refused({ from: alice.address, to: null, data: '0x6000' }, 'tx-creates-contract', noContract)
  assert.equal((await client.error('eth_call', { data: '0x6000' }, 'latest')).message, noContract)
  const poor = 'insufficient funds for gas * price + value'
  await refused({ from: carol.address, to: bob.address, value: '0x1' }, 'tx-insufficient-funds', poor)
  const all = { from: alice.address, to: bob.address, value: hex(1000n * COIN) }
  assert.equal(await client.result('eth_estimateGas', all), hex(21_000))
  await refused({ ...all, maxFeePerGas: '0x1' }, 'tx-insufficient-funds', poor)
  await refused({ ...all, gasPrice: '0x1' }, 'tx-insufficient-funds', poor)
  await refused({ to: bob.address, gas: '0x5207' }, 'tx-gas-below-intrinsic', 'intrinsic gas too low')
  const small = await serve(t, new TestNode(testGenesis({ gasLimit: 21_000 })))
  const long = { to: bob.address, data: '0xff' }
  assert.equal((await small.error('eth_estimateGas', long)).message, 'exceeds block gas limit')
  for (const wrong of [
    null,
    'x',
    [],
    { to: 'x' },
    { to: bob.address, value: 1 },
    { to: bob.address, data: '0x0' },
  ]) {
    assert.equal((await client.error('eth_estimateGas', wrong)).code, -32602)
  }
  const differ = await client.error('eth_call', { to: bob.address, data: '0x01', input: '0x02' })
  assert.deepEqual(differ, { code: -32602, message: 'input and data are both given and differ: give one' })
})

test('there are no logs, in a range of at most 1000 blocks', async t => {
  const node = new TestNode()
  const id = node.mine(3).id
  const client = await serve(t, node)
  for (const filter of [
    {},
    { fromBlock: '0x0', toBlock: 'latest' },
    { blockHash: id },
    { toBlock: hex(1002) },
  ]) {
    assert.deepEqual(await client.result('eth_getLogs', filter), [])
  }
  for (const [filter, text] of [
    [{ fromBlock: '0x0', toBlock: hex(1000) }, 'the filter spans more than 1000 blocks'],
    [{ fromBlock: 'earliest', toBlock: hex(2n ** 200n) }, 'the filter spans more than 1000 blocks'],
    [{ fromBlock: '0x2', toBlock: '0x1' }, 'fromBlock 2 is above toBlock 1'],
  ] as const) {
    assert.deepEqual(await client.error('eth_getLogs', filter), { code: -32602, message: text })
  }
  assert.equal((await client.error('eth_getLogs', { blockHash: id, toBlock: '0x1' })).code, -32602)
  assert.deepEqual(await client.error('eth_getLogs', { blockHash: `0x${'ab'.repeat(32)}` }), UNKNOWN_BLOCK)
})

test('the pool is shown by sender and nonce, what waits behind a gap apart', async t => {
  const node = new TestNode()
  const first = transfer()
  const behindGap = transfer({ nonce: 2n })
  const other = transfer({ by: bob, nonce: 5n, to: alice.address })
  for (const tx of [first, behindGap, other]) node.pool(tx)
  const client = await serve(t, node)
  const shown = (id: string): Promise<Json> => client.result('eth_getTransactionByHash', id)
  assert.deepEqual(await client.result('txpool_status'), { pending: '0x1', queued: '0x2' })
  assert.deepEqual(await client.result('txpool_content'), {
    pending: { [alice.address]: { 0: await shown(first.id) } },
    queued: {
      [alice.address]: { 2: await shown(behindGap.id) },
      [bob.address]: { 5: await shown(other.id) },
    },
  })
  assert.deepEqual(await client.result('txpool_contentFrom', bob.address), {
    pending: {},
    queued: { 5: await shown(other.id) },
  })
  assert.deepEqual(await client.result('txpool_contentFrom', carol.address), { pending: {}, queued: {} })
})

test('a transaction is submitted, waits, is mined and has its receipt', async t => {
  const node = new TestNode()
  const client = await serve(t, node)
  const tx = transfer()
  assert.equal(await client.result('eth_sendRawTransaction', rawOf(tx)), tx.id)
  assert.equal(node.replica.pool.get(tx.id)?.sender, alice.address)
  node.mine()
  assert.equal((await client.object('eth_getTransactionReceipt', tx.id)).status, '0x1')
  assert.ok(baseFeeNow(node) < GWEI)
})

const UNKNOWN_BLOCK = { code: -39001, message: 'Unknown block' }

/** Block 3 holds one transfer, of one coin from alice to bob. */
async function minedTransfer(t: TestContext) {
  const node = new TestNode()
  node.mine(2)
  const before = node.replica.tree.head.execution.state.get(alice.address).balance
  const sent = transfer()
  node.pool(sent)
  node.mine()
  return { node, sent, before, client: await serve(t, node) }
}
