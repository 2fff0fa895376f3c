import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Outbox } from '../../src/replica/effects.ts'

test('all writes of a step are one persist, which stands before everything else', () => {
  const outbox = new Outbox()
  outbox.emit({ type: 'relay' })
  outbox.write('a', Uint8Array.of(1))
  outbox.emit({ type: 'stop-mining' })
  outbox.write('b', null)
  assert.deepEqual(outbox.take(), [
    {
      type: 'persist',
      writes: [
        { key: 'a', value: Uint8Array.of(1) },
        { key: 'b', value: null },
      ],
    },
    { type: 'relay' },
    { type: 'stop-mining' },
  ])
})

test('a step without writes persists nothing', () => {
  const outbox = new Outbox()
  outbox.emit({ type: 'relay' })
  assert.deepEqual(outbox.take(), [{ type: 'relay' }])
})

test('what was taken is not there again', () => {
  const outbox = new Outbox()
  outbox.write('a', null)
  outbox.emit({ type: 'relay' })
  outbox.take()
  assert.deepEqual(outbox.take(), [])
})
