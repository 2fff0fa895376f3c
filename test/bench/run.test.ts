// The command of all benchmarks: what it prints and refuses. No time is asserted.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { figuresOf } from '../../bench/benchmark.ts'
import { BENCHMARKS } from '../../bench/catalogue.ts'
import { readCommand, UsageError } from '../../bench/command-line.ts'

const COMMAND = join(import.meta.dirname, '../../bench/run.ts')

function bench(...parameters: readonly string[]) {
  return new Promise<{ code: number; stdout: string; stderr: string }>(resolve => {
    const child = execFile(process.execPath, [COMMAND, ...parameters], (_, stdout, stderr) =>
      resolve({ code: child.exitCode ?? 1, stdout, stderr }),
    )
  })
}

test('a benchmark prints one line of JSON with its figures and those of its reference', async () => {
  const { code, stdout } = await bench('mining', '--quick', '--json')
  assert.equal(code, 0)
  const lines = stdout.trimEnd().split('\n')
  assert.equal(lines.length, 1)
  const { name, unit, ...numbers } = JSON.parse(lines[0]!)
  assert.deepEqual([name, unit], ['mining', 'nonces/s'])
  assert.deepEqual(Object.keys(numbers), ['value', 'reference', 'ratio', 'spread'])
  for (const [key, number] of Object.entries(numbers))
    assert.ok(Number.isFinite(number) && (number as number) >= 0, `${key} is ${number}`)
})

test('help lists every benchmark', async () => {
  const { code, stdout } = await bench('--help')
  assert.equal(code, 0)
  for (const { name, summary } of BENCHMARKS)
    assert.ok(stdout.includes(`${name.padEnd(11)} ${summary}`), `${name} is not listed`)
})

const wrong: readonly (readonly [says: string, parameters: readonly string[]])[] = [
  ['there is no benchmark mine', ['mine']],
  ["Unknown option '--sizes'", ['mining', '--sizes', '3']],
  ["Unknown option '--transfers' (it is an option of node, run alone)", ['mining', '--transfers', '3']],
  [
    "Unknown option '--transfers' (it is an option of node, run alone)",
    ['mining', 'node', '--transfers', '3'],
  ],
  ['--transfers is none, not a whole number above 0', ['node', '--transfers', 'none']],
  ['--backend is fastest or native or wasm, not slow', ['recovery', '--backend', 'slow']],
]

for (const [says, parameters] of wrong)
  test(`${parameters.join(' ')} is refused: ${says}`, () => {
    assert.throws(
      () => readCommand(parameters),
      error => error instanceof UsageError && error.message.startsWith(says),
    )
  })

test('what is refused goes to standard error, with exit code 2', async () => {
  const { code, stdout, stderr } = await bench('mine')
  assert.deepEqual([code, stdout], [2, ''])
  assert.ok(stderr.startsWith('bench: there is no benchmark mine'), stderr)
})

test('without a name all that are short are run', () => {
  const command = readCommand(['--quick'])
  assert.ok(command.type === 'run-each')
  assert.ok(command.benchmarks.length > 1 && command.benchmarks.every(({ isShort }) => isShort))
  assert.deepEqual(command.flags, ['--quick'])
})

test('a figure is the median of its rounds, and its spread the interquartile range of their ratios', () => {
  const rounds: [number, number][] = [
    [10, 10],
    [20, 10],
    [30, 10],
    [40, 10],
    [50, 10],
  ]
  assert.deepEqual(figuresOf(rounds), { value: 30, reference: 10, ratio: 3, spread: 2 / 3 })
  assert.equal(figuresOf(rounds.slice(0, 1)).spread, null)
})
