import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { describeEffect, describeInput, Trace } from '../../../src/lab/virtual/trace.ts'
import type { Effect } from '../../../src/replica/effects.ts'
import { ChainBuilder } from '../../replica/small-chain.ts'

test('the hash of a trace is the SHA-256 of its lines', () => {
  const trace = new Trace(10)
  trace.add(1.5, 'n1', '< start')
  trace.add(2, 'n2', '> relay')
  const expected = createHash('sha256').update('1.500 n1 < start\n2.000 n2 > relay\n').digest('hex')
  assert.equal(trace.finish(), `0x${expected}`)
})

test('a trace keeps its last lines and counts them all', () => {
  const trace = new Trace(3)
  for (let line = 1; line <= 20; line++) trace.add(line, 'n', String(line))
  assert.deepEqual(trace.recent(), ['18.000 n 18', '19.000 n 19', '20.000 n 20'])
  assert.equal(trace.lines, 20)
})

test('inputs and effects that differ have different words', () => {
  const { block } = new ChainBuilder().root
  const words = [
    describeInput({ type: 'start' }),
    describeInput({ type: 'peer-connected', peer: 'p' }),
    describeInput({ type: 'peer-disconnected', peer: 'p' }),
    describeInput({ type: 'timeout', name: 'sync' }),
    describeInput({ type: 'submit', raw: new Uint8Array(), token: 't' }),
    describeInput({ type: 'mining', beneficiary: null, blocks: 3 }),
    describeInput({ type: 'mined', templateId: 'x', nonce: 1 }),
    describeInput({ type: 'message', from: 'p', message: { type: 'block', block } }),
    describeInput({ type: 'message', from: 'q', message: { type: 'block', block } }),
    ...(
      [
        { type: 'persist', writes: [{ key: 'a', value: null }] },
        { type: 'persist', writes: [{ key: 'a', value: new Uint8Array() }] },
        { type: 'relay' },
        { type: 'stop-mining' },
        { type: 'reject', from: 'p', reason: 'tx-pool-full' },
        { type: 'disconnect', peer: 'p', reason: 'peer-stalled' },
        { type: 'set-timer', name: 'sync', delayMs: 5 },
        { type: 'clear-timer', name: 'sync' },
        { type: 'reply', token: 't', result: { id: '0x01' } },
        { type: 'reply', token: 't', result: { rejection: 'tx-pool-full' } },
        { type: 'head', id: block.id, height: 1, reorganised: 0 },
        { type: 'head', id: block.id, height: 1, reorganised: 1 },
        { type: 'final', id: block.id, height: 1 },
        { type: 'alarm', text: 'help' },
        { type: 'broadcast', message: { type: 'block', block } },
        { type: 'send', to: 'p', message: { type: 'transactions', requestId: 1, transactions: [] } },
        { type: 'send', to: 'p', message: { type: 'announce', ids: [block.id] } },
        { type: 'send', to: 'p', message: { type: 'get-transactions', requestId: 1, ids: [block.id] } },
        { type: 'send', to: 'p', message: { type: 'headers', requestId: 1, headers: [] } },
        { type: 'send', to: 'p', message: { type: 'blocks', requestId: 1, blocks: [] } },
        { type: 'send', to: 'p', message: { type: 'get-headers', requestId: 1, locator: [block.id] } },
        { type: 'send', to: 'p', message: { type: 'get-blocks', requestId: 1, ids: [block.id] } },
      ] satisfies Effect[]
    ).map(describeEffect),
  ]
  assert.equal(new Set(words).size, words.length)
})
