import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NUMBER_MAX } from '../../../src/consensus/log.ts'
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

test('a member that fails whenever its term is over is passed over for ever longer: a term forgives nothing', () => {
  const record = new LeaderRecord(4)
  const terms: number[] = []
  for (let sequence = 10; terms.length < 7; sequence += terms.at(-1)! + 1) {
    record.fail(1, sequence)
    terms.push(record.suspects(sequence)[0]!.until - sequence)
  }
  assert.deepEqual(terms, [32, 64, 128, 256, 512, 1_024, 1_024])
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
  record.fail(0, 11)
  assert.deepEqual(record.suspects(11), [{ member: 2, until: NUMBER_MAX }], 'whichever member fails after it')
})

test('the view of a suspected primary is not asked for, but after more than n failures in a row each is', () => {
  const record = new LeaderRecord(4)
  record.fail(1, 5)
  assert.equal(record.nextView(0, 5, 1), 2)
  assert.equal(record.nextView(1, 5, 1), 2)
  assert.equal(record.nextView(0, 40, 1), 1, 'its term is over')
  assert.equal(record.nextView(0, 5, 5), 1)
})

/** A record in which each of four members has led once, after so many rungs of the timer. */
function afterARound(rung: number): LeaderRecord {
  const record = new LeaderRecord(4)
  for (const member of [0, 1, 2, 3]) record.finish(member, rung)
  return record
}

test('a member is too slow after two very slow turns in a row', () => {
  const record = afterARound(0)
  record.finish(1, 4)
  assert.deepEqual(record.slow, [])
  record.finish(1, 3)
  assert.deepEqual(record.slow, [1])
})

test('a member that is very slow in every other turn is too slow as well', () => {
  const record = afterARound(0)
  for (const rung of [4, 0]) record.finish(1, rung)
  assert.deepEqual(record.slow, [])
  record.finish(1, 4)
  assert.deepEqual(record.slow, [1])
})

test('a member whose turns take four times as long as those of others is too slow, whatever the timeout is', () => {
  for (const rung of [0, 1, 2]) {
    const record = afterARound(rung)
    for (let turn = 0; turn < 20; turn++) record.finish(1, rung + 1)
    assert.deepEqual(record.slow, [], 'twice as long is no more than chance')
    for (let turn = 0; turn < 3; turn++) record.finish(1, rung + 2)
    assert.deepEqual(record.slow, [1])
  }
})

test('where the network becomes slow, or more than f members do, no member is too slow', () => {
  const record = afterARound(0)
  for (let round = 0; round < 5; round++) for (const member of [0, 1, 2, 3]) record.finish(member, 4)
  assert.deepEqual(record.slow, [])
  const two = afterARound(0)
  for (let round = 0; round < 5; round++) for (const member of [1, 2]) two.finish(member, 4)
  assert.deepEqual(two.slow, [])
})

test("a late turn is paid for by as many turns in good time as it took, and one alone is anybody's fault", () => {
  for (const rung of [3, 4, 6, 8]) {
    const [seldom, often] = [afterARound(0), afterARound(0)]
    for (let late = 0; late < 5; late++) {
      for (const [record, turns] of [
        [seldom, 2 ** rung + 1],
        [often, 2 ** rung / 4],
      ] as const) {
        record.finish(1, rung)
        if (late === 0) assert.deepEqual(record.slow, [])
        for (let turn = 0; turn < turns; turn++) record.finish(1, 0)
      }
      assert.deepEqual(seldom.slow, [])
    }
    assert.deepEqual(often.slow, [1])
  }
})

test('a member that is always a little behind is not too slow for a late turn now and then', () => {
  const record = afterARound(0)
  for (let turn = 0; turn < 3_000; turn++) {
    record.finish(1, turn % 100 === 0 ? 2 : 1)
    assert.deepEqual(record.slow, [])
  }
})

test('where members are late by turns, more than f of them, no member is too slow', () => {
  const record = afterARound(0)
  for (let round = 0; round < 40; round++)
    for (const member of [0, 1, 2, 3]) {
      record.finish(member, member < 2 ? 0 : 2)
      assert.deepEqual(record.slow, [])
    }
})
