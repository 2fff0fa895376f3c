import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PBFT } from '../../../src/consensus/pbft/kit.ts'
import { Costs, decisionIn, type Tag } from '../../../src/lab/network/costs.ts'
import type { Effect } from '../../../src/replica/effects.ts'
import { KEYS } from '../../../src/replica/records.ts'
import { type Envelope, encodeEnvelope } from '../../finality/pbft-envelope.ts'

type Message = Extract<Envelope['content'], { type: 'protocol' }>['message']

const value = `0x${'11'.repeat(32)}`
const signature = new Uint8Array(65)
const place = { sequence: 1, view: 0, value }
const proposal: Message = { type: 'pre-prepare', ...place, from: 1, signature }
const prepareBy = (from: number): Message => ({
  type: 'prepare',
  ...place,
  from,
  signature,
  proposer: 1,
  proposal: signature,
})
const commitBy = (from: number): Message => ({ type: 'commit', ...place, from, signature })
const proof: Message = { type: 'proof', certificate: { phase: 'commit', ...place, signatures: [] } }

const bodyOf = (message: Message) => encodeEnvelope({ clockMs: 1, content: { type: 'protocol', message } })
const broadcast = (message: Message): Effect => ({
  type: 'broadcast',
  message: { type: 'finality', body: bodyOf(message), block: null },
})
const sendToOne = (message: Message): Effect => ({
  type: 'send',
  to: 'b',
  message: { type: 'finality', body: bodyOf(message), block: null },
})

/** Two nodes that hear of a decision, and what it cost. */
function play(costs: Costs): Tag {
  const said = (node: string, effect: Effect, to: string): Tag => {
    const tag = costs.tag(node, effect, null)!
    costs.sent(tag, 1, 100)
    costs.received(to, tag)
    return tag
  }
  said('a', broadcast(proposal), 'b')
  said('b', broadcast(prepareBy(1)), 'a')
  const last = said('a', broadcast(commitBy(0)), 'b')
  costs.decided('b', 1)
  costs.decided('a', 1)
  return last
}

test('each message is a hop more than what its sender had received, and the last node that knows counts', () => {
  const costs = new Costs(PBFT)
  assert.equal(play(costs).hops, 3)
  assert.deepEqual(costs.perDecision(), { messages: 3, bytes: 300, delays: { mean: 3, max: 3 } })
  assert.deepEqual(costs.decisions, 1)
})

test('retransmissions, and a certificate for a node that lacks it, are counted apart', () => {
  const costs = new Costs(PBFT)
  play(costs)
  const again = costs.tag('a', broadcast(commitBy(0)), null)!
  const pulled = costs.tag('a', sendToOne(proof), null)!
  assert.deepEqual([again.sequence, pulled.sequence], [null, null])
  for (const tag of [again, pulled]) costs.sent(tag, 3, 100)
  assert.equal(costs.perDecision()?.messages, 3)
  assert.equal(costs.repeated, 6)
  assert.deepEqual(Object.fromEntries(costs.kinds), { 'pre-prepare': 1, prepare: 1, commit: 4, proof: 3 })
})

test('a certificate that a collector spreads is part of the decision, of either phase', () => {
  const costs = new Costs(PBFT)
  const prepared: Message = { ...proof, certificate: { ...proof.certificate, phase: 'prepare' } }
  for (const message of [prepared, proof]) assert.equal(costs.tag('a', broadcast(message), null)?.sequence, 1)
  const checkpoint: Message = { ...proof, certificate: { ...proof.certificate, phase: 'checkpoint' } }
  assert.equal(costs.tag('a', broadcast(checkpoint), null)?.sequence, null)
})

test('nothing but the messages of the finality layer is looked at, and nothing is said of a run without decisions', () => {
  const costs = new Costs(PBFT)
  assert.equal(
    costs.tag(
      'a',
      { type: 'broadcast', message: { type: 'transactions', requestId: 1, transactions: [] } },
      null,
    ),
    null,
  )
  assert.equal(costs.tag('a', { type: 'relay' }, null), null)
  const malformed: Effect = {
    type: 'broadcast',
    message: { type: 'finality', body: Uint8Array.of(99), block: null },
  }
  assert.equal(costs.tag('a', malformed, null)?.kind, 'malformed')
  assert.equal(costs.perDecision(), null)
})

test('a decision is found among the writes of a batch', () => {
  const writes = [
    { key: KEYS.base, value: Uint8Array.of(1) },
    { key: KEYS.decision(42), value: Uint8Array.of(1) },
  ]
  assert.equal(decisionIn({ type: 'persist', writes }), 42)
  assert.equal(decisionIn({ type: 'persist', writes: writes.slice(0, 1) }), null)
  assert.equal(decisionIn({ type: 'relay' }), null)
})
