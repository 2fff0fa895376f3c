// What PBFT's messages and records say in the words of all log protocols, for every kind of them.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PBFT } from '../../../src/consensus/pbft/kit.ts'
import type { PbftMessage, PbftRecord } from '../../../src/consensus/pbft/messages.ts'
import type { Certificate } from '../../../src/consensus/pbft/votes.ts'

const signature = new Uint8Array(65)
const place = { sequence: 7, view: 2, value: 'a' }
const certificate: Certificate = { phase: 'prepare', ...place, signatures: [{ member: 3, signature }] }
const stable: Certificate = { ...certificate, phase: 'checkpoint', sequence: 4, view: 0 }
const viewChange = {
  type: 'view-change',
  view: 3,
  from: 1,
  stable,
  prepared: [certificate],
  suspects: [],
  signature,
} as const
const proposals = [{ sequence: 7, value: 'a', signature }]

const MESSAGES: Record<PbftMessage['type'], PbftMessage> = {
  'pre-prepare': { type: 'pre-prepare', ...place, from: 1, signature },
  prepare: { type: 'prepare', ...place, from: 2, signature, proposer: 1, proposal: signature },
  commit: { type: 'commit', ...place, from: 2, signature },
  checkpoint: { type: 'checkpoint', sequence: 8, value: 's', from: 2, signature },
  'view-change': viewChange,
  'new-view': { type: 'new-view', view: 3, viewChanges: [viewChange], proposals, signature },
  status: {
    type: 'status',
    from: 2,
    view: 2,
    isActive: true,
    votes: true,
    decided: 6,
    value: 'z',
    timeoutMs: 9,
  },
  proof: { type: 'proof', certificate },
  complaint: { type: 'complaint', view: 2, from: 1, signature },
  query: { type: 'query', from: 1, challenge: 5 },
  answer: {
    type: 'answer',
    from: 1,
    to: 2,
    challenge: 5,
    decided: 6,
    votes: [],
    viewChange: null,
    signature,
  },
}
const all = (read: (message: PbftMessage) => unknown) =>
  Object.fromEntries(Object.entries(MESSAGES).map(([type, message]) => [type, read(message)]))

test('each message is for something, and those that decide tell their sequence number and view', () => {
  const facts = all(message => {
    const { role, phase, sequence, view, value, from, isDeciding } = PBFT.anatomy.message(message)
    return `${role} ${phase} ${sequence}/${view} ${value} by ${from}${isDeciding ? ', decides' : ''}`
  })
  assert.deepEqual(facts, {
    'pre-prepare': 'proposal prepare 7/2 a by 1, decides',
    prepare: 'vote prepare 7/2 a by 2, decides',
    commit: 'vote commit 7/2 a by 2, decides',
    checkpoint: 'checkpoint checkpoint 8/null s by 2',
    'view-change': 'departure null null/3 null by 1',
    'new-view': 'beginning null null/3 null by null',
    status: 'status null null/2 null by 2',
    proof: 'certificate prepare 7/2 a by null, decides',
    complaint: 'other null null/2 null by 1',
    query: 'other null null/null null by 1',
    answer: 'other null null/null null by 1',
  })
  const { isDeciding } = PBFT.anatomy.message({ type: 'proof', certificate: stable })
  assert.equal(isDeciding, false)
})

test('a vote, a checkpoint and a new view bind their sender', () => {
  const claims = all(message =>
    PBFT.anatomy.claims(message).map(({ about, value, sequence }) => `${about}: ${value}, ${sequence}`),
  )
  assert.deepEqual(claims, {
    'pre-prepare': ['prepare 7 in view 2: a, 7'],
    prepare: ['prepare 7 in view 2: a, 7'],
    commit: ['commit 7 in view 2: a, 7'],
    checkpoint: ['checkpoint 8: s, null'],
    'view-change': [],
    'new-view': ['new-view 3: 7=a, null', 'prepare 7 in view 3: a, null'],
    status: [],
    proof: [],
    complaint: [],
    query: [],
    answer: [],
  })
})

test('the votes and certificates that a message carries are told, a proposal with the vote that answers it', () => {
  const { votes, certificates } = PBFT.signed!
  const told = all(message => [
    votes(message).map(
      ({ vote: { phase, sequence, view }, member }) => `${phase} ${sequence}/${view} ${member}`,
    ),
    certificates(message).map(({ phase, sequence }) => `${phase} ${sequence}`),
  ])
  const nothing = [[], []]
  assert.deepEqual(told, {
    'pre-prepare': [['prepare 7/2 1'], []],
    prepare: [['prepare 7/2 1', 'prepare 7/2 2'], []],
    commit: [['commit 7/2 2'], []],
    checkpoint: [['checkpoint 8/0 2'], []],
    'view-change': [[], ['checkpoint 4', 'prepare 7']],
    'new-view': [[], ['checkpoint 4', 'prepare 7']],
    status: nothing,
    proof: [[], ['prepare 7']],
    complaint: nothing,
    query: nothing,
    answer: nothing,
  })
})

test('a record tells the vote, the view, the values and the checkpoint that it keeps', () => {
  const records: readonly PbftRecord[] = [
    { type: 'slot', ...place, proposal: signature, prepared: null },
    { type: 'slot', ...place, proposal: signature, prepared: certificate },
    { type: 'slot', ...place, value: '', proposal: signature, prepared: { ...certificate, view: 1 } },
    { type: 'view', view: 3, isActive: false, reproposed: 0 },
    { type: 'stable', certificate: stable },
    { type: 'new-view', message: MESSAGES['new-view'] as never },
  ]
  const facts = records.map(record => PBFT.anatomy.record(record))
  const nothing = { vote: null, view: null, values: [], stable: 0 }
  assert.deepEqual(facts, [
    { ...nothing, vote: { sequence: 7, view: 2, hasCommitted: false }, values: ['a'] },
    { ...nothing, vote: { sequence: 7, view: 2, hasCommitted: true }, values: ['a', 'a'] },
    { ...nothing, vote: { sequence: 7, view: 2, hasCommitted: false }, values: ['a'] },
    { ...nothing, view: { lastView: 3, hasEntered: false } },
    { ...nothing, stable: 4 },
    nothing,
  ])
})

test('only a certificate of COMMITs is a decision', () => {
  assert.deepEqual(PBFT.anatomy.decision({ ...certificate, phase: 'commit' }), {
    isDecision: true,
    view: 2,
    voters: [3],
  })
  for (const phase of ['prepare', 'checkpoint'] as const)
    assert.equal(PBFT.anatomy.decision({ ...certificate, phase }).isDecision, false)
})
