import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromHex } from '../../src/encoding/bytes.ts'
import { NodeUnreachable, RpcClient } from '../../src/wallet/rpc-client.ts'
import { submit } from '../../src/wallet/submission.ts'
import { signTransfer } from '../../src/wallet/transfer.ts'
import { FakeClock } from './fake-clock.ts'
import { closedUrl, type Handler, type Misbehaviour, Refusal, startFakeNode } from './fake-node.ts'

const { raw, id } = signTransfer(
  {
    type: 'eip1559',
    chainId: 1337n,
    nonce: 0n,
    maxFeePerGas: 100n,
    maxPriorityFeePerGas: 1n,
    gasLimit: 21_000n,
    to: `0x${'35'.repeat(20)}`,
    value: 1n,
    data: new Uint8Array(),
    accessList: [],
  },
  fromHex(`0x${'46'.repeat(32)}`),
)

const SEND = 'eth_sendRawTransaction'
const LOOK = 'eth_getTransactionByHash'
const accept: Handler = () => id
const refuse =
  (message: string, code = -32000): Handler =>
  () => {
    throw new Refusal(code, message)
  }
/** Milliseconds for an answer: few where the node gives none, and more than a busy machine takes where it gives one. */
const TIMEOUT_MS = { hanging: 2_000, answering: 20_000 }

/** What comes of submitting to a node that first misbehaves and then does what its handlers say. */
async function play(
  context: Parameters<typeof startFakeNode>[0],
  misbehaviours: readonly Misbehaviour[],
  send: Handler,
  look: Handler = () => null,
) {
  const node = await startFakeNode(context, { [SEND]: send, [LOOK]: look })
  node.misbehaviours.push(...misbehaviours)
  const clock = new FakeClock()
  const timeoutMs = misbehaviours.includes('hang') ? TIMEOUT_MS.hanging : TIMEOUT_MS.answering
  const submission = await submit(new RpcClient(node.url, { timeoutMs }), raw, { clock })
  const sent = node.calls.filter(({ method }) => method === SEND)
  // The rule that matters most: every attempt carries the same bytes.
  for (const { params } of sent) assert.deepEqual(params, [raw])
  return { submission, methods: node.methods(), waits: clock.waits }
}

test('a transaction that the node takes is accepted after one attempt', async context => {
  const { submission, methods, waits } = await play(context, [], accept)
  assert.deepEqual(submission, { status: 'accepted', id })
  assert.deepEqual(methods, [SEND])
  assert.deepEqual(waits, [])
})

test('a transaction that the node already has is accepted', async context => {
  for (const text of [
    'already known',
    'known transaction: 0x12',
    'Transaction with the same hash was already imported.',
  ]) {
    const { submission } = await play(context, [], refuse(text))
    assert.equal(submission.status, 'accepted')
  }
})

test('a transaction that the node refuses is refused with its reason, and not sent again', async context => {
  for (const text of ['nonce too low', 'insufficient funds for gas * price + value', 'txpool is full']) {
    const { submission, methods } = await play(context, [], refuse(text))
    assert.ok(submission.status === 'refused')
    assert.equal(submission.error.message, text)
    assert.deepEqual(methods, [SEND])
  }
})

const lost: readonly [what: string, misbehaviour: Misbehaviour][] = [
  ['the connection is lost', 'drop'],
  ['the answer does not come in time', 'hang'],
  ['a proxy answers', { status: 502, text: 'Bad Gateway' }],
]

for (const [what, misbehaviour] of lost) {
  test(`when ${what}, the same bytes are sent again, and "already known" is success`, async context => {
    const { submission, methods, waits } = await play(context, [misbehaviour], refuse('already known'))
    assert.deepEqual(submission, { status: 'accepted', id })
    assert.deepEqual(methods, [SEND, SEND])
    assert.deepEqual(waits, [250])
  })
}

test('an internal error is no judgement: the same bytes are sent again', async context => {
  let attempts = 0
  const { submission } = await play(context, [], () => (attempts++ === 0 ? refuse('oops', -32603)() : id))
  assert.equal(submission.status, 'accepted')
  assert.equal(attempts, 2)
})

test('when no attempt is answered it stays unknown, after a last look for the id', async context => {
  const { submission, methods, waits } = await play(context, ['drop', 'drop', 'drop', 'drop'], accept)
  assert.ok(submission.status === 'unknown')
  assert.ok(submission.error instanceof NodeUnreachable)
  assert.deepEqual(methods, [SEND, SEND, SEND, SEND, LOOK])
  assert.deepEqual(waits, [250, 500, 1000])
})

test('when no attempt is answered but the node knows the id, it is accepted', async context => {
  const { submission } = await play(context, ['drop', 'drop', 'drop', 'drop'], accept, () => ({ hash: id }))
  assert.equal(submission.status, 'accepted')
})

test('a transaction mined between a lost answer and the retry is accepted although its nonce is now too low', async context => {
  const { submission, methods } = await play(context, ['drop'], refuse('nonce too low'), () => ({ hash: id }))
  assert.deepEqual(submission, { status: 'accepted', id })
  assert.deepEqual(methods, [SEND, SEND, LOOK])
})

test('a refusal after a lost answer does not prove that the first copy was refused: it is unknown', async context => {
  const { submission } = await play(context, ['drop'], refuse('txpool is full'))
  assert.ok(submission.status === 'unknown')
  assert.equal(submission.error.message, 'txpool is full')
})

test('a node that names another transaction has not accepted this one', async context => {
  const { submission } = await play(context, [], () => `0x${'11'.repeat(32)}`)
  assert.equal(submission.status, 'unknown')
})

test('where nothing listens nothing was sent, and that is an error instead of a doubt', async () => {
  const clock = new FakeClock()
  await assert.rejects(submit(new RpcClient(await closedUrl()), raw, { clock }), NodeUnreachable)
  assert.deepEqual(clock.waits, [])
})

test('a node that goes away after a lost answer leaves a doubt, not an error', async context => {
  const node = await startFakeNode(context, {})
  node.misbehaviours.push('drop')
  const client = new RpcClient(node.url)
  const url = await closedUrl()
  const call = client.call.bind(client)
  // The second and later questions go to a port where nothing listens.
  client.call = async (...question) => {
    const answer = node.calls.length === 0 ? call(...question) : new RpcClient(url).call(...question)
    return await answer
  }
  const submission = await submit(client, raw, { clock: new FakeClock() })
  assert.equal(submission.status, 'unknown')
})

test('a caller who gives up gets his reason, between attempts too', async context => {
  const node = await startFakeNode(context, {})
  node.misbehaviours.push('drop')
  const controller = new AbortController()
  const reason = new Error('enough')
  const clock = new FakeClock()
  const sleep = async (milliseconds: number, signal?: AbortSignal) => {
    controller.abort(reason)
    await clock.sleep(milliseconds, signal)
  }
  const options = { clock: { now: clock.now, sleep }, signal: controller.signal }
  await assert.rejects(submit(new RpcClient(node.url), raw, options), reason)
  assert.deepEqual(node.methods(), [SEND])
})
