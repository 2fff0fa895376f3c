// A client that was not written for this chain: viem, unmodified.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import {
  createPublicClient,
  createWalletClient,
  defineChain,
  type Hash,
  http,
  InsufficientFundsError,
  NonceTooLowError,
  parseEther,
  parseGwei,
} from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { alice, bob, COIN, carol, miner, rawOf, serve, TestNode, testGenesis, transfer } from './harness.ts'

test('viem reads blocks, balances, nonces and fees', async t => {
  const { node, reader } = await connect(t)
  node.pool(transfer())
  const block = node.mine()
  assert.equal(await reader.getChainId(), 20261)
  assert.equal(await reader.getBlockNumber({ cacheTime: 0 }), 1n)
  assert.equal(await reader.getBalance({ address: bob.address }), 1001n * COIN)
  assert.equal(await reader.getTransactionCount({ address: alice.address }), 1)
  const latest = await reader.getBlock({ includeTransactions: true })
  assert.deepEqual([latest.hash, latest.number, latest.gasUsed], [block.id, 1n, 21_000n])
  assert.deepEqual([latest.transactions[0]?.from, latest.transactions[0]?.type], [alice.address, 'eip1559'])
  assert.equal((await reader.getBlock({ blockHash: block.id })).miner, miner.address)
  const { maxFeePerGas, maxPriorityFeePerGas } = await reader.estimateFeesPerGas()
  assert.equal(maxPriorityFeePerGas, parseGwei('1'))
  assert.ok(maxFeePerGas > maxPriorityFeePerGas)
  const history = await reader.getFeeHistory({ blockCount: 2, rewardPercentiles: [50] })
  assert.deepEqual(history.reward, [[0n], [parseGwei('1')]])
  assert.equal(await reader.getCode({ address: bob.address }), undefined)
  assert.deepEqual((await reader.call({ to: bob.address, data: '0x70a08231' })).data, undefined)
  await assert.rejects(reader.getBlock({ blockTag: 'finalized' }), /Unknown block/)
})

test('viem submits signed bytes and waits for the receipt', async t => {
  const { node, reader } = await connect(t)
  const tx = transfer()
  const hash = await reader.sendRawTransaction({ serializedTransaction: rawOf(tx) })
  assert.equal(hash, tx.id)
  const receipt = await minedReceipt(node, reader, hash)
  assert.deepEqual([receipt.status, receipt.blockNumber, receipt.gasUsed], ['success', 1n, 21_000n])
  assert.deepEqual([receipt.from, receipt.to, receipt.type], [alice.address, bob.address, 'eip1559'])
})

test('viem prepares, signs and sends a transfer of its own, legacy too', async t => {
  const { node, reader, writer } = await connect(t)
  for (const type of ['eip1559', 'legacy'] as const) {
    const hash = await writer.sendTransaction({ to: carol.address, value: parseEther('1.5'), type })
    const receipt = await minedReceipt(node, reader, hash)
    assert.deepEqual([receipt.status, receipt.type], ['success', type])
  }
  assert.equal(await reader.getBalance({ address: carol.address }), parseEther('3'))
  assert.equal((await reader.getTransaction({ blockNumber: 2n, index: 0 })).typeHex, '0x0')
})

test('viem knows our refusals by their texts', async t => {
  const { node, writer } = await connect(t)
  node.pool(transfer())
  node.mine()
  const request = { to: bob.address, value: 1n, gas: 21_000n }
  await assert.rejects(writer.sendTransaction({ ...request, nonce: 0 }), hasCause(NonceTooLowError))
  const tooMuch = { ...request, value: parseEther('2000') }
  await assert.rejects(writer.sendTransaction(tooMuch), hasCause(InsufficientFundsError))
})

test('viem sees through a replacement', async t => {
  const { node, reader } = await connect(t)
  const first = transfer()
  await reader.sendRawTransaction({ serializedTransaction: rawOf(first) })
  const replaced: string[] = []
  const waiting = reader.waitForTransactionReceipt({
    hash: first.id,
    onReplaced: ({ reason, transaction }) => replaced.push(reason, transaction.hash),
  })
  // It has seen the first when it asks for the height.
  await node.asked('eth_getTransactionByHash')
  const better = transfer({
    maxFeePerGas: parseGwei('20'),
    maxPriorityFeePerGas: parseGwei('3'),
    to: carol.address,
  })
  await reader.sendRawTransaction({ serializedTransaction: rawOf(better) })
  node.mine()
  assert.equal((await waiting).transactionHash, better.id)
  assert.deepEqual(replaced, ['replaced', better.id])
})

async function connect(t: TestContext) {
  const node = new ListeningNode(testGenesis())
  const client = await serve(t, node)
  const chain = defineChain({
    id: 20261,
    name: 'test',
    nativeCurrency: { name: 'coin', symbol: 'COIN', decimals: 18 },
    rpcUrls: { default: { http: [client.url] } },
  })
  const options = { chain, transport: http(client.url, { batch: true }), pollingInterval: 20 }
  const reader = createPublicClient(options)
  const writer = createWalletClient({ ...options, account: privateKeyToAccount(alice.secretKey) })
  return { node, reader, writer }
}

/** A node that says when its pool was looked into for a transaction. */
class ListeningNode extends TestNode {
  asked(_method: 'eth_getTransactionByHash'): Promise<void> {
    const { pool } = this.replica
    const get = pool.get.bind(pool)
    return new Promise(resolve => {
      pool.get = id => {
        resolve()
        return get(id)
      }
    })
  }
}

async function minedReceipt(
  node: TestNode,
  reader: { waitForTransactionReceipt(options: { hash: Hash }): Promise<Receipt> },
  hash: Hash,
): Promise<Receipt> {
  const waiting = reader.waitForTransactionReceipt({ hash })
  node.mine()
  return await waiting
}

type Receipt = Awaited<ReturnType<ReturnType<typeof createPublicClient>['waitForTransactionReceipt']>>

/** Whether viem traced an error to one of its own classes. */
function hasCause(
  type: typeof NonceTooLowError | typeof InsufficientFundsError,
): (error: unknown) => boolean {
  const leadsThere = (error: unknown): boolean =>
    error instanceof Error && (error instanceof type || leadsThere(error.cause))
  return leadsThere
}
