// `quorate scenario`, as it is called: TAP and JSON, its exit codes, and three scenarios on real processes.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { temporaryDirectory } from '../cleanup.ts'
import { quorate } from './network.ts'

async function fileOf(context: TestContext, text: string): Promise<string> {
  const path = join(await temporaryDirectory(context), 'mine.scenario')
  await writeFile(path, text)
  return path
}

const SHORT = 'scenario mine\nsays It is short.\nnodes 4\nfinality pbft\nat 1s pay 5 through n1\n'

test('a scenario that holds ends with 0, and the same seed says the same', async context => {
  const path = await fileOf(context, `${SHORT}expect all transfers final by 4s\n`)
  const { code, stdout, stderr } = await quorate(['scenario', 'run', path, '--seed', '3'])
  assert.equal(code, 0, stderr)
  assert.match(
    stdout,
    /^TAP version 14\n# on simulator, seed 3, patience 1\n1\.\.1\n# Subtest: mine\n {4}1\.\.1\n/,
  )
  assert.match(stdout, /\n {4}ok 1 - all transfers final by 4s\n[\s\S]*\nok 1 - mine\n$/)
  assert.equal((await quorate(['scenario', 'run', path, '--seed', '3'])).stdout, stdout)
})

test('a wrong expectation is not ok, and the code is 1', async context => {
  const path = await fileOf(context, `${SHORT}expect final >= 6 by 4s\nexpect never reversed\n`)
  const { code, stdout } = await quorate(['scenario', 'run', path])
  assert.equal(code, 1)
  assert.match(stdout, /\n {4}not ok 1 - final >= 6 by 4s\n/)
  assert.match(stdout, /mine\.scenario:6"\n {6}saw: "n1 5, n2 5, n3 5, n4 5"\n/)
  assert.match(stdout, /\n {4}ok 2 - never reversed\n[\s\S]*\nnot ok 1 - mine\n$/)
  const json = await quorate(['scenario', 'run', path, '--json'])
  assert.equal(json.code, 1)
  const { scenarios } = JSON.parse(json.stdout)
  assert.deepEqual(
    scenarios[0].expectations.map(({ isMet }: { isMet: boolean }) => isMet),
    [false, true],
  )
})

test('what is no scenario is refused with its line, what is no file with its path', async context => {
  const path = await fileOf(context, `${SHORT}at 2s kil n2\n`)
  const refused = await quorate(['scenario', 'run', path])
  assert.equal(refused.code, 3)
  assert.match(refused.stderr, /is not a scenario: line 6: expected "kill", .* got "kil n2"/)
  const missing = await quorate(['scenario', 'run', 'no-such-scenario'])
  assert.equal(missing.code, 3)
  assert.match(missing.stderr, /cannot read no-such-scenario/)
  assert.equal((await quorate(['scenario', 'run', '--patience', '0.5'])).code, 2)
  const list = await quorate(['scenario', 'list'])
  assert.match(list.stdout, /^late-joiner +4 +hybrid/m)
})

/** A scenario that comes with quorate, unchanged, on real processes; a machine may be much slower than it thinks. */
async function assertLive(name: string): Promise<void> {
  const { code, stdout, stderr } = await quorate(['scenario', 'run', name, '--live', '--patience', '10'])
  assert.equal(code, 0, `${stdout}${stderr}`)
}

test('on real processes two transactions for one nonce end as they do in the simulator', () =>
  assertLive('two-transfers-one-nonce'))

test('on real processes a late joiner catches up as it does in the simulator', () =>
  assertLive('late-joiner'))

test('on real processes a slow network that loses packets decides as it does in the simulator', () =>
  assertLive('lossy-wide-network'))

test('a latency with which real nodes could not shake hands is refused', async context => {
  const path = await fileOf(context, `${SHORT}network latency 2s\nexpect never reversed\n`)
  const { code, stderr } = await quorate(['scenario', 'run', path, '--live'])
  assert.equal(code, 2)
  assert.match(stderr, /with --live a latency of at most 500 ms, not 2000/)
})
