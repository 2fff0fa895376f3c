import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ReplicaOutbox } from '../../src/replica/effects.ts'

test('all writes of a step are one persist, which stands before everything else', () => {
  const outbox = new ReplicaOutbox()
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
  const outbox = new ReplicaOutbox()
  outbox.emit({ type: 'relay' })
  assert.deepEqual(outbox.take(), [{ type: 'relay' }])
})

test('what was taken is not there again', () => {
  const outbox = new ReplicaOutbox()
  outbox.write('a', null)
  outbox.emit({ type: 'relay' })
  outbox.take()
  assert.deepEqual(outbox.take(), [])
})

test('what a step wants written can be read back in it, and what it wants removed is gone', () => {
  const outbox = new ReplicaOutbox()
  const stored = new Map([
    ['a', Uint8Array.of(1)],
    ['b', Uint8Array.of(2)],
  ])
  const store = { get: (key: string) => stored.get(key) ?? null, entries: () => stored }
  const view = outbox.over(store)
  outbox.write('a', Uint8Array.of(9))
  outbox.write('b', null)
  outbox.write('c', Uint8Array.of(3))
  assert.deepEqual(view.get('a'), Uint8Array.of(9))
  assert.equal(view.get('b'), null)
  assert.deepEqual(view.get('c'), Uint8Array.of(3))
  assert.equal(view.get('d'), null)
  outbox.take()
  // The performer has written them by now, or not.
  assert.deepEqual(view.get('a'), Uint8Array.of(1))
  assert.equal(view.get('c'), null)
})
