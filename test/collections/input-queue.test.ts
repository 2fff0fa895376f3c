import assert from 'node:assert/strict'
import { test } from 'node:test'
import { InputQueue } from '../../src/collections/input-queue.ts'

test('an input that arises while another is handled waits until all of that is done', () => {
  const done: string[] = []
  const queue = new InputQueue<string>(input => {
    done.push(`begins ${input}`)
    if (input === 'a') for (const next of ['b', 'c']) queue.add(next)
    done.push(`ends ${input}`)
  })
  queue.add('a')
  assert.deepEqual(done, ['begins a', 'ends a', 'begins b', 'ends b', 'begins c', 'ends c'])
  queue.add('d')
  assert.deepEqual(done.slice(-2), ['begins d', 'ends d'])
})
