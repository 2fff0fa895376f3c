// What a terminal would obey reaches it as text: in answers, in JSON and in a node's log.

import assert from 'node:assert/strict'
import { stderr } from 'node:process'
import { test } from 'node:test'
import fc from 'fast-check'
import { createLog } from '../../src/cli/log.ts'
import { terminalJson, terminalText, timeText } from '../../src/cli/terminal-text.ts'

test('what a terminal obeys is shown by its number, and other text as it is', () => {
  assert.equal(
    terminalText('a\u001b[2J\u009b\u007f\u0000\u202e\u2028b'),
    'a\\u{1b}[2J\\u{9b}\\u{7f}\\u{0}\\u{202e}\\u{2028}b',
  )
  assert.equal(terminalText('\r'), '\\u{d}')
  assert.equal(terminalText('two\nlines\tn − f 日本 é 🙂'), 'two\nlines\tn − f 日本 é 🙂')
})

test('JSON says the same after it, without a character that a terminal obeys', () => {
  fc.assert(
    fc.property(fc.json({ stringUnit: 'binary' }), json => {
      const value = JSON.stringify(JSON.parse(json))
      assert.deepEqual(JSON.parse(terminalJson(value)), JSON.parse(value))
      assert.doesNotMatch(terminalJson(value), /[\p{Cc}\u2028\u2029\u202e]/u)
    }),
  )
})

test('a time that no calendar holds is shown as the number that it is', () => {
  assert.equal(timeText(1), '1970-01-01T00:00:01.000Z')
  assert.equal(timeText(2n ** 256n), `${2n ** 256n} s after 1970`)
  assert.equal(timeText(Number.NaN), 'NaN s after 1970')
})

test("what a peer says of itself reaches the terminal of a node's log as text", () => {
  const lines: string[] = []
  const write = stderr.write
  stderr.write = ((line: string) => lines.push(line) > 0) as typeof stderr.write
  try {
    createLog('info', false).info({ agent: 'nice\u001b]0;title\u0007\nERROR faked' }, 'a peer\u009b31m')
  } finally {
    stderr.write = write
  }
  assert.equal(lines.length, 1)
  assert.match(lines[0]!, /a peer\\u\{9b\}31m agent=nice\\u\{1b\}\]0;title\\u\{7\}\\u\{a\}ERROR faked\n$/)
})
