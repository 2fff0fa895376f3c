// A copy of the sources in a temporary directory, in which a fault can be planted; tests and runs of the simulator that
// use it are processes of their own, so that their modules are the copy's as they are then.

import assert from 'node:assert/strict'
import { type ChildProcess, execFile, fork } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RunAnswer, RunRequest } from './planted-runs.ts'
import type { Fault } from './planted-table.ts'

const TEST_TIMEOUT_MS = 60_000
const RUN_TIMEOUT_MS = 60_000
/** Bytes that the tests of a fault may print. */
const OUTPUT_MAX = 64 * 1024 * 1024

/** One copy, removed when this process exits. */
export class PlantedCopy {
  readonly #directory = mkdtempSync(join(tmpdir(), 'quorate-planted-'))
  readonly #environment = {
    ...process.env,
    NODE_TEST_CONTEXT: undefined,
    NODE_COMPILE_CACHE: join(this.#directory, 'compiled'),
  }

  /** What runs in it now, or ran last. */
  #child: ChildProcess | null = null

  constructor() {
    process.on('exit', () => {
      // First, for it may still write there.
      this.#child?.kill('SIGKILL')
      rmSync(this.#directory, { recursive: true, force: true, maxRetries: 5 })
    })
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

  /** The name of the first test that failed; null when all passed. */
  async runTests(tests: readonly string[]): Promise<string | null> {
    const files = tests.map(name => join('test', `${name}.test.ts`))
    // In one process that can be killed for good: some faults make a test loop for ever.
    const options = ['--test', '--test-isolation=none', '--test-reporter=tap']
    const timeoutMs = TEST_TIMEOUT_MS * files.length
    const { code, isKilled, stdout, stderr } = await this.#run([...options, ...files], timeoutMs)
    if (isKilled) return `no end after ${timeoutMs / 1000} s`
    if (code === 0) return null
    const failed = [...stdout.matchAll(/^ *not ok \d+ - (.*)$/gm)].map(match => match[1]!)
    // A file that does not even load says nothing about a rule.
    // Tests of what a command writes take the output for themselves, and the names of those that fail with it.
    const isUnnamed = failed.length === 0 && /^# fail [1-9]/m.test(stdout)
    const name = isUnnamed ? 'a test that takes the output' : failed.find(text => !text.endsWith('.test.ts'))
    assert.ok(name !== undefined, `the tests could not run:\n${stdout}${stderr}`)
    return name
  }

  /** A process that runs the copy's simulator. */
  async startRuns(): Promise<PlantedRuns> {
    const child = fork(join(this.#directory, 'test', 'planted-runs.ts'), {
      cwd: this.#directory,
      env: this.#environment,
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
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

  #run(parameters: readonly string[], timeoutMs: number) {
    return new Promise<{ code: number; isKilled: boolean; stdout: string; stderr: string }>(resolve => {
      const child = execFile(
        process.execPath,
        parameters,
        {
          cwd: this.#directory,
          env: this.#environment,
          killSignal: 'SIGKILL',
          timeout: timeoutMs,
          maxBuffer: OUTPUT_MAX,
        },
        (error, stdout, stderr) =>
          resolve({ code: child.exitCode ?? 1, isKilled: error?.killed === true, stdout, stderr }),
      )
      this.#child = child
    })
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
    this.#child.kill('SIGKILL')
  }
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
