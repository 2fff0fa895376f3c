// What becomes of a request that costs much.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Json } from '../../src/encoding/fields.ts'
import { alice, serve, TestNode, testGenesis, transfer } from './harness.ts'

/** A server whose clock moves only by what the method `net_peerCount` costs. */
async function priced(t: TestContext, costMs: number) {
  const node = new TestNode()
  let nowMs = 0
  let calls = 0
  let turns = 0
  node.peers = () => {
    calls += 1
    nowMs += costMs
    return []
  }
  const turnTime = {
    now: () => nowMs,
    soon: (task: () => void) => {
      turns += 1
      setImmediate(task)
    },
    later: (ms: number, task: () => void) => {
      const immediate = setImmediate(() => {
        nowMs += ms
        task()
      })
      return () => clearImmediate(immediate)
    },
  }
  const client = await serve(t, node, { turnTime })
  const batch = (count: number): string =>
    JSON.stringify(Array.from({ length: count }, (_, id) => ({ id, method: 'net_peerCount' })))
  return { node, client, batch, calls: () => calls, turns: () => turns }
}

test('a batch has a second: the calls that are left are refused, in their places', async t => {
  const { client, batch, calls } = await priced(t, 400)
  const answers = JSON.parse((await client.post(batch(10))).text) as {
    id: number
    result?: Json
    error?: Json
  }[]
  assert.deepEqual(
    answers.map(({ id }) => id),
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
  )
  const error = { code: -32005, message: 'limit exceeded: the request has taken too long' }
  for (const { id, result, error: refused } of answers) {
    if (id < 3) assert.equal(result, '0x0')
    else assert.deepEqual(refused, error)
  }
  assert.equal(calls(), 3)
})

test('the calls of a batch are spread over turns of the event loop', async t => {
  const { client, batch, calls, turns } = await priced(t, 4)
  assert.equal(JSON.parse((await client.post(batch(100))).text).length, 100)
  assert.equal(calls(), 100)
  // Three calls of 4 ms end a turn of 10 ms.
  assert.ok(turns() >= 33, `${turns()} turns`)
})

test('a batch whose client has gone is not worked on', async t => {
  const { node, client, batch, calls } = await priced(t, 0.9)
  const peers = node.peers
  const aborted = new AbortController()
  node.peers = () => {
    if (calls() === 20) aborted.abort()
    return peers()
  }
  const body = batch(1_000)
  const headers = { 'content-type': 'application/json' }
  await assert.rejects(fetch(client.url, { method: 'POST', body, headers, signal: aborted.signal }))
  await client.server.close()
  assert.ok(calls() < 1_000, `${calls()} calls`)
})

test('all that waits in a pool is shown in slices, as it was when it was asked for', async t => {
  const node = new TestNode(testGenesis())
  for (let nonce = 0n; nonce < 100n; nonce++) node.pool(transfer({ nonce }))
  const client = await serve(t, node)
  const shown = await client.object('txpool_content')
  assert.equal(Object.keys((shown.pending as Record<string, object>)[alice.address]!).length, 100)
})
