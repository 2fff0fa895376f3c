import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { MULTI_PAXOS } from '../../../src/consensus/multi-paxos/kit.ts'
import { ByteReader, concatBytes } from '../../../src/encoding/bytes.ts'
import { decision, message, record } from './arbitraries.ts'

const { codec } = MULTI_PAXOS

test('messages, records and decisions read as they were written', () => {
  fc.assert(
    fc.property(message, record, decision, (said, kept, made) => {
      assert.deepEqual(codec.decodeMessage(codec.encodeMessage(said)), said)
      assert.deepEqual(codec.decodeRecord(codec.encodeRecord(kept)), kept)
      assert.deepEqual(codec.readDecision(new ByteReader(codec.encodeDecision(made))), made)
    }),
    { seed: 1, numRuns: 500 },
  )
})

test('a message cut off anywhere, or with a byte more, is none', () => {
  for (const said of fc.sample(message, { seed: 2, numRuns: 40 })) {
    const bytes = codec.encodeMessage(said)
    for (let size = 0; size < bytes.length; size++)
      assert.equal(codec.decodeMessage(bytes.subarray(0, size)), null)
    assert.equal(codec.decodeMessage(concatBytes(bytes, Uint8Array.of(0))), null)
  }
})

test('what has no form in bytes is a RangeError', () => {
  for (const ballot of [-1, 0.5, 2 ** 49, Number.NaN])
    assert.throws(() => codec.encodeMessage({ type: 'reject', from: 0, ballot }), RangeError)
  const vote = { sequence: 1, ballot: 1, value: '' }
  const accepted = Array.from({ length: 513 }, () => vote)
  const promise = { type: 'promise', from: 0, ballot: 1, decided: 0, accepted } as const
  assert.throws(() => codec.encodeMessage(promise), RangeError)
})

test('every kind of message has a role and a description', () => {
  const samples = fc.sample(message, { seed: 3, numRuns: 300 })
  assert.deepEqual(
    [...new Set(samples.map(({ type }) => type))].sort(),
    [...MULTI_PAXOS.anatomy.messageTypes].sort(),
  )
  for (const said of samples) {
    assert.ok(MULTI_PAXOS.describe(said).startsWith(said.type))
    const { role } = MULTI_PAXOS.anatomy.message(said)
    assert.equal(MULTI_PAXOS.anatomy.status(said) !== null, role === 'status')
  }
})
