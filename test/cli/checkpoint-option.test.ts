import assert from 'node:assert/strict'
import { test } from 'node:test'
import { explainMismatch, readCheckpoint } from '../../src/cli/checkpoint-option.ts'
import { CommandError, EXIT } from '../../src/cli/exit-codes.ts'
import { CheckpointMismatch } from '../../src/replica/checkpoint.ts'
import { CorruptStore } from '../../src/replica/records.ts'

const ID = `0x${'0a'.repeat(32)}` as const

test('a checkpoint is a height and an id, in whatever case, or none', () => {
  assert.deepEqual(readCheckpoint(`12:${ID}`), { height: 12, id: ID })
  assert.deepEqual(readCheckpoint(`1:0x${'0A'.repeat(32)}`), { height: 1, id: ID })
  assert.equal(readCheckpoint(undefined), null)
})

for (const text of [
  '',
  '12',
  ID,
  `${ID}:12`,
  `0:${ID}`,
  `012:${ID}`,
  `-1:${ID}`,
  `1.5:${ID}`,
  `1e3:${ID}`,
  `0x1:${ID}`,
  `1000000000000000:${ID}`,
  `12:${ID.slice(0, -1)}`,
  `12:${ID}0`,
  `12:${ID.slice(2)}`,
  `12:${ID} `,
  [`12:${ID}`, `13:${ID}`],
])
  test(`no checkpoint, which is told with what was given and what was expected: ${text}`, () => {
    assert.throws(
      () => readCheckpoint(text),
      (error: unknown) =>
        error instanceof CommandError &&
        error.code === EXIT.usage &&
        error.message.startsWith('--checkpoint: expected one HEIGHT:ID, ') &&
        error.message.endsWith(`, got ${text}`),
    )
  })

test('a chain without the checkpoint is told with its place and a remedy, and any other error is left as it is', () => {
  const told = explainMismatch(new CheckpointMismatch('block 3 is another'), '/data/chain')
  assert.ok(told instanceof CommandError)
  assert.equal(told.code, EXIT.file)
  assert.equal(told.message, '--checkpoint: block 3 is another (/data/chain)')
  assert.match(told.remedy ?? '', /^Ask again .* move that folder away/)
  for (const error of [new CorruptStore('x'), 'x', null]) assert.equal(explainMismatch(error, '/data'), error)
})
