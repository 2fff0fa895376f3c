import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualTime } from '../../../src/lab/stage/virtual-time.ts'

test('all that wait are resumed in the order of their times, however long they would really wait', async () => {
  const time = new VirtualTime()
  const heard: string[] = []
  const say = async (name: string, everyMs: number): Promise<void> => {
    for (let count = 1; count <= 3; count++) {
      await time.sleep(everyMs)
      heard.push(`${name} at ${time.nowMs}`)
    }
  }
  const hour = 3_600_000
  await time.run(Promise.all([say('slow', 2 * hour), say('fast', hour)]))
  const at = (name: string, hours: number): string => `${name} at ${hours * hour}`
  assert.deepEqual(heard, [
    at('fast', 1),
    at('slow', 2),
    at('fast', 2),
    at('fast', 3),
    at('slow', 4),
    at('slow', 6),
  ])
})

test('time stands still while resumed code goes on through several promises', async () => {
  const time = new VirtualTime()
  time.schedule.after(10, () => {})
  const passOn = async (): Promise<number> => {
    await time.sleep(5)
    for (let step = 0; step < 20; step++) await Promise.resolve()
    return time.nowMs
  }
  assert.equal(await time.run(passOn()), 5)
})

test('what the work throws comes out, and waiting for nothing of the schedule is a mistake', async () => {
  const time = new VirtualTime()
  const fail = async (): Promise<void> => {
    await time.sleep(1)
    throw new Error('no such thing')
  }
  await assert.rejects(time.run(fail()), /no such thing/)
  await assert.rejects(new VirtualTime().run(new Promise(() => {})), /nothing is left to happen/)
})
