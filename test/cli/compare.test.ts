// `quorate compare`, called wrongly: every mistake is told before any work is done. And the whole report as a file.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

const quorateFile = join(import.meta.dirname, '..', '..', 'bin', 'quorate')
const directory = mkdtempSync(join(tmpdir(), 'quorate-compare-'))
after(() => rmSync(directory, { recursive: true, force: true }))

function compare(...args: readonly string[]): { code: number | null; out: string; err: string } {
  const options = { encoding: 'utf8', cwd: directory } as const
  const { status, stdout, stderr } = spawnSync(quorateFile, ['compare', ...args], options)
  return { code: status, out: stdout, err: stderr.trim() }
}

const MISTAKES: readonly [args: string, error: string][] = [
  ['--rate fast', '--rate: expected a whole number from 1 to 1000, or max, got "fast"'],
  ['--sweep rate=50,', '--sweep rate: expected a whole number from 1 to 1000, or max, got ""'],
  ['--sweep nodes=max', '--sweep nodes: expected a whole number from 2 to 16, got "max"'],
  ['--sweep nodes=4,4', '--sweep: at most 20 values, each once'],
  ['--sweep block=10', '--sweep block: expected a whole number from 200 to 10000, got 10'],
  ['--block-time 5', '--block-time: expected a whole number from 200 to 10000, got 5'],
  ['--out x.html', '--out is for --all'],
  ['--all --modes pbft', '--all is everything, in the simulator: leave --modes out'],
  ['--all --live --sweep cut=2', '--all is everything, in the simulator: leave --live, --sweep out'],
  ['--all --repeat 0', '--repeat: expected a whole number from 1 to 100, got 0'],
]
for (const [args, error] of MISTAKES)
  test(`compare ${args} is told what is wrong with it`, () => {
    const { code, out, err } = compare(...args.split(' '))
    assert.deepEqual([code, out, err], [2, '', `quorate: ${error}`])
  })

test('a report is written over nothing, and it is told before the work', () => {
  const path = join(directory, 'report.html')
  writeFileSync(path, 'mine')
  const { code, err } = compare('--all', '--out', path)
  assert.deepEqual([code, err], [3, `quorate: cannot write ${path}: there is a file of this name`])
  assert.equal(readFileSync(path, 'utf8'), 'mine')
})

test('a file in place of a folder is told before the work', () => {
  const file = join(directory, 'plain')
  writeFileSync(file, 'mine')
  const path = join(file, 'report.html')
  const { code, err } = compare('--all', '--out', path)
  assert.deepEqual([code, err], [3, `quorate: cannot write ${path}: ${file} is not a folder`])
})

test('a folder that is not there is told before the work', () => {
  const path = join(directory, 'nowhere', 'report.html')
  const { code, err } = compare('--all', '--out', path)
  assert.equal(code, 3)
  assert.match(err, /^quorate: cannot write .*nowhere\/report\.html: there is no such file or folder/)
  assert.equal(existsSync(path), false)
})
