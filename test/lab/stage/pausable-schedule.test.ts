import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PausableSchedule } from '../../../src/lab/stage/pausable-schedule.ts'
import { Schedule } from '../../../src/lab/virtual/schedule.ts'

test('what falls into a pause happens when it ends, in its order, and what is later in its time', () => {
  const below = new Schedule()
  const schedule = new PausableSchedule(below)
  const seen: string[] = []
  const note = (word: string) => () => void seen.push(`${word} at ${schedule.nowMs}`)
  for (const ms of [10, 20, 30, 60]) schedule.after(ms, note(`planned for ${ms}`))
  below.after(15, () => schedule.pause())
  below.after(25, () => schedule.awake(note('a message')))
  below.after(50, () => schedule.resume())
  while (schedule.advance());
  assert.deepEqual(seen, [
    'planned for 10 at 10',
    'planned for 20 at 50',
    'a message at 50',
    'planned for 30 at 50',
    'planned for 60 at 60',
  ])
})
