// `npm test`: all test files, in node's own runner. With a process for every file most of the time goes into loading the
// same modules again, so files of folders that change nothing outside themselves share one. The others keep a process
// each, and those that take longest start first, so that nothing long is left over at the end.
//
//   bin/node24 test/run.ts             all test files
//   bin/node24 test/run.ts lab/ rpc/   those whose path begins with one of these
//
// One file by itself is run by node: `bin/node24 --test FILE`.

import { globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { pathToFileURL } from 'node:url'
import { missingVectors } from './vectors.ts'

/** A test that takes longer is ended. */
const TEST_TIMEOUT_MS = 300_000
/** Files that still run then are ended and named: a test can end and leave something that keeps its process alive. */
const RUN_TIMEOUT_MS = 25 * 60_000
/** Twice the cores of a small machine: the files that start nodes wait more than they compute. */
const CONCURRENCY = 4

/** A process for each file: they start processes, or compute for long. The longest first. */
const ALONE = [
  'end-to-end/finality',
  'end-to-end/',
  'hostile/',
  'consensus/twins',
  'consensus/pbft/throughput',
  'consensus/pbft/conformance',
  'fuzz/',
  'scenarios/',
  'cli/attack',
  'cli/compare',
  'cli/genesis',
  'cli/hostile-node', // With those that use test/cli/in-process.ts.
  'cli/hurry',
  'cli/validator',
  'lab/report/report', // It starts a browser.
  'rpc/browser',
  'signatures/',
  'mining/',
  'examples/',
]

/** A process for all files of a line that are not among those above. Those that compute longest come first. */
const TOGETHER = [
  ['lab/swarm/'],
  ['lab/report/', 'lab/theory/', 'lab/stage/', 'lab/sweep/', 'lab/compare/'],
  ['lab/'],
  ['consensus/'],
  ['replica/', 'finality/'],
  ['node/'],
  ['rpc/', 'wallet/', 'cli/'],
  ['chain/', 'collections/', 'encoding/', 'execution/', 'files/', 'house/'],
]

const FOLDER = import.meta.dirname

/** Lets the event loop turn after each test: results are told as they come, not when a file of pure tests has ended. */
const TURN = `import { afterEach } from 'node:test'
import { setImmediate } from 'node:timers/promises'
afterEach(() => setImmediate())
`

/** A file that node's runner takes for one test file, and that imports all of these. */
function bundle(files: readonly string[], folder: string, name: string): string {
  const turn = join(folder, 'turn.mjs')
  writeFileSync(turn, TURN)
  const path = join(folder, `${name}.mjs`)
  const imported = [turn, ...files.map(file => join(FOLDER, file))]
  writeFileSync(path, imported.map(file => `import ${JSON.stringify(pathToFileURL(file))}\n`).join(''))
  return path
}

/** The test files whose path begins with one of these, all where none is given. */
function filesWith(prefixes: readonly string[]): string[] {
  return globSync('**/*.test.ts', { cwd: FOLDER })
    .map(file => file.replaceAll('\\', '/'))
    .filter(file => prefixes.length === 0 || prefixes.some(prefix => file.startsWith(prefix)))
    .sort()
}

/** What node's runner is to run, in this order. */
function plan(files: readonly string[], temporary: string): string[] {
  const left = new Set(files)
  const take = (prefixes: readonly string[]): string[] => {
    const taken = [...left].filter(file => prefixes.some(prefix => file.startsWith(prefix)))
    for (const file of taken) left.delete(file)
    return taken
  }
  const alone = ALONE.flatMap(prefix => take([prefix]))
  const bundles = TOGETHER.flatMap(prefixes => {
    const files = take(prefixes)
    const name = prefixes.map(prefix => prefix.replaceAll('/', '')).join('-')
    return files.length === 0 ? [] : [bundle(files, temporary, name)]
  })
  const others = [...alone, ...left].map(file => join(FOLDER, file))
  // Those that wait beside those that compute.
  return others
    .flatMap((file, index) => [file, ...bundles.slice(index, index + 1)])
    .concat(bundles.slice(others.length))
}

const temporary = mkdtempSync(join(tmpdir(), 'quorate-tests-'))
process.once('exit', () => rmSync(temporary, { recursive: true, force: true }))

const interrupted = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => interrupted.abort(new Error(`ended by ${signal}`)))

const wanted = process.argv.slice(2)
const files = filesWith(wanted)
// A run of nothing would pass.
const unknown = wanted.filter(prefix => !files.some(file => file.startsWith(prefix)))
if (files.length === 0 || unknown.length > 0) {
  console.error(`test/run.ts: no test file in test/ begins with ${unknown.join(' or ')}`)
  process.exit(2)
}
const results = run({
  files: plan(files, temporary),
  concurrency: CONCURRENCY,
  timeout: TEST_TIMEOUT_MS,
  signal: AbortSignal.any([interrupted.signal, AbortSignal.timeout(RUN_TIMEOUT_MS)]),
})
results.on('test:fail', () => {
  process.exitCode = 1
})
// Results come in the order of the files, those of a slow one late: meanwhile a terminal shows how many tests are done.
let done = 0
if (process.stderr.isTTY)
  results.on('test:complete', () => process.stderr.write(`\r\x1b[K${++done} tests are done`))
for await (const text of results.compose(new spec()))
  process.stdout.write(done > 0 ? `\r\x1b[K${text}` : text)
const missing = missingVectors()
if (missing !== null) console.log(missing)
