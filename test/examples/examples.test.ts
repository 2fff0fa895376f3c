// Every example runs from the sources as a user would run it, and says what it is there to show. The packed form is
// checked by .ci/pack-check.ts.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { EXAMPLES } from './expected.ts'

const root = join(import.meta.dirname, '..', '..')
const hooks = join(import.meta.dirname, 'from-sources.ts')

for (const [name, expected] of EXAMPLES) {
  test(`examples/${name}.ts runs from the sources`, () => {
    const path = join(root, 'examples', `${name}.ts`)
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', hooks, path], {
      encoding: 'utf8',
    })
    assert.equal(status, 0, stderr)
    assert.match(stdout, expected)
  })
}

test('every entry of the package has an example of under 60 lines, and nothing else is one', () => {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const entries = Object.keys(exports).flatMap(key => /^\.\/([a-z]+)$/.exec(key)?.[1] ?? [])
  const examples = readdirSync(join(root, 'examples')).filter(file => file.endsWith('.ts'))
  assert.deepEqual(examples.sort(), entries.map(entry => `${entry}.ts`).sort())
  assert.deepEqual([...EXAMPLES.keys()].sort(), entries.sort())
  for (const file of examples) {
    const lines = readFileSync(join(root, 'examples', file), 'utf8')
      .trimEnd()
      .split('\n').length
    assert.ok(lines < 60, `${file} has ${lines} lines`)
  }
})
