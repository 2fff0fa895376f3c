import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Outbox } from '../../src/collections/outbox.ts'

type Effect =
  | { readonly type: 'persist'; readonly key: string; readonly value: number | null }
  | { readonly type: 'send' }
  | { readonly type: 'alarm' }

const outboxOfRecords = () =>
  new Outbox<number, Effect>(writes => writes.map(([key, value]) => ({ type: 'persist', key, value })))

test('what is persisted stands before all else, which keeps its order', () => {
  const outbox = outboxOfRecords()
  outbox.emit({ type: 'send' })
  outbox.write('a', 1)
  outbox.emit({ type: 'alarm' })
  outbox.write('b', null)
  assert.deepEqual(outbox.take(), [
    { type: 'persist', key: 'a', value: 1 },
    { type: 'persist', key: 'b', value: null },
    { type: 'send' },
    { type: 'alarm' },
  ])
})

test('of two writes to one key the last one counts, in the place of the first', () => {
  const outbox = outboxOfRecords()
  outbox.write('a', 1)
  outbox.write('b', 2)
  outbox.write('a', 3)
  assert.equal(outbox.written('a'), 3)
  assert.equal(outbox.written('c'), undefined)
  assert.deepEqual(
    outbox.take().map(effect => (effect.type === 'persist' ? [effect.key, effect.value] : effect.type)),
    [
      ['a', 3],
      ['b', 2],
    ],
  )
})

test('what was taken is not there again, and a step without writes persists nothing', () => {
  const outbox = new Outbox<number, Effect>(() => assert.fail('nothing was written'))
  outbox.emit({ type: 'send' })
  assert.deepEqual(outbox.take(), [{ type: 'send' }])
  assert.deepEqual(outbox.take(), [])
})

test('a write in the last place may depend on what was written before it', () => {
  const outbox = outboxOfRecords()
  outbox.writeLast('a', 1)
  outbox.writeLast('b', 2)
  outbox.writeLast('a', 3)
  outbox.writeLast('c', null)
  outbox.writeLast('c', 4)
  assert.deepEqual(
    outbox.take().map(effect => effect.type === 'persist' && [effect.key, effect.value]),
    [
      ['b', 2],
      ['a', 3],
      ['c', 4],
    ],
  )
})

test('a record that is written again after a removal is written twice, so that a crash between finds one of the two', () => {
  const outbox = outboxOfRecords()
  outbox.writeLast('stable', 1)
  outbox.writeLast('slot', null)
  outbox.writeLast('stable', 2)
  outbox.writeLast('stable', 3)
  assert.deepEqual([outbox.written('stable'), outbox.written('slot')], [3, null])
  assert.deepEqual(
    outbox.take().map(effect => effect.type === 'persist' && [effect.key, effect.value]),
    [
      ['stable', 1],
      ['slot', null],
      ['stable', 3],
    ],
  )
  assert.deepEqual(outbox.take(), [])
})
