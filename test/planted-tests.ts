// The tests that must find a fault, run in a copy of the sources in a process of its own: planted-copy.ts starts it. The
// first test that fails ends it, and so does the end of all. What it saw is one line of JSON on descriptor 3, for tests
// of what a command writes take the standard output for themselves.
//
//   node test/planted-tests.ts FILE… [-- NAME…]    NAME: only tests of these names are run

import { writeSync } from 'node:fs'
import { run } from 'node:test'

/** The name of the test that failed, null when all passed; and the names of those that passed. */
export interface TestsAnswer {
  readonly failed: string | null
  readonly passed: readonly string[]
}

const ANSWER_DESCRIPTOR = 3

const parameters = process.argv.slice(2)
const end = parameters.indexOf('--')
const files = end === -1 ? parameters : parameters.slice(0, end)
const names = end === -1 ? [] : parameters.slice(end + 1)

const passed: string[] = []
run({
  files,
  isolation: 'none',
  concurrency: false,
  ...(names.length === 0
    ? {}
    : { testNamePatterns: names.map(name => new RegExp(`^${RegExp.escape(name)}$`)) }),
})
  .on('test:complete', ({ name: test, todo, skip, details }) => {
    if (todo !== undefined || skip !== undefined || details.type === 'suite') return
    if (details.passed) passed.push(test)
    // A file that does not load is a failed test with the name of the file, and says nothing about a rule.
    else if (test.endsWith('.test.ts'))
      fail(`${test} does not load: ${details.error?.cause ?? details.error}`)
    else answer({ failed: test, passed })
  })
  .on('test:summary', ({ success }) => {
    if (!success) fail('a failure has no test')
  })
  .on('end', () => answer({ failed: null, passed }))
  .resume()

function answer(seen: TestsAnswer): void {
  writeSync(ANSWER_DESCRIPTOR, JSON.stringify(seen))
  process.exit()
}

function fail(reason: string): never {
  console.error(reason)
  process.exit(1)
}
