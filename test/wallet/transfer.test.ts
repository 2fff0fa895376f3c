import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addressOfSecretKey, recoverSender } from '../../src/chain/signature.ts'
import { decodeTransaction, type TransactionFields } from '../../src/chain/transaction.ts'
import { fromHex } from '../../src/encoding/bytes.ts'
import { InvalidAnswer } from '../../src/wallet/rpc-answer.ts'
import { RpcClient, RpcError } from '../../src/wallet/rpc-client.ts'
import {
  FeeTooHigh,
  InvalidTransfer,
  prepareTransfer,
  signTransfer,
  WrongChain,
} from '../../src/wallet/transfer.ts'
import { type Handler, Refusal, startFakeNode } from './fake-node.ts'

const SECRET = fromHex(`0x${'46'.repeat(32)}`)
const from = addressOfSecretKey(SECRET)
const to = `0x${'35'.repeat(20)}` as const

const advice: Readonly<Record<string, Handler>> = {
  eth_chainId: () => '0x539',
  eth_getTransactionCount: () => '0x9',
  eth_feeHistory: () => ({ oldestBlock: '0x5', baseFeePerGas: ['0x64', '0x6e'], gasUsedRatio: [0.5] }),
  eth_maxPriorityFeePerGas: () => '0x3',
}

const example: TransactionFields = {
  type: 'eip1559',
  chainId: 1337n,
  nonce: 9n,
  maxFeePerGas: 223n,
  maxPriorityFeePerGas: 3n,
  gasLimit: 21_000n,
  to,
  value: 5n,
  data: new Uint8Array(),
  accessList: [],
}

test('what is not given comes from the node: chain, next nonce with the pool, twice the next base fee and the tip', async context => {
  const node = await startFakeNode(context, advice)
  assert.deepEqual(await prepareTransfer(new RpcClient(node.url), { from, to, value: 5n }), example)
  const count = node.calls.find(({ method }) => method === 'eth_getTransactionCount')
  assert.deepEqual(count?.params, [from, 'pending'])
})

test('what is given is used', async context => {
  const node = await startFakeNode(context, advice)
  const request = {
    from,
    to,
    value: 5n,
    chainId: 1337n,
    nonce: 2n,
    gasLimit: 50_000n,
    data: Uint8Array.of(1),
  }
  const prices = { maxFeePerGas: 70n, maxPriorityFeePerGas: 7n }
  const fields = await prepareTransfer(new RpcClient(node.url), { ...request, ...prices })
  const { from: _, ...expected } = request
  assert.deepEqual(fields, { ...example, ...expected, ...prices })
})

test('data costs gas', async context => {
  const node = await startFakeNode(context, advice)
  const fields = await prepareTransfer(new RpcClient(node.url), {
    from,
    to,
    value: 5n,
    data: Uint8Array.of(0, 1),
  })
  assert.equal(fields.gasLimit, 21_020n)
})

test('nothing is prepared for another chain than the one that is meant', async context => {
  const node = await startFakeNode(context, advice)
  const request = { from, to, value: 5n, chainId: 1n }
  await assert.rejects(prepareTransfer(new RpcClient(node.url), request), error => {
    assert.ok(error instanceof WrongChain)
    assert.match(error.message, /serves chain 1337, not 1: nothing was signed/)
    return true
  })
})

test('a node can not talk a wallet into a fee above the limit', async context => {
  const node = await startFakeNode(context, { ...advice, eth_maxPriorityFeePerGas: () => '0xffffffffffffff' })
  const client = new RpcClient(node.url)
  const request = { from, to, value: 5n }
  await assert.rejects(prepareTransfer(client, request), FeeTooHigh)
  await assert.rejects(
    prepareTransfer(client, { ...request, maxPriorityFeePerGas: 3n, feeMax: 1_000n }),
    FeeTooHigh,
  )
  const allowed = await prepareTransfer(client, { ...request, feeMax: 10n ** 30n })
  assert.equal(allowed.maxPriorityFeePerGas, 0xffffffffffffffn)
  const given = await prepareTransfer(client, { ...request, maxFeePerGas: 10n ** 15n })
  assert.equal(given.maxFeePerGas, 10n ** 15n)
})

test('the tip of the node never passes the price that was given', async context => {
  const node = await startFakeNode(context, advice)
  const fields = await prepareTransfer(new RpcClient(node.url), { from, to, value: 5n, maxFeePerGas: 2n })
  assert.deepEqual([fields.maxFeePerGas, fields.maxPriorityFeePerGas], [2n, 2n])
})

test('a tip above the price is refused', async context => {
  const node = await startFakeNode(context, advice)
  const request = { from, to, value: 5n, maxFeePerGas: 2n, maxPriorityFeePerGas: 3n }
  await assert.rejects(prepareTransfer(new RpcClient(node.url), request), InvalidTransfer)
})

test('a node that suggests no tip gets one gwei; one that fails to is an error', async context => {
  const node = await startFakeNode(context, advice)
  const client = new RpcClient(node.url)
  node.handlers.delete('eth_maxPriorityFeePerGas')
  const fields = await prepareTransfer(client, { from, to, value: 5n })
  assert.deepEqual([fields.maxPriorityFeePerGas, fields.maxFeePerGas], [10n ** 9n, 10n ** 9n + 220n])
  node.handlers.set('eth_maxPriorityFeePerGas', () => {
    throw new Refusal(-32603, 'internal error')
  })
  await assert.rejects(prepareTransfer(client, { from, to, value: 5n }), RpcError)
})

const wrong: readonly [method: string, answer: unknown][] = [
  ['eth_chainId', 1337],
  ['eth_chainId', '0x0539'],
  ['eth_getTransactionCount', '9'],
  ['eth_getTransactionCount', null],
  ['eth_feeHistory', null],
  ['eth_feeHistory', { baseFeePerGas: [] }],
  ['eth_feeHistory', { baseFeePerGas: ['0x64', 110] }],
  ['eth_maxPriorityFeePerGas', '0x'],
]

for (const [method, answer] of wrong) {
  test(`the answer ${JSON.stringify(answer)} to ${method} is not taken for a number`, async context => {
    const node = await startFakeNode(context, { ...advice, [method]: () => answer })
    await assert.rejects(prepareTransfer(new RpcClient(node.url), { from, to, value: 5n }), error => {
      assert.ok(error instanceof InvalidAnswer)
      assert.equal(error.method, method)
      return true
    })
  })
}

test('a signed transfer says what was signed, and its signer', () => {
  const { raw, id } = signTransfer(example, SECRET)
  const transaction = decodeTransaction(fromHex(raw))
  assert.ok(typeof transaction !== 'string')
  const { id: decodedId, raw: _raw, yParity: _y, r: _r, s: _s, ...fields } = transaction
  assert.deepEqual(fields, example)
  assert.equal(decodedId, id)
  assert.equal(recoverSender(transaction), from)
})

test('signing twice gives the same bytes', () => {
  assert.deepEqual(signTransfer(example, SECRET), signTransfer(example, SECRET))
})

test('what no node would take is not signed', () => {
  const faults: Partial<TransactionFields>[] = [
    { value: -1n },
    { value: 2n ** 256n },
    { nonce: 2n ** 64n - 1n },
    { nonce: -1n },
    { gasLimit: 2n ** 64n },
    { maxPriorityFeePerGas: 224n },
    { maxFeePerGas: 2n ** 256n },
    { maxPriorityFeePerGas: -1n },
  ]
  for (const fault of faults)
    assert.throws(() => signTransfer({ ...example, ...fault }, SECRET), InvalidTransfer)
})
