import assert from 'node:assert/strict'
import { test } from 'node:test'
import { JUMP_MAX } from '../../src/consensus/log.ts'
import { missedDecisions } from '../../src/consensus/missed-decisions.ts'

test('a peer that is behind is sent the next eight decisions, and the last one that it may skip to', () => {
  assert.deepEqual(missedDecisions(3, 3), [])
  assert.deepEqual(missedDecisions(5, 3), [])
  assert.deepEqual(missedDecisions(3, 5), [4, 5])
  assert.deepEqual(missedDecisions(0, 8), [1, 2, 3, 4, 5, 6, 7, 8])
  assert.deepEqual(missedDecisions(0, 20), [1, 2, 3, 4, 5, 6, 7, 8, 20])
  assert.equal(missedDecisions(1, 10 * JUMP_MAX).at(-1), 1 + JUMP_MAX)
})
