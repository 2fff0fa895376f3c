import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { exactReversal, nakamotoReversal } from '../../src/finality/reversal.ts'
import { InvalidAnswer } from '../../src/wallet/rpc-answer.ts'
import { RpcClient, RpcError } from '../../src/wallet/rpc-client.ts'
import {
  confirmationsForRisk,
  type TransactionState,
  type WatchOptions,
  watchTransaction,
} from '../../src/wallet/wait.ts'
import { FakeClock } from './fake-clock.ts'
import { type FakeNode, startFakeNode } from './fake-node.ts'

const ID = `0x${'1d'.repeat(32)}` as const
const OTHER = `0x${'07'.repeat(32)}` as const
const BLOCK = `0x${'b1'.repeat(32)}` as const
const FORK = `0x${'f0'.repeat(32)}` as const
const METHOD = 'quorate_getTransactionStatus'

const pending = { status: 'pending' }
const mined = (confirmations: number, { final = false, blockHash = BLOCK as string } = {}) => ({
  status: 'mined',
  blockHash,
  blockNumber: '0x10',
  confirmations: `0x${confirmations.toString(16)}`,
  final,
})

/** A node that gives these answers one after another, and the last one for ever. */
async function statusNode(context: TestContext, answers: readonly unknown[]): Promise<FakeNode> {
  let asked = 0
  return await startFakeNode(context, { [METHOD]: () => answers[Math.min(asked++, answers.length - 1)] })
}

async function states(node: FakeNode, options: WatchOptions = {}): Promise<TransactionState[]> {
  return await Array.fromAsync(
    watchTransaction(new RpcClient(node.url), ID, { clock: new FakeClock(), ...options }),
  )
}

const brief = (state: TransactionState): string =>
  state.status === 'mined' || state.status === 'final'
    ? `${state.status} ${state.confirmations}`
    : state.status

test('a transaction is followed from the pool to finality, each state told once', async context => {
  const node = await statusNode(context, [
    null,
    null,
    pending,
    pending,
    mined(1),
    mined(1),
    mined(2),
    mined(3, { final: true }),
  ])
  const seen = await states(node)
  assert.deepEqual(seen.map(brief), ['unseen', 'pending', 'mined 1', 'mined 2', 'final 3'])
  assert.deepEqual(seen.at(-1), { status: 'final', blockHash: BLOCK, blockNumber: 16n, confirmations: 3n })
  assert.deepEqual(node.calls[0]?.params, [ID])
  assert.equal(node.calls.length, 8)
})

test('a block that is lost in a reorganisation is followed by what comes instead', async context => {
  const answers = [
    mined(2),
    pending,
    mined(1, { blockHash: FORK }),
    mined(2, { blockHash: FORK, final: true }),
  ]
  const seen = await states(await statusNode(context, answers))
  assert.deepEqual(seen.map(brief), ['mined 2', 'pending', 'mined 1', 'final 2'])
})

test('a move to another block with as many confirmations is a new state', async context => {
  const answers = [mined(1), mined(1, { blockHash: FORK }), mined(2, { final: true })]
  const seen = await states(await statusNode(context, answers))
  assert.deepEqual(seen.map(brief), ['mined 1', 'mined 1', 'final 2'])
})

test('a mined transaction comes with the probability that an attacker reverses it', async context => {
  const node = await statusNode(context, [mined(1), mined(6), mined(7, { final: true })])
  const [first, sixth] = await states(node, { attackerShare: 0.1 })
  assert.ok(first?.status === 'mined' && sixth?.status === 'mined')
  assert.deepEqual(first.reversal, { exact: exactReversal(0.1, 1), nakamoto: nakamotoReversal(0.1, 1) })
  assert.deepEqual(sixth.reversal, { exact: exactReversal(0.1, 6), nakamoto: nakamotoReversal(0.1, 6) })
})

test('without an attacker there is no probability', async context => {
  const [state] = await states(await statusNode(context, [mined(1), mined(2, { final: true })]))
  assert.ok(state?.status === 'mined')
  assert.equal(state.reversal, null)
})

test('a number of confirmations that no chain has is answered at once', async context => {
  const answer = { ...mined(1), confirmations: `0x${'f'.repeat(64)}` }
  const node = await statusNode(context, [answer])
  const [state] = await states(node, { attackerShare: 0.45, confirmations: 1n })
  assert.ok(state?.status === 'mined')
  assert.ok(state.reversal !== null && state.reversal.exact < 1e-30)
})

test('enough confirmations end the wait where nothing is ever final', async context => {
  const seen = await states(await statusNode(context, [pending, mined(1), mined(4), mined(9)]), {
    confirmations: 3n,
  })
  assert.deepEqual(seen.map(brief), ['pending', 'mined 1', 'mined 4'])
})

test('a wait for a risk ends when the exact formula is below it, not when Nakamoto is', async context => {
  const answers = [mined(1), mined(4), mined(5), mined(6), mined(7)]
  const seen = await states(await statusNode(context, answers), { attackerShare: 0.1, risk: 0.001 })
  assert.deepEqual(seen.map(brief), ['mined 1', 'mined 4', 'mined 5', 'mined 6'])
  assert.deepEqual(confirmationsForRisk(0.1, 0.001), { exact: 6, nakamoto: 5 })
})

test('a wait for a risk starts over when a reorganisation takes the block away', async context => {
  const answers = [mined(5), pending, mined(1, { blockHash: FORK }), mined(6, { blockHash: FORK })]
  const seen = await states(await statusNode(context, answers), { attackerShare: 0.1, risk: 0.001 })
  assert.deepEqual(seen.map(brief), ['mined 5', 'pending', 'mined 1', 'mined 6'])
})

test('finality ends a wait for a risk however few blocks there are', async context => {
  const answers = [mined(1), mined(2, { final: true })]
  const seen = await states(await statusNode(context, answers), { attackerShare: 0.45, risk: 1e-9 })
  assert.deepEqual(seen.map(brief), ['mined 1', 'final 2'])
})

test('a wait for a risk without an attacker waits for finality', async context => {
  const answers = [mined(100), mined(200, { final: true })]
  const seen = await states(await statusNode(context, answers), { risk: 0.5 })
  assert.deepEqual(seen.map(brief), ['mined 100', 'final 200'])
})

test('no number of confirmations is enough against half of all hashes', () => {
  assert.deepEqual(confirmationsForRisk(0.5, 0.01), { exact: null, nakamoto: null })
})

test('a transaction behind a gap says which nonce it waits for', async context => {
  const queued = { status: 'pending', queued: true, waitsFor: '0x5' }
  const seen = await states(await statusNode(context, [queued, pending, mined(1, { final: true })]))
  assert.deepEqual(seen.slice(0, 2), [
    { status: 'pending', waitsFor: 5n },
    { status: 'pending', waitsFor: null },
  ])
})

test('a replaced transaction names the one that took its place', async context => {
  const seen = await states(await statusNode(context, [pending, { status: 'replaced', by: OTHER }]))
  assert.deepEqual(seen, [
    { status: 'pending', waitsFor: null },
    { status: 'replaced', by: OTHER },
  ])
})

test('a dropped transaction comes with the reason, safe to print', async context => {
  const dropped = { status: 'dropped', reason: 'pool-full\u001b[2J' }
  const seen = await states(await statusNode(context, [dropped]))
  assert.deepEqual(seen, [{ status: 'dropped', reason: 'pool-full\ufffd[2J' }])
})

test('when time is up the outcome is unknown, with what was last known', async context => {
  for (const [answer, last] of [
    [null, 'unseen'],
    [pending, 'pending'],
    [mined(1), 'mined'],
  ] as const) {
    const node = await statusNode(context, [answer])
    const clock = new FakeClock()
    const seen = await states(node, { timeoutMs: 2500, clock })
    const end = seen.at(-1)
    assert.ok(end?.status === 'unknown')
    assert.equal(end.last.status, last)
    assert.deepEqual(clock.waits, [1000, 1000, 500])
    assert.equal(node.calls.length, 4)
  }
})

test('a time of zero asks once', async context => {
  const seen = await states(await statusNode(context, [pending]), { timeoutMs: 0 })
  assert.deepEqual(seen.map(brief), ['pending', 'unknown'])
})

test('the questions keep their distance', async context => {
  const clock = new FakeClock()
  await states(await statusNode(context, [pending, pending, mined(1, { final: true })]), {
    pollMs: 40,
    clock,
  })
  assert.deepEqual(clock.waits, [40, 40])
})

test('a node that goes away for a while is told once and asked on', async context => {
  const node = await statusNode(context, [pending, mined(1, { final: true })])
  node.misbehaviours.push(null, 'drop', 'drop')
  assert.deepEqual((await states(node)).map(brief), ['pending', 'unreachable', 'final 1'])
})

test('a caller who gives up gets his own reason', async context => {
  const controller = new AbortController()
  const reason = new Error('enough')
  const node = await statusNode(context, [pending])
  const seen: string[] = []
  await assert.rejects(async () => {
    for await (const state of watchTransaction(new RpcClient(node.url), ID, { signal: controller.signal })) {
      seen.push(state.status)
      controller.abort(reason)
    }
  }, reason)
  assert.deepEqual(seen, ['pending'])
})

test('a node that does not know the method is an error', async context => {
  await assert.rejects(states(await startFakeNode(context, {})), RpcError)
})

const nonsense: readonly unknown[] = [
  'pending',
  {},
  { status: 'vanished' },
  { ...mined(1), final: 'yes' },
  { ...mined(1), final: undefined },
  { ...mined(1), confirmations: 1 },
  { ...mined(1), confirmations: '0x01' },
  { ...mined(1), blockHash: '0x12' },
  { status: 'replaced' },
  { status: 'dropped', reason: 7 },
]

for (const answer of nonsense) {
  test(`the answer ${JSON.stringify(answer)} is not taken for a state`, async context => {
    await assert.rejects(states(await statusNode(context, [answer])), InvalidAnswer)
  })
}
