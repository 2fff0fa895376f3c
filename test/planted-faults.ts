// Faults planted in the code on purpose, one at a time: the tests that are named must find every one of them, and
// nothing where there is none. What the tests of a rule are worth is seen only when the rule is broken.
//
//   bin/node24 test/planted-faults.ts [name…]                   all faults, or those whose name contains one of these
//   bin/node24 test/planted-faults.ts --simulate[=N] [name…]    how many seeds the simulator takes to find each
//
// The simulator makes seed 1 of each kind of runs that uses the broken code, then seed 2 of each, to seed N: see KINDS.
// What it does not find so, directed tests must find: a liar's blocks in the simulator, or those that the fault names.
//
// The sources are copied to a temporary directory first. A snippet that is not found exactly once there fails the
// run: whoever changes the line moves the fault along (planted-table.ts).

import assert from 'node:assert/strict'
import { type ChildProcess, fork, spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RunAnswer, RunKind, RunRequest } from './planted-runs.ts'
import { FAULTS, type Fault } from './planted-table.ts'

const TEST_TIMEOUT_MS = 60_000
const RUN_TIMEOUT_MS = 60_000
const SEEDS = 30
/** Characters of a line of the simulator's table. */
const NAME_WIDTH = 90
const REASON_WIDTH = 110

/**
 * The kinds of runs. The first is `quorate sim --faults all`, the next three are `quorate sim --finality … --validators any
 * --faults all --byzantine all --blocks 5 --transfers 8`, and the last `quorate sim --swarm --finality …`.
 */
const KINDS: readonly RunKind[] = [
  { name: 'longest-chain', finality: 'longest-chain', pattern: null, isSwarm: false },
  { name: 'pbft', finality: 'pbft', pattern: 'all-to-all', isSwarm: false },
  { name: 'pbft leader-collected', finality: 'pbft', pattern: 'leader-collected', isSwarm: false },
  { name: 'hybrid', finality: 'hybrid', pattern: 'all-to-all', isSwarm: false },
  { name: 'swarm longest-chain', finality: 'longest-chain', pattern: null, isSwarm: true },
  { name: 'swarm pbft', finality: 'pbft', pattern: null, isSwarm: true },
  { name: 'swarm hybrid', finality: 'hybrid', pattern: null, isSwarm: true },
]

/** The scenarios of the simulator in which a peer tells every lie about blocks; a random run tells some, if any. */
const LIES = 'sim/adversary/lies'

const root = join(import.meta.dirname, '..')
const copy = mkdtempSync(join(tmpdir(), 'quorate-planted-'))
process.on('exit', () => rmSync(copy, { recursive: true, force: true }))
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1))

const names = process.argv.slice(2).filter(argument => !argument.startsWith('--'))
const simulate = process.argv.find(argument => argument.startsWith('--simulate'))
const chosen = FAULTS.filter(
  fault => names.length === 0 || names.some(name => `${fault.file} ${fault.name}`.includes(name)),
)
assert.equal(new Set(FAULTS.map(fault => fault.name)).size, FAULTS.length, 'two faults have one name')

copySources()
for (const fault of chosen) assertPlantable(fault)
if (simulate === undefined) await testAll()
else await simulateAll(Number(simulate.split('=')[1] ?? SEEDS))

// ---- the tests

async function testAll(): Promise<void> {
  const healthy = runTests([...new Set(chosen.flatMap(fault => fault.tests))])
  console.log(`1..${chosen.length + 1}`)
  let survivors = report(1, healthy === null, 'nothing is found where nothing is planted', healthy)
  for (const [index, fault] of chosen.entries()) {
    const found = await planted(fault, async () => runTests(fault.tests))
    await turn()
    survivors += report(index + 2, found !== null, `${fault.name} (${fault.file})`, found)
  }
  console.log(`# ${chosen.length} faults, ${survivors} failed`)
  process.exitCode = survivors === 0 ? 0 : 1
}

/** The name of the first test that failed; null when all passed. */
function runTests(tests: readonly string[]): string | null {
  const files = tests.map(name => join('test', `${name}.test.ts`))
  // In one process that can be killed for good: some faults make a test loop for ever.
  const options = ['--test', '--test-isolation=none', '--test-reporter=tap']
  const run = spawnSync(process.execPath, [...options, ...files], {
    cwd: copy,
    encoding: 'utf8',
    killSignal: 'SIGKILL',
    timeout: TEST_TIMEOUT_MS * files.length,
    env: { ...process.env, NODE_TEST_CONTEXT: undefined },
  })
  if (run.error !== undefined) return `no end after ${(TEST_TIMEOUT_MS * files.length) / 1000} s`
  if (run.status === 0) return null
  const failed = [...run.stdout.matchAll(/^ *not ok \d+ - (.*)$/gm)].map(match => match[1]!)
  // A file that does not even load says nothing about a rule.
  const name = failed.find(text => !text.endsWith('.test.ts'))
  assert.ok(name !== undefined, `the tests could not run:\n${run.stdout}${run.stderr}`)
  return name
}

function report(number: number, isGood: boolean, name: string, found: string | null): 0 | 1 {
  console.log(
    `${isGood ? 'ok' : 'not ok'} ${number} - ${name}${found === null ? '' : `\n  # found by: ${found}`}`,
  )
  return isGood ? 0 : 1
}

// ---- the simulator

/** How a fault was found: by the so many-th random run, or by a test. */
type Found = { readonly text: string; readonly runs: number | null }

async function simulateAll(seeds: number): Promise<void> {
  assert.ok(Number.isSafeInteger(seeds) && seeds > 0, '--simulate=N: N is the number of seeds of each kind')
  const tests = [LIES, ...new Set(chosen.flatMap(fault => fault.tests))]
  const healthy = await look(KINDS, seeds, tests)
  row('nothing planted', healthy?.text ?? 'nothing found')
  const runs: number[] = []
  let survivors = 0
  for (const fault of chosen) {
    const found = await planted(fault, () => look(kindsOf(fault), seeds, [LIES, ...fault.tests]))
    await turn()
    row(fault.name, found?.text ?? 'SURVIVES')
    if (found === null) survivors += 1
    else if (found.runs !== null) runs.push(found.runs)
  }
  const directed = chosen.length - survivors - runs.length
  runs.sort((a, b) => a - b)
  const effort = runs.length === 0 ? '' : ` (median ${runs[runs.length >> 1]} runs, worst ${runs.at(-1)})`
  console.log(`# ${seeds} seeds of each kind find ${runs.length} of ${chosen.length} faults${effort},`)
  console.log(`# directed tests ${directed} more; ${survivors} survive`)
  process.exitCode = survivors === 0 && healthy === null ? 0 : 1
}

function row(name: string, text: string): void {
  console.log(`${name.padEnd(NAME_WIDTH)} ${text}`)
}

/** The kinds of runs in which the code of a fault is used. */
function kindsOf({ file }: Fault): RunKind[] {
  const [, mode] = /^finality\/(longest-chain|pbft|hybrid)\.ts$/.exec(file) ?? []
  if (mode !== undefined) return KINDS.filter(kind => kind.finality === mode)
  const isOfVotes = file.startsWith('finality/') || file.startsWith('consensus/')
  return KINDS.filter(kind => !isOfVotes || kind.finality !== 'longest-chain')
}

/** What random runs find, or, when they find nothing, the tests one after the other. */
async function look(
  kinds: readonly RunKind[],
  seeds: number,
  tests: readonly string[],
): Promise<Found | null> {
  const found = await tryRuns(kinds, seeds)
  if (found !== null) return found
  for (const test of tests) {
    const name = runTests([test])
    await turn()
    if (name !== null) return { text: `directed: ${name} (${test})`, runs: null }
  }
  return null
}

/** The first random run that finds something: seed 1 of each kind, then seed 2 of each, and so on. */
async function tryRuns(kinds: readonly RunKind[], seeds: number): Promise<Found | null> {
  const child = await startRuns()
  const end = (): void => void child.kill('SIGKILL')
  process.on('exit', end)
  try {
    const count = seeds * kinds.length
    for (let run = 0; run < count; run++) {
      const kind = kinds[run % kinds.length]!
      const seed = Math.floor(run / kinds.length) + 1
      const reason = await tryRun(child, { ...kind, seed })
      if (reason === null) continue
      const words = reason.split('\n', 1)[0]!.slice(0, REASON_WIDTH)
      return { text: `seed ${seed} of ${kind.name} (run ${run + 1}): ${words}`, runs: run + 1 }
    }
    return null
  } finally {
    process.off('exit', end)
    end()
  }
}

/** A process that runs the copy's simulator. */
async function startRuns(): Promise<ChildProcess> {
  const child = fork(join(copy, 'test', 'planted-runs.ts'), {
    cwd: copy,
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  let stderr = ''
  child.stderr!.setEncoding('utf8').on('data', text => {
    stderr += text
  })
  const answer = await nextAnswer(child)
  assert.equal(answer, 'ready', `the simulator could not start:\n${stderr}`)
  return child
}

/** What one run finds, null for nothing; a run that never ends and one that takes the process with it find something. */
async function tryRun(child: ChildProcess, request: RunRequest): Promise<string | null> {
  // One that has died is not heard, which is an answer.
  child.send(request, () => {})
  const answer = await nextAnswer(child)
  assert.notEqual(answer, 'ready')
  return typeof answer === 'string' ? answer : answer.found
}

function nextAnswer(child: ChildProcess): Promise<RunAnswer | string> {
  return new Promise(resolve => {
    const settle = (answer: RunAnswer | string): void => {
      clearTimeout(timer)
      child.off('message', settle).off('close', onClose)
      resolve(answer)
    }
    const onClose = (code: number | null, signal: string | null): void =>
      settle(`the process ends with ${code ?? signal}`)
    const timer = setTimeout(settle, RUN_TIMEOUT_MS, `no end after ${RUN_TIMEOUT_MS / 1000} s`)
    child.on('message', settle).on('close', onClose)
  })
}

/** Lets a signal that came meanwhile end the run. */
function turn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

// ---- the copy

function copySources(): void {
  for (const name of ['src', 'test', 'genesis', 'package.json', 'tsconfig.json'])
    cpSync(join(root, name), join(copy, name), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
}

function assertPlantable({ name, file, find }: Fault): void {
  const count = readFileSync(join(copy, 'src', file), 'utf8').split(find).length - 1
  assert.equal(count, 1, `${name}: the snippet is ${count} times in src/${file}, not once:\n${find}`)
}

/** What `look` sees while the fault is in the copy. */
async function planted<T>({ file, find, replace }: Fault, look: () => Promise<T>): Promise<T> {
  const path = join(copy, 'src', file)
  const healthy = readFileSync(path, 'utf8')
  writeFileSync(
    path,
    healthy.replace(find, () => replace),
  )
  try {
    return await look()
  } finally {
    writeFileSync(path, healthy)
  }
}
