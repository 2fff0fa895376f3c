import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  formatQuantity,
  InvalidAnswer,
  parseHash,
  parseQuantity,
  printable,
} from '../../src/wallet/rpc-answer.ts'
import {
  InvalidNodeUrl,
  NodeUnreachable,
  RpcClient,
  RpcError,
  type Silence,
} from '../../src/wallet/rpc-client.ts'
import { closedUrl, type Misbehaviour, Refusal, startFakeNode } from './fake-node.ts'

const isSilence = (silence: Silence) => (error: unknown) => {
  assert.ok(error instanceof NodeUnreachable)
  assert.equal(error.silence, silence)
  assert.ok(!error.message.includes('\n'))
  return true
}

test('a call carries its method and params and returns the result', async context => {
  const node = await startFakeNode(context, { echo: (...params) => params })
  const client = new RpcClient(node.url)
  assert.deepEqual(await client.call('echo', ['0x1', { a: null }]), ['0x1', { a: null }])
  assert.deepEqual(await client.call('echo'), [])
  assert.deepEqual(node.calls, [
    { method: 'echo', params: ['0x1', { a: null }] },
    { method: 'echo', params: [] },
  ])
})

test('a result of null is a result', async context => {
  const node = await startFakeNode(context, { nothing: () => null })
  assert.equal(await new RpcClient(node.url).call('nothing'), null)
})

test('a refusal is an RpcError with its code and message', async context => {
  const node = await startFakeNode(context, {
    eth_sendRawTransaction: () => {
      throw new Refusal(-32000, 'nonce too low')
    },
  })
  await assert.rejects(new RpcClient(node.url).call('eth_sendRawTransaction', ['0x']), error => {
    assert.ok(error instanceof RpcError)
    assert.deepEqual(
      [error.method, error.code, error.message],
      ['eth_sendRawTransaction', -32000, 'nonce too low'],
    )
    return true
  })
})

test('outcomes of a batch stand in the order of its calls, whatever the order of the answers', async context => {
  const node = await startFakeNode(context, { one: () => 1, two: () => 2 })
  const client = new RpcClient(node.url)
  const outcomes = await client.batch(['one', 'missing', 'two'].map(method => ({ method, params: [] })))
  assert.deepEqual([outcomes[0], outcomes[2]], [1, 2])
  assert.ok(
    outcomes[1] instanceof RpcError && outcomes[1].method === 'missing' && outcomes[1].code === -32601,
  )
  assert.deepEqual(await client.batch([]), [])
})

test('where nothing listens no connection was made, and the message says so', async () => {
  const url = await closedUrl()
  await assert.rejects(new RpcClient(url).call('eth_chainId'), error => {
    assert.ok(isSilence('no-connection')(error) && error instanceof Error)
    assert.equal(error.message, `no node answers at ${url}: is it running?`)
    return true
  })
})

test('a name that does not exist is no connection either', async () => {
  await assert.rejects(
    new RpcClient('http://node.invalid:8545').call('eth_chainId'),
    isSilence('no-connection'),
  )
})

test('a connection that breaks is told apart from none', async context => {
  const node = await startFakeNode(context, {})
  node.misbehaviours.push('drop')
  await assert.rejects(new RpcClient(node.url).call('eth_chainId'), isSilence('connection-lost'))
})

test('an answer that does not come ends with the deadline', async context => {
  const node = await startFakeNode(context, {})
  node.misbehaviours.push('hang')
  await assert.rejects(new RpcClient(node.url, { timeoutMs: 50 }).call('eth_chainId'), isSilence('timeout'))
})

test('a caller who gives up gets his own reason back', async context => {
  const node = await startFakeNode(context, {})
  const client = new RpcClient(node.url)
  const reason = new Error('enough')
  await assert.rejects(client.call('eth_chainId', [], AbortSignal.abort(reason)), reason)
  node.misbehaviours.push('hang')
  const controller = new AbortController()
  const call = client.call('eth_chainId', [], controller.signal)
  setImmediate(() => controller.abort(reason))
  await assert.rejects(call, reason)
})

const nonsense: readonly [what: string, answer: Misbehaviour][] = [
  ['text', { status: 200, text: 'hello' }],
  ['nothing', { status: 200, text: '' }],
  ['a page of a proxy', { status: 502, text: '<html>Bad Gateway</html>' }],
  ['a redirection', { status: 302, text: '' }],
  ['a list', { status: 200, text: '[]' }],
  ['null', { status: 200, text: 'null' }],
  ['no result', { status: 200, text: '{"jsonrpc":"2.0","id":1}' }],
  ['another id', { status: 200, text: '{"jsonrpc":"2.0","id":7,"result":1}' }],
  ['the id as text', { status: 200, text: '{"jsonrpc":"2.0","id":"1","result":1}' }],
  ['no id', { status: 200, text: '{"jsonrpc":"2.0","result":1}' }],
  ['a result only in its prototype', { status: 200, text: '{"id":1,"__proto__":{"result":1}}' }],
  ['an error without a code', { status: 200, text: '{"id":1,"error":{"message":"x"}}' }],
]

for (const [what, answer] of nonsense) {
  test(`an answer that is ${what} is invalid, alone and for a batch`, async context => {
    const node = await startFakeNode(context, {})
    node.misbehaviours.push(answer, answer)
    await assert.rejects(new RpcClient(node.url).call('eth_chainId'), InvalidAnswer)
    await assert.rejects(
      new RpcClient(node.url).batch([{ method: 'eth_chainId', params: [] }]),
      InvalidAnswer,
    )
  })
}

test('a batch whose answer misses a part is invalid', async context => {
  const node = await startFakeNode(context, {})
  node.misbehaviours.push({ status: 200, text: '[{"id":1,"result":1}]' })
  const calls = [
    { method: 'a', params: [] },
    { method: 'b', params: [] },
  ]
  await assert.rejects(new RpcClient(node.url).batch(calls), InvalidAnswer)
})

test('an error without an id, for a question that could not be read, is a refusal', async context => {
  const node = await startFakeNode(context, {})
  const answer = { status: 413, text: '{"id":null,"error":{"code":-32600,"message":"too large"}}' }
  node.misbehaviours.push(answer, answer)
  await assert.rejects(new RpcClient(node.url).call('a'), RpcError)
  await assert.rejects(new RpcClient(node.url).batch([{ method: 'a', params: [] }]), RpcError)
})

test('an answer is read up to its bound', async context => {
  const node = await startFakeNode(context, { long: () => 'x'.repeat(100_000) })
  await assert.rejects(
    new RpcClient(node.url, { answerBytesMax: 10_000 }).call('long'),
    /more than 10000 bytes/,
  )
})

test('what a node says can not command the terminal', async context => {
  const node = await startFakeNode(context, {
    evil: () => {
      throw new Refusal(1, `\u001b[2Jone\ntwo\u202e\u0085${'x'.repeat(1000)}`)
    },
  })
  await assert.rejects(new RpcClient(node.url).call('evil'), error => {
    assert.ok(error instanceof RpcError)
    assert.match(error.message, /^\ufffd\[2Jone\ufffdtwo\ufffd\ufffdx{200,300}$/)
    return true
  })
  assert.equal(printable('Grüße \u{1f511}'), 'Grüße \u{1f511}')
})

test('an address of a node is an http URL without credentials', () => {
  for (const url of [
    '',
    'localhost:8545',
    'ws://localhost:8545',
    'file:///etc/passwd',
    'http://a:b@localhost',
    'x',
  ]) {
    assert.throws(() => new RpcClient(url), InvalidNodeUrl)
  }
  assert.equal(new RpcClient().url, 'http://127.0.0.1:8545')
})

test('a quantity is read from its one spelling and nothing else', () => {
  assert.equal(parseQuantity('0x0'), 0n)
  assert.equal(parseQuantity('0x1f'), 31n)
  assert.equal(parseQuantity(`0x${'f'.repeat(64)}`), 2n ** 256n - 1n)
  const wrong = [
    '',
    '0x',
    '0x00',
    '0x01',
    '0X1',
    '1',
    ' 0x1',
    '0x1\n',
    '0xG',
    '0x1F',
    '-0x1',
    `0x1${'0'.repeat(64)}`,
  ]
  for (const text of [...wrong, 1, 1n, null, undefined, ['0x1']]) assert.equal(parseQuantity(text), null)
})

test('a quantity is written in its one spelling, and is not negative', () => {
  for (const value of [0n, 1n, 31n, 2n ** 255n]) assert.equal(parseQuantity(formatQuantity(value)), value)
  assert.throws(() => formatQuantity(-1n), RangeError)
})

test('a hash is 32 bytes in lower case', () => {
  const hash = `0x${'ab'.repeat(32)}`
  assert.equal(parseHash(hash), hash)
  for (const text of [hash.toUpperCase(), `${hash}00`, hash.slice(0, -1), 'ab'.repeat(32), null]) {
    assert.equal(parseHash(text), null)
  }
})
