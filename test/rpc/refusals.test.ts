// Every way in which a call fails, with the code and the text that
// clients match.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeRlp } from '../../src/chain/rlp.ts'
import { encodeTransaction, SECP256K1_N, type Transaction } from '../../src/chain/transaction.ts'
import { type Hex, toHex } from '../../src/encoding/bytes.ts'
import type { Json } from '../../src/encoding/fields.ts'
import type { SubmitResult } from '../../src/replica/effects.ts'
import { CorruptStore } from '../../src/replica/records.ts'
import { CODES, RpcError, rejectionError } from '../../src/rpc/errors.ts'
import {
  alice,
  bob,
  COIN,
  carol,
  GWEI,
  hex,
  type RpcClient,
  rawOf,
  serve,
  TestNode,
  testGenesis,
  transfer,
} from './harness.ts'

// Transactions.

async function refused(client: RpcClient, raw: Json, reason: string, message: string): Promise<void> {
  assert.deepEqual(await client.error('eth_sendRawTransaction', raw), {
    code: -32000,
    message,
    data: { reason },
  })
}

test('a transaction with a used nonce: nonce too low', async t => {
  const node = new TestNode()
  node.pool(transfer())
  node.mine()
  await refused(await serve(t, node), rawOf(transfer({ value: 1n })), 'tx-nonce-too-low', 'nonce too low')
})

test('a transaction far ahead: nonce too high', async t => {
  const client = await serve(t, new TestNode())
  await refused(client, rawOf(transfer({ nonce: 128n })), 'tx-nonce-too-high', 'nonce too high')
})

test('a transaction that its sender cannot pay: insufficient funds', async t => {
  const client = await serve(t, new TestNode())
  const text = 'insufficient funds for gas * price + value'
  await refused(client, rawOf(transfer({ by: carol })), 'tx-insufficient-funds', text)
  await refused(client, rawOf(transfer({ value: 1000n * COIN })), 'tx-insufficient-funds', text)
})

test('a transaction with too little gas: intrinsic gas too low', async t => {
  const client = await serve(t, new TestNode())
  const text = 'intrinsic gas too low'
  await refused(client, rawOf(transfer({ gasLimit: 20_999n })), 'tx-gas-below-intrinsic', text)
  await refused(client, rawOf(transfer({ data: Uint8Array.of(1) })), 'tx-gas-below-intrinsic', text)
})

test('a transaction that no block can hold: exceeds block gas limit', async t => {
  const client = await serve(t, new TestNode())
  await refused(
    client,
    rawOf(transfer({ gasLimit: 30_000_001n })),
    'tx-gas-above-block',
    'exceeds block gas limit',
  )
})

test('a second one with the same nonce: replacement transaction underpriced, unless it pays more', async t => {
  const node = new TestNode()
  const client = await serve(t, node)
  node.pool(transfer())
  const reason = 'tx-replacement-underpriced'
  const more = { value: 1n, maxPriorityFeePerGas: 2n * GWEI }
  await refused(client, rawOf(transfer(more)), reason, 'replacement transaction underpriced')
  const enough = transfer({ ...more, maxFeePerGas: 11n * GWEI })
  assert.equal(await client.result('eth_sendRawTransaction', rawOf(enough)), enough.id)
})

test('the same transaction again: already known', async t => {
  const node = new TestNode()
  node.pool(transfer())
  await refused(await serve(t, node), rawOf(transfer()), 'tx-already-known', 'already known')
})

test('a transaction below the base fee: max fee per gas less than block base fee', async t => {
  const client = await serve(t, new TestNode())
  const cheap = transfer({ maxFeePerGas: GWEI / 2n, maxPriorityFeePerGas: 1n })
  await refused(client, rawOf(cheap), 'tx-fee-below-base', 'max fee per gas less than block base fee')
})

test('a tip above the price: max priority fee per gas higher than max fee per gas', async t => {
  const client = await serve(t, new TestNode())
  const text = 'max priority fee per gas higher than max fee per gas'
  const raw = signedLike(transfer(), { maxPriorityFeePerGas: 11n * GWEI })
  await refused(client, raw, 'tx-tip-above-fee', text)
})

test('a signature of no key: invalid sender', async t => {
  const client = await serve(t, new TestNode())
  const tx = transfer()
  const twin: Partial<Transaction> = { s: SECP256K1_N - tx.s, yParity: tx.yParity === 0 ? 1 : 0 }
  await refused(client, signedLike(tx, { r: 0n }), 'tx-signature-out-of-range', 'invalid sender')
  await refused(client, signedLike(tx, twin), 'tx-signature-high-s', 'invalid sender')
  // 5 is the x coordinate of no point.
  await refused(client, signedLike(tx, { r: 5n }), 'tx-signature-invalid', 'invalid sender')
})

test('a transaction for another chain: invalid chain id for signer', async t => {
  const client = await serve(t, new TestNode())
  await refused(client, rawOf(transfer({ chainId: 1n })), 'tx-wrong-chain', 'invalid chain id for signer')
})

test('a transaction without replay protection is refused in geth words', async t => {
  const client = await serve(t, new TestNode())
  const seven = Uint8Array.of(7)
  const old = encodeRlp([
    seven,
    seven,
    seven,
    new Uint8Array(20),
    seven,
    seven,
    Uint8Array.of(27),
    seven,
    seven,
  ])
  const text = 'only replay-protected (EIP-155) transactions allowed over RPC'
  await refused(client, toHex(old), 'tx-unprotected', text)
})

test('a transaction of another type: transaction type not supported', async t => {
  const client = await serve(t, new TestNode())
  const text = 'transaction type not supported'
  for (const type of ['01', '03', '04', '7f']) await refused(client, `0x${type}c0`, 'tx-type-unknown', text)
})

test('bytes that are no transaction, or too many of them', async t => {
  const client = await serve(t, new TestNode())
  for (const raw of ['0x', '0xc0', '0x02c0', '0xff', `${rawOf(transfer())}00`]) {
    await refused(client, raw, 'tx-malformed', 'malformed transaction')
  }
  await refused(client, `0x02${'00'.repeat(128 * 1024)}`, 'tx-too-large', 'oversized data')
})

test('a nonce that cannot grow, a price that cannot be paid', async t => {
  const client = await serve(t, new TestNode())
  const tx = transfer()
  await refused(
    client,
    signedLike(tx, { nonce: 2n ** 64n - 1n }),
    'tx-nonce-too-large',
    'nonce has max value',
  )
  const overflow = await client.error('eth_sendRawTransaction', signedLike(tx, { maxFeePerGas: 2n ** 255n }))
  assert.match(overflow.message, /max fee per gas higher than 2\^256-1/)
})

test('a contract: said plainly to be out of reach', async t => {
  const client = await serve(t, new TestNode())
  const text = 'contract creation is not supported: this chain carries transfers only'
  await refused(client, rawOf(transfer({ to: null, gasLimit: 60_000n })), 'tx-creates-contract', text)
})

test('a sender with too many waiting transactions: txpool is full', async t => {
  const node = new TestNode()
  const data = new Uint8Array(100_000)
  for (let nonce = 0n; nonce < 5n; nonce++) node.pool(transfer({ nonce, data, gasLimit: 1_000_000n }))
  const more = rawOf(transfer({ nonce: 5n, data, gasLimit: 1_000_000n }))
  const { message, data: why } = await (await serve(t, node)).error('eth_sendRawTransaction', more)
  assert.deepEqual(why, { reason: 'tx-sender-queue-full' })
  assert.match(message, /^txpool is full/)
})

// These need a pool of thousands, or a rule that the pool does not have yet.
for (const [reason, message] of [
  ['tx-pool-full', 'txpool is full'],
  ['tx-underpriced', 'transaction underpriced'],
] as const) {
  test(`${reason}: ${message}`, async t => {
    const node = new TestNode()
    node.submit = async (): Promise<SubmitResult> => ({ rejection: reason })
    await refused(await serve(t, node), rawOf(transfer()), reason, message)
  })
}

test('a refusal that is no matter of transactions still names its reason', () => {
  const { code, data } = rejectionError('block-mutated')
  assert.deepEqual({ code, data }, { code: -32000, data: { reason: 'block-mutated' } })
  assert.ok(rejectionError('tx-malformed') instanceof RpcError)
})

// JSON-RPC.

test('what is no JSON is -32700, at HTTP 200 and with the id null', async t => {
  const client = await serve(t, new TestNode())
  for (const body of ['', '{', '{"id":1', 'eth_chainId', '{"id":01}', Uint8Array.of(0x22, 0xff, 0x22)]) {
    const { status, text } = await client.post(body)
    assert.equal(status, 200)
    assert.deepEqual(JSON.parse(text), {
      jsonrpc: '2.0',
      id: null,
      error: { code: -32700, message: 'the request is not JSON' },
    })
  }
})

test('what is JSON and no request is -32600 with the id null', async t => {
  const client = await serve(t, new TestNode())
  for (const request of [
    1,
    'eth_chainId',
    null,
    true,
    {},
    [],
    { jsonrpc: '2.0', id: 1 },
    { jsonrpc: '2.0', id: 1, method: 1 },
    { jsonrpc: '1.1', id: 1, method: 'eth_chainId' },
    { jsonrpc: 2, id: 1, method: 'eth_chainId' },
    { jsonrpc: '2.0', id: {}, method: 'eth_chainId' },
    { jsonrpc: '2.0', id: [1], method: 'eth_chainId' },
    { jsonrpc: '2.0', id: false, method: 'eth_chainId' },
  ]) {
    const { id, error } = await client.answer(request)
    assert.equal(id, null)
    assert.equal(error?.code, -32600, JSON.stringify(request))
  }
})

test('unknown methods are -32601: probes, signing, and names of every object', async t => {
  const client = await serve(t, new TestNode())
  for (const method of [
    'eth_fillTransaction',
    'anvil_nodeInfo',
    'hardhat_metadata',
    'eth_getAccountInfo',
    'eth_sendTransaction',
    'eth_sign',
    'personal_unlockAccount',
    'eth_getProof',
    'constructor',
    'toString',
    '__proto__',
    '',
  ]) {
    assert.equal((await client.error(method)).code, -32601, method)
  }
  const long = await client.error('x'.repeat(100_000))
  assert.ok(long.message.length < 200)
})

test('parameters that do not fit are -32602, and the text names the place', async t => {
  const client = await serve(t, new TestNode())
  const wrong: readonly (readonly [string, readonly Json[]])[] = [
    ['eth_getBalance', []],
    ['eth_getBalance', [alice.address.slice(0, -1)]],
    ['eth_getBalance', [`${alice.address}00`]],
    ['eth_getBalance', [alice.address.slice(2)]],
    ['eth_getBalance', [1]],
    ['eth_getBalance', [alice.address, 'newest']],
    ['eth_getBalance', [alice.address, 1]],
    ['eth_getBlockByNumber', ['0x01', false]],
    ['eth_getBlockByNumber', ['0x', false]],
    ['eth_getBlockByNumber', ['', false]],
    ['eth_getBlockByNumber', ['1', false]],
    ['eth_getBlockByNumber', [' 0x1', false]],
    ['eth_getBlockByNumber', ['0x1\n', false]],
    ['eth_getBlockByNumber', ['0b11', false]],
    ['eth_getBlockByNumber', ['-0x1', false]],
    ['eth_getBlockByNumber', ['latest', 1]],
    ['eth_getBlockByHash', ['0x1', false]],
    ['eth_getTransactionByHash', [`0x${'g'.repeat(64)}`]],
    ['eth_getTransactionByBlockNumberAndIndex', ['latest']],
    ['eth_getStorageAt', [alice.address, `0x${'0'.repeat(65)}`]],
    ['eth_sendRawTransaction', []],
    ['eth_sendRawTransaction', ['0x0']],
    ['eth_sendRawTransaction', ['c0']],
    ['eth_sendRawTransaction', ['0xzz']],
    ['web3_sha3', ['abc']],
  ]
  for (const [method, params] of wrong) {
    const { code, message } = await client.error(method, ...params)
    assert.equal(code, -32602, `${method} ${JSON.stringify(params)}`)
    assert.match(message, /expected/)
  }
  const { message } = await client.error('eth_getBalance', 'alice')
  assert.equal(message, 'parameter 1: expected an address: 0x and 40 hex digits, got "alice"')
})

test('a quantity of a million digits is refused at once', async t => {
  const client = await serve(t, new TestNode())
  for (const digits of ['1'.repeat(900_000), `0x${'f'.repeat(900_000)}`, `0x${'f'.repeat(65)}`]) {
    const start = performance.now()
    const { code, message } = await client.error('eth_getBlockByNumber', digits, false)
    assert.equal(code, -32602)
    assert.ok(message.length < 400)
    assert.ok(performance.now() - start < 1_000)
  }
})

test('parameters by name are -32602; none at all are none', async t => {
  const client = await serve(t, new TestNode())
  const call = { jsonrpc: '2.0', id: 1, method: 'eth_chainId' }
  for (const params of [{}, { address: alice.address }, 'x', 1, true]) {
    assert.equal((await client.answer({ ...call, params })).error?.code, -32602)
  }
  for (const request of [call, { ...call, params: [] }, { ...call, params: null }]) {
    assert.equal((await client.answer(request)).result, '0x4f25')
  }
})

test('ids come back to the digit, beyond what a double holds too', async t => {
  const client = await serve(t, new TestNode())
  for (const id of ['9007199254740993', '1.5', '-12345678901234567890', '0.12345678901234567890']) {
    const call = `{"jsonrpc":"2.0","id":${id},"method":"eth_chainId"}`
    const one = await client.post(call)
    assert.equal(one.text, `{"jsonrpc":"2.0","id":${id},"result":"0x4f25"}`)
    const batch = await client.post(`[${call},${call}]`)
    assert.equal(batch.text, `[${one.text},${one.text}]`)
  }
})

test('notifications are not worked out, unless they change something', async t => {
  const node = new TestNode()
  const client = await serve(t, node)
  let reads = 0
  const view = node.replica.view.blockAt.bind(node.replica.view)
  node.replica.view.blockAt = height => {
    reads += 1
    return view(height)
  }
  const note = (method: string, params: Json[]): Json => ({ jsonrpc: '2.0', method, params })
  const notes = Array.from({ length: 50 }, () => note('eth_feeHistory', ['0x400', 'latest', [50]]))
  assert.equal((await client.post(JSON.stringify(notes))).status, 204)
  assert.equal(reads, 0)
  await client.post(JSON.stringify(note('eth_sendRawTransaction', [rawOf(transfer())])))
  assert.equal(node.replica.pool.size, 1)
})

test('a request has so many members and items at most, however small they are', async t => {
  const client = await serve(t, new TestNode())
  const many = Object.fromEntries(Array.from({ length: 20_001 }, (_, index) => [`k${index}`, 0]))
  const { error } = await client.answer({ jsonrpc: '2.0', id: 1, method: 'eth_chainId', params: [many] })
  assert.deepEqual([error?.code, error?.message.includes('20000 members')], [-32600, true])
})

test('ids come back as they were: 0, integers, strings, null', async t => {
  const client = await serve(t, new TestNode())
  for (const id of [
    0,
    1,
    -7,
    Number.MAX_SAFE_INTEGER,
    'f47ac10b-58cc-4372-a567-0e02b2c3d479',
    '',
    '1',
    null,
  ]) {
    const answer = await client.answer({ jsonrpc: '2.0', id, method: 'eth_chainId' })
    assert.deepEqual(answer, { jsonrpc: '2.0', id, result: '0x4f25' })
  }
})

test('a call may leave jsonrpc out', async t => {
  const client = await serve(t, new TestNode())
  assert.equal((await client.answer({ id: 0, method: 'eth_chainId', params: [] })).result, '0x4f25')
})

test('a notification is heard and gets no answer', async t => {
  const node = new TestNode()
  const client = await serve(t, node)
  const notify = { jsonrpc: '2.0', method: 'eth_sendRawTransaction', params: [rawOf(transfer())] }
  assert.deepEqual(pick(await client.post(JSON.stringify(notify))), { status: 204, text: '' })
  assert.equal(node.replica.pool.size, 1)
  // An error of a notification is not told either.
  assert.deepEqual(pick(await client.post(JSON.stringify(notify))), { status: 204, text: '' })
  const unknown = { jsonrpc: '2.0', method: 'nothing' }
  assert.deepEqual(pick(await client.post(JSON.stringify([unknown, notify]))), { status: 204, text: '' })
})

test('a batch answers each call in its place and no notification', async t => {
  const client = await serve(t, new TestNode())
  const tx = transfer()
  const { status, text } = await client.post(
    JSON.stringify([
      { jsonrpc: '2.0', id: 'a', method: 'eth_sendRawTransaction', params: [rawOf(tx)] },
      { jsonrpc: '2.0', method: 'eth_chainId' },
      1,
      { jsonrpc: '2.0', id: 2, method: 'nothing' },
      { jsonrpc: '2.0', id: 2, method: 'eth_chainId' },
    ]),
  )
  assert.equal(status, 200)
  const [sent, invalid, unknown, chain, ...more] = JSON.parse(text)
  assert.deepEqual(sent, { jsonrpc: '2.0', id: 'a', result: tx.id })
  assert.deepEqual([invalid.id, invalid.error.code], [null, -32600])
  assert.deepEqual([unknown.id, unknown.error.code], [2, -32601])
  assert.deepEqual(chain, { jsonrpc: '2.0', id: 2, result: '0x4f25' })
  assert.deepEqual(more, [])
})

test('a batch has at most 1,000 calls and at least one', async t => {
  const client = await serve(t, new TestNode())
  const calls = (count: number): Json =>
    Array.from({ length: count }, (_, id) => ({ id, method: 'eth_chainId' }))
  const { text } = await client.post(JSON.stringify(calls(1_000)))
  assert.equal(JSON.parse(text).length, 1_000)
  for (const request of [calls(1_001), calls(0)]) {
    const { id, error } = await client.answer(request)
    assert.deepEqual([id, error?.code], [null, -32600])
  }
})

test('lists and objects lie at most 32 deep in each other', async t => {
  const client = await serve(t, new TestNode())
  const nested = (depth: number): string =>
    `{"id":1,"method":"eth_chainId","params":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`
  assert.equal(JSON.parse((await client.post(nested(32))).text).result, '0x4f25')
  for (const body of [nested(33), '['.repeat(900_000), `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`]) {
    const { status, text } = await client.post(body)
    assert.equal(status, 200)
    assert.deepEqual(JSON.parse(text).error, {
      code: -32600,
      message: 'the request is nested deeper than 32',
    })
  }
  const brackets = JSON.stringify({ id: '[[{{"\\'.repeat(50), method: 'eth_chainId' })
  assert.equal(JSON.parse((await client.post(brackets)).text).result, '0x4f25')
})

test('names that reach into prototypes are refused wherever they stand', async t => {
  const client = await serve(t, new TestNode())
  for (const name of ['__proto__', 'constructor', 'prototype']) {
    for (const body of [
      `{"id":1,"method":"eth_chainId","${name}":{"x":1}}`,
      `{"id":1,"method":"eth_call","params":[{"to":"${bob.address}","${name}":{}},"latest"]}`,
      `[{"id":1,"method":"eth_chainId"},{"a":[{"${name}":1}]}]`,
      `{"id":1,"method":"eth_chainId","\\u005f_proto__":1}`,
    ]) {
      const { error } = JSON.parse((await client.post(body)).text)
      assert.equal(error.code, -32600)
    }
  }
  assert.equal(({} as { x?: number }).x, undefined)
})

test('a request for what is damaged on disk gets -32603, and the node is stopped', async t => {
  const node = new TestNode()
  const damage = new CorruptStore('record final/000000000000001 is damaged')
  node.finalityReport = () => {
    throw damage
  }
  const logged: unknown[] = []
  const client = await serve(t, node, { log: { error: details => logged.push(details) } })
  const answer = await client.error('quorate_finalityReport')
  assert.deepEqual(answer, { code: -32603, message: 'internal error' })
  assert.equal(node.damage, damage)
  assert.deepEqual(logged, [], 'the node says it itself')
})

test('a fault of the node is -32603 and shows nothing of its inside', async t => {
  const node = new TestNode()
  const faults: unknown[] = []
  node.peers = () => {
    throw new Error('secret in /home/node/data')
  }
  node.submit = async () => {
    throw new Error('disk full at /home/node/data')
  }
  const client = await serve(t, node, { log: { error: details => faults.push(details) } })
  const internal = { code: -32603, message: 'internal error' }
  assert.deepEqual(await client.error('net_peerCount'), internal)
  assert.deepEqual(await client.error('eth_sendRawTransaction', rawOf(transfer())), internal)
  assert.deepEqual(
    faults.map(fault => (fault as { method: string }).method),
    ['net_peerCount', 'eth_sendRawTransaction'],
  )
})

test('an answer that would be too long is refused, and so is the rest of its batch', async t => {
  const node = new TestNode(testGenesis())
  const client = await serve(t, node, { limits: { answerCharactersMax: 2_000 } })
  const block = { id: 1, method: 'eth_getBlockByNumber', params: ['latest'] }
  const chain = { id: 2, method: 'eth_chainId' }
  const tooLarge = { code: CODES.answerTooLarge, message: 'response too large' }
  const { text } = await client.post(JSON.stringify([block, block, chain]))
  const [first, second, third] = JSON.parse(text)
  assert.equal(first.result.number, '0x0')
  assert.equal(second.result.number, '0x0')
  assert.deepEqual(third, { jsonrpc: '2.0', id: 2, error: tooLarge })
  for (let nonce = 0n; nonce < 3n; nonce++) node.pool(transfer({ nonce }))
  assert.deepEqual(await client.error('txpool_content'), tooLarge)
})

test('calls of a batch that take time run side by side', async t => {
  const node = new TestNode()
  const waiting: (() => void)[] = []
  node.submit = () =>
    new Promise(resolve => {
      waiting.push(() => resolve({ id: `0x${'00'.repeat(32)}` }))
      if (waiting.length === 3) for (const finish of waiting.reverse()) finish()
    })
  const client = await serve(t, node)
  const calls = [1, 2, 3].map(id => ({ id, method: 'eth_sendRawTransaction', params: ['0x'] }))
  const { text } = await client.post(JSON.stringify(calls))
  assert.deepEqual(
    JSON.parse(text).map((answer: { id: number }) => answer.id),
    [1, 2, 3],
  )
})

function pick({ status, text }: { status: number; text: string }): { status: number; text: string } {
  return { status, text }
}

/** The bytes of a transaction with fields changed after it was signed. */
function signedLike(tx: Transaction, changes: Partial<Transaction>): Hex {
  const changed = { ...tx, ...changes }
  return toHex(encodeTransaction(changed, changed))
}

test('a number is read in either case of its digits', async t => {
  const client = await serve(t, new TestNode())
  const result = await client.result('eth_estimateGas', { to: bob.address, value: '0xAbC', gas: hex(30_000) })
  assert.equal(result, hex(21_000))
})
