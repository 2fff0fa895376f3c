import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NUMBER_MAX } from '../../../src/consensus/contract.ts'
import {
  isSuspectList,
  LeaderRecord,
  passedOverBy,
  proposerOf,
} from '../../../src/consensus/pbft/leader-schedule.ts'

const claims = (...lists: readonly (readonly (readonly [number, number])[])[]) =>
  lists.map(list => ({ suspects: list.map(([member, until]) => ({ member, until })) }))

test('a member that is passed over does not propose until its term ends, and the next one proposes for it', () => {
  const passedOver = [{ member: 2, until: 6 }]
  const proposers = [1, 2, 3, 4, 5, 6, 7, 10].map(sequence => proposerOf(0, sequence, 4, passedOver))
  assert.deepEqual(proposers, [1, 3, 3, 0, 1, 3, 3, 2])
})

test('f members can not have an honest one passed over, and f + 1 have it as far as f + 1 of them say', () => {
  assert.deepEqual(passedOverBy(claims([[2, 40]], [], []), 4), [])
  assert.deepEqual(passedOverBy(claims([[2, 40]], [[2, NUMBER_MAX]], [[2, 33]]), 4), [
    { member: 2, until: 40 },
  ])
  assert.deepEqual(passedOverBy(claims([[0, 9]], [[0, 9]], [], [], []), 7), [], 'f is 2')
})

test('at most f members are passed over, so that an honest proposer is left', () => {
  const all = claims([[1, 50]], [[1, 50]], [[2, 60]], [[2, 60]])
  assert.deepEqual(passedOverBy(all, 4), [{ member: 2, until: 60 }])
})

test('a list of suspects has one form: at most f members, in order, and numbers within bounds', () => {
  const suspect = (member: number, until = 9) => ({ member, until })
  assert.ok(isSuspectList([suspect(3), suspect(5)], 7))
  for (const bad of [
    [suspect(5), suspect(3)],
    [suspect(3), suspect(3)],
    [suspect(1), suspect(2), suspect(3)],
    [suspect(7)],
    [suspect(-1)],
    [suspect(1, -1)],
    [suspect(1, 0.5)],
    [suspect(1, NUMBER_MAX + 1)],
  ])
    assert.equal(isSuspectList(bad, 7), false, JSON.stringify(bad))
  assert.equal(isSuspectList([suspect(0)], 3), false, 'below four members none may fail')
})

test('a member that fails again is passed over for twice as long, and one failure is forgiven in time', () => {
  const record = new LeaderRecord(4)
  record.fail(1, 10)
  assert.deepEqual(record.suspects(11), [{ member: 1, until: 42 }])
  record.fail(1, 43)
  assert.deepEqual(record.suspects(50), [{ member: 1, until: 107 }])
  record.fail(1, 1_000)
  assert.deepEqual(record.suspects(1_001), [{ member: 1, until: 1_032 }])
  assert.deepEqual(record.suspects(1_032), [], 'its term is over')
})

test('of those that failed the last f are suspects', () => {
  const record = new LeaderRecord(4)
  record.fail(1, 5)
  record.fail(3, 5)
  assert.deepEqual(record.suspects(5), [{ member: 3, until: 37 }])
})

test('members that failed before and are silent since fail with the next that does', () => {
  const record = new LeaderRecord(7)
  record.fail(1, 5)
  record.fail(2, 6)
  record.hear(2, 20)
  record.fail(1, 60)
  assert.deepEqual(record.suspects(60), [{ member: 1, until: 124 }], '2 was heard of')
  record.fail(2, 130)
  assert.deepEqual(
    record.suspects(130).map(({ member }) => member),
    [1, 2],
  )
})

test('a proven liar is not to lead again', () => {
  const record = new LeaderRecord(4)
  record.convict(2)
  assert.deepEqual(record.suspects(1e9), [{ member: 2, until: NUMBER_MAX }])
})

test('the view of a suspected primary is not asked for, but after more than n failures in a row each is', () => {
  const record = new LeaderRecord(4)
  record.fail(1, 5)
  assert.equal(record.nextView(0, 5, 1), 2)
  assert.equal(record.nextView(1, 5, 1), 2)
  assert.equal(record.nextView(0, 40, 1), 1, 'its term is over')
  assert.equal(record.nextView(0, 5, 5), 1)
})

test('a member is too slow after two slow turns in a row, unless more than f are', () => {
  const record = new LeaderRecord(4)
  record.finish(1, true)
  assert.deepEqual([record.slow, record.isAnyTooSlow], [[1], false])
  record.finish(1, true)
  assert.ok(record.isAnyTooSlow)
  record.finish(2, true)
  assert.deepEqual([record.slow, record.isAnyTooSlow], [[], false], 'the network is slow')
  record.finish(2, false)
  record.finish(1, false)
  record.finish(1, true)
  assert.equal(record.isAnyTooSlow, false)
})
