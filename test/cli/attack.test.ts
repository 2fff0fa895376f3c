// The attacks: the first as a user runs it, the others in this process.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { runInProcess } from './in-process.ts'

const quorateFile = join(import.meta.dirname, '..', '..', 'bin', 'quorate')

function attack(...args: readonly string[]): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(quorateFile, ['attack', ...args], { encoding: 'utf8' })
  return { code: status, out: stdout, err: stderr }
}

test('double-spend shows what was measured beside both formulas, and the confirmations that are enough', () => {
  const { code, out, err } = attack(
    'double-spend',
    '--races',
    '100',
    '--replicas',
    '2',
    '--confirmations',
    '1..2',
  )
  assert.equal(code, 0, err)
  assert.match(out, /^q +z +measured +95 % interval +exact +Nakamoto +exact inside$/m)
  assert.match(
    out,
    /8 of them were run again\sbetween whole replicas with blocks, state and mempool: 8 ended/,
  )
  assert.match(out, /^Nakamoto +5 +8 +11 +15 +24 +41 +89 +340$/m)
  assert.match(out, /^exact +6 +9 +13 +20 +32 +58 +133 +539$/m)
})

const here = (...args: readonly string[]) => runInProcess(['attack', ...args])

test('double-spend answers in one line of JSON', async () => {
  const { code, out } = await here(
    ...[
      'double-spend',
      '--races',
      '50',
      '--replicas',
      '0',
      '--confirmations',
      '2',
      '--share',
      '30%',
      '--json',
    ],
  )
  assert.equal(code, 0)
  const { rows, confirmations } = JSON.parse(out)
  assert.equal(rows.length, 1)
  assert.deepEqual([rows[0].share, rows[0].confirmations, rows[0].races], [0.3, 2, 50])
  assert.equal(confirmations.rows.length, 8)
})

test('every other attack runs, ends well and says what it means', async () => {
  for (const [args, says] of [
    [['double-spend', '--against', 'hybrid', '--races', '1', '--share', '0.6'], /refused whatever its work/],
    [['double-spend', '--against', 'pbft', '--races', '1', '--share', '0.6'], /no validator signed/],
    [['selfish-mining', '--blocks', '1000', '--share', '0.3'], /33\.3.% for gamma 0, 25.% for gamma 0\.5/],
    [['time-warp', '--days', '20'], /no choice of times gains more than the two hours/],
    [['eclipse', '--runs', '1', '--confirmations', '1'], /never guessed/],
  ] as const) {
    const { code, out, err } = await here(...args)
    assert.equal(code, 0, `${args.join(' ')}: ${out} ${err}`)
    assert.match(out.replaceAll(/\s+/g, ' '), says)
  }
})

for (const args of [
  ['double-spend', '--share', '0.5'],
  ['double-spend', '--share', '0'],
  ['double-spend', '--share', 'much'],
  ['double-spend', '--confirmations', '0'],
  ['double-spend', '--confirmations', '5..2'],
  ['double-spend', '--races', '3'],
  ['double-spend', '--replicas', '-1'],
  ['double-spend', '--against', 'luck'],
  ['double-spend', '--against', 'hybrid', '--confirmations', '3'],
  ['selfish-mining', '--gamma', '2'],
  ['selfish-mining', '--blocks', '1'],
  ['time-warp', '--days', '0'],
  ['eclipse', '--share', '0'],
  ['eclipse', '--runs', '0'],
  ['bribery'],
]) {
  test(`attack ${args.join(' ')} is refused with a word why`, async () => {
    const { code, out, err } = await here(...args)
    assert.equal(code, 2, `${out} ${err}`)
    assert.equal(out, '')
    assert.ok(err.length > 0)
  })
}
