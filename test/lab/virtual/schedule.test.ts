import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Schedule } from '../../../src/lab/virtual/schedule.ts'

function run(schedule: Schedule): void {
  while (schedule.advance());
}

test('events happen in the order of their time, and those of one moment in the order they were planned', () => {
  const schedule = new Schedule()
  const seen: string[] = []
  for (const [name, delay] of [
    ['late', 20],
    ['first', 10],
    ['second', 10],
    ['now', 0],
    ['past', -5],
  ] as const)
    schedule.after(delay, () => seen.push(`${name} ${schedule.nowMs}`))
  run(schedule)
  assert.deepEqual(seen, ['now 0', 'past 0', 'first 10', 'second 10', 'late 20'])
})

test('what an event plans happens after what was planned for the same moment', () => {
  const schedule = new Schedule()
  const seen: string[] = []
  schedule.after(5, () => {
    seen.push('a')
    schedule.after(0, () => seen.push('c'))
  })
  schedule.after(5, () => seen.push('b'))
  run(schedule)
  assert.deepEqual(seen, ['a', 'b', 'c'])
})

test('without events nothing happens', () => {
  assert.equal(new Schedule().advance(), false)
})
