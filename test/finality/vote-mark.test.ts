// The mark of how far a validator voted: what it tells beside its records, and what a validator does about it.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { RecordFacts } from '../../src/consensus/kit.ts'
import type { Value } from '../../src/consensus/log.ts'
import { PBFT } from '../../src/consensus/pbft/kit.ts'
import { encodePbftRecord } from '../../src/consensus/pbft/record-wire.ts'
import type { Certificate } from '../../src/consensus/pbft/votes.ts'
import { COMMITTEE_KEYS, DamagedVotes } from '../../src/finality/committee-records.ts'
import {
  advanceMark,
  decodeMark,
  encodeMark,
  forgottenOf,
  furthest,
  markOf,
  NO_VOTES,
  tellsOfCommit,
  type VoteMark,
} from '../../src/finality/vote-mark.ts'
import { said, TestCommittee, type TestCommitteeOptions } from './committees.ts'
import { idOf, TestValidators } from './test-validators.ts'

const VALUE = '0'.repeat(64) as Value

function slot(sequence: number, view: number, preparedIn: number | null = null): RecordFacts {
  const prepared: Certificate | null =
    preparedIn === null
      ? null
      : { phase: 'prepare', sequence, view: preparedIn, value: VALUE, signatures: [] }
  const record = { type: 'slot', sequence, view, value: VALUE, proposal: new Uint8Array(), prepared } as const
  return PBFT.anatomy.record(record)
}

const view = (number: number, isActive: boolean): RecordFacts =>
  PBFT.anatomy.record({ type: 'view', view: number, isActive, reproposed: 0 })

/** What a validator writes from its first vote on, in order: each step but the last two signs something new. */
const LIFE: readonly RecordFacts[] = [
  slot(1, 0),
  slot(1, 0, 0),
  slot(2, 0),
  view(1, false),
  view(1, true),
  slot(2, 1),
  slot(2, 1, 1),
  view(3, false),
  view(3, true),
  slot(3, 3),
]

test('a mark tells of every vote and view change as it is written, and records of all of them tell the same', () => {
  let mark = NO_VOTES
  for (const [index, record] of LIFE.entries()) {
    const next = advanceMark(mark, record)
    assert.notEqual(next, mark, `step ${index}`)
    assert.deepEqual(decodeMark(encodeMark(next)), next)
    assert.equal(advanceMark(next, record), next)
    mark = next
    assert.equal(forgottenOf(mark, markOf(LIFE.slice(0, index + 1)), 0), null, `step ${index}`)
  }
})

test('records that end before the mark does have forgotten the last vote or view of it, unless it is decided', () => {
  const mark = markOf(LIFE)
  const forgotten = (count: number, decided = 0) => forgottenOf(mark, markOf(LIFE.slice(0, count)), decided)
  assert.deepEqual(forgotten(0), { sequence: 3, view: 3 })
  assert.deepEqual(forgotten(9), { sequence: 3, view: 0 })
  assert.equal(forgotten(9, 3), null)
  // It remembers that it asked for view 3, and not how it began.
  assert.deepEqual(forgotten(8), { sequence: 3, view: 4 })
  assert.deepEqual(forgotten(8, 3), { sequence: 0, view: 4 })
  const committed = markOf(LIFE.slice(0, 2))
  assert.deepEqual(forgottenOf(committed, markOf(LIFE.slice(0, 1)), 0), { sequence: 1, view: 0 })
})

test('a mark tells of every COMMIT that was given until it was written, and of none that came later', () => {
  const commits = [
    { step: 1, sequence: 1, view: 0 },
    { step: 6, sequence: 2, view: 1 },
    // A new view repeats what is decided.
    { step: 4, sequence: 1, view: 1 },
  ]
  for (const { step, sequence, view } of commits)
    for (let last = 0; last < LIFE.length; last++)
      assert.equal(tellsOfCommit(markOf(LIFE.slice(0, last + 1)), { sequence, view }), last >= step)
})

test('records that were removed because they are stable lose nothing', () => {
  const mark = markOf(LIFE)
  assert.equal(forgottenOf(mark, markOf([view(3, true)]), 3), null)
})

const marks: fc.Arbitrary<VoteMark> = fc.record({
  sequence: fc.nat(5),
  view: fc.nat(5),
  hasCommitted: fc.boolean(),
  lastView: fc.nat(5),
  hasEntered: fc.boolean(),
})

test('the further of two marks forgets nothing of either', () => {
  fc.assert(
    fc.property(marks, marks, (one, other) => {
      const both = furthest(one, other)
      assert.deepEqual(both, furthest(other, one))
      assert.equal(forgottenOf(one, both, 0), null)
      assert.equal(forgottenOf(other, both, 0), null)
    }),
  )
})

test('bytes that are no mark are refused, and those that are say what they said', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 30 }), bytes => {
      const mark = decodeMark(bytes)
      if (mark !== null) assert.deepEqual(encodeMark(mark), bytes)
    }),
  )
  const far = { ...NO_VOTES, sequence: Number.MAX_SAFE_INTEGER }
  assert.deepEqual(decodeMark(encodeMark(far)), far)
  assert.equal(decodeMark(new Uint8Array(25).fill(0xff)), null)
})

// ---- what a validator does about it

const four = new TestValidators(4)

function member(mark: VoteMark, options: Partial<TestCommitteeOptions> = {}): TestCommittee {
  const records = new Map([['mark', encodeMark(mark)]])
  const node = new TestCommittee({
    network: four,
    self: 0,
    isFresh: true,
    records,
    isAnswered: false,
    ...options,
  })
  node.start()
  node.connect('p1', 'p2', 'p3')
  return node
}

const proof = (value: Value, sequence: number, { members = [1, 2, 3], view = 0 } = {}) => {
  const vote = { phase: 'commit', sequence, view, value } as const
  const signatures = members.map(from => ({ member: from, signature: four.signing(from).sign(vote) }))
  return { type: 'proof', certificate: { ...vote, signatures } } as const
}

for (const [whose, members] of [
  ['others', [1, 2, 3]],
  ['itself and others', [0, 1, 2]],
] as const)
  test(`a validator whose folder is new, and whose key has voted, stays out until all that it voted for is decided by ${whose}`, () => {
    const node = member({ ...NO_VOTES, sequence: 2, hasCommitted: true })
    assert.match(node.alarms.join(), /signed votes up to decision 2, of which this folder holds no record/)
    const [first, second] = node.chain.extend('a', 2)
    node.answer(0)
    assert.match(node.report().muted ?? '', /up to decision 2/)
    node.hear('p1', proof(first!.id, 1, { members: [...members] }))
    assert.match(node.report().muted ?? '', /up to decision 2/)
    node.hear('p1', proof(second!.id, 2, { members: [...members] }))
    node.timeout('retransmit')
    assert.deepEqual([node.report().self, node.report().muted], [0, null])
    const again = node.restarted()
    again.answer(2)
    assert.deepEqual([again.report().self, again.report().muted], [0, null])
  })

test('a validator whose folder is new, and whose mark is an older copy, votes no more once it finds what the mark lacks', () => {
  const signed = { members: [0, 1, 2] }
  const mark: VoteMark = { ...NO_VOTES, sequence: 2, hasCommitted: true }
  for (const [lacking, view] of [
    [{ ...mark, sequence: 1 }, 0],
    [{ ...mark, hasCommitted: false }, 0],
    [mark, 1],
    [{ ...mark, sequence: 3 }, 1],
    [{ ...mark, sequence: 3, lastView: 1, hasEntered: false }, 1],
  ] as const) {
    const node = member(lacking)
    const [first, second] = node.chain.extend('a', 2)
    node.hear('p1', proof(first!.id, 1, signed))
    assert.equal(node.report().self, 0)
    node.hear('p1', proof(second!.id, 2, { ...signed, view }))
    assert.match(node.alarms.join(), /nor the mark beside its key tells of those votes/)
    assert.equal(node.report().self, null)
    assert.equal(node.restarted().report().self, null)
  }
})

test('a validator that asked for a view, and forgot it, asks for none before it again', () => {
  const node = member({ ...NO_VOTES, lastView: 5, hasEntered: true })
  assert.match(node.alarms.join(), /view changes up to view 5/)
  assert.deepEqual(said(node.log, 'view-change'), [])
  node.answer(0)
  assert.equal(node.report().muted, null)
  assert.deepEqual(
    said(node.log, 'view-change').map(({ message }) => message.view),
    [5],
  )
})

test('a validator that is told that its votes may be forgotten begins a new mark', () => {
  const node = member({ ...NO_VOTES, sequence: 2 }, { mayForgetVotes: true })
  node.answer(0)
  assert.equal(node.report().muted, null)
  assert.deepEqual(decodeMark(node.records.get('mark')!), NO_VOTES)
  const again = node.restarted({ mayForgetVotes: false })
  again.answer(0)
  assert.equal(again.report().muted, null)
})

test('a validator that is restarted while it lacks blocks below a stable checkpoint does not say that its votes are lost', () => {
  const { certificate } = proof(idOf('elsewhere') as Value, 32)
  const stable = encodePbftRecord({ type: 'stable', certificate })
  const started = (sequence: number): TestCommittee => {
    const records = new Map([
      ['mark', encodeMark({ ...NO_VOTES, sequence, hasCommitted: true })],
      [COMMITTEE_KEYS.vote('stable'), stable],
    ])
    return member(NO_VOTES, { records, isFresh: false })
  }
  assert.deepEqual(started(32).alarms, [])
  assert.match(started(33).alarms.join(), /signed votes up to decision 33/)
})

test('a damaged mark stops the start by name', () => {
  const records = new Map([['mark', Uint8Array.of(1)]])
  assert.throws(() => member(NO_VOTES, { records }), DamagedVotes)
})
