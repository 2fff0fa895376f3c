import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pino } from 'pino'
import { guarded } from '../../src/defence/guarded.ts'

/** A log, and the lines of it. */
function linesOf() {
  const lines: { level: number; msg: string; err: { message: string; stack: string } }[] = []
  const log = pino({}, { write: (line: string) => void lines.push(JSON.parse(line)) })
  return { log, lines }
}

const broken = (): never => {
  throw new Error('broken')
}

for (const [kind, handler] of [
  ['throws', broken],
  ['rejects', async () => broken()],
] as const)
  test(`a handler that ${kind} ends nothing, is told as an error with its stack, and its sender is dropped`, async () => {
    const { log, lines } = linesOf()
    const dropped: string[] = []
    const handle = guarded<[string]>(log, 'handling it', handler, sender => dropped.push(sender))
    handle('a peer')
    await new Promise(setImmediate)
    assert.deepEqual(dropped, ['a peer'])
    assert.equal(lines.length, 1)
    const [{ level, msg, err }] = lines as [(typeof lines)[0]]
    assert.deepEqual([level, msg, err.message], [50, 'handling it failed', 'broken'])
    assert.match(err.stack, /guarded\.test\.ts/)
  })

for (const [kind, drop] of [
  ['throws', broken],
  ['rejects', async () => broken()],
] as const)
  test(`a sender that can not be dropped, for that ${kind}, ends nothing either`, async () => {
    const { log, lines } = linesOf()
    guarded(log, 'handling it', broken, drop)()
    await new Promise(setImmediate)
    assert.equal(lines.length, 2)
  })

test('a handler gets what was given, at once, and is not told of when all is well', () => {
  const { log, lines } = linesOf()
  const got: unknown[] = []
  guarded<[number, string]>(log, 'handling it', (...given) => got.push(given))(1, 'a')
  assert.deepEqual([got, lines], [[[1, 'a']], []])
})
