import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Gate } from '../../src/signatures/gate.ts'

test('a gate that was shut lets no thread in, and none is inside', () => {
  const gate = new Gate()
  const other = new Gate(gate.cells)
  assert.ok(gate.enter())
  gate.leave()
  assert.ok(gate.enter())
  gate.leave()
  other.shut()
  assert.ok(!gate.enter())
  assert.ok(!gate.enter())
  assert.deepEqual([...gate.cells], [1, 0])
})

test('shutting a gate waits for the thread inside, but not without end', { timeout: 20_000 }, () => {
  const gate = new Gate()
  gate.enter()
  const start = performance.now()
  gate.shut()
  assert.ok(performance.now() - start > 500)
})
