import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ProcessOutbox } from '../../src/consensus/outbox.ts'

test('each record is a persist of its own, and one that is written again takes its last place', () => {
  const outbox = new ProcessOutbox<never, number, never>()
  outbox.write('view', 1)
  outbox.write('new-view', 2)
  outbox.write('view', 3)
  outbox.write('slot', null)
  assert.deepEqual(outbox.take(), [
    { type: 'persist', key: 'new-view', record: 2 },
    { type: 'persist', key: 'view', record: 3 },
    { type: 'persist', key: 'slot', record: null },
  ])
})
