import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tapHead, tapScenario } from '../../../src/lab/scenario/tap.ts'

test('scenarios are written as TAP 14 says, with what was seen', () => {
  const outcome = {
    file: 'a.scenario',
    name: 'a fork # of two',
    expectations: [
      { line: 7, text: 'final >= 2 by 3s', isMet: true, saw: 'at 1.00 s: n1 2' },
      { line: 8, text: 'never reversed', isMet: false, saw: 'transfers: "3"' },
    ],
  }
  assert.equal(tapHead(1, ['seed 1']), 'TAP version 14\n# seed 1\n1..1')
  assert.equal(
    tapScenario(outcome, 1),
    `# Subtest: a fork # of two
    1..2
    ok 1 - final >= 2 by 3s
      ---
      at: "a.scenario:7"
      saw: "at 1.00 s: n1 2"
      ...
    not ok 2 - never reversed
      ---
      at: "a.scenario:8"
      saw: "transfers: \\"3\\""
      ...
not ok 1 - a fork \\# of two`,
  )
})
