// What a test leaves behind goes, in the right order, whatever happens meanwhile: a run of tests of its own shows it.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { temporaryDirectory } from '../cleanup.ts'

test('what a test leaves is undone latest first, each though another fails, and the failure is told', async t => {
  const path = join(await temporaryDirectory(t), 'inner.test.ts')
  const cleanup = pathToFileURL(join(import.meta.dirname, '..', 'cleanup.ts'))
  await writeFile(
    path,
    `import { test } from 'node:test'
import { cleanUp } from '${cleanup}'
test('inner', t => {
  cleanUp(t, () => console.log('undone: first'))
  cleanUp(t, async () => { throw new Error('the second fails') })
  cleanUp(t, () => console.log('undone: third'))
})
`,
  )
  const { status, stdout } = spawnSync(process.execPath, ['--test', '--test-isolation=none', path], {
    encoding: 'utf8',
    env: { ...process.env, NODE_TEST_CONTEXT: undefined },
  })
  assert.deepEqual(stdout.match(/undone: \w+/g), ['undone: third', 'undone: first'])
  assert.match(stdout, /the second fails/)
  assert.equal(status, 1)
})
