import assert from 'node:assert/strict'
import { test } from 'node:test'
import { WorkQueue } from '../../../src/lab/cluster/work-queue.ts'
import { Schedule } from '../../../src/lab/virtual/schedule.ts'

function queueOf() {
  const schedule = new Schedule()
  const queue = new WorkQueue(schedule)
  const seen: string[] = []
  const work = (word: string) => () => queue.run(() => void seen.push(`${word} at ${schedule.nowMs}`))
  return { schedule, queue, seen, work }
}

test('what a frozen node is given waits until it is thawed, in order', () => {
  const { schedule, queue, seen, work } = queueOf()
  for (const ms of [10, 20, 30, 60]) schedule.after(ms, work(`timer of ${ms}`))
  schedule.after(15, () => queue.freeze())
  schedule.after(25, work('a message'))
  schedule.after(50, () => queue.thaw())
  while (schedule.advance());
  assert.deepEqual(seen, [
    'timer of 10 at 10',
    'timer of 20 at 50',
    'a message at 50',
    'timer of 30 at 50',
    'timer of 60 at 60',
  ])
})

test('a node that is busy does its work one after the other, and at once when it is released', () => {
  const { schedule, queue, seen, work } = queueOf()
  queue.occupy(100)
  for (const word of ['first', 'second']) work(word)()
  schedule.after(40, work('third'))
  schedule.after(50, () => queue.release())
  while (schedule.advance());
  assert.deepEqual(seen, ['first at 50', 'second at 50', 'third at 50'])
})

test('work that a crash dropped is not done, were it frozen, busy or about to be thawed', () => {
  const { schedule, queue, seen, work } = queueOf()
  queue.occupy(100)
  work('busy')()
  queue.freeze()
  work('frozen')()
  queue.clear()
  work('next life')()
  queue.freeze()
  queue.run(() => queue.clear())
  work('behind the crash')()
  queue.thaw()
  while (schedule.advance());
  assert.deepEqual(seen, ['next life at 0'])
})
