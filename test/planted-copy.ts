// A copy of the sources in a temporary directory, in which a fault can be planted; tests and runs of the simulator that
// use it are processes of their own, so that their modules are the copy's as they are then.

import assert from 'node:assert/strict'
import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { RunAnswer, RunRequest } from './planted-runs.ts'
import type { Fault } from './planted-table.ts'
import type { TestsAnswer } from './planted-tests.ts'

/** Seconds of processor time: some faults make a test loop for ever. No file takes a third of it. */
const TEST_CPU_SECONDS = 60
/** Others make a test wait for ever. By the clock, so it must do on a busy machine. */
const TEST_TIMEOUT_MS = 180_000
const RUN_TIMEOUT_MS = 60_000

/** One copy, removed when this process exits. */
export class PlantedCopy {
  readonly #directory = mkdtempSync(join(tmpdir(), 'quorate-planted-'))
  readonly #environment = {
    ...process.env,
    NODE_TEST_CONTEXT: undefined,
    NODE_COMPILE_CACHE: join(this.#directory, 'compiled'),
    TMPDIR: join(this.#directory, 'tmp'),
  }

  /** What runs in it now. */
  #child: ChildProcess | null = null

  constructor() {
    process.on('exit', () => {
      // First, for it may still write there.
      if (this.#child !== null) killGroup(this.#child)
      rmSync(this.#directory, { recursive: true, force: true, maxRetries: 5 })
    })
    mkdirSync(this.#environment.TMPDIR)
    const root = join(import.meta.dirname, '..')
    for (const name of ['bin', 'src', 'test', 'genesis', 'scenarios', 'package.json', 'tsconfig.json'])
      cpSync(join(root, name), join(this.#directory, name), { recursive: true })
    symlinkSync(join(root, 'node_modules'), join(this.#directory, 'node_modules'))
  }

  /** Throws unless the line that a fault changes is there once. */
  assertPlantable({ name, file, find }: Fault): void {
    const count = readFileSync(this.#source(file), 'utf8').split(find).length - 1
    assert.equal(count, 1, `${name}: the snippet is ${count} times in src/${file}, not once:\n${find}`)
  }

  /** What `look` sees while the fault is in the copy. */
  async planted<T>({ file, find, replace }: Fault, look: () => Promise<T>): Promise<T> {
    const path = this.#source(file)
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

  /** What the tests of these files show, or, where names are given, those of these names: up to the first that fails. */
  async runTests(files: readonly string[], names: readonly string[] = []): Promise<TestsAnswer> {
    const paths = files.map(file => join('test', `${file}.test.ts`))
    const { signal, answer, stderr } = await this.#run([...paths, '--', ...names])
    if (answer !== '') return JSON.parse(answer) as TestsAnswer
    if (signal === 'SIGXCPU') return { failed: `no end in ${TEST_CPU_SECONDS} s of a processor`, passed: [] }
    if (signal === 'SIGKILL') return { failed: `no end in ${TEST_TIMEOUT_MS / 1000} s`, passed: [] }
    assert.fail(`the tests of ${files.join(', ')} could not run:\n${stderr}`)
  }

  /** A process that runs the copy's simulator. */
  async startRuns(): Promise<PlantedRuns> {
    const child = fork(join(this.#directory, 'test', 'planted-runs.ts'), {
      cwd: this.#directory,
      env: this.#environment,
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      detached: true,
    })
    this.#child = child
    let stderr = ''
    child.stderr!.setEncoding('utf8').on('data', text => {
      stderr += text
    })
    const answer = await nextAnswer(child)
    assert.equal(answer, 'ready', `the simulator could not start:\n${stderr}`)
    return new PlantedRuns(child)
  }

  /** Runs planted-tests.ts to its end; one that has none is killed. */
  async #run(parameters: readonly string[]) {
    const limited = `ulimit -S -t ${TEST_CPU_SECONDS}; exec "$0" "$@"`
    const command = [process.execPath, join('test', 'planted-tests.ts'), ...parameters]
    const child = spawn('/bin/sh', ['-c', limited, ...command], {
      cwd: this.#directory,
      env: this.#environment,
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
      // A group of its own, so that what its tests have started ends with it.
      detached: true,
    })
    this.#child = child
    const timer = setTimeout(killGroup, TEST_TIMEOUT_MS, child)
    const [stderr, answer] = [text(child.stderr!), text(child.stdio[3] as Readable)]
    await once(child, 'exit')
    clearTimeout(timer)
    killGroup(child)
    this.#child = null
    return { signal: child.signalCode, stderr: await stderr, answer: await answer }
  }

  #source(file: string): string {
    return join(this.#directory, 'src', file)
  }
}

/** The simulator of a copy at work, one run after the other. */
export class PlantedRuns {
  readonly #child: ChildProcess

  constructor(child: ChildProcess) {
    this.#child = child
  }

  /** What one run finds, null for nothing; a run that never ends and one that takes the process with it find something. */
  async run(request: RunRequest): Promise<string | null> {
    // One that has died is not heard, which is an answer.
    this.#child.send(request, () => {})
    const answer = await nextAnswer(this.#child)
    assert.notEqual(answer, 'ready')
    return typeof answer === 'string' ? answer : answer.found
  }

  end(): void {
    killGroup(this.#child)
  }
}

/** Ends a process and all that it has started, if they are still there. */
function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch {}
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
