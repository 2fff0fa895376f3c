import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import {
  ChainReorganised,
  type HistoryEntry,
  type HistoryOptions,
  readHistory,
} from '../../src/wallet/history.ts'
import { InvalidAnswer } from '../../src/wallet/rpc-answer.ts'
import { RpcClient } from '../../src/wallet/rpc-client.ts'
import { type FakeNode, startFakeNode } from './fake-node.ts'

const ME = `0x${'aa'.repeat(20)}` as const
const BOB = `0x${'bb'.repeat(20)}` as const
const EVE = `0x${'ee'.repeat(20)}` as const
const BASE_FEE = 100n

interface Sent {
  readonly from: string
  readonly to: string | null
  readonly value: bigint
  readonly tip?: bigint
  readonly failed?: boolean
}

interface Mined {
  readonly miner: string
  readonly sent: readonly Sent[]
}

const quantity = (value: bigint | number) => `0x${value.toString(16)}`
const hashOf = (height: number, index = 0) =>
  `0x${(height * 1000 + index + 1).toString(16).padStart(64, '0')}`

/** A node with these blocks on top of a genesis block that names us without having earned us anything, and how it answers for each of them. */
async function chainNode(context: TestContext, blocks: readonly Mined[]): Promise<FakeNode> {
  const chain = [{ miner: ME, sent: [] }, ...blocks]
  const block = (height: number) => {
    const { miner, sent } = chain[height]!
    return {
      hash: hashOf(height),
      parentHash: height === 0 ? `0x${'0'.repeat(64)}` : hashOf(height - 1),
      number: quantity(height),
      timestamp: quantity(1_700_000_000 + height),
      miner,
      baseFeePerGas: quantity(BASE_FEE),
      extra: 'fields are left alone',
      transactions: sent.map(({ from, to, value }, index) => ({
        hash: hashOf(height, index + 1),
        from,
        to,
        value: quantity(value),
      })),
    }
  }
  const receipts = (hash: unknown) => {
    const height = chain.findIndex((_, index) => hashOf(index) === hash)
    return chain[height]!.sent.map(({ tip = 0n, failed = false }, index) => ({
      transactionHash: hashOf(height, index + 1),
      gasUsed: quantity(21_000),
      effectiveGasPrice: quantity(BASE_FEE + tip),
      status: failed ? '0x0' : '0x1',
    }))
  }
  return await startFakeNode(context, {
    eth_blockNumber: () => quantity(chain.length - 1),
    eth_getBlockByNumber: (number, full) => (full === true ? block(Number(number)) : assert.fail()),
    eth_getBlockReceipts: receipts,
  })
}

async function history(node: FakeNode, options: HistoryOptions = {}): Promise<HistoryEntry[]> {
  return await Array.fromAsync(readHistory(new RpcClient(node.url), ME, options))
}

const brief = ({ direction, counterparty, value, fee, blockNumber }: HistoryEntry) =>
  [direction, counterparty, value, fee, blockNumber] as const

test('what came in, went out and stayed is told newest first, with what it cost', async context => {
  const node = await chainNode(context, [
    { miner: EVE, sent: [{ from: BOB, to: ME, value: 10n, tip: 1n }] },
    { miner: EVE, sent: [{ from: BOB, to: EVE, value: 1n }] },
    {
      miner: EVE,
      sent: [
        { from: ME, to: BOB, value: 3n, tip: 2n },
        { from: ME, to: ME, value: 4n, tip: 1n },
        { from: ME, to: null, value: 0n },
      ],
    },
  ])
  assert.deepEqual((await history(node)).map(brief), [
    ['out', null, 0n, 21_000n * 100n, 3n],
    ['self', ME, 4n, 21_000n * 101n, 3n],
    ['out', BOB, 3n, 21_000n * 102n, 3n],
    ['in', BOB, 10n, 0n, 1n],
  ])
})

test('an entry names its block, its time and its transaction', async context => {
  const node = await chainNode(context, [{ miner: EVE, sent: [{ from: BOB, to: ME, value: 10n }] }])
  assert.deepEqual(await history(node), [
    {
      direction: 'in',
      counterparty: BOB,
      value: 10n,
      fee: 0n,
      succeeded: true,
      blockNumber: 1n,
      blockHash: hashOf(1),
      time: 1_700_000_001n,
      id: hashOf(1, 1),
    },
  ])
})

test('a mined block earns its reward and the tips of all its transactions, but not the base fee', async context => {
  const node = await chainNode(context, [
    {
      miner: ME,
      sent: [
        { from: BOB, to: EVE, value: 1n, tip: 5n },
        { from: EVE, to: BOB, value: 1n, tip: 7n },
      ],
    },
    { miner: ME, sent: [] },
  ])
  const entries = await history(node, { rewardAt: height => BigInt(height) * 1_000n })
  assert.deepEqual(entries.map(brief), [
    ['mined', null, 2_000n, 0n, 2n],
    ['mined', null, 1_000n + 21_000n * 12n, 0n, 1n],
  ])
})

test('what a block earned is not guessed where the reward is not known', async context => {
  const [entry] = await history(await chainNode(context, [{ miner: ME, sent: [] }]))
  assert.deepEqual([entry?.direction, entry?.value, entry?.id], ['mined', null, null])
})

test('a transaction that failed is told as failed, with its fee', async context => {
  const node = await chainNode(context, [
    { miner: EVE, sent: [{ from: ME, to: BOB, value: 3n, failed: true }] },
  ])
  const [entry] = await history(node)
  assert.deepEqual([entry?.succeeded, entry?.fee], [false, 2_100_000n])
})

test('addresses are known in any spelling', async context => {
  const capitals = `0x${'AA'.repeat(20)}`
  const node = await chainNode(context, [{ miner: EVE, sent: [{ from: BOB, to: capitals, value: 3n }] }])
  assert.equal((await history(node)).length, 1)
})

test('exactly as many blocks are read as asked for, each once, in batches', async context => {
  const node = await chainNode(context, Array(24).fill({ miner: ME, sent: [] }))
  const read = async (options: HistoryOptions) => {
    node.calls.length = 0
    const entries = await history(node, options)
    const numbers = node.calls
      .filter(({ method }) => method === 'eth_getBlockByNumber')
      .map(({ params }) => params[0])
    assert.equal(new Set(numbers).size, numbers.length)
    return [numbers.length, entries.length]
  }
  assert.deepEqual(await read({ blocks: 7, batchSize: 3 }), [7, 7])
  assert.deepEqual(await read({ blocks: 1 }), [1, 1])
  assert.deepEqual(await read({ blocks: 20, batchSize: 10 }), [20, 20])
  // The whole chain with its genesis block, which was not mined.
  assert.deepEqual(await read({}), [25, 24])
  assert.deepEqual(await read({ blocks: 0 }), [0, 0])
})

test('receipts are asked for only where the address occurs', async context => {
  const node = await chainNode(context, [
    { miner: EVE, sent: [{ from: BOB, to: EVE, value: 1n }] },
    { miner: EVE, sent: [{ from: BOB, to: ME, value: 1n }] },
  ])
  await history(node)
  const asked = node.calls.filter(({ method }) => method === 'eth_getBlockReceipts')
  assert.deepEqual(asked, [{ method: 'eth_getBlockReceipts', params: [hashOf(2)] }])
})

test('a chain that reorganises between two batches is noticed', async context => {
  const node = await chainNode(context, Array(6).fill({ miner: EVE, sent: [] }))
  const honest = node.handlers.get('eth_getBlockByNumber')!
  const replace = (number: unknown, full: unknown) => {
    const block = honest(number, full) as object
    return number === '0x3' ? { ...block, hash: `0x${'99'.repeat(32)}` } : block
  }
  node.handlers.set('eth_getBlockByNumber', replace)
  await assert.rejects(history(node, { batchSize: 3 }), ChainReorganised)
})

test('a block that is gone, or its receipts, mean a reorganisation', async context => {
  const node = await chainNode(context, [{ miner: EVE, sent: [{ from: BOB, to: ME, value: 1n }] }])
  node.handlers.set('eth_getBlockReceipts', () => null)
  await assert.rejects(history(node), ChainReorganised)
  node.handlers.set('eth_getBlockByNumber', () => null)
  await assert.rejects(history(node), ChainReorganised)
})

test('another block than the one that was asked for is not taken', async context => {
  const node = await chainNode(context, Array(2).fill({ miner: EVE, sent: [] }))
  const honest = node.handlers.get('eth_getBlockByNumber')!
  node.handlers.set('eth_getBlockByNumber', (_, full) => honest('0x1', full))
  await assert.rejects(history(node), InvalidAnswer)
})

test('a receipt that is missing is an error, not a fee of nothing', async context => {
  const node = await chainNode(context, [{ miner: EVE, sent: [{ from: ME, to: BOB, value: 1n }] }])
  node.handlers.set('eth_getBlockReceipts', () => [])
  await assert.rejects(history(node), InvalidAnswer)
})
